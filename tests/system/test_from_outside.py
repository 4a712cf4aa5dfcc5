#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What only the machine's outside can show: what the hypervisor maps, as the CPU sees it, and that NMIs do no harm.

QEMU lists the page tables that are loaded. Nothing of the hypervisor's is both writable and executable, by whatever address; what is constant in its image is written by nobody; each
stack has a page below it that is not there. And a machine that breaks ends as a panic.
"""
import itertools
import re
import subprocess
import time

import ending
import qemu_monitor
from machine import DEBUG_EXIT, SCALE, Machine, built, run_tests

CONFIG = "on_end = poweroff\n[domain hello]\nkernel = hello\nmemory = 16M\n"
ENTRY = re.compile(r"([0-9a-f]{16}): ([0-9a-f]{16}) ([-A-Z]{9})")
IMAGE, DIRECT_MAP, DIRECT_MAP_END = 0xffff82d040000000, 0xffff830000000000, 0xffff880000000000
MACHINE_CHECK = "mce {} 1 0xb200000000000000 0x5 0 0"     # CPU, bank, status: valid, uncorrected, enabled; what is known of where
CPU1_BLOCK = IMAGE + 0x30010000
LOW_MEMORY = 0xa0000
# What is reached of the ways in and out, among others.
LANDMARKS = ("syscall_entry", "pv_cpu_syscall", "pv_cpu_bounce", "pv_cpu_bounce.of_user_mode", "do_iret", "do_iret.in_syscall", "pv_back", "leave.iret", "iret_to_guest",
             "leave.isolated", "isolated_iret")
GUARDS = (0x0000, 0x2000, 0x4000, 0x6000, 0x8000)


def symbols():
    listed = subprocess.run(["nm", built("parvis.elf")], check=True, capture_output=True, text=True).stdout
    return {name: int(address, 16) for address, _, name in (line.split() for line in listed.splitlines())}


def maps_nothing_too_much():
    """W^X, constants that are constant, guards below stacks; nothing is left in low memory, which the control domain may map. CPUs that idle halt."""
    directory = Machine.scratch()
    with Machine.direct("memory-map", CONFIG, {"hello": built("pvguest/hello")}, mem="256", smp="2", directory=directory,
                        qemu=qemu_monitor.args(directory)) as m:
        m.expect(r"hello> ", 30)
        monitor = qemu_monitor.Monitor(directory)
        while len(re.findall("HLT=1", monitor.ask("info registers -a"))) < 2:
            time.sleep(0.1)                              # the guest waits for input: all CPUs halt, soon and for long
            assert time.monotonic() < m.start + 60 * SCALE, "a CPU that has nothing to do does not halt"
        text = monitor.ask("info tlb")
        monitor.ask(f'pmemsave 0 {LOW_MEMORY} "{directory}/low"')
        monitor.ask(f'memsave {symbols()["ap_trampoline"]} 64 "{directory}/trampoline"')
        with open(directory + "/low", "rb") as low, open(directory + "/trampoline", "rb") as trampoline:
            code, all_low = trampoline.read(), low.read()
        assert len(all_low) == LOW_MEMORY and len(set(code)) > 16 and code not in all_low, "other CPUs' first code is still in low memory"
        pages = [(int(va, 16), int(pa, 16), flags) for va, pa, flags in ENTRY.findall(text)]
    ours = {va: (pa, flags) for va, pa, flags in pages if IMAGE & ~((1 << 39) - 1) <= va < DIRECT_MAP_END}
    named = symbols()
    image = ours[named["image_start"]][0]
    constant = range(image, image + named["rodata_end"] - named["image_start"])
    code = range(image, image + named["text_end"] - named["image_start"])
    assert len(ours) > 100 and DIRECT_MAP in ours, "the list has another form"
    for va, (pa, flags) in ours.items():
        writable, executable = flags[-1] == "W", flags[0] != "X"    # QEMU's X is no-execute
        assert not executable or pa in code and IMAGE <= va < DIRECT_MAP, f"{va:#x} can be executed"
        assert not writable or pa not in constant, f"{va:#x} can be written"
    assert any(va >= DIRECT_MAP and pa in constant for va, (pa, _) in ours.items()), "the direct map lacks the image"
    for block in (named["cpu0_block"], CPU1_BLOCK):
        for offset in range(0, 0x10000, 0x1000):
            assert (block + offset in ours) == (offset not in GUARDS), f"page {offset:#x} of the block at {block:#x}"


def survives_nmis():
    """NMIs at any moment, in one guest that computes and in what the hypervisor prints for another, are said once and harm nothing.

    Both guests run on the one CPU of four that the machine's NMI line goes to.
    After a machine check, an uncorrected error, on any CPU nobody goes on: the hypervisor says where it came and where the other CPUs
    were, and ends the machine as a panic.
    """
    directory = Machine.scratch()
    config = CONFIG.replace("hello", "flood") + CONFIG[CONFIG.index("["):].replace("hello", "forever")
    guests = {name: built("bad-guests/" + name) for name in ("flood", "forever")}
    config = config.replace("memory = 16M\n", "memory = 16M\naffinity = 0\n")
    config = f"debug_exit = {ending.DEBUG_EXIT_PORT}\n" + config
    with Machine.direct("nmi", config, guests, mem="256", smp="4", directory=directory, qemu=[*DEBUG_EXIT, *qemu_monitor.args(directory)]) as m:
        m.expect(r"flood: the same line", 30)
        monitor = qemu_monitor.Monitor(directory)
        for _ in range(100):
            monitor.execute("inject-nmi")
            m.expect(r"NMI in ", 30)
        m.expect(r"flood: the same line", 30)
        for where in ("a guest", "the hypervisor"):
            assert f"NMI in {where}" in m.text, f"no NMI in {where}"
        monitor.send("human-monitor-command", **{"command-line": MACHINE_CHECK.format(2)})
        m.expect(r"machine check.* in (a guest|the hypervisor), error code", 30)
        m.expect(r"(?s)rip .*cr2 ", 30)
        for cpu in range(4):
            if cpu != 2:
                m.expect(rf"CPU {cpu} was (idle|in (the hypervisor for|the guest) d\d+v\d+, rip 0x[0-9a-f]+)$", 30)
        assert m.wait() == ending.PANICKED


def steps(named):
    """The instructions by which a paravirtual guest comes in by SYSCALL, goes on in its kernel, and leaves: of two files, to its end and to that of the exit."""
    code = subprocess.run(["objdump", "-Dj.text", "--no-show-raw-insn", built("parvis.elf")], check=True, capture_output=True, text=True).stdout
    every = [int(at, 16) for at in re.findall(r"^([0-9a-f]{16}):\t", code, re.M)]
    return [at for at in every if named["pv_cpu_syscall"] <= at < named["syscall_entry"] or named["syscall_entry"] <= at < named["syscall32_entry"]]


def nmi_at_each_step(test, named, where, extra):
    """Guest test with an NMI before each of these instructions, the first time that a CPU comes there; those that were reached."""
    directory, reached = Machine.scratch(), set()
    with Machine.guest("nmis-" + test + "-isolated" * bool(extra), built("tests/guest/" + test), vcpus=2, extra=extra, directory=directory, qemu=["-S", *qemu_monitor.args(directory)]) as m:
        monitor, debugger = qemu_monitor.Monitor(directory), qemu_monitor.Debugger(directory)
        debugger.break_at(named["machine_stop"], *where)
        while True:
            debugger.go_on()
            debugger.until(b"$T05thread")
            at = debugger.rip()
            debugger.goes_through(at)
            if at == named["machine_stop"]:
                break
            reached.add(at)
            monitor.execute("inject-nmi")
        debugger.go_on()
        m.expect(f"TEST-RESULT: {test} success", 30)
        assert m.wait() == 0, m.tail()
    return reached


def survives_nmis_at_each_step():
    """An NMI before each instruction by which a paravirtual guest comes in, goes on in its kernel, and leaves changes nothing that guest tests see.

    Without measures against speculation, and by copies of the guest's tables."""
    named = symbols()
    where = steps(named)
    each = itertools.product(("bounce", "syscall"), ("", "spec-ctrl = pti\n"))
    reached = set.union(*(nmi_at_each_step(test, named, where, extra) for test, extra in each))
    for name in LANDMARKS:
        assert named[name] in reached, f"{name} was not reached"
    assert len(reached) > len(where) * 0.7, f"of {len(where)} instructions {len(reached)} were reached"


