#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same hello that runs on Parvis runs, byte for byte, as a guest of Debian's Xen 4.17, created by Xen's own toolstack.

It is the proof that what pvguest and Parvis agree about is Xen's ABI and not an agreement between the two.
"""
from machine import Machine, built, run_tests

CONFIG = 'name="hello"\ntype="pv"\nmemory=16\nvcpus=1\nkernel="/var/lib/parvis/hello"\non_poweroff="destroy"\n'


def hello_runs_on_xen():
    """hello greets on Xen, answers its console, and shuts down on request."""
    built("pvguest/hello")
    with Machine.xen("reference", files={"root/hello.cfg": CONFIG}, xl=True) as m:
        m.prompt()
        m.shell("xl-up")
        m.send("xl create -c /root/hello.cfg")
        m.expect(r"start_info: magic \"xen-3\.0-x86_64\"", 60)
        m.expect(r"hello> ", 60)
        m.send("echo the same binary")
        m.expect(r"^the same binary$", 30)
        m.send("\x1d", end="")
        m.expect(r"parvis# ", 30)
        m.check("xl shutdown -w hello; xl list", r"Domain-0")
        m.check("xl list | grep -c hello", r"^0$", status=1)


if __name__ == "__main__":
    run_tests(hello_runs_on_xen)
