#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""With the measures against speculation that can be had on any CPU: what a paravirtual guest's CPU has in its page tables, as QEMU lists them,
and that guests live as ever.

No emulation speculates, so what the measures are for cannot be seen here; that they harm nobody can, and that with "pti" the hypervisor
is not mapped while a guest runs.
"""
import contextlib
import re
import time

import qemu_monitor
from machine import BY_TURNS, DEBUG_EXIT, SCALE, SKYLAKE, Machine, built, control_config, run_tests
from test_speculation import WITH_BITS
from test_from_outside import CPU1_BLOCK, DIRECT_MAP_END, ENTRY, IMAGE, symbols

ALL = "spec-ctrl = pti,retpoline,rsb,bhb-entry,its,verw,lock-harden,div-scrub,pv-l1tf\n"
STACKS = (0x1000, 0x3000, 0x5000, 0x7000)       # of NMI, #DF, #MC, #DB
DOOR = 0xf000                                   # with TSS and struct cpu
MARK = 0x6c656674206d6172                       # tests/system/guests/marked.asm
GUESTS = ("segments", "pagetable", "grants", "stale", "smp", "smp-stale", "smp-contexts", "smp-moves")    # test_speculation has others


@contextlib.contextmanager
def stopped_in_guest(monitor, cpu, registers=""):
    """The machine is stopped where this CPU runs a guest, in whose registers there is this; what the monitor answers of the CPU."""
    deadline = time.monotonic() + 60 * SCALE

    def ask(command):
        return monitor.execute("human-monitor-command", **{"command-line": command, "cpu-index": cpu})

    while True:
        monitor.ask("stop")
        found = ask("info registers")
        if "CPL=3" in found and re.search(registers, found):
            break
        monitor.ask("cont")
        assert time.monotonic() < deadline, f"CPU {cpu} never runs its guest"
        time.sleep(0.01)
    yield ask
    monitor.ask("cont")


def mapped_of_the_hypervisor(ask):
    pages = {int(va, 16) for va, _, _ in ENTRY.findall(ask("info tlb"))}
    return {va for va in pages if IMAGE & ~((1 << 39) - 1) <= va < DIRECT_MAP_END}


def hides_the_hypervisor():
    """pti: of the hypervisor a guest's page tables have its first and last instructions, the IDT, and what the CPU reads and writes by itself."""
    directory = Machine.scratch()
    config = "spec-ctrl = pti\non_end = poweroff\n" + "".join(
        f"[domain forever{cpu}]\nkernel = forever\nmemory = 16M\naffinity = {cpu}\n" for cpu in range(2))
    named = symbols()
    with Machine.direct("isolation", config, {"forever": built("bad-guests/forever")}, mem="256", smp="2", directory=directory,
                        qemu=qemu_monitor.args(directory)) as m:
        m.expect(r"measures: pti; open", 30)
        m.expect(r"forever1 is domain 2", 30)
        monitor = qemu_monitor.Monitor(directory)
        for cpu, block in enumerate((named["cpu0_block"], CPU1_BLOCK)):
            shown = set(range(named["entry_start"], named["entry_end"], 4096)) | {named["idt"]}
            shown |= {block + page for page in (*STACKS, DOOR)}
            with stopped_in_guest(monitor, cpu) as ask:
                mapped = mapped_of_the_hypervisor(ask)
            assert mapped == shown, (cpu, [hex(va) for va in sorted(mapped ^ shown)][:20])


