#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fifty creates and destroys: afterwards the hypervisor's free memory is what it was, to the page, the store holds nothing of
them, and no process or file of the tools is left. Some guests are destroyed at once, some when they have run, some paused; and beside others
that storm, all on 4 CPUs, of two that borrow from each other one is destroyed.
"""
import json
import sys

from machine import SKYLAKE, Machine, built, run_tests

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
LOAD = """<domain type='xen'><name>NAME</name><memory unit='MiB'>16</memory><vcpu>VCPUS</vcpu>
<os><type>linux</type><kernel>/root/load</kernel><cmdline>vcpus=VCPUS begin=99999999 end=100000000 OPTIONS</cmdline></os></domain>"""
STORM = """id() { pvctl list | awk -v name=$1 '$1 == name { print $2 }'; }
make() {
    sed "s/NAME/$1/; s/VCPUS/$2/g; s/OPTIONS/$3/" /root/load.xml >/tmp/$1.xml; pvctl create /tmp/$1.xml >/dev/null || echo failed: $1
}
make events 4 work=events; make tables 4 work=forks; make flushes 2 work=flushes
for name in events tables flushes; do pvctl sched $name --cap 30 || echo failed: cap; done
i=0
while [ $i -lt 4 ]; do
    make one 2 "work=grants peer=$(($(id flushes) + 2 + 2 * i))"
    make two 2 "work=grants peer=$(id one)"
    usleep 500000
    if [ $((i % 2)) = 0 ]; then pvctl destroy one; usleep 200000; pvctl destroy two; else pvctl destroy two; pvctl destroy one; fi
    i=$((i + 1))
done
pvctl list
pvctl destroy events; pvctl destroy tables; pvctl destroy flushes
echo storms $i
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


def leaves_nothing_of_storms():
    """Domains that map each other's pages are destroyed, beside others that storm with events, page tables and flushes; memory is the same."""
    before = free()
    text = machine.shell("sh /root/storm.sh", timeout=900)[1]
    assert text.endswith("storms 4\n") and "failed" not in text, text
    after = free()
    assert after == before, f"{before} KiB were free before, {after} KiB are now"


def main():
    global machine
    xen = "--xen" in sys.argv
    with open(built("pvguest/load"), "rb") as load:
        program = load.read()
    files = {"root/once.sh": LOOP.format(count=1, options=""), "root/loop.sh": LOOP.format(count=40, options=""),
             "root/load": program, "root/load.xml": LOAD, "root/storm.sh": STORM,
             "root/paused.sh": LOOP.format(count=10, options="--paused")}
    with (Machine.xen if xen else Machine.parvis)("churn-xen" if xen else "churn", cpu=SKYLAKE, files=files,
                                                  smp=1 if xen else 4) as machine:
        run_tests(leaves_nothing, *([] if xen else [leaves_nothing_of_storms]), machine.ends_well)


if __name__ == "__main__":
    main()
