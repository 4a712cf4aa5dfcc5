#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Parvis and Debian's Xen 4.17 on several CPUs, in pairs: one run of each, one after the other, so that a busy host slows both.

    smp.py boot [CPUS ...]   from QEMU's start to the control domain's prompt with so many CPUs (1 2 4 8)
    smp.py parallel          one parallel load on 2 CPUs: in the control domain, and in a Linux guest with 2 vCPUs

Two figures of each: seconds, which are of this host and of what else it does; and the seconds of processor time that QEMU used
meanwhile, which others disturb less. What compares is the ratio within a pair; the median of the pairs is shown beside its extremes.
The first of a pair is Parvis, then Xen, in turn, so that a host which becomes slower or faster favours neither.
"""
import argparse
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import Machine  # noqa: E402 (the harness lives with the system tests)

SYSTEMS = {"Parvis": Machine.parvis, "Xen": Machine.xen}
LOAD = "for i in 1 2 3 4; do (dd if=/dev/zero bs=64k count=400 2>/dev/null | sha256sum) & done; wait"
GUEST = "sed 's/>debian</>load</; s/<vcpu>1</<vcpu>2</' /etc/parvis/debian.xml >/tmp/load.xml"


def used(machine):
    """Seconds of processor time that QEMU has used so far, in all its threads."""
    with open(f"/proc/{machine.process.pid}/stat", encoding="ascii") as file:
        user, system = file.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def show(title, pairs):
    """A row for each of two figures: of each system, and the median of the pairs' ratios. A pair: Parvis's two, Xen's two."""
    for figure, name in enumerate((title, "  processor time")):
        mine, other = ([pair[system][figure] for pair in pairs] for system in (0, 1))
        ratios = sorted(a / b for a, b in zip(mine, other))
        print(f"  {name:44}{statistics.median(mine):9.1f}{statistics.median(other):9.1f}{statistics.median(ratios):9.2f}"
              f"   {ratios[0]:.2f} to {ratios[-1]:.2f}", flush=True)


def heading(what):
    print(f"{what:46}{'Parvis':>9}{'Xen':>9}{'ratio':>9}   of the pairs", flush=True)


def in_pairs(number, run):
    """[(Parvis's result, Xen's)] of run(system, start); who is first changes from pair to pair."""
    for pair in range(number):
        results = {}
        for system in list(SYSTEMS)[::-1 if pair % 2 else 1]:
            results[system] = run(system, SYSTEMS[system])
        yield tuple(results[system] for system in SYSTEMS)


def boot(counts, number):
    heading("seconds to the control domain's prompt")
    for cpus in counts:
        def to_prompt(system, start, cpus=cpus):
            with start(f"smp-boot-{system}", smp=cpus) as m:
                return m.prompt(900), used(m)
        show(f"{cpus} CPU{'s' if cpus > 1 else ''}", list(in_pairs(number, to_prompt)))


def timed(machine, end):
    """Seconds that the load takes at the shell which is there, and of processor time."""
    machine.send(f"{LOAD}; echo load-is do''ne")
    start, before = time.monotonic(), used(machine)
    machine.expect(r"^load-is done$", 600)
    took = time.monotonic() - start, used(machine) - before
    machine.expect(end, 60)
    return took


def loads(system, start):
    """What it takes in the control domain, and in a guest."""
    with start(f"smp-parallel-{system}", smp=2) as m:
        m.prompt(600)
        m.settle()
        timed(m, r"parvis# ")           # what is loaded on first use
        control = timed(m, r"parvis# ")
        m.check(GUEST)
        m.send("pvctl create /tmp/load.xml --console")
        m.expect(r"guest# ", 600)
        m.send("nproc")
        m.expect(r"^2$", 60)
        m.expect(r"guest# ", 60)
        timed(m, r"guest# ")
        return control, timed(m, r"guest# ")


def parallel(number):
    pairs = list(in_pairs(number, loads))
    heading("seconds of four checksums at once, 2 CPUs")
    for i, where in enumerate(("control domain with 2 vCPUs", "guest with 2 vCPUs")):
        show(where, [(mine[i], other[i]) for mine, other in pairs])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["boot", "parallel"])
    parser.add_argument("cpus", nargs="*", type=int, metavar="CPUS", help="boot: numbers of CPUs (1 2 4 8)")
    parser.add_argument("--pairs", type=int, default=3, metavar="N", help="pairs of runs for each row (3)")
    options = parser.parse_intermixed_args()
    if options.pairs < 1 or any(cpus < 1 for cpus in options.cpus):
        parser.error("numbers begin with 1")
    if options.what == "boot":
        boot(options.cpus or [1, 2, 4, 8], options.pairs)
    elif options.cpus:
        parser.error("parallel is with 2 CPUs")
    else:
        parallel(options.pairs)


if __name__ == "__main__":
    main()
