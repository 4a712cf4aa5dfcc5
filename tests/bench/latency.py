#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long the hypervisor keeps interrupts off, in instructions, when guests ask for as much as they can.

    latency.py            the hostile guest alone, and a control domain that creates, serves and destroys it
    latency.py --check    the hostile guest alone; fails when a stretch is longer than LIMIT (part of `make check`)

A QEMU plugin (latency_plugin.c) counts each stretch under -icount shift=0,sleep=off: the same figures at each run of the same
files, whatever the host does meanwhile. The table has, for each hypercall or entry, the longest stretch and the functions
in which it went. What a real machine adds (caches, TLBs, slow devices) is not in these figures.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import Machine, built  # noqa: E402 (the harness lives with the system tests)
from plugin import counted  # noqa: E402

LIMIT = 200_000
BY_INSTRUCTIONS = ["-icount", "shift=0,sleep=off"]    # virtual time is counted in them
LENDERS = 3
SHOWN = 12
XML = """<domain type='xen'><name>bounded</name><memory unit='MiB'>64</memory><vcpu>64</vcpu>
<os><type>linux</type><kernel>/root/bounded</kernel><cmdline>hold=1</cmdline></os></domain>"""


def figures(path):
    """[(instructions, name, where)], longest first."""
    rows = []
    with open(path, encoding="ascii") as file:
        for line in file:
            count, name, *where = line.split()
            rows.append((int(count), name, where))
    return sorted(rows, reverse=True)


def hostile_guest():
    """The guest alone, every hypercall that loops at its largest size; and others that lend it pages."""
    args, out, _ = counted("guest")
    config = "on_end = poweroff\n"
    config += f"[domain bounded]\nkernel = bounded\nmemory = 32M\nvcpus = 64\ncmdline = reset=1 lenders={LENDERS}\n"
    for i in range(LENDERS):
        config += f"[domain lender{i}]\nkernel = bounded\nmemory = 8M\ncmdline = lend_to=1\n"
    with Machine.direct("latency-guest", config, {"bounded": built("tests/guest/bounded")}, qemu=BY_INSTRUCTIONS + args, mem="256") as m:
        if m.expect(r"TEST-RESULT: bounded (success|skip|error|failure)", 600).group(1) != "success":
            raise SystemExit(f"the guest's own checks fail:\n{m.tail()}")
        m.wait(60)
    return figures(out)


def control_domain():
    """Beside a control domain, which creates the guest, asks about it, and destroys it with all it holds."""
    args, out, _ = counted("control")
    with open(built("tests/guest/bounded"), "rb") as guest:
        files = {"root/bounded": guest.read(), "root/bounded.xml": XML}
    with Machine.parvis("latency-control", files=files, qemu=BY_INSTRUCTIONS + args) as m:
        m.prompt(900)
        m.settle()
        for _ in range(2):
            m.check("pvctl create /root/bounded.xml", timeout=300)
            m.check("until timeout 5 pvctl console bounded </dev/null | grep held; do sleep 1; done", timeout=300)
            for command in ("pvctl list", "pvctl info", "pvctl dmesg >/dev/null", "pvctl destroy bounded"):
                m.check(command, timeout=300)
        m.send("poweroff")
        m.wait(300)
    return figures(out)


def table(title, rows):
    print(title)
    print(f"  {'instructions':>12}  {'in':32} most of it")
    for count, name, where in rows[:SHOWN]:
        print(f"  {count:12}  {name:32} {' '.join(where[:4])}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    rows = hostile_guest()
    table("A hostile guest alone:", rows)
    if not check:
        more = control_domain()
        table("With a control domain that creates and destroys it:", more)
        rows = sorted(rows + more, reverse=True)
    print(f"longest stretch with interrupts off: {rows[0][0]} instructions, in {rows[0][1]} (limit {LIMIT})")
    return 1 if rows[0][0] > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
