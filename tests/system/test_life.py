#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Domains that outlive the machine: defined, started with it in their order, ended in order with it; and what is put aside of one
that has crashed.

The disk that the machine calls its own keeps the definitions over a reboot of it, and one with a label that asks for it does not.
"""
import os
import re
import subprocess

from machine import MAX, Machine, built, data_disk_args, disk_args, run_tests

HELLO = """<domain type='xen'><name>{name}</name><memory unit='MiB'>16</memory>
<os><type arch='x86_64' machine='xenpv'>linux</type><kernel>{kernel}</kernel><cmdline>{cmdline}</cmdline></os>
<on_crash>{on_crash}</on_crash></domain>
"""
machine = None
scratch = Machine.scratch()
disk, guests = (os.path.join(scratch, name) for name in ("data.img", "guests.img"))


def domain(name, kernel="/var/lib/parvis/hello", cmdline="", on_crash="destroy"):
    return HELLO.format(name=name, kernel=kernel, cmdline=cmdline, on_crash=on_crash)


def files():
    with open(built("bad-guests/forever"), "rb") as deaf:
        return {
            "t/forever": deaf.read(),
            "t/web.xml": domain("web"), "t/db.xml": domain("db"), "t/mail.xml": domain("mail"),
            "t/deaf.xml": domain("deaf", "/t/forever"),
            "t/dies.xml": domain("dies", cmdline="exit=crash", on_crash="coredump-destroy"),
            "t/again.xml": domain("again", cmdline="exit=crash", on_crash="rename-restart"),
        }


def is_defined():
    """What is defined is there, off, with an identity that stays; rubbish beside it is named and hinders nothing."""
    machine.prompt()
    machine.check("until [ -e /run/parvis/started ]; do usleep 100000; done; mount | grep -e /data -e /etc/parvis/domains",
                  r"\A/dev/vdb on /data .*\n/dev/vdb on /etc/parvis/domains .*\n\Z")
    machine.check("pvctl define /t/web.xml /t/db.xml /t/mail.xml 2>&1", r"\Aweb: defined\ndb: defined\nmail: defined\n\Z")
    machine.check("a=$(pvctl dumpxml web | grep uuid); pvctl define /t/web.xml; [ \"$a\" = \"$(pvctl dumpxml web | grep uuid)\" ] && echo same", r"^same$")
    machine.check("echo rubbish >/etc/parvis/domains/old.xml; pvctl list --all 2>&1", r"(?s)domains/old.xml:.*^web +- +16384 +1  off .*no$")
    machine.check("rm /etc/parvis/domains/old.xml; pvctl dominfo web 2>&1", r"(?m)^state +off: `pvctl start web`$")
    machine.check("pvctl autostart web db; pvctl autostart --order 10 web; pvctl undefine mail; pvctl start mail 2>&1", r"mail: no domain of this name is defined",
                  status=3)


def two_start_it_at_once():
    """Two `pvctl start` of one domain: one makes it, the other is told so."""
    status, text = machine.shell("pvctl start web 2>&1 & p=$!; pvctl start web 2>&1; a=$?; wait $p; echo statuses $((a + $?))")
    assert "statuses 1\n" in text and len(re.findall(r"^web: domain \d+$", text, re.MULTILINE)) == 1, text
    assert re.search(r"^pvctl: web: .*(exists already|is being created|has this uuid)", text, re.MULTILINE), text


def puts_aside_what_crashed():
    """coredump-destroy leaves a core that is one; rename-restart leaves the domain under another name, and a new life."""
    machine.check("pvctl create /t/dies.xml; n=0; until ls /var/lib/parvis/dump/dies-*.core 2>/dev/null || [ $n -gt 300 ]; do usleep 100000; n=$((n+1)); done; "
                  "cat /run/parvis/parvisd.log; od -A n -c -N 4 /var/lib/parvis/dump/dies-*.core", r"177 +E +L +F")
    machine.check("until pvctl console dies 2>&1 </dev/null | tail -n 1 | grep its.core; do usleep 100000; done", r"\[dies: crashed.*; its core is in /var/lib/parvis/dump/dies-")
    machine.check("rm -r /var/lib/parvis/dump/*")
    machine.check("pvctl create /t/again.xml; n=0; until [ $(pvctl list | grep -c ^again-) -ge 2 ] || [ $n -gt 300 ]; do usleep 100000; n=$((n+1)); done; pvctl list",
                  r"(?m)^again-\d+T\d+Z.* crashed ")
    machine.check("n=0; while pvctl destroy again 2>/dev/null && [ $n -lt 100 ]; do usleep 100000; n=$((n+1)); done; pvctl destroy --all; pvctl list | tail -n +3; "
                  "ls /run/parvis/names /run/parvis/restart /run/parvis/domains | grep -v : | grep .; true", r"\A\Z")


def ends_and_starts_with_the_machine():
    """The machine reboots: its guests end in order, or are destroyed when the time is over; what is marked is started, in order, and reported."""
    machine.check("echo DOMAINS_TIMEOUT=4 >>/etc/default/parvis; pvctl start web; pvctl create /t/deaf.xml; sleep 1")
    machine.send("reboot")
    machine.expect(r"^web: powered off$", 60)
    machine.expect(r"^deaf: not ended within 4 s: it is destroyed$", 60)
    machine.expect(r"control is domain 0", 120)
    machine.prompt()
    machine.check("pvctl define /t/mail.xml && mount | grep /etc/parvis/domains && ls /data/domains/mail.xml", r"^/data/domains/mail.xml$")     # at once: it waits for its disk
    machine.check("until [ -e /run/parvis/started ]; do usleep 100000; done; cat /run/parvis/autostart.log", r"\Aweb: domain 1\ndb: domain 2\n\Z")
    assert re.search(r"^web: domain 1\ndb: domain 2\n.*parvis# ", machine.text[machine.text.rindex("control is domain 0"):], re.MULTILINE), "no prompt shows the report"
    assert [d["name"] for d in machine.told("list --all")] == ["Domain-0", "web", "db", "mail"]


def a_killed_end_goes_on():
    """The end of all is killed half-way, and parvisd with it: the next one goes on, and the machine is switched off."""
    machine.check("pvctl create /t/deaf.xml; timeout -s KILL 2 pvctl shutdown --all --destroy --timeout 60; kill -9 $(pidof parvisd); "
                  "pvctl shutdown --all --destroy --timeout 1", r"deaf: not ended within 1 s: it is destroyed", status=1)
    machine.check("pvctl list | tail -n +3", r"\A\Z")
    machine.ends_well()


def main():
    global machine
    for path, label in ((guests, "PARVIS-DATA"), (disk, "ANY")):
        subprocess.run(["mkfs.vfat", "-n", label, "-C", path, "65536"], check=True, stdout=subprocess.DEVNULL)
    with Machine.parvis("life", cpu=MAX, files=files(), qemu=[*disk_args(guests), *data_disk_args(disk)], reboot=True) as machine:
        run_tests(is_defined, two_start_it_at_once, puts_aside_what_crashed, ends_and_starts_with_the_machine, a_killed_end_goes_on)


if __name__ == "__main__":
    main()
