#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Instructions of a clock_gettime() in an application of a Linux guest: where Parvis tells it that time is stable, and where not.

By -icount shift=0,sleep=off, in which a virtual nanosecond is an instruction. Without its CPUID leaf QEMU's emulation is not known to
be such, and `tsc = stable` in parvis.cfg says it instead.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import DEFAULT_CPU, Machine, built, newc  # noqa: E402 (the harness lives with the system tests)

ICOUNT = ["-icount", "shift=0,sleep=off"]
NO_LEAF = DEFAULT_CPU + ",tcg-cpuid=off"
ROWS = {"time is stable: QEMU's TCG": {},
        "not known to be stable": {"cpu": NO_LEAF},
        "stable by parvis.cfg": {"cpu": NO_LEAF, "extra": "tsc = stable\n"}}


def cost(ramdisk, **machine):
    with Machine.guest("bench-clock", built("dom0/vmlinux"), memory="256M", mem="512", ramdisk=ramdisk,
                       cmdline="console=hvc0 quiet", qemu=ICOUNT, **machine) as m:
        return int(m.expect(r"clock_gettime (\d+)\n", 600).group(1))


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    directory = Machine.scratch()
    ramdisk = os.path.join(directory, "ramdisk")
    with open(built("bench/clock"), "rb") as program, open(ramdisk, "wb") as out:
        out.write(newc({"init": program.read(), "dev/.keep": ""}))
    print(f"{'instructions of one clock_gettime() in Linux':46}{'Parvis':>12}", flush=True)
    for name, machine in ROWS.items():
        print(f"  {name:44}{cost(ramdisk, **machine):>12}", flush=True)


if __name__ == "__main__":
    main()
