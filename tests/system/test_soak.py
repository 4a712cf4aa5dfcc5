#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Domains with a disk and an interface come and go: a hundred in `make check`, as many as one likes by `make soak CYCLES=10000`.

A cycle is a create and an end, by turns: a guest that connects both devices and is destroyed then, one that is destroyed while it starts,
one that is never unpaused, one that ends by itself. After each hundred all that could have been left is counted, and is what it was after
the hundred before, which are the first: what is made once for all has been made by then. With --cycles each count is a line, and is in
build/soak.csv as well, so that a run which is ended early has shown what it has shown.
"""
import os
import sys
import time

import booted
from machine import BUILD, built, run_tests

machine = None
BATCH = 100
CYCLES = int(sys.argv[sys.argv.index("--cycles") + 1]) if "--cycles" in sys.argv else 0      # 0: what make check has the time for
# The daemons' memory: pages that the C library has taken for them, of which it may hold some more at one moment than at another.
MAY_DIFFER_KIB = {"parvisd_kib": 64, "xenstored_kib": 256}
XML = """<domain type='xen'><name>soak</name><memory unit='MiB'>8</memory><vcpu>1</vcpu>
<os><type>linux</type><kernel>/root/devices</kernel><cmdline>CMDLINE</cmdline></os><on_poweroff>destroy</on_poweroff>
<devices><disk type='file'><source file='/root/disk.img'/><target dev='xvda'/></disk>
<interface type='bridge'><source bridge='xenbr0'/></interface></devices></domain>"""
SOAK = """# soak CYCLES: the first thing that goes wrong ends it
fail() { echo "cycle $i: $*"; pvctl list; exit 1; }
i=0
while [ $i -lt $1 ]; do
    i=$((i + 1))
    case $((i % 4)) in
    0) pvctl create /root/stays.xml >/dev/null || fail create
       n=0; d=$(pvctl domid soak)
       until [ "$(xenstore-read /local/domain/$d/data/devices 2>/dev/null)" = connected ]; do
           n=$((n + 1)); [ $n -lt 6000 ] || fail "its devices are not connected"; usleep 10000
       done
       pvctl destroy soak >/dev/null || fail destroy;;
    1) pvctl create /root/stays.xml >/dev/null && pvctl destroy soak >/dev/null || fail "create and destroy";;
    2) pvctl create --paused /root/stays.xml >/dev/null && pvctl destroy soak >/dev/null || fail "create --paused and destroy";;
    3) pvctl create --console /root/ends.xml </dev/null >/tmp/said 2>&1
       grep -q 'TEST-RESULT: devices success' /tmp/said || fail "$(cat /tmp/said)"
       n=0; while pvctl domid soak >/dev/null 2>&1; do n=$((n + 1)); [ $n -lt 6000 ] || fail "it does not end"; usleep 10000; done;;
    esac
done
echo cycles $i
"""
# Each line a name and a number. Memory of the hypervisor is asked for elsewhere. What there was the last time is in /tmp/was.
COUNT = """[ -e /tmp/is ] && mv /tmp/is /tmp/was
{ xenstore-ls -f / | cut -d = -f 1; find /run; ls /sys/class/net; } >/tmp/is
memory() { echo $(($(awk '/^RssAnon/ {print $2}' /proc/$(pidof $1)/status))); }
echo loops $(cat /sys/block/loop*/loop/backing_file 2>/dev/null | wc -l)
echo loop_devices $(ls -d /sys/block/loop* | wc -l)
echo interfaces $(ls /sys/class/net | wc -l)
echo bridge_ports $(ls /sys/class/net/xenbr0/brif | wc -l)
echo store_nodes $(xenstore-ls / | wc -l)
n=0; for p in /proc/[0-9]*; do readlink $p/exe >/dev/null && n=$((n + 1)); done; echo processes $n
echo run_files $(find /run | wc -l)
echo parvisd_fds $(ls /proc/$(pidof parvisd)/fd | wc -l)
echo xenstored_fds $(ls /proc/$(pidof xenstored)/fd | wc -l)
echo parvisd_kib $(memory parvisd)
echo xenstored_kib $(memory xenstored)
echo run_kib $(du -s -k /run | cut -f 1)
"""
UNCHECKED = ("run_kib",)


def count():
    """All that could be left, by name."""
    _, text = machine.shell("sh /root/count.sh")
    counts = {words[0]: int(words[1]) for line in text.splitlines() if len(words := line.split()) == 2 and words[1].isdigit()}
    assert len(counts) == COUNT.count("echo ") - 1, text
    return {"free_kib": machine.told("info")["free_memory_kib"], **counts}


def is_as_before(before, cycles):
    """What is there now; that nothing is left is shown."""
    now = count()
    wrong = [f"{name} was {before[name]}, is {number}" for name, number in now.items()
             if name not in UNCHECKED and abs(number - before[name]) > MAY_DIFFER_KIB.get(name, 0)]
    if wrong:
        raise AssertionError(f"after {cycles} cycles: " + "; ".join(wrong) + "\n" + machine.shell("diff /tmp/was /tmp/is; pvctl list")[1])
    return now


def batch(cycles):
    machine.check(f"sh /root/soak.sh {cycles}", rf"^cycles {cycles}$", timeout=60 + 6 * cycles)


def report(line):
    """To the terminal, and to a file."""
    print(line, flush=True)
    with open(os.path.join(BUILD, "soak.csv"), "a", encoding="ascii") as out:
        out.write(line.replace(" ", "") + "\n")


def soak():
    """As many cycles as were asked for, counted after each hundred."""
    start = time.monotonic()
    batch(BATCH)
    first = now = count()
    report("cycles, seconds, " + ", ".join(first))
    for done in range(BATCH, CYCLES + 1, BATCH):
        report(f"{done}, {time.monotonic() - start:.0f}, " + ", ".join(str(number) for number in now.values()))
        if done == CYCLES:
            break
        batch(BATCH)
        now = is_as_before(first, done + BATCH)


def hundred():
    """A hundred domains with disk and interface leave nothing: memory, loop devices, interfaces, store, files, descriptors."""
    machine.prompt()
    machine.settle()
    machine.check("until [ -e /run/parvis/started ] && [ -e /run/udhcpd.leases ]; do usleep 100000; done")    # what starts by itself has been
    # Directories that the first back end's complaint makes, which comes or does not.
    machine.check("for kind in vbd vif; do xenstore-write /local/domain/0/error/backend/$kind ''; done")
    machine.check("dd if=/dev/zero of=/root/disk.img bs=64k count=1 2>/dev/null; sh /root/soak.sh 4", r"^cycles 4$", timeout=300)
    before = count()
    batch(BATCH)
    is_as_before(before, BATCH)


def main():
    global machine
    with open(built("tests/guest/devices"), "rb") as guest:
        files = {"root/devices": guest.read(), "root/stays.xml": XML.replace("CMDLINE", "stay=1"), "root/ends.xml": XML.replace("CMDLINE", "stay=0"),
                 "root/soak.sh": SOAK, "root/count.sh": COUNT}
    with booted.control_domain("soak", files) as machine:
        run_tests(hundred, *([soak] if CYCLES else []), machine.ends_well)


if __name__ == "__main__":
    main()
