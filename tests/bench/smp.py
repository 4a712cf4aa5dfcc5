#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Parvis and Debian's Xen 4.17 on several CPUs, in pairs: one run of each, one after the other, so that a busy host slows both.

    smp.py boot       seconds from QEMU's start to the control domain's prompt with 1, 2, 4 and 8 CPUs
    smp.py parallel   seconds of one parallel load on 2 CPUs: in the control domain, and in a Linux guest with 2 vCPUs

Seconds are of this host. What compares is the ratio within a pair; the median of the pairs is shown beside its extremes.
"""
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import Machine  # noqa: E402 (the harness lives with the system tests)

PAIRS = 3
SYSTEMS = {"Parvis": Machine.parvis, "Xen": Machine.xen}
LOAD = "for i in 1 2 3 4; do (dd if=/dev/zero bs=64k count=400 2>/dev/null | sha256sum) & done; wait"
GUEST = "sed 's/>debian</>load</; s/<vcpu>1</<vcpu>2</' /etc/parvis/debian.xml >/tmp/load.xml"


def show(title, pairs):
    """One row: seconds of each system, median of the pairs' ratios."""
    ratios = sorted(a / b for a, b in pairs)
    mine, other = ([pair[i] for pair in pairs] for i in (0, 1))
    print(f"  {title:44}{statistics.median(mine):9.1f}{statistics.median(other):9.1f}{statistics.median(ratios):9.2f}"
          f"   {ratios[0]:.2f} to {ratios[-1]:.2f}", flush=True)


def heading(what):
    print(f"{what:46}{'Parvis':>9}{'Xen':>9}{'ratio':>9}   of the pairs", flush=True)


def boot():
    heading("seconds to the control domain's prompt")
    for cpus in (1, 2, 4, 8):
        pairs = []
        for _ in range(PAIRS):
            seconds = []
            for system, start in SYSTEMS.items():
                with start(f"smp-boot-{system}", smp=cpus) as m:
                    seconds.append(m.prompt(900))
            pairs.append(seconds)
        show(f"{cpus} CPU{'s' if cpus > 1 else ''}", pairs)


def timed(machine, end):
    """Seconds that the load takes at the shell which is there."""
    machine.send(f"{LOAD}; echo load-is do''ne")
    start = time.monotonic()
    machine.expect(r"^load-is done$", 600)
    took = time.monotonic() - start
    machine.expect(end, 60)
    return took


def loads(system, start):
    """Seconds in the control domain, and in a guest."""
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


def parallel():
    control, guest = [], []
    for _ in range(PAIRS):
        (a, b), (c, d) = (loads(system, start) for system, start in SYSTEMS.items())
        control.append((a, c))
        guest.append((b, d))
    heading("seconds of four checksums at once, 2 CPUs")
    show("control domain with 2 vCPUs", control)
    show("guest with 2 vCPUs", guest)


if __name__ == "__main__":
    if sys.argv[1:] not in (["boot"], ["parallel"]):
        raise SystemExit(__doc__)
    {"boot": boot, "parallel": parallel}[sys.argv[1]]()
