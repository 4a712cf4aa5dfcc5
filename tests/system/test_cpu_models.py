#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CPU models: Parvis needs no more than a long-mode CPU, and what newer ones have does no harm.

On each model the control domain comes up, and a guest is created, ends, and is reaped.
"""
from machine import NO_CX16, Machine, run_tests

MODELS = ["qemu64", "max", "EPYC", "Skylake-Client", "Nehalem"]


def works_on(model):
    with Machine.parvis("cpu-" + model, cpu=model + NO_CX16) as m:
        m.prompt()
        m.check("pvctl create /etc/parvis/hello.xml && pvctl list", r"\bhello\b")
        m.check("pvctl destroy hello && pvctl list | grep -c hello", r"^0$", status=1)
        m.check("awk 'BEGIN { printf \"%.3f\\n\", 22 / 7 }'", r"^3\.143$")
        status, text = m.shell(r"dmesg | grep -E 'WARNING: CPU|BUG:|Oops|general protection|Call Trace'")
        assert status == 1, text
        m.send("poweroff")
        assert m.wait() == 0


def tests():
    for model in MODELS:
        def one(model=model):
            works_on(model)
        one.__doc__ = f"The control domain and a guest run on CPU model {model}."
        yield one


if __name__ == "__main__":
    run_tests(*tests())