def panics(name, way):
    """The text of a machine of 4 CPUs that panics in the hands of way(monitor, debugger)."""
    directory = Machine.scratch()
    # The guest is on CPU 3: on the others a machine check is the hypervisor's.
    config = f"debug_exit = {ending.DEBUG_EXIT_PORT}\n" + CONFIG + "affinity = 3\n"
    with Machine.direct(name, config, {"hello": built("pvguest/hello")}, mem="256", smp="4", directory=directory,
                        qemu=[*DEBUG_EXIT, *qemu_monitor.args(directory)]) as m:
        m.expect(r"hello> ", 30)
        way(qemu_monitor.Monitor(directory), qemu_monitor.Debugger(directory))
        assert m.wait() == ending.PANICKED
        return m.text[m.seen:]


def once_each(text, *sentences):
    """Each sentence stands there once, in this order."""
    places = [text.find(sentence) for sentence in sentences]
    assert -1 not in places and places == sorted(places), text
    assert all(text.count(sentence) == sentences.count(sentence) for sentence in sentences), text


def names_who_does_not_answer():
    """A panic beside a CPU that does not take an NMI: it is named, and the machine ends."""
    def without_3(monitor, debugger):
        monitor.ask(MACHINE_CHECK.format(1))
        debugger.go_on(0, 1, 2)
    once_each(panics("panic-deaf", without_3), "machine check", "calls on CPU 1:", "CPU 0 was ", "CPU 2 was ", "CPU 3 does not answer")


