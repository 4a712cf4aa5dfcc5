#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures against speculation that QEMU's CPUs do not need: each, forced, leaves guests of both kinds as they are; and what is said of them.

The guest tests that run look at every register that a guest gets back, on each way in and out; with a measure there is other code on these ways.
What needs registers that QEMU's CPUs have not (IBRS, IBPB and the like) is left out, and that is said; unit tests have the rest (x86_spec).
"""
import os
import re

from machine import BUILD, Machine, run_tests

TESTS = [("entry", "pv"), ("traps", "pv"), ("bounce", "pv"), ("hypercall-garbage", "pv"), ("hvm-debug", "hvm"), ("pvh-memory", "pvh")]
HAVE = ["retpoline", "rsb", "bhb-entry", "its", "verw", "pti", "pv-l1tf", "div-scrub", "lock-harden"]
HAVE_NOT = ["ibrs", "eibrs", "ibpb", "ibpb-entry", "bhi-dis-s", "zenbleed", "fp-dss", "op-cache", "gds-mit", "srb-lock", "ssbd"]


def run(name, kind, option, measures, vcpus=2):
    """A guest test where the hypervisor has this option, and then takes these measures."""
    with Machine.guest(f"speculation-{name}-{option.replace(',', '-')}", os.path.join(BUILD, "tests/guest", name), kind=kind, vcpus=vcpus,
                       extra=f"spec-ctrl = {option}\n") as m:
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


def none_is_needed():
    text = run("entry", "pv", "yes", "nothing")
    assert re.search(r"speculation: these CPUs have nothing \(QEMU's emulation\)", text), text


def what_is_lacking_is_said():
    text = run("entry", "pv", ",".join(HAVE_NOT), "nothing")
    assert f"spec-ctrl: these CPUs cannot do what is asked for: {' '.join(HAVE_NOT)}" in text, text


if __name__ == "__main__":
    run_tests(none_is_needed, what_is_lacking_is_said, each_alone, all_at_once)
