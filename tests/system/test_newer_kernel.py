#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A newer Debian kernel than the one that Parvis ships with, as control domain and as its guest, both unmodified.

It comes from bookworm-backports. Where that cannot be had, the test is skipped and says so.
"""
import subprocess
import sys

from machine import ROOT, Machine, built, run_tests

machine = None
GUEST = ("sed -e 's,/var/lib/parvis/vmlinuz,/newer/vmlinuz,' -e 's,/var/lib/parvis/guest-initramfs,/newer/guest-initramfs,' "
         "/etc/parvis/debian.xml >/tmp/newer.xml")


def make(target):
    return subprocess.run(["make", "--no-print-directory", "--silent", target], cwd=ROOT, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.STDOUT, text=True)


def is_the_control_domain():
    """The newer kernel reaches the shell, finds its hypervisor, and has no complaint."""
    machine.prompt()
    machine.check("uname -r", r"^6\.(1[2-9]|[2-9]\d)\.|^[7-9]\.")
    machine.check("cat /proc/xen/capabilities", r"control_d")
    machine.check("pvctl list", r"Domain-0")
    status, text = machine.shell(r"dmesg | grep -E 'WARNING: CPU|BUG:|Oops|general protection|Call Trace|lockup|rcu.*stall'")
    assert status == 1, text


def is_a_guest():
    """It runs as a guest of itself, to a shell, and powers off when asked."""
    machine.check(f"{GUEST} && grep -c newer/ /tmp/newer.xml", r"^2$")
    machine.send("pvctl create /tmp/newer.xml --console")
    machine.expect(r"guest# ", 300)
    machine.send("uname -r; dmesg | grep -cE 'WARNING: CPU|BUG:|Oops|Call Trace'")
    machine.expect(r"^6\.(1[2-9]|[2-9]\d)\.\S*\n0$|^[7-9]\.\S*\n0$", 60)
    machine.send("\x1d", end="")
    machine.expect(r"parvis# ", 30)
    machine.check("pvctl shutdown --wait --timeout 0 debian && pvctl list | grep -c debian", r"^0$", status=1, timeout=240)


def poweroff_powers_off():
    """poweroff ends the machine."""
    machine.send("poweroff")
    assert machine.wait() == 0


def main():
    global machine
    built("dom0/initramfs.cpio.gz")
    fetched = make("build/newer/.unpacked")
    if fetched.returncode:
        print(fetched.stdout)
        sys.exit(77)    # its last line is the reason
    assert make("newer").returncode == 0
    files = {}
    for name in ("vmlinuz", "guest-initramfs.cpio.gz"):
        with open(built("newer/" + name), "rb") as content:
            files["newer/" + name] = content.read()
    with Machine.parvis("newer-kernel", kernel="newer", files=files) as machine:
        run_tests(is_the_control_domain, is_a_guest, poweroff_powers_off)


if __name__ == "__main__":
    main()
