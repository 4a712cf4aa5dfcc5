#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pvguest's bench judges its own rows: each that a kind of guest has gets a figure on Parvis, no other one does. On Xen, which refuses
one of them: test_guest_programs.py."""
import glob
import os
import re

import booted
from machine import ROOT, Machine, built, run_tests

ROW = r"^ *([a-z]\w*) +(\d+|unavailable)$"
# What a fully virtualized kernel has not: its stacks and tables are its own, and it maps no grants.
NOT_IN_PVH = {"stack_switch", "pin_unpin_512", "pin_unpin_512x512", "grant_map_unmap"}
BETWEEN = "event_round_trip_domains"    # two, of which none of these guests has the other


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
    assert {row for row, figure in printed.items() if figure == "unavailable"} == {BETWEEN}, text


def pvh_rows():
    """One of kind pvh has those that its kind has."""
    printed, text = bench("pvh", vcpus=2, kind="pvh")
    assert set(printed) == rows(), text
    assert {row for row, figure in printed.items() if figure == "unavailable"} == NOT_IN_PVH | {BETWEEN}, text


def without_means():
    """Without a second vCPU, and with little memory, a row that needs them is unavailable."""
    printed, text = bench("small", "only=event_round_trip,pin_unpin_512x512,xen_version", vcpus=1, memory="3M")
    assert printed.pop("xen_version").isdecimal(), text
    assert printed == {"event_round_trip": "unavailable", "pin_unpin_512x512": "unavailable"}, text


def between_domains():
    """One guest answers, and the next one, told where, has the row that needs both; told of a port that is not there, it has not."""
    xml = ("<domain type='xen'><name>{}</name><memory unit='MiB'>16</memory><vcpu>1</vcpu><os><type>linux</type><kernel>/root/bench</kernel>"
           "<cmdline>{}</cmdline></os><on_poweroff>destroy</on_poweroff></domain>")
    with open(built("pvguest/bench"), "rb") as file:
        files = {"root/bench": file.read(), "root/answer.xml": xml.format("answer", "answer=1")}
    with booted.control_domain("bench-between", files) as m:
        m.prompt(120)
        for right in (False, True):
            m.send("pvctl create --console /root/answer.xml")
            where = m.expect(r"bench: domain (\d+) answers domain (\d+): (peer=\1 port=\d+)\n", 60)
            assert int(where[2]) == int(where[1]) + 1, where[0]
            m.send("\x1d", end="")
            m.prompt(60)
            words = where[3] if right else re.sub("port=.*", "port=4000", where[3])
            m.check(f"echo \"{xml.format('bench', words + f' rounds=1 loops=2 only={BETWEEN}')}\" >/root/bench.xml")
            text = m.shell("pvctl create --console /root/bench.xml")[1]
            figure = re.findall(ROW, text, re.MULTILINE)
            assert len(figure) == 1 and (figure[0][1] != "unavailable") == right, text
            m.check("pvctl shutdown answer --wait --timeout 30" if right else "pvctl destroy answer")


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


def unknown_words():
    """What is no word of this program, or no number where one is wanted, is refused, with the words that there are."""
    for given in ("onyl=syscall", "loops=abc", "loops=", "rounds", "rounds=1 cpus=2"):
        with Machine.guest("bench-words", built("pvguest/bench"), cmdline=given) as m:
            assert m.wait() != 0, m.tail()
            assert f'bench: "{given.split()[-1]}" is not understood; there are rounds=N loops=N only=' in m.text, m.tail()
            assert "BENCH-BEGIN" not in m.text, m.tail()


def calibration():
    """calibrate=1 measures the CPU where the kernel has one; a paravirtualized kernel says that it has none."""
    printed, text = bench("calibrate", "console=hvc0 calibrate=1", kind="pvh")
    assert set(printed) == rows(of_the_machine=True) | {"million_loops"} and len(printed) > 5, text
    assert re.search(r"^CALIBRATION-BEGIN bench nested - QEMU \S.*$", text, re.MULTILINE), text
    assert "unavailable" not in printed.values(), text
    with Machine.guest("bench-calibrate-pv", built("pvguest/bench"), cmdline="calibrate=1") as m:
        assert m.wait() != 0 and "bench: calibrate: a paravirtualized kernel has no CPU" in m.text, m.tail()


if __name__ == "__main__":
    run_tests(all_rows, pvh_rows, without_means, between_domains, some_rows, unknown_row, unknown_words, calibration)
