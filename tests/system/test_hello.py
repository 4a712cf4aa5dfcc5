#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The life of a small guest in the hands of pvctl: created, watched, talked to, paused, shut down, rebooted, destroyed.

One machine for all; `--xen` runs the same on Debian's Xen (its control interface is the same).
"""
import sys

from machine import QEMU64, Machine, run_tests

machine = None
on_xen = "--xen" in sys.argv


def listed():
    """What `pvctl list --json` tells, by name."""
    return {domain["name"]: domain for domain in machine.told("list")}


def info():
    return machine.told("info")


def hello(name, extra=""):
    """Writes a domain file for another hello."""
    machine.check(f"sed -e 's/>hello</>{name}</' {extra} /etc/parvis/hello.xml >/tmp/{name}.xml", "")


def tells_about_the_host():
    """info, list, help and --version answer on an empty host."""
    machine.prompt()
    machine.settle()
    machine.check("pvctl info", r"4\.17")
    if not on_xen:
        machine.check("pvctl info", r"compile date +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
    machine.check("pvctl --version", r"pvctl")
    machine.check("pvctl help", r"(?s)create.*destroy")
    machine.check("pvctl help create", r"--paused")
    machine.check("pvctl list", r"Domain-0")
    assert list(listed()) == ["Domain-0"]


def create_console_shows_the_first_byte():
    """create --console shows the guest's output from its first line on; the guest answers; ^] leaves."""
    machine.send("pvctl create /etc/parvis/hello.xml --console")
    machine.expect(r"start_info: magic \"xen-3\.0-x86_64\"", 30)
    machine.expect(r"hello> ", 30)
    machine.send("echo do you hear me!\x7f")
    machine.expect(r"me!\x08 \x08", 30)
    machine.expect(r"^do you hear me$", 30)
    machine.send("\x1d", end="")
    machine.expect(r"parvis# ", 30)
    assert "hello" in listed()


def console_has_the_history():
    """A later console says how to leave it, and starts with what the guest said before."""
    machine.send("pvctl console hello")
    machine.expect(r"^\[hello: attached; \^\] detaches\]$", 30)
    machine.expect(r"start_info: magic", 30)
    machine.expect(r"^do you hear me$", 30)
    machine.send("\x1d", end="")
    machine.expect(r"parvis# ", 30)


def tells_about_the_domain():
    """dominfo, dumpxml and the store know the domain."""
    machine.check("pvctl dominfo hello", r"(?i)memory")
    machine.check("pvctl dumpxml hello", r"(?s)id='\d+'.*<name>hello</name>")
    domid = listed()["hello"]["id"]
    machine.check(f"xenstore-read /local/domain/{domid}/name", r"^hello$")


def pauses():
    """A paused domain uses no processor time and does not answer; unpaused it goes on."""
    machine.check("pvctl pause hello && pvctl dominfo hello", r"(?i)paused")
    machine.check("pvctl unpause hello && pvctl list", r"\bhello\b")
    machine.send("pvctl console hello")
    machine.send("echo awake")
    machine.expect(r"^awake$", 30)
    machine.send("\x1d", end="")
    machine.expect(r"parvis# ", 30)


def reboots():
    """reboot gives the domain a new life under its name."""
    before = listed()["hello"]["id"]
    match = machine.check("pvctl reboot --wait hello", r"(?s)hello: rebooted\nhello: domain (\d+)")
    after = listed()["hello"]["id"]
    assert after != before and after == int(match.group(1)), f"domain {before} became {after}"


def waits_with_a_limit():
    """A domain that does not listen (it is paused) is not waited for for ever; output that nobody can take is an error."""
    hello("deaf")
    machine.check("pvctl create --json --paused /tmp/deaf.xml", r'"name": "deaf"')
    machine.check("pvctl shutdown --wait --timeout 1 deaf 2>&1", r"(?s)deaf: it is paused: `pvctl unpause` .*deaf: not ended within 1 s", status=1)
    machine.check("pvctl destroy deaf")
    for command in ("list", "help", "list --help", "--version"):
        machine.check(f"(pvctl {command} >/dev/full) 2>&1", r"^pvctl: standard output: No space left on device$", status=1)


