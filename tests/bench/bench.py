#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Side by side: Parvis, Debian's Xen 4.17, and (for boots) no hypervisor at all, in the same QEMU with the same files.

    bench.py              what one operation of a guest's kernel costs, in instructions, by pvguest's `bench`: paravirtual and
                          fully virtualized on both, where the kernel does by itself what the other asks for
    bench.py --measures   the same on Parvis alone, paravirtual, with each measure against speculation that this QEMU's CPUs can take
    bench.py --boot       seconds from QEMU's start to the control domain's prompt; and to a guest's first console byte

Instruction counts come from -icount shift=0,sleep=off: one virtual nanosecond an instruction, the same figure at each run. They do
not show what TLB misses and mode switches cost on silicon. Seconds are of this host and noisy: the best of three is shown.
"""
import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import Machine, built  # noqa: E402 (the harness lives with the system tests)
from measured import ICOUNT, XENS, XL_BENCH, figures, say, table  # noqa: E402
from test_speculation import HAVE  # noqa: E402


def bench_on_parvis(kind, config=""):
    say(f"measuring on Parvis, a {kind} guest{config and ', ' + config.strip()}")
    with Machine.guest("bench-parvis-" + kind, built("pvguest/bench"), vcpus=2, kind=kind, extra=config, qemu=ICOUNT) as m:
        m.wait(300)
        return figures(m.text)


def bench_on_xen():
    """For a guest of each kind, in one machine."""
    files = {f"root/{kind}.cfg": XL_BENCH.format(name="bench", kind=kind, words="") for kind in XENS}
    with open(built("pvguest/bench"), "rb") as bench:
        files["root/bench"] = bench.read()
    with Machine.xen("bench-xen", files=files, xl=True, qemu=ICOUNT) as m:
        m.prompt(600)
        m.shell("xl-up")
        for kind in XENS:
            say(f"measuring on Xen, a {kind} guest")
            yield figures(m.shell(f"xl create -c /root/{kind}.cfg", timeout=600)[1])


def best_prompt(start, name):
    seconds = []
    for _ in range(3):
        say(f"starting {name}")
        with start(name) as m:
            seconds.append(m.prompt(600))
    return f"{min(seconds):.1f}"


def best_first_byte():
    """Seconds from the Enter behind `pvctl create` to the first byte of the guest's console, best of three."""
    seconds = []
    say("creating a guest on Parvis")
    with Machine.parvis("first-byte") as m:
        m.prompt(600)
        m.settle()
        for _ in range(3):
            m.send("clear; pvctl create /etc/parvis/hello.xml --console")
            start = time.monotonic()
            m.expect(r"Hello from pvguest", 60)
            seconds.append(time.monotonic() - start)
            m.send("\x1d", end="")
            m.expect(r"parvis# ", 30)
            m.check("pvctl destroy hello")
    return f"{min(seconds):.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boot", action="store_true")
    parser.add_argument("--measures", action="store_true")
    options = parser.parse_args()
    if options.measures:
        forced = {"none": "no", **{measure: "no," + measure for measure in HAVE}, "all": ",".join(HAVE)}
        table("instructions, an operation", {name: bench_on_parvis("pv", f"spec-ctrl = {value}\n") for name, value in forced.items()})
        return
    if options.boot:
        starts = {"Parvis": Machine.parvis, "Xen 4.17": Machine.xen, "native": Machine.native}
        table("seconds, best of three", {system: {"QEMU's start to the control domain's prompt": best_prompt(start, "boot-" + system)}
                                         for system, start in starts.items()})
        print(f"  {'pvctl create to the first byte of hello':44}{best_first_byte():>12}")
        return
    parvis, parvis_pvh = bench_on_parvis("pv"), bench_on_parvis("pvh")
    xen, xen_pvh = bench_on_xen()
    columns = {"Parvis": parvis, "Xen 4.17": xen, "Parvis pvh": parvis_pvh, "Xen pvh": xen_pvh}
    table("instructions, an operation", columns)
    if not all(columns.values()):
        raise SystemExit("one of them printed no figures; see build/logs/bench-*.serial")


if __name__ == "__main__":
    main()