def hides_who_ran_before():
    """pti: two guests take turns; what is mapped for the one has nothing of what the other had in its registers when it was interrupted"""
    directory = Machine.scratch()
    config = "spec-ctrl = pti\non_end = poweroff\n" + "".join(f"[domain {name}]\nkernel = {name}\nmemory = 16M\n" for name in ("marked", "forever"))
    door = symbols()["cpu0_block"] + DOOR
    with Machine.direct("isolation-turns", config, {name: built("bad-guests/" + name) for name in ("marked", "forever")}, mem="256", smp="1",
                        directory=directory, qemu=qemu_monitor.args(directory)) as m:
        m.expect(r"forever: looping", 30)
        monitor = qemu_monitor.Monitor(directory)
        for _ in range(10):
            with stopped_in_guest(monitor, 0, f"R15={MARK:x}"):
                pass
            with stopped_in_guest(monitor, 0, f"R15=(?!{MARK:x})") as ask:
                left = ask(f"x /512gx {door:#x}")
                assert left.count("\n") == 256 and f"{MARK:x}" not in left, left


def hides_the_kernel_from_its_programs():
    """pti: nothing of what a guest had in its registers when it was interrupted is mapped when it goes on, but for RDI, which IRETQ needed last."""
    directory = Machine.scratch()
    config = "spec-ctrl = pti\non_end = poweroff\n[domain marked]\nkernel = marked\nmemory = 16M\n"
    door = symbols()["cpu0_block"] + DOOR
    with Machine.direct("isolation-programs", config, {"marked": built("bad-guests/marked")}, mem="256", smp="1", directory=directory,
                        qemu=qemu_monitor.args(directory)) as m:
        m.expect(r"marked: looping", 30)
        monitor = qemu_monitor.Monitor(directory)
        for _ in range(10):
            time.sleep(0.05 * SCALE)
            with stopped_in_guest(monitor, 0, f"R15={MARK:x}") as ask:
                left = ask(f"x /512gx {door:#x}")
                assert left.count("\n") == 256 and left.count(f"{MARK:x}") == 1, left


def guests_live_as_ever():
    """Guest tests with all of the measures that any CPU can take."""
    for name in GUESTS:
        many = name.startswith("smp")
        with Machine.guest("measures-" + name, built("tests/guest/" + name), vcpus=4 if many else 1, smp=2 if many else 1, extra=ALL) as m:
            m.expect(rf"TEST-RESULT: {name} success", 120)
            assert m.wait() == 0, m.tail()


def sysenter_lives_as_ever():
    """The same where 64-bit code has SYSENTER, as on Intel's CPUs: without a measure, with that alone, and with all."""
    for number, extra in enumerate(("", "spec-ctrl = pti\n", ALL)):
        with Machine.guest(f"measures-sysenter-{number}", built("tests/guest/entry"), cpu=SKYLAKE, extra=extra) as m:
            m.expect("SYSENTER is there", 60)
            m.expect("TEST-RESULT: entry success", 60)
            assert m.wait() == 0, m.tail()


def linux_under_nmis():
    """Linux as control domain with all of them, which is busy while NMIs come at any moment: on the way in and out, too."""
    directory = Machine.scratch()
    with Machine.parvis("measures-linux", config=control_config(extra=ALL.strip() + ",ibrs,stibp\n"), cpu=WITH_BITS, smp=2, accel=BY_TURNS["accel"], qemu=[*DEBUG_EXIT, *qemu_monitor.args(directory)]) as m:
        m.prompt(300)
        m.settle()
        monitor = qemu_monitor.Monitor(directory)
        m.send("dmesg -n 1; for i in 1 2; do (while :; do ls -R /etc >/dev/null; done) & done; echo go''es")
        m.expect("^goes", 60)
        for _ in range(200):
            monitor.execute("inject-nmi")
            time.sleep(0.005)
        m.expect("NMI in a guest", 60)
        m.send("kill %1 %2; wait; echo sto''pped")
        m.expect("^stopped", 60)
        m.check("pvctl create /etc/parvis/hello.xml && pvctl destroy hello", "")
        m.ends_well()
    assert len(re.findall("NMI in ", m.text)) > 50, m.tail()


if __name__ == "__main__":
    run_tests(hides_the_hypervisor, hides_who_ran_before, hides_the_kernel_from_its_programs, guests_live_as_ever, sysenter_lives_as_ever, linux_under_nmis)
