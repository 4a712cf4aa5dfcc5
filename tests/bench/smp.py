#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Parvis and Debian's Xen 4.17 on several CPUs, in pairs: one run of each, one after the other, so that a busy host slows both.

    smp.py boot       to the control domain's prompt with 1, 2, 4 and 8 CPUs, from QEMU's start
    smp.py parallel   one parallel load on 2 CPUs: in the control domain, and in a Linux guest with 2 vCPUs

Two figures of each: seconds, which are of this host and of what else it does; and the seconds of processor time that QEMU used meanwhile,
which others disturb less. (On one CPU the two are the same where nobody disturbs.) What compares is the ratio within a pair; the
median of the pairs is shown, and how far apart they are. Machines of more than 2 CPUs are emulated in one thread.
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


class Took:
    """Seconds, and seconds of QEMU's processor time, from a moment on; or from its start."""

    def __init__(self, machine, from_start=False):
        self.machine = machine
        self.start = machine.start if from_start else time.monotonic()
        self.used = 0 if from_start else self.processor()

    def processor(self):
        with open(f"/proc/{self.machine.process.pid}/stat", encoding="ascii") as file:
            user, system = file.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def until_now(self):
        return time.monotonic() - self.start, self.processor() - self.used


def show(title, pairs):
    """One row: of seconds, then of processor time, the median of each system, and of the pairs' ratios. A pair: (Parvis's, Xen's)."""
    row = f"  {title:30}"
    for kind in range(2):
        mine, other = ([pair[system][kind] for pair in pairs] for system in range(2))
        ratios = sorted(a / b for a, b in zip(mine, other))
        spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
        row += f"{statistics.median(mine):9.1f}{statistics.median(other):9.1f}{statistics.median(ratios):8.2f}  {spread:14}"
    print(row.rstrip(), flush=True)


def heading(what):
    print(f"{what}\n  {'':30}  seconds: Parvis, Xen, ratio, of the pairs  processor time: the same", flush=True)


def boot():
    heading("to the control domain's prompt")
    for cpus in (1, 2, 4, 8):
        pairs = []
        for _ in range(PAIRS):
            pair = []
            for system, start in SYSTEMS.items():
                with start(f"smp-boot-{system}", smp=cpus) as m:
                    m.prompt(900)
                    pair.append(Took(m, from_start=True).until_now())
            pairs.append(pair)
        show(f"{cpus} CPU{'s' if cpus > 1 else ''}", pairs)


def timed(machine, end):
    """What the load takes at the shell which is there."""
    took = Took(machine)
    machine.send(f"{LOAD}; echo load-is do''ne")
    machine.expect(r"^load-is done$", 600)
    result = took.until_now()
    machine.expect(end, 60)
    return result


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


def parallel():
    control, guest = [], []
    for _ in range(PAIRS):
        (a, b), (c, d) = (loads(system, start) for system, start in SYSTEMS.items())
        control.append((a, c))
        guest.append((b, d))
    heading("four checksums at once, 2 CPUs")
    show("control domain with 2 vCPUs", control)
    show("guest with 2 vCPUs", guest)


if __name__ == "__main__":
    if sys.argv[1:] not in (["boot"], ["parallel"]):
        raise SystemExit(__doc__)
    {"boot": boot, "parallel": parallel}[sys.argv[1]]()
