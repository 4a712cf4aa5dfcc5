#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stock Debian kernels as guests: two at once, beside two small guests, on the machine of a newcomer, which firmware starts.

The kernel file is the unmodified vmlinuz of Debian's package; the toolstack unpacks it. `--xen` runs the same on Debian's Xen.
"""
import sys

from machine import NEHALEM, Machine, network_args, run_tests

machine = None


def boots_to_a_shell():
    """The network is there; create --console of debian.xml ends at the guest's shell, where commands run."""
    machine.prompt()
    machine.check("pvctl info", r"4\.17")
    machine.check("n=0; until ip route | grep -q default; do n=$((n+1)); [ $n -gt 150 ] && break; usleep 200000; done; ping -c 2 10.0.2.2",
                  r"2 packets received")
    machine.send("pvctl create /etc/parvis/debian.xml --console")
    machine.expect(r"Linux version 6\.", 120)
    machine.expect(r"guest: init reached", 240)
    machine.expect(r"guest# ", 60)
    machine.send("cat /sys/hypervisor/type; uname -r; echo $((6 * 7))")
    machine.expect(r"^xen$", 30)
    machine.expect(r"-amd64$", 30)
    machine.expect(r"^42$", 30)
    machine.send("i=0; while [ $i -lt 30 ]; do env true; i=$((i+1)); done; echo forks $i")
    machine.expect(r"^forks 30$", 60)
    machine.send("dmesg | grep -cE 'WARNING: CPU|BUG:|Oops|Call Trace'")
    machine.expect(r"^0$", 30)
    machine.send("\x1d", end="")
    machine.expect(r"parvis# ", 30)


def balloons():
    """Linux gives memory back when it is asked for less, takes it again, and reads a magic key; the control domain does the same."""
    machine.check("pvctl mem-set --wait debian 200M && pvctl list debian", r"(?s)^debian: 20\d{4} KiB.*^debian +\d+ +20\d{4} ")
    machine.check("pvctl setmem --wait debian 262144 && pvctl list -u MiB debian", r"^debian +\d+ +256 ")
    machine.check("pvctl mem-set --wait Domain-0 900M && pvctl mem-set --wait Domain-0 940M", r"(?s)^Domain-0: 92\d{4} KiB.*^Domain-0: 96\d{4} KiB")
    machine.check("pvctl sysrq debian h; n=0; until pvctl log debian | grep 'sysrq: HELP' || [ $n -gt 100 ]; do n=$((n+1)); usleep 100000; done",
                  r"sysrq: HELP")
    machine.check("pvctl trigger debian nmi; n=0; until pvctl log debian | grep 'NMI received' || [ $n -gt 100 ]; do n=$((n+1)); usleep 100000; done",
                  r"NMI received for unknown reason 00 on CPU 0")


def two_beside_two():
    """A second stock kernel and two small guests run beside it; each answers. The second has an address of QEMU's user network, and reaches its host and
    the control domain."""
    machine.check("sed 's/>debian-net</>second</' /etc/parvis/debian-net.xml >/tmp/second.xml; "
                  "for n in a b; do sed \"s/>hello</>$n</\" /etc/parvis/hello.xml >/tmp/$n.xml; done", "")
    machine.check("pvctl create /tmp/a.xml && pvctl create /tmp/b.xml && pvctl create /tmp/second.xml", "")
    control = machine.check("ip -4 -o addr show dev xenbr0", r"inet (10\.0\.2\.\d+)/").group(1)
    for name, prompt in (("second", r"guest# "), ("debian", r"guest# "), ("a", r"hello> "), ("b", r"hello> ")):
        machine.send(f"pvctl console {name}")
        machine.expect(prompt, 240)
        machine.send(f"echo I am {name}")
        machine.expect(rf"^I am {name}$", 60)
        if name == "second":
            machine.send(f"ip -4 addr show dev eth0; ping -c 1 10.0.2.2; ping -c 1 {control}")
            machine.expect(r"inet 10\.0\.2\.\d+/24", 60)
            machine.expect(r"^1 packets transmitted, 1 packets received", 60)
            machine.expect(r"^1 packets transmitted, 1 packets received", 60)
        machine.send("\x1d", end="")
        machine.expect(r"parvis# ", 30)


def shuts_down_cleanly():
    """shutdown ends a stock kernel through its own poweroff; destroy ends the other at once."""
    machine.check("pvctl shutdown debian", "")
    machine.check("n=0; while pvctl list | grep -q debian && [ $n -lt 600 ]; do n=$((n+1)); usleep 100000; done; "
                  "pvctl list | grep -c debian", r"^0$", status=1)
    machine.check("pvctl destroy second && pvctl destroy a && pvctl destroy b && pvctl list | wc -l", r"^\d+$")
    machine.check("pvctl list | grep -cE 'second|debian'", r"^0$", status=1)


def main():
    global machine
    xen = "--xen" in sys.argv
    with (Machine.xen if xen else Machine.uefi)("linux-guest-xen" if xen else "linux-guest", cpu=NEHALEM, qemu=network_args()) as machine:
        run_tests(boots_to_a_shell, balloons, two_beside_two, shuts_down_cleanly, machine.ends_well)


if __name__ == "__main__":
    main()
