#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fifty creates and destroys: afterwards the hypervisor's free memory is what it was, to the page, the store holds nothing of
them, and no process or file of the tools is left. Some guests are destroyed at once, some when they have run, some paused.
"""
import json
import sys

from machine import SKYLAKE, Machine, run_tests

machine = None
LOOP = """i=0
while [ $i -lt {count} ]; do
    pvctl create /etc/parvis/hello.xml {options} >/dev/null || {{ echo failed at $i; break; }}
    [ $((i % 3)) = 0 ] && usleep 200000
    pvctl destroy hello >/dev/null || {{ echo destroy failed at $i; break; }}
    i=$((i + 1))
done
echo rounds $i
"""


def free():
    status, text = machine.shell("pvctl info --json")
    assert status == 0, text
    return json.loads(text)["free_memory_kib"]


def leaves_nothing():
    """50 guests come and go; free memory is the same to the page."""
    machine.prompt()
    machine.settle()
    machine.check("sh /root/once.sh", r"^rounds 1$")     # what is allocated once for all has been
    before = free()
    _, store = machine.shell("xenstore-ls / | wc -l")
    _, processes = machine.shell("ps | grep -cE 'pvctl|[p]arvisd'")
    _, files = machine.shell("find /run/parvis | wc -l")
    machine.check("sh /root/loop.sh && sh /root/paused.sh", r"(?s)^rounds 40$.*^rounds 10$", timeout=600)
    after = free()
    assert after == before, f"{before} KiB were free before, {after} KiB are now"
    assert machine.shell("xenstore-ls / | wc -l")[1] == store, "entries are left in the store"
    assert machine.shell("ps | grep -cE 'pvctl|[p]arvisd'")[1] == processes, "processes are left"
    assert machine.shell("find /run/parvis | wc -l")[1] == files, "files are left in /run/parvis"


def main():
    global machine
    xen = "--xen" in sys.argv
    files = {"root/once.sh": LOOP.format(count=1, options=""), "root/loop.sh": LOOP.format(count=40, options=""),
             "root/paused.sh": LOOP.format(count=10, options="--paused")}
    with (Machine.xen if xen else Machine.parvis)("churn-xen" if xen else "churn", cpu=SKYLAKE, files=files) as machine:
        run_tests(leaves_nothing, machine.ends_well)


if __name__ == "__main__":
    main()
