#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's kernel from its first instruction to a shell, and off from there, as a guest of each kind; on Xen of those that Xen has.

One CPU, a control domain beside it, -icount shift=0,sleep=off: a virtual nanosecond is an instruction, and waits take no time of this
host. Instructions are the guest's CPU time: its own and the hypervisor's on its behalf. They say nothing of what an exit or a change of
mode costs on silicon; how often there was one, the hypervisor counts (`pvctl stats --events`), and these are the rows below. Xen's
guests read the TSC themselves, as Parvis's do (tsc_mode="native"); Xen counts no events.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import Machine, built  # noqa: E402 (the harness lives with the system tests)
from measured import ICOUNT, KINDS, XENS, XL, events, guest_xml, ramdisk, say, table  # noqa: E402

# In place of the guest's own: its shell says when it is there, and ends it.
SHELL = {"etc/console-shell": "#!/bin/sh\nexec cttyhack sh -c 'echo at the shell: $(cut -d \" \" -f 1 /proc/uptime); poweroff -f'\n"}


def live(m, create, name, leave=""):
    """Its whole life; what there is to tell at its end, when it is preserved. leave: what is typed at the console that it leaves behind."""
    m.send(create)
    uptime = m.expect(r"at the shell: ([\d.]+)\n", 1200).group(1)
    m.expect("reboot: ", 120)
    m.send(leave, end="")
    m.prompt(600)
    million = round(m.told(f"dominfo {name}")["cpu_time_ns"] / 1e6)
    return {"seconds of its own clock, to the shell": uptime, "million instructions, to the shell and off": million}


def on_parvis(vcpus):
    with Machine.parvis("kinds-parvis", files={"root/ramdisk": ramdisk(SHELL)}, qemu=ICOUNT) as m:
        m.prompt(600)
        m.settle()
        for kind in KINDS:
            say(f"a {kind} guest on Parvis")
            m.check(guest_xml(kind, kind, vcpu=vcpus, initrd="/root/ramdisk", on_poweroff="preserve"))
            figures = live(m, f"pvctl create --console /tmp/{kind}.xml", kind)
            yield "Parvis " + kind, {**figures, **events(m, kind)}
            m.check(f"pvctl destroy {kind}", "")


def on_xen(vcpus):
    files = {f"root/{kind}.cfg": XL.format(kind=kind, vcpus=vcpus, at_end="preserve") for kind in XENS}
    with open(built("dom0/vmlinux"), "rb") as kernel:
        files |= {"root/ramdisk": ramdisk(SHELL), "root/vmlinux": kernel.read()}
    with Machine.xen("kinds-xen", files=files, xl=True, qemu=ICOUNT) as m:
        m.prompt(600)
        m.settle()
        m.shell("xl-up")
        for kind in XENS:
            say(f"a {kind} guest on Xen")
            yield "Xen " + kind, live(m, f"xl create -c /root/{kind}.cfg", kind, leave="\x1d")
            m.check(f"xl destroy {kind}", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vcpus", nargs="?", type=int, default=1, metavar="VCPUS", help="of each guest, on one CPU (1)")
    vcpus = parser.parse_args().vcpus
    table(f"Linux to a shell, {vcpus} vCPU{'s' if vcpus > 1 else ''}", dict([*on_parvis(vcpus), *on_xen(vcpus)]))


if __name__ == "__main__":
    main()
