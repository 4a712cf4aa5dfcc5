#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guests that misbehave harm only themselves.

tests/system/guests holds them: one faults without a stack, one jumps to nowhere, one never stops, one floods its console, one makes
every hypercall with garbage. Each runs beside the control domain and an ordinary guest, which go on answering; each can be
destroyed; and afterwards no page is missing.
"""
import sys

from machine import EPYC, Machine, built, run_tests

machine = None
GUESTS = ("forever", "flood", "nowhere", "triple", "garbage")
XML = """<domain type='xen'>
  <name>{name}</name>
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='xenpv'>linux</type><kernel>/bad/{name}</kernel></os>
  <on_crash>preserve</on_crash>
  <devices><console type='pty'><target type='xen' port='0'/></console></devices>
</domain>
"""


def files():
    result = {}
    for name in GUESTS:
        with open(built("bad-guests/" + name), "rb") as guest:
            result["bad/" + name] = guest.read()
        result[f"bad/{name}.xml"] = XML.format(name=name)
    return result


def free():
    return machine.told("info")["free_memory_kib"]


def neighbours_answer():
    """The ordinary guest and the control domain still do what they are told."""
    machine.send("pvctl console hello")
    machine.send("echo still here")
    machine.expect(r"^still here$", 60)
    machine.send("\x1d", end="")
    machine.expect(r"parvis# ", 60)
    machine.check("echo $((6 * 7))", r"^42$")


def prepare():
    """An ordinary guest runs."""
    machine.prompt()
    machine.settle()
    machine.check("pvctl create /etc/parvis/hello.xml", "")
    neighbours_answer()


def crash(name):
    machine.check(f"pvctl create /bad/{name}.xml; sleep 1", "")
    machine.check(f"n=0; until pvctl dominfo {name} | grep -qi crash || [ $n -gt 100 ]; do n=$((n+1)); usleep 100000; done; "
                  f"pvctl dominfo {name}", r"(?i)crash")
    neighbours_answer()
    machine.check(f"pvctl destroy {name}", "")


def jumping_to_nowhere_crashes():
    """A jump to an unmapped address ends that guest alone; the reason is told."""
    crash("nowhere")


def faulting_without_a_stack_crashes():
    """A fault that cannot be delivered ends that guest alone."""
    crash("triple")


def running(name, seconds=3):
    machine.check(f"pvctl create /bad/{name}.xml", "")
    machine.check(f"sleep {seconds}; pvctl list", r"\b%s\b" % name)
    neighbours_answer()
    machine.check(f"pvctl pause {name} && pvctl unpause {name} && pvctl destroy {name}", "")


def looping_takes_no_more_than_its_share():
    """A guest that never stops leaves the others their time, and is destroyed as any."""
    running("forever")


def flooding_is_bounded():
    """A guest that floods its console does not drown the log or the others."""
    running("flood")


def garbage_is_refused():
    """A hundred thousand hypercalls with garbage: the hypervisor stands."""
    running("garbage", 10)


def nothing_is_missing():
    """After all of that and a second round, free memory is what it was after the first."""
    before = free()
    for name in GUESTS:
        machine.check(f"pvctl create /bad/{name}.xml && sleep 1 && pvctl destroy {name}", "")
    assert free() == before
    neighbours_answer()


def main():
    global machine
    xen = "--xen" in sys.argv
    with (Machine.xen if xen else Machine.parvis)("bad-guests-xen" if xen else "bad-guests", cpu=EPYC, files=files()) as machine:
        run_tests(prepare, jumping_to_nowhere_crashes, faulting_without_a_stack_crashes,
                  looping_takes_no_more_than_its_share, flooding_is_bounded, garbage_is_refused, nothing_is_missing, machine.ends_well)


if __name__ == "__main__":
    main()
