#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guests that misbehave harm only themselves.

tests/system/guests holds them: one faults without a stack, one jumps to nowhere, one never stops, one floods its console, one makes
every hypercall with garbage, and tests/guest/store-hostile writes whatever it may into the store. Each runs beside the control domain and an ordinary guest, which go on answering; each can be
destroyed; and afterwards no page is missing.
"""
import sys

import booted
from machine import Machine, built, json_in, run_tests

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
STORE_XML = """<domain type='xen'><name>store</name><memory unit='MiB'>8</memory><vcpu>1</vcpu>
<os><type>linux</type><kernel>/bad/store</kernel></os>
<devices><disk type='file'><source file='/root/a.img'/><target dev='xvda'/></disk>
<interface type='bridge'><source bridge='xenbr0'/></interface></devices></domain>"""
# Whatever is asked of a domain, or of all: more may be said no to than yes.
QUESTIONS = ("list", "list --json", "dominfo store", "domid store", "uptime store", "dumpxml store", "vcpu-list store", "stats --json", "stats --prometheus",
             "top --batch --iterations 1", "block-list store", "network-list store", "block-list --json", "network-list --json", "log store")
ORDERS = ("sysrq store h", "mem-set store 7M", "mem-max store 8M", "vcpu-set store 1", "pin store 0 0", "sched store --weight 100",
          "pause store", "unpause store", "rename store other", "rename other store", "attach-disk store /root/b.img xvdd", "detach-disk --force store xvdd",
          "detach-disk --force store xvda", "attach-interface store", "detach-interface --force store 0", "dump-core --live store /tmp/core",
          "shutdown --timeout 1 store", "reboot --timeout 1 store")


def files():
    result = {}
    with open(built("tests/guest/store-hostile"), "rb") as guest:
        result["bad/store"] = guest.read()
    result["bad/store.xml"] = STORE_XML
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


def all_is_well(command):
    """It ends in its time, with a status of its own and text that a terminal may be given."""
    status, text = machine.shell(f"timeout -s KILL 60 pvctl {command} 2>&1", timeout=240)
    assert status <= 6, f"`pvctl {command}` ended with {status}:\n{text}"
    strange = sorted({c for c in text if c not in "\n\t" and not " " <= c <= "~"})
    assert not strange, f"`pvctl {command}` writes what its guest wrote, {strange}:\n{text!r}"
    if "--json" in command and status == 0:
        json_in(text)


def hostile_in_the_store():
    """A guest that writes whatever it may into the store: each verb says what it has to, the daemons live on, and nothing is left."""
    machine.check("dmesg -n 1; cd /root; for i in a b; do dd if=/dev/zero of=$i.img bs=64k count=1 2>/dev/null; done; cd /")
    daemons = "cat /run/xenstored.pid; pidof parvisd; pidof xenstored"
    _, pids = machine.shell(daemons)
    left = "xenstore-ls -f / | cut -d = -f 1; ls /sys/class/net/xenbr0/brif; cat /sys/block/loop*/loop/backing_file 2>/dev/null"
    before = None
    for commands in (ORDERS, (*QUESTIONS, *ORDERS, *QUESTIONS)):
        machine.check("pvctl create /bad/store.xml")
        machine.check("n=0; until pvctl log store | grep -q 'has written' || [ $n -gt 600 ]; do n=$((n+1)); usleep 100000; done; pvctl log store",
                      r"^store-hostile: has written$", timeout=240)
        machine.check("xenstore-ls -f /local/domain/$(pvctl domid store) | wc -l", r"^\d{3,}$")
        for command in commands:
            all_is_well(command)
        neighbours_answer()
        machine.check("pvctl domid store && pvctl destroy store")
        machine.check("pvctl domid store", status=3)
        after = machine.shell(left)[1], free()
        assert before in (None, after), f"left: {after}, of {before}"
        before = after
    assert machine.shell(daemons)[1] == pids, "a daemon did not live on"


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
    with (Machine.xen if xen else booted.control_domain)("bad-guests-xen" if xen else "bad-guests", files=files()) as machine:
        run_tests(prepare, jumping_to_nowhere_crashes, faulting_without_a_stack_crashes,
                  looping_takes_no_more_than_its_share, flooding_is_bounded, garbage_is_refused, *([] if xen else [hostile_in_the_store]), nothing_is_missing, machine.ends_well)


if __name__ == "__main__":
    main()