def panics_on_two_at_once():
    """Two CPUs panic at once: one ends the machine, the other says what it has to say in its turn, whole."""
    named = symbols()

    def both(monitor, debugger):
        for cpu in (1, 2):
            monitor.ask(MACHINE_CHECK.format(cpu))
            debugger.run_to(cpu, named["begin_end"])
        debugger.run_to(1, named["apic_send_ipi"])      # it is the one
        debugger.go_on(2)
        time.sleep(1)                                    # and this one has found out
        debugger.stop()
        debugger.go_on()
    text = panics("panic-two", both)
    once_each(text, "calls on CPU 1:", "CPU 0 was ", "calls on CPU 0:", "calls on CPU 2:", "CPU 3 was ", "calls on CPU 3:")
    assert text.count("machine check in the hypervisor") == 2 and "CPU 2 was" not in text, text


def says_why_though_an_nmi_comes():
    """An NMI of the machine's own upon the CPU that ends it, before it has said why: it says it."""
    def nmi(monitor, debugger):
        monitor.ask(MACHINE_CHECK.format(0))
        debugger.run_to(0, symbols()["apic_send_ipi"])
        monitor.execute("inject-nmi")
        debugger.go_on()
    once_each(panics("panic-nmi", nmi), "machine check", "calls on CPU 0:", "CPU 1 was ", "CPU 2 was ", "CPU 3 was ")


if __name__ == "__main__":
    run_tests(maps_nothing_too_much, survives_nmis, survives_nmis_at_each_step, names_who_does_not_answer, panics_on_two_at_once, says_why_though_an_nmi_comes)
