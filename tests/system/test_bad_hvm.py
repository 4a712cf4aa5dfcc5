#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fully virtualized guests that misbehave harm only themselves.

Each domain of a machine but two is tests/guest/hvm-hostile, and does one bad thing: reaches for memory that it has not, by each way
there is to it; gets into a state that no CPU runs; or does, without end, what is a lot of work for the hypervisor. How each ends is
said, and of those that do not end, nobody notices: a paravirtual guest answers all along, and a well-behaved one lives its life to the end.
With --long: those, on two CPUs.
"""
import sys

from machine import EPYC, Machine, built, run_tests

NO_MEMORY = r"at 0x8:0x[0-9a-f]+ it reaches for 0x[0-9a-f]+, where it has no memory$"
NO_STATE = r"its state cannot be run$"
# By deed, what the hypervisor says of the domain.
CRASHES = {
    "jump-to-hole": NO_MEMORY, "jump-to-lapic": NO_MEMORY, "stack-in-hole": NO_MEMORY, "stack-in-lapic": NO_MEMORY, "idt-in-hole": NO_MEMORY,
    "gdt-in-hole": NO_MEMORY, "tables-in-hole": NO_MEMORY, "root-in-hole": NO_MEMORY, "other-instruction": NO_MEMORY,
    "locked-instruction": NO_MEMORY, "wide-instruction": NO_MEMORY, "string-instruction": NO_MEMORY, "paging-off": NO_MEMORY,
    # where a CPU has #GP, and QEMU goes on until it is to be entered again
    "no-protection": NO_STATE, "no-write-through": NO_STATE, "two-sizes": NO_STATE,
}
RESETS = ("triple-fault", "eats-itself", "debug-for-ever")
ENDLESS = ("init-to-all", "halts-for-ever", "loops", "storm-of-nmis", "storm-of-interrupts", "storm-of-timers", "ports")


def config(deeds):
    text = "on_end = halt\nloglevel = debug\n[domain hello]\nkernel = hello\nmemory = 16M\n"
    for deed in deeds:
        text += f"[domain {deed}]\nkernel = hostile\nkind = hvm\nmemory = 8M\nvcpus = 1\naffinity = all\ncmdline = do={deed}\n"
    return text + "[domain good]\nkernel = good\nkind = hvm\nmemory = 8M\nvcpus = 1\naffinity = all\n"


def machine(name, text, **base):
    modules = {"hello": built("pvguest/hello"), "hostile": built("tests/guest/hvm-hostile"), "good": built("tests/guest/hvm-timer")}
    return Machine.direct("bad-hvm-" + name, text, modules, mem="512", **base)


def said(m, what):
    """The hypervisor's line; they come in any order, and other guests' words between them."""
    m.seen = 0
    return m.expect(rf"\(parvis\) \[[ .\d]+\] {what}", 120)


def others_live(m):
    """The well-behaved guest came to its end, and the paravirtual one answers."""
    said(m, r"good \(domain \d+\) has ended: poweroff$")
    m.send("echo still here")
    m.expect(r"^still here$", 60)


def crash_alone():
    """Those that the hypervisor ends end for the reason that is theirs; on a CPU with more in it likewise."""
    for log, cpu in (("", {}), ("-epyc", {"cpu": EPYC})):
        with machine("crash" + log, config(CRASHES), **cpu) as m:
            for deed, why in CRASHES.items():
                said(m, rf"{deed} \(domain \d+\) crashed: d\d+v0: {why}")
                said(m, rf"{deed} \(domain \d+\) has ended: crash$")
            others_live(m)


def are_reset():
    """A triple fault, and what leads to one or to the guest's own panic, is a reset of that guest."""
    with machine("reset", config(RESETS)) as m:
        said(m, r"d\d+v0: triple fault at 0x8:0x[0-9a-f]+: it is reset$")
        for deed in RESETS:
            said(m, rf"{deed} \(domain \d+\) has ended: reboot$")
        others_live(m)


def go_on_without_end(cpus=1):
    """Those that never end leave the others their time."""
    with machine(f"endless-{cpus}", config(ENDLESS), smp=cpus, accel="tcg,thread=single") as m:
        others_live(m)
        for deed in ENDLESS:
            assert f"{deed} (domain " not in m.text, m.tail()


def go_on_without_end_on_two():
    """Those that never end leave the others their time, on two CPUs too."""
    go_on_without_end(2)


def at_random():
    """Registers, ports and the local APIC written at random, from eight beginnings: whatever becomes of such a guest."""
    text = config(()) + "".join(
        f"[domain random{seed}]\nkernel = hostile\nkind = hvm\nmemory = 8M\nvcpus = 2\ncmdline = do=at-random seed={seed}\n" for seed in range(1, 9))
    with machine("random", text, hypervisor="debug/parvis.bin") as m:
        others_live(m)


if __name__ == "__main__":
    run_tests(*((go_on_without_end_on_two,) if "--long" in sys.argv else (crash_alone, are_reset, go_on_without_end, at_random)))