def shuts_down():
    """shutdown asks the guest, which ends by itself; the domain is gone, and so is all that it had in the store.

    What it said can still be read, and does not move the cursor any more.
    """
    domid = listed()["hello"]["id"]
    machine.check("pvctl shutdown hello", "")
    machine.check("n=0; while pvctl list | grep -q hello && [ $n -lt 100 ]; do n=$((n+1)); usleep 100000; done; pvctl list", "")
    assert "hello" not in listed()
    machine.check(f"xenstore-exists /local/domain/{domid}", "", status=1)
    machine.send("pvctl console hello")
    machine.expect(r"me!\^H \^H", 30)
    machine.expect(r"^\[hello: powered off\]$", 30)
    machine.prompt()


def paused_from_the_start():
    """create --paused does not let the guest run a single instruction until unpause."""
    machine.check("pvctl create /etc/parvis/hello.xml --paused && pvctl dominfo hello", r"(?i)paused")
    machine.check("pvctl unpause hello", "")
    machine.check("pvctl destroy hello", "")
    assert "hello" not in listed()


def keeps_the_crashed():
    """A crashed domain with on_crash=preserve stays, says that it crashed, and leaves by destroy."""
    machine.check("pvctl create /etc/parvis/hello.xml", "")
    machine.send("pvctl console hello")
    machine.expect(r"hello> ", 30)
    machine.send("crash")
    machine.expect(r"(?i)crash", 30)
    machine.send("\x1d", end="")
    machine.expect(r"parvis# ", 60)
    machine.check("pvctl dominfo hello", r"(?i)crash")
    if not on_xen:  # Xen says nothing about a guest that asks to be crashed
        machine.check("pvctl dmesg | tail -n 60", r"(?i)crash")
    machine.check("pvctl destroy hello", "")


def five_beside_each_other():
    """Creates five guests at once, destroys them in another order; the free memory afterwards."""
    machine.check("(for n in 0 1 2 3 4; do pvctl create /tmp/h$n.xml & done; wait)", "")
    names = set(listed())
    assert {f"h{n}" for n in range(5)} <= names, f"only {names} are listed"
    for number in (3, 0, 4, 1, 2):
        machine.check(f"pvctl destroy h{number}", "")
    return info()["free_memory_kib"]


def several_at_once():
    """Five guests run beside each other; destroying them in another order leaks nothing.

    Small objects of several domains share pages, and what the control domain keeps for itself may move to another one, so a
    single page may come and go (test_churn has the exact figure for one domain at a time); but it never adds up.
    """
    for number in range(5):
        hello(f"h{number}")
    free = [five_beside_each_other() for _ in range(3)]
    assert free[2] >= min(free[:2]), f"free memory after each of three rounds: {free} KiB"


def powers_off():
    """The machine's power-off asks the guests first, says so, and waits for them."""
    machine.is_content()
    machine.check("pvctl create /etc/parvis/hello.xml && pvctl create /tmp/h1.xml")
    machine.send("poweroff")
    machine.expect(r"^h1: asked to end", 60)
    machine.expect(r"(?s)^hello: powered off.*^h1: powered off|^h1: powered off.*^hello: powered off", 120)
    assert machine.wait() == 0


def main():
    global machine
    with (Machine.xen if on_xen else Machine.parvis)("hello-xen" if on_xen else "hello", cpu=QEMU64) as machine:
        run_tests(tells_about_the_host, create_console_shows_the_first_byte, console_has_the_history,
                  tells_about_the_domain, pauses, reboots, waits_with_a_limit, shuts_down, paused_from_the_start, keeps_the_crashed,
                  several_at_once, powers_off)


if __name__ == "__main__":
    main()
