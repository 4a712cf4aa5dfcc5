#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the hypervisor executes, on each side, when one CPU has something to say to another: instructions.

Two vCPUs of one guest on two CPUs, in one thread of QEMU: one sends events (or flushes the other's TLB), the other computes. A QEMU plugin
(latency_plugin.c) counts the hypervisor's instructions on each CPU from each entry to the next return to the guest. A row is one kind of
entry: how many there were, the median, which is the figure, how far apart the 5th and the 95th percentile are, and the mean. Who waits
for the other side's answer turns in a loop for as long as QEMU lets it; that is counted apart from work, has a row of its own where there
was any, and says nothing of silicon. (One look that finds no answer yet and one that finds it are in the sender's work.) What the
interrupt itself costs is not in it either.

How many events or flushes there were shows what the figures rest on. It is no speed: the guest does as many as this host
emulates in two seconds, and the sender may send several until the receiver has its turn, which takes them all at one interrupt.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import Machine, built  # noqa: E402 (the harness lives with the system tests)
from plugin import counted  # noqa: E402

# A work of `load`: what its vCPU 0 does to vCPU 1, the sender's entry, and what the entries on each side are there.
PING = ("an event: vCPU 0 sends it by an IPI port to vCPU 1, which computes on the other CPU", "do_event_channel_op",
        {"do_event_channel_op": "sender: EVTCHNOP_send", "vector_stubs": "receiver: the interrupt, and the upcall into its guest",
         "do_iret": "receiver: its guest is back from the upcall"})
SHOOT = ("a flush: vCPU 0 flushes the TLB of vCPU 1, which computes on the other CPU", "do_mmuext_op",
         {"do_mmuext_op": "sender: MMUEXT_TLB_FLUSH_MULTI", "vector_stubs": "receiver: the interrupt, and the flush"})
WORKS = {"ping": PING, "shoot": SHOOT}


class Stretch:
    """What one CPU executed at entries of one name: how often, and (mean, 5 %, median, 95 %) of work and of waiting."""

    def __init__(self, line):
        cpu, name, *numbers = line.split()
        self.name = name.partition(".")[0]  # assembly has labels within
        self.cpu, self.number, *lengths = map(int, [cpu, *numbers])
        self.work, self.waiting = lengths[:4], lengths[4:]

    def show(self, title):
        row(title, self.number, self.work)
        if any(self.waiting):
            row("  and until the answer, in waiting", self.number, self.waiting)


def row(title, number, lengths):
    mean, low, median, high = lengths
    print(f"  {title:56}{number:>8}{median:>8}{low:>8}{high:>8}{mean:>8}", flush=True)


def stretches(work):
    """All kinds of stretches in a run of this work."""
    args, _, out = counted(work, counts=True)
    config = "on_end = poweroff\n[domain load]\nkernel = load\nmemory = 8M\nvcpus = 2\n"
    config += f"cmdline = work={work} vcpus=2 begin=1000 end=3000\n"
    with Machine.direct("cross-" + work, config, {"load": built("pvguest/load")}, smp=2, mem="256", accel="tcg,thread=single",
                        qemu=args) as m:
        m.expect("LOAD name", 300)
        m.wait(60)
    with open(out, encoding="ascii") as file:
        return [Stretch(line) for line in file]


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(f"{'instructions in the hypervisor, an entry':58}{'times':>8}{'median':>8}{'5 %':>8}{'95 %':>8}{'mean':>8}")
    for work, (title, entry, meanings) in WORKS.items():
        rows = stretches(work)
        sender = max((r for r in rows if r.name == entry), key=lambda r: r.number)
        print(title)
        sender.show(meanings[entry])
        for r in sorted(rows, key=lambda r: -r.number):
            if r.cpu != sender.cpu and r.number > sender.number // 20:
                r.show(meanings.get(r.name, f"on the other CPU: {r.name}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
