#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the hypervisor executes, on each side, when one CPU has something to say to another: instructions.

Two vCPUs of one guest on two CPUs, in one thread of QEMU: one sends events (or flushes the other's TLB), the other computes. A QEMU plugin
(latency_plugin.c) counts the hypervisor's instructions on each CPU from each entry to the next return to the guest. Counts, not
times: what the interrupt itself costs, and the wait for the other side's answer, silicon knows. The length that was seen most often stands
for all; who waits in a loop, waits for as long as QEMU lets it.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import Machine, built  # noqa: E402 (the harness lives with the system tests)
from plugin import counted  # noqa: E402

ENTRIES = {"ping": "do_event_channel_op", "shoot": "do_mmuext_op"}


def stretches(work):
    """[(CPU, name, number, most common, mean)] of a run of this work."""
    args, _, out = counted(work, counts=True)
    config = "on_end = poweroff\n[domain load]\nkernel = load\nmemory = 8M\nvcpus = 2\n"
    config += f"cmdline = work={work} vcpus=2 begin=1000 end=3000\n"
    with Machine.direct("cross-" + work, config, {"load": built("pvguest/load")}, smp=2, mem="256", accel="tcg,thread=single",
                        qemu=args) as m:
        m.expect("LOAD name", 300)
        m.wait(60)
    with open(out, encoding="ascii") as file:
        return [(int(c), name, int(n), int(common), int(mean)) for c, name, n, common, mean in map(str.split, file)]


def main():
    for work, entry in ENTRIES.items():
        rows = stretches(work)
        sender = max((r for r in rows if r[1] == entry), key=lambda r: r[2])
        print(f"{work}: {sender[2]} times from CPU {sender[0]}: {sender[3]} instructions there (mean {sender[4]})")
        for cpu, name, n, common, mean in sorted(rows, key=lambda r: -r[2]):
            if cpu != sender[0] and n > sender[2] // 20:
                print(f"  on CPU {cpu}: {name} {n} times, {common} instructions (mean {mean})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
