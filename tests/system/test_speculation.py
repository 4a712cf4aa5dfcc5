#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures against speculation that QEMU's CPUs do not need: each, forced, leaves guests of both kinds as they are; and what is said of them.

The guest tests that run look at every register that a guest gets back, on each way in and out; with a measure there is other code on these ways.
QEMU's CPUs have no IBRS, IBPB and the like, and that is said when they are asked for. But with CPUID's bits for them, which QEMU shows if it
must, what is written to these registers is ignored: so the code that does it is run too. Unit tests have the rest (x86_spec).
"""
import os
import re

from machine import BUILD, DEFAULT_CPU, Machine, run_tests

TESTS = [("entry", "pv"), ("traps", "pv"), ("bounce", "pv"), ("hypercall-garbage", "pv"), ("hvm-debug", "hvm"), ("pvh-memory", "pvh")]
HAVE = ["retpoline", "rsb", "bhb-entry", "its", "verw", "pti", "pv-l1tf", "div-scrub", "lock-harden"]
HAVE_NOT = ["ibrs", "eibrs", "ibpb", "ibpb-entry", "bhi-dis-s", "stibp", "zenbleed", "fp-dss", "op-cache", "bp-spec-reduce", "gds-mit", "srb-lock", "ssbd"]
BY_REGISTERS = ["ibrs", "ibpb", "ibpb-entry", "stibp", "ssbd"]
WITH_BITS = DEFAULT_CPU + ",x-force-features=on,+spec-ctrl,+stibp,+ssbd"


def run(name, kind, option, measures, vcpus=2, **more):
    """A guest test where the hypervisor has this option, and then takes these measures."""
    with Machine.guest(f"speculation-{name}-{kind}-{option.replace(',', '-')}", os.path.join(BUILD, "tests/guest", name), kind=kind, vcpus=vcpus,
                       extra=f"spec-ctrl = {option}\n", **more) as m:
        m.expect(rf"speculation: measures: {measures}; open: nothing\r?\n")
        result = m.expect(r"TEST-RESULT: (\S+) (\w+)\r?\n", 200)
        assert result.groups() == (name, "success"), result.groups()
        return m.text


def all_at_once():
    for name, kind in TESTS:
        run(name, kind, ",".join(HAVE), " ".join(HAVE))


def each_alone():
    for measure in HAVE:
        run("entry", "pv", "no," + measure, measure)


def registers_that_are_shown():
    """IBRS and what else is a register, and all with them, where CPUs say that they have these."""
    for name, kind in TESTS:
        run(name, kind, "no," + ",".join(BY_REGISTERS), " ".join(BY_REGISTERS), cpu=WITH_BITS)
    run("entry", "pv", "no,ibrs,pti", "ibrs pti", cpu=WITH_BITS)


def guests_write_ssbd():
    """A guest of each kind writes its bit of SPEC_CTRL, beside nothing and beside what the hypervisor has there."""
    for kind, vcpus in (("pv", 2), ("hvm", 1), ("pvh", 2)):
        for option, measures in (("yes", "nothing"), ("no," + ",".join(BY_REGISTERS), " ".join(BY_REGISTERS))):
            text = run("ssbd", kind, option, measures, vcpus, cpu=WITH_BITS)
            assert "ssbd: shown, and written" in text, text


def linux_has_the_switches():
    """A paravirtual kernel takes the barrier and SSBD that it is shown, and nothing that it does with them is refused."""
    zen = DEFAULT_CPU + ",family=23,model=1,x-force-features=on,+ibpb,+amd-ssbd"       # a model that loads pass stores on
    with Machine.parvis("speculation-linux", cpu=zen) as m:
        m.prompt(300)
        m.check("cat /sys/devices/system/cpu/vulnerabilities/spec_store_bypass", "Mitigation: Speculative Store Bypass disabled via prctl")
        m.check("grep -o 'IBPB: [a-z]*' /sys/devices/system/cpu/vulnerabilities/spectre_v2", "IBPB: conditional")
        m.ends_well()
        assert "MSR 0x48 is not offered" not in m.text and "MSR 0x49 is not offered" not in m.text, m.tail()


def none_is_needed():
    text = run("entry", "pv", "yes", "nothing")
    assert re.search(r"speculation: these CPUs have nothing \(QEMU's emulation\); chosen: default\r?\n", text), text
    text = run("entry", "pv", "no", "nothing")
    assert "; chosen: spec-ctrl = no" in text, text


def what_is_lacking_is_said():
    text = run("entry", "pv", ",".join(HAVE_NOT), "nothing")
    assert "; chosen: by spec-ctrl" in text, text
    assert f"spec-ctrl: these CPUs cannot do what is asked for: {' '.join(HAVE_NOT)}" in text, text


if __name__ == "__main__":
    run_tests(none_is_needed, what_is_lacking_is_said, each_alone, all_at_once, registers_that_are_shown, guests_write_ssbd, linux_has_the_switches)
