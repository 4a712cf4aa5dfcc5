#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an operator sees of domains: top, its file and its picture, counters for Prometheus, events as they come, a core dump that a
strict reader takes.
"""
import json
import re

import booted
import prometheus_text
from machine import run_tests
from xen_core import Core

machine = None
HEAD = ("      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) NETRX(k) VBDS   VBD_OO   "
        "VBD_RD   VBD_WR  VBD_RSECT  VBD_WSECT SSID")


def told_as_it_happens():
    """A life, from its making to its end, in order; each line is an object; the reader is not waited for."""
    machine.check("pvctl events --json --timeout 600 >/run/events & sleep 1; pvctl create --paused /etc/parvis/hello.xml", r"^hello: domain \d+, paused")
    machine.check("pvctl unpause hello; sleep 1; pvctl pause hello; sleep 1; pvctl unpause hello; sleep 1")
    machine.check("pvctl rename hello other; sleep 1; pvctl shutdown --wait other; sleep 1; kill %1; wait %1; true")
    status, text = machine.shell("cat /run/events")
    events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert status == 0 and [e["event"] for e in events] == ["created", "started", "paused", "unpaused", "renamed", "shutdown", "destroyed"], text
    assert events[4]["former_name"] == "hello" and events[5]["reason"] == "poweroff" and len({e["id"] for e in events}) == 1, text
    machine.check("pvctl events -n 1 --timeout 1 nobody", r"^pvctl: 0 of 1 events within 1 s$", status=1)


def as_xentop():
    """top's lines have xentop's heads; what it writes down can be drawn."""
    machine.check("pvctl create /etc/parvis/hello.xml >/dev/null; pvctl top --batch -i 2 -d 1 --record /run/a.csv >/run/top; cat /run/top",
                  "^" + re.escape(HEAD) + r"\n  Domain-0 -----r +\d+ +0\.0 (.*\n)+ +hello --b--- (.*\n)+" + re.escape(HEAD) + "$")
    machine.check("pvctl plot /run/a.csv /run/a.svg; tail -n 1 /run/a.svg; grep -c hello /run/a.svg", r"^</svg>\n1$")
    told = machine.told("top -i 1")
    assert [d["name"] for d in told["domains"]] == ["Domain-0", "hello"], told
    machine.check("TERM=none pvctl top", r"^pvctl: this terminal, none, is not known here", status=1)
    machine.send("TERM=vt100 pvctl top -d 1; echo; echo left with $?")
    machine.expect(r"hello", 60)
    machine.send("q", end="")
    machine.expect(r"^left with 0$", 60)
    machine.prompt()


def for_prometheus():
    """What is counted, in a form that a strict reader takes."""
    status, text = machine.shell("pvctl stats --prometheus")
    assert status == 0, text
    series, types = prometheus_text.read(text)
    assert types["parvis_domain_cpu_seconds_total"] == "counter"
    names = {dict(labels).get("domain") for _, labels in series} - {None}
    assert names == {"Domain-0", "hello"}, names
    counts = {dict(labels)["event"]: n for (name, labels), n in series.items()
              if name == "parvis_domain_events_total" and dict(labels)["domain"] == "hello"}
    assert counts["switches"] > 0 and counts["hypercall_sched_op"] > 0, counts


def a_core():
    """Of a small guest that publishes nothing, at rest: whole, with its kernel in it. Where it cannot be written nothing is left."""
    machine.check("pvctl dump-core hello /run/hello.core; ls /run/hello.core*; pvctl dominfo hello", r"^/run/hello\.core\n(.*\n)*?.*blocked")
    machine.check("mkdir /run/small; mount -t tmpfs -o size=16k tmpfs /run/small; pvctl dump-core hello /run/small/core",
                  r"^pvctl: /run/small/core: No space left on device$", status=1)
    machine.check("ls /run/small | wc -l; pvctl dump-core hello /dev/null", r"^0\npvctl: /dev/null: it is a device", status=1)
    machine.check("pvctl dump-core Domain-0 /run/x", r"cannot dump itself$", status=1)
    size = int(machine.check(f"stat -c %s /run/hello.core; dd if=/run/hello.core of={booted.DISK} bs=1M 2>/dev/null; sync", r"^(\d+)$").group(1))
    with open(f"{machine.directory}/disk.img", "rb") as file:
        core = Core(file.read(size))
    assert core.magic == 0xf00febed and core.nr_vcpus == 1, hex(core.magic)
    assert len(core.pages) == core.nr_pages >= 16 * 256, (len(core.pages), core.nr_pages)
    assert any(core.page(n).startswith(b"xen-3.0-x86_64") for n in core.pages), "no start information"
    machine.check("pvctl dump-core --reset hello /run/again; pvctl list", r"^hello +\d+ ", timeout=200)
    machine.check("pvctl dump-core --crash hello /run/again; pvctl dominfo hello", r"hello: no such domain \(the last of this name: crashed", status=3)


TESTS = [told_as_it_happens, as_xentop, for_prometheus, a_core]

if __name__ == "__main__":
    with booted.control_domain("observe") as machine:
        machine.prompt()
        machine.settle()
        run_tests(*TESTS, machine.ends_well)
