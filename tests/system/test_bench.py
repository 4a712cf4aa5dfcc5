#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pvguest's bench judges its own rows: each that a kind of guest has gets a figure on Parvis, no other one does. On Xen, which refuses
one of them: test_guest_programs.py."""
import glob
import os
import re

from machine import ROOT, Machine, built, run_tests

ROW = r"^ *([a-z]\w*) +(\d+|unavailable)$"
# What a fully virtualized kernel has not: its stacks and tables are its own, and it maps no grants.
NOT_IN_PVH = {"stack_switch", "pin_unpin_512", "pin_unpin_512x512", "grant_map_unmap"}


def rows(of_the_machine=False):
    """All that there are, or those of calibrate, by the program's tables."""
    found = set()
    for name in glob.glob(os.path.join(ROOT, "pvguest/apps/bench/*.c")):
        if name.endswith("/machine.c") == of_the_machine:
            with open(name, encoding="ascii") as file:
                found |= set(re.findall(r'^    \{"(\w+)", ', file.read(), re.MULTILINE))
    return found


def bench(name, cmdline="", **machine):
    """What it printed, by row."""
    with Machine.guest("bench-" + name, built("pvguest/bench"), cmdline="rounds=1 loops=2 " + cmdline, **machine) as m:
        assert m.wait(300) == 0 and "BENCH-END" in m.text, m.tail()
        return dict(re.findall(ROW, m.text, re.MULTILINE)), m.text


def all_rows():
    """A paravirtual guest with two vCPUs has all rows."""
    printed, text = bench("pv", vcpus=2)
    assert set(printed) == rows() and len(printed) > 50, text
    assert "unavailable" not in printed.values(), text


def pvh_rows():
    """One of kind pvh has those that its kind has."""
    printed, text = bench("pvh", vcpus=2, kind="pvh")
    assert set(printed) == rows(), text
    assert {row for row, figure in printed.items() if figure == "unavailable"} == NOT_IN_PVH, text


def without_means():
    """Without a second vCPU, and with little memory, a row that needs them is unavailable."""
    printed, text = bench("small", "only=event_round_trip,pin_unpin_512x512,xen_version", vcpus=1, memory="3M")
    assert printed.pop("xen_version").isdecimal(), text
    assert printed == {"event_round_trip": "unavailable", "pin_unpin_512x512": "unavailable"}, text


def some_rows():
    """only= runs the rows that it names, in the order of all."""
    printed, text = bench("only", "only=syscall,xen_version")
    assert list(printed) == ["xen_version", "syscall"], text


def unknown_row():
    """A row that there is not is said, and nothing is measured."""
    for given, said in (("xen_version,xen_versio", "xen_versio"), ("", ""), ("syscall,", "")):
        with Machine.guest("bench-unknown", built("pvguest/bench"), cmdline="only=" + given) as m:
            assert m.wait() != 0, m.tail()
            assert re.search(rf'^bench: only=: there is no row "{said}"$', m.text, re.MULTILINE), m.tail()
            assert "BENCH-BEGIN" not in m.text, m.tail()


def calibration():
    """calibrate=1 measures the CPU where the kernel has one; a paravirtualized kernel says that it has none."""
    printed, text = bench("calibrate", "calibrate=1", kind="pvh")
    assert set(printed) == rows(of_the_machine=True) and len(printed) > 5, text
    assert "unavailable" not in printed.values(), text
    with Machine.guest("bench-calibrate-pv", built("pvguest/bench"), cmdline="calibrate=1") as m:
        assert m.wait() != 0 and "bench: calibrate: a paravirtualized kernel has no CPU" in m.text, m.tail()


if __name__ == "__main__":
    run_tests(all_rows, pvh_rows, without_means, some_rows, unknown_row, calibration)
