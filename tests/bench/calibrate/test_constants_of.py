#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""constants_of.py: what a console said becomes constants that the model takes; what it cannot tell stays; bad input is a line."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import constants_of
import model

HERE = os.path.dirname(os.path.abspath(__file__))
LINUX = """[    1.5] noise\r
CALIBRATION-BEGIN linux {} 2026-01-02 A CPU of test\r
million_loops 500000.00 500000.00 900000.00\r
system_call 50.00 60.00 90.00\r
load_close_many 5.00 6.00 7.00\r
load_many_pages 20.00 {} 90.00\r
CALIBRATION-END\r
"""
BENCH = """BENCH-BEGIN version 4.17, 250000 ticks per million instructions
an operation                 ticks
CALIBRATION-BEGIN bench nested - A CPU of test
million_loops                500000
syscall_pair                 50
exception_pair               400
cr3                          70
invlpg                       unavailable
exit                         600
CALIBRATION-END
BENCH-END
"""


def made(*texts, emulated=False):
    return constants_of.constants(constants_of.blocks("".join(texts)), model.load(), emulated)


class Made(unittest.TestCase):
    def assertIs(self, constant, low, typical, high):
        self.assertEqual((constant["low"], constant["typical"], constant["high"]), (low, typical, high), constant)

    def test_all_three(self):
        """A tick is two cycles here; a walk is (26 - 6) x 2 cycles flat, three times as much nested."""
        found = made(LINUX.format("pv", "26.00"), BENCH, LINUX.format("nested", "66.00"))
        self.assertIs(found["events"]["syscall_pair"], 100, 100, 200)
        self.assertIs(found["events"]["exception_pair"], 800, 800, 1600)
        self.assertIs(found["events"]["cr3"], 140, 140, 280)
        self.assertIs(found["events"]["vmrun"], 600, 1200, 1200)
        self.assertIs(found["tlb"]["cycles_of_a_miss"], 0, 40, 80)
        self.assertIs(found["tlb"]["nested_factor"], 1, 3, 6)
        for name in ("syscall_pair", "cr3", "vmrun"):
            self.assertIn("measured on A CPU of test, 2026-01-02", found["events"][name]["source"])

    def test_what_was_not_measured(self):
        """It is as published, and says so."""
        published, found = model.load(), made(BENCH)
        for group, name in (("events", "invlpg"), ("events", "cr4"), ("tlb", "cycles_of_a_miss"), ("tlb", "small_pages")):
            for end in model.ENDS:
                self.assertEqual(found[group][name][end], published[group][name][end])
            self.assertEqual(found[group][name]["source"], "not measured here: " + published[group][name]["source"])

    def test_a_whole_call_is_an_upper_bound(self):
        """Where bench has not measured the two alone; a paravirtual kernel's call is another thing."""
        self.assertIs(made(LINUX.format("native", "26.00"))["events"]["syscall_pair"], 62, 120, 120)
        self.assertIs(made(LINUX.format("pv", "26.00"))["events"]["syscall_pair"], *(model.load()["events"]["syscall_pair"][end] for end in model.ENDS))
        self.assertIs(made(LINUX.format("native", "26.00"), BENCH)["events"]["syscall_pair"], 100, 100, 200)

    def test_nested_alone_says_nothing_of_flat_walks(self):
        found, published = made(LINUX.format("nested", "66.00"))["tlb"], model.load()["tlb"]
        self.assertEqual([found[name]["typical"] for name in published], [published[name]["typical"] for name in published])

    def test_walks_that_are_not_seen(self):
        """A CPU (or an emulator) on which many pages are no slower: no constant of it."""
        found = made(LINUX.format("pv", "6.00"), LINUX.format("nested", "1.00"))["tlb"]
        self.assertIn("not measured here", found["cycles_of_a_miss"]["source"])
        self.assertIn("not measured here", found["nested_factor"]["source"])

    def test_the_last_counts(self):
        self.assertIs(made(LINUX.format("pv", "26.00"), LINUX.format("pv", "16.00"))["tlb"]["cycles_of_a_miss"], 0, 20, 40)


class Bad(unittest.TestCase):
    def test_refused(self):
        for text, why in (("", "no CALIBRATION-BEGIN"), (LINUX.format("pv", "26.00").replace("END", "EN"), "no CALIBRATION-BEGIN"),
                          (BENCH.replace("million_loops", "loops"), "no million_loops"), (BENCH.replace("500000", "0"), "no million_loops"),
                          (BENCH + LINUX.format("pv", "26.00").replace("A CPU", "Another"), "different CPUs"),
                          (BENCH.replace("A CPU", "QEMU CPU"), "is emulated")):
            with self.assertRaisesRegex(constants_of.BadLog, why):
                made(text)
        made(BENCH.replace("A CPU", "QEMU CPU"), emulated=True)

    def test_program(self):
        with tempfile.TemporaryDirectory() as folder:
            log, out = os.path.join(folder, "log"), os.path.join(folder, "sub", "constants.json")
            program = [sys.executable, os.path.join(HERE, "constants_of.py"), "--out", out, log]
            done = subprocess.run(program, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("No such file", done.stderr)
            with open(log, "w", encoding="utf-8") as file:
                file.write(BENCH)
            subprocess.run(program, stdout=subprocess.DEVNULL, check=True)
            self.assertEqual(model.load(out)["events"]["cr3"]["typical"], 140)
            with open(out, encoding="utf-8") as file:
                self.assertIn("Constants of one machine", json.load(file)["what"])


if __name__ == "__main__":
    unittest.main()
