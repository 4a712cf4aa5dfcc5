#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`calibrate` in the control domain: its three measurements, on the console and in a file, become constants that the comparison takes."""
import json
import os
import re
import subprocess
import sys
import tempfile

from machine import ROOT, Machine, run_tests

CONSTANTS = os.path.join(ROOT, "tests/bench/calibrate/constants_of.py")
MODEL = os.path.join(ROOT, "tests/bench/compare/model.py")
PLACES = ["linux pv", "bench nested", "linux nested"]


def measures_and_leaves_a_file():
    """Each of the three is there once, in both places; this CPU is emulated, and only who says that he knows it has constants of it."""
    with Machine.parvis("calibrate") as m:
        m.prompt(600)
        m.settle()
        status, text = m.shell("calibrate", 1200)
        assert status == 0 and "left out" not in text, text
        assert re.findall(r"^CALIBRATION-BEGIN (\w+ \w+) ", text, re.MULTILINE) == PLACES, text
        said = m.shell("cat /root/calibration.txt")[1]
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("console", text), ("file", said)):
            log, out = os.path.join(folder, name), os.path.join(folder, name + ".json")
            with open(log, "w", encoding="utf-8") as file:
                file.write(content)
            refused = subprocess.run([sys.executable, CONSTANTS, "--out", out, log], capture_output=True, text=True, check=False)
            assert refused.returncode == 1 and "emulated" in refused.stderr and not os.path.exists(out), refused
            subprocess.run([sys.executable, CONSTANTS, "--emulated", "--out", out, log], check=True)
            subprocess.run([sys.executable, MODEL, out], check=True)
            with open(out, encoding="utf-8") as file:
                constants = json.load(file)
            for event in ("syscall_pair", "exception_pair", "cr3", "invlpg", "vmrun"):
                assert constants["events"][event]["source"].startswith("measured on QEMU"), constants["events"][event]


def without_the_second_kind(m):
    """On a CPU that has none, the first alone, and a line for each that is left out. (test_kinds.py has such a machine.)"""
    status, text = m.shell("calibrate /tmp/mine; grep -c CALIBRATION /tmp/mine", 600)
    assert status == 0 and re.findall(r"^CALIBRATION-BEGIN (\w+ \w+) ", text, re.MULTILINE) == PLACES[:1], text
    assert re.findall(r"^calibrate: (\S+): no fully virtualized guest", text, re.MULTILINE) == ["calibrate-bench", "calibrate-linux"], text
    assert re.search("^2$", text, re.MULTILINE), text


if __name__ == "__main__":
    run_tests(measures_and_leaves_a_file)
