#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What makes creating domains fast leaves nothing behind: kernels that are kept, many creates at once; and a long one writes no line of progress
to a pipe. (How fast: `make bench-tools`.)"""
import re

import booted
from machine import run_tests

KEPT = "ls /run/parvis/kernels | grep -v lock"
AT_ONCE = 20
machine = None


def killed_while_it_unpacks():
    """A create that is killed while it unpacks the kernel keeps nothing, and its claim goes."""
    machine.check("sed 's/<name>debian/<name>linux/' /etc/parvis/debian.xml >/tmp/linux.xml")
    machine.check("pvctl create --paused /tmp/linux.xml & maker=$!; until [ -e /run/parvis/making/linux ]; do usleep 10000; done; kill -9 $maker; wait")
    machine.check("while [ -e /run/parvis/names/linux ]; do usleep 50000; done; ls /run/parvis/tmp; " + KEPT, r"\A\s*\Z", status=1)


def unpacked_once():
    """The second domain of a bzImage finds it unpacked. What takes long shows how far it is on a terminal; where the output is a pipe, standard error gets
    nothing either."""
    begin = len(machine.text)
    status, text = machine.shell("pvctl create --paused /tmp/linux.xml | cat", 400)
    assert status == 0 and re.fullmatch(r"linux: domain \d+, paused\n", text), repr(text)
    assert "\x1b[K" not in machine.text[begin:], repr(machine.text[begin:])     # which shell() passes over
    machine.check("pvctl destroy linux")
    name = machine.check(KEPT, r"^([0-9a-f.]+)$").group(1)
    inode = machine.check(f"stat -c %i /run/parvis/kernels/{name}", r"^(\d+)$").group(1)
    machine.check("sed -i 's/<name>linux/<name>again/' /tmp/linux.xml; pvctl create /tmp/linux.xml", "^again: domain")
    assert machine.check(f"stat -c %i /run/parvis/kernels/{name}", r"^(\d+)$").group(1) == inode, "it was unpacked twice"
    machine.check("until pvctl log again | grep -q 'Linux version'; do usleep 100000; done; pvctl destroy again", timeout=300)
    assert machine.shell("ls /run/parvis/tmp")[1] == ""


def come_and_go():
    """As many at once; afterwards, how much memory is free."""
    machine.check(f"for n in $(seq {AT_ONCE}); do pvctl create /tmp/w$n.xml & done >/dev/null; wait", timeout=300)
    machine.check("pvctl list | grep -c '^w'", f"^{AT_ONCE}$")
    machine.check(f"for n in $(seq {AT_ONCE}); do pvctl destroy w$n & done; wait", timeout=300)
    machine.check("pvctl list | grep -c '^w'", "^0$", status=1)
    machine.check("xenstore-ls /local/domain | grep -c '^[0-9]'; xenstore-ls /vm 2>/dev/null | grep -c name", "^1\n0$", status=1)
    return machine.told("info")["free_memory_kib"]


def many_at_once():
    """Creates at once do not disturb each other, and leave nothing when their domains have gone."""
    machine.check(f"for n in $(seq {AT_ONCE}); do sed \"s/<name>hello/<name>w$n/; s/>16</>8</\" /etc/parvis/hello.xml >/tmp/w$n.xml; done")
    first, second = come_and_go(), come_and_go()    # the first takes what the hypervisor keeps: tables of grants that have grown
    assert first == second, f"{first} KiB were free, then {second}"


def main():
    global machine
    with booted.control_domain("fast") as machine:
        machine.prompt()
        machine.settle()
        run_tests(killed_while_it_unpacks, unpacked_once, many_at_once, machine_ends_well)


def machine_ends_well():
    """Nothing of it troubles the control domain."""
    machine.ends_well()


if __name__ == "__main__":
    main()
