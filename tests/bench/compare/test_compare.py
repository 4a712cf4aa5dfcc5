#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The comparison without a machine: what of a run is read, refused, modelled, shown and held against another; bad input above all."""
import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("..", "../../system")]
import diff  # noqa: E402
import measure  # noqa: E402
import model  # noqa: E402
import report_html  # noqa: E402
import report_md  # noqa: E402
import rows  # noqa: E402
import run as program  # noqa: E402
import store  # noqa: E402
import svg  # noqa: E402
import verdict  # noqa: E402
from machine import Timeout  # noqa: E402 (the harness lives with the system tests)

HERE = os.path.dirname(os.path.abspath(__file__))


def row(median, spread=0, **events):
    found = {"unit": "instructions", "least": median - spread, "median": median, "most": median + spread}
    return {**found, "events": {"instructions": median, **events}} if events else found


def column(title, system, kind, **found):
    return {"title": title, "system": system, "kind": kind, "mitigations": {"guest": ["l1tf:Not affected", "spectre_v2:Mitigation: Retpolines"]},
            "rows": {"linux." + name: each for name, each in found.items()}}


def canned():
    """Figures such as a run has."""
    columns = {
        "native": column("native", "native", "native", null_call=row(337, syscall=1, sysret=1), fork=row(150000, syscall=4, sysret=3, iret=10, cr3=4)),
        "parvis-pv": column("Parvis PV", "parvis", "pv", null_call=row(763, syscall=2, sysret=1, iret=1, cr3=2),
                            fork=row(440000, 9000, syscall=400, sysret=200, iret=210, cr3=60)),
        "parvis-hvm": column("Parvis hvm", "parvis", "hvm", null_call=row(337, syscall=1, sysret=1), fork=row(150100, syscall=4, sysret=3, iret=10, cr3=4)),
    }
    return {"schema": 1, "commit": "0123456789ab", "machine": {"QEMU": "7.2", "kernel": "aa"}, "complete": True, "began": "2026-01-01 00:00",
            "took": 5, "columns": columns, "left_out": {"xen-pv": "no packages"}}


def flat(**of):
    """Constants whose ends meet: costs of these names, else 0; IPC 1."""
    def constant(value):
        return {"low": value, "typical": value, "high": value, "source": "a test"}
    return {"ipc": constant(1), "events": {name: constant(of.get(name, 0)) for name in model.EVENTS},
            "tlb": {name: constant(of.get(name, 1 if name == "nested_factor" else 0)) for name in model.TLB}}


class Constants(unittest.TestCase):
    def load(self, change):
        """What load() makes of the project's constants after a change."""
        with open(os.path.join(HERE, "constants.json"), encoding="utf-8") as file:
            constants = json.load(file)
        change(constants)
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as out:
            json.dump(constants, out)
            out.flush()
            return model.load(out.name)

    def test_ours_are_good(self):
        self.load(lambda constants: None)

    def test_without_source(self):
        for source in (None, "", "  ", 7):
            with self.assertRaisesRegex(model.BadConstants, "cr3 has no source"):
                self.load(lambda constants, source=source: constants["events"]["cr3"].update(source=source))
        with self.assertRaisesRegex(model.BadConstants, "ipc has no source"):
            self.load(lambda constants: constants["ipc"].pop("source"))
        with self.assertRaisesRegex(model.BadConstants, "misses_of_1000 has no source"):
            self.load(lambda constants: constants["tlb"]["misses_of_1000"].pop("source"))

    def test_values(self):
        for bad in ({"low": 300}, {"high": 1}, {"typical": "186"}, {"low": -1}, {"high": None}, {"low": True}, {"high": float("inf")}):
            with self.assertRaises(model.BadConstants, msg=bad):
                self.load(lambda constants, bad=bad: constants["events"]["cr3"].update(bad))
        with self.assertRaises(model.BadConstants):
            self.load(lambda constants: constants["ipc"].update(low=0))

    def test_names(self):
        with self.assertRaises(model.BadConstants):
            self.load(lambda constants: constants["events"].pop("vmrun"))
        with self.assertRaises(model.BadConstants):
            self.load(lambda constants: constants["events"].update(lock=constants["ipc"]))
        with self.assertRaises(model.BadConstants):
            model.load(os.path.join(HERE, "no such file"))


class Model(unittest.TestCase):
    def test_pairs(self):
        """Who came to ring 0 otherwise than by SYSCALL came by exception or the like; a SYSCALL that ends by IRET is one."""
        self.assertEqual(model.pairs({"syscall": 2, "sysret": 1, "iret": 3, "cr3": 5}),
                         {"syscall_pair": 2, "exception_pair": 2, "cr3": 5, "cr4": 0, "invlpg": 0, "vmrun": 0})
        self.assertEqual(model.pairs({"syscall": 3, "sysret": 2})["exception_pair"], 0)

    def test_sum(self):
        pv = row(1000, syscall=2, sysret=1, iret=4, cr3=3)
        self.assertEqual(model.cycles(pv, "pv", flat()), (1000, 1000, 1000))
        self.assertEqual(model.cycles(pv, "pv", flat(syscall_pair=100, exception_pair=1000, cr3=10))[1], 1000 + 200 + 3000 + 30)

    def test_walks(self):
        """Misses come with instructions and with loads of CR3, and are dearer where pages are nested."""
        of = flat(misses_of_1000=2, cycles_of_a_miss=50, refills_of_a_cr3=10, nested_factor=3)
        self.assertEqual(model.cycles(row(1000, cr3=2), "pv", of)[1], 1000 + 2 * 50 + 20 * 50)
        self.assertEqual(model.cycles(row(1000, cr3=2), "hvm", of)[1], 1000 + 3 * (2 * 50 + 20 * 50))

    def test_ipc(self):
        constants = flat()
        constants["ipc"].update(low=0.5, typical=1, high=2)
        self.assertEqual(model.cycles(row(1000, cr3=0), "native", constants), (500, 1000, 2000))

    def test_same_cpu_for_both(self):
        """What is uncertain of both alike does not make their ratio uncertain."""
        constants = flat()
        constants["ipc"].update(low=0.5, typical=1, high=2)
        band = model.ratio(row(2000, cr3=0), "pv", row(1000, cr3=0), "native", constants)
        self.assertEqual(band, (2, 2, 2))
        self.assertEqual(model.says(band), "more")

    def test_ratio_is_within_all_corners(self):
        constants = model.load()
        found = canned()["columns"]
        for name in ("linux.null_call", "linux.fork"):
            one, other = found["parvis-pv"]["rows"][name], found["parvis-hvm"]["rows"][name]
            low, typical, high = model.ratio(one, "pv", other, "hvm", constants)
            self.assertLess(low, typical)
            self.assertLess(typical, high)
            back = model.ratio(other, "hvm", one, "pv", constants)
            self.assertAlmostEqual(back[0], 1 / high)
            self.assertAlmostEqual(back[2], 1 / low)

    def test_spread(self):
        """What the runs of one column differ by makes the ratio no surer than they are."""
        low, typical, high = model.ratio(row(1000, 100, cr3=0), "pv", row(1000, 200, cr3=0), "native", flat())
        self.assertEqual(typical, 1)
        self.assertAlmostEqual(low, 0.9 / 1.2)
        self.assertAlmostEqual(high, 1.1 / 0.8)

    def test_says(self):
        self.assertIsNone(model.says((0.9, 1.5, 2)))
        self.assertIsNone(model.says((1, 1, 1)))
        self.assertIsNone(model.says((1.005, 1.5, 2)))
        self.assertIsNone(model.says((0.5, 0.9, 0.995)))
        self.assertEqual(model.says((1.1, 1.5, 2)), "more")
        self.assertEqual(model.says((0.1, 0.5, 0.9)), "less")
        self.assertIsNone(model.says(None))

    def test_nothing_to_go_by(self):
        """Without the plugin's counts, or in another unit, there is no model."""
        self.assertIsNone(model.cycles(row(1000), "pv", flat()))
        self.assertIsNone(model.cycles({**row(3, cr3=1), "unit": "seconds"}, "pv", flat()))
        self.assertIsNone(model.ratio(row(1000), "pv", row(1000, cr3=1), "native", flat()))


class Store(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "sub", "run.json")
        self.addCleanup(self.folder.cleanup)

    def test_there_and_back(self):
        store.save(self.path, canned())
        self.assertEqual(store.load(self.path), canned())
        self.assertEqual(os.listdir(os.path.dirname(self.path)), ["run.json"])

    def test_refused(self):
        for wrong in (lambda run: run.update(schema=2), lambda run: run.pop("machine"), lambda run: run.update(complete=None),
                      lambda run: run["columns"].update(x=[]), lambda run: run["columns"]["native"].pop("kind"),
                      lambda run: run["columns"]["native"]["rows"]["linux.fork"].update(median=0),
                      lambda run: run["columns"]["native"]["rows"]["linux.fork"].update(least="3"),
                      lambda run: run["columns"]["native"]["rows"]["linux.fork"].pop("unit"),
                      lambda run: run["columns"]["native"]["rows"]["linux.fork"]["events"].update(cr3=-1)):
            run = canned()
            wrong(run)
            with self.assertRaises(store.BadRun):
                store.save(self.path, run)
        self.assertFalse(os.path.exists(self.path))

    def test_no_run(self):
        for text in ("", "{", "[]", "3", '{"schema": 1}'):
            with open(os.path.join(self.folder.name, "bad.json"), "w", encoding="utf-8") as out:
                out.write(text)
            with self.assertRaises(store.BadRun):
                store.load(out.name)
        with self.assertRaises(store.BadRun):
            store.load(self.path)


class Run(unittest.TestCase):
    """run.py, with columns that are not measured but answer."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "run.json")
        self.measured = []
        for name, value in {"measure": self.answer, "new": lambda quick: {**canned(), "complete": False, "columns": {}, "left_out": {}},
                            "say": lambda what: None}.items():
            self.addCleanup(setattr, program, name, getattr(program, name))
            setattr(program, name, value)
        self.errors, sys.stderr = sys.stderr, open(os.devnull, "w", encoding="utf-8")
        self.addCleanup(setattr, sys, "stderr", self.errors)
        self.addCleanup(sys.stderr.close)
        self.wanted = [c for c in program.COLUMNS if c.key in ("native", "parvis-pv", "xen-pv")]

    def answer(self, one, quick):
        self.measured.append(one.key)
        if one.system == "xen":
            raise SystemExit("build/reference/xen.elf is missing: `make build/reference/xen.elf` makes it")
        return {"linux.null_call": row(300, cr3=1)}, {"guest": []}

    def go(self):
        program.go(program.begun(self.path, False), self.path, self.wanted, False)
        return store.load(self.path)

    def test_what_cannot_be_had_is_left_out(self):
        run = self.go()
        self.assertEqual(list(run["columns"]), ["native", "parvis-pv"])
        self.assertIn("xen.elf is missing", run["left_out"]["xen-pv"])
        self.assertTrue(run["complete"])

    def test_a_machine_that_dies(self):
        def dies(one, quick):
            raise Timeout("no prompt\nmuch text")
        program.measure = dies
        run = self.go()
        self.assertEqual(run["left_out"]["native"], "no prompt")
        self.assertEqual(run["columns"], {})

    def test_a_signal_ends_it(self):
        """What was measured stays, and the column it came in is not said to be missing."""
        def ends(one, quick):
            if one.system == "parvis":
                sys.exit(143)
            return self.answer(one, quick)
        program.measure = ends
        with self.assertRaises(SystemExit):
            self.go()
        run = store.load(self.path)
        self.assertEqual((list(run["columns"]), run["left_out"], run["complete"]), (["native"], {}, False))

    def test_cut_off_and_gone_on_with(self):
        store.save(self.path, {**program.new(False), "columns": {"native": canned()["columns"]["native"]}})
        run = self.go()
        self.assertEqual(self.measured, ["parvis-pv", "xen-pv"])
        self.assertEqual(list(run["columns"]), ["native", "parvis-pv"])

    def test_not_gone_on_with(self):
        """On another machine, on another commit, after a whole run, or after what is no run: from the start."""
        old = {**program.new(False), "columns": {"native": canned()["columns"]["native"]}}
        for change in ({"machine": {"QEMU": "8.0"}}, {"commit": "another"}, {"complete": True}):
            store.save(self.path, {**old, **change})
            self.assertEqual(program.begun(self.path, False)["columns"], {}, change)
        with open(self.path, "w", encoding="utf-8") as out:
            out.write("{")
        self.assertEqual(program.begun(self.path, False)["columns"], {})

    def test_unknown_column(self):
        done = subprocess.run([sys.executable, os.path.join(HERE, "run.py"), "xen-hvm"], stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no column xen-hvm", done.stderr)


class Shell:
    """In place of a machine: linux-ops that answers this."""

    def __init__(self, status, text, lines):
        self.machine, self.said, self.lines = self, (status, text), lines

    def shell(self, command, timeout):
        return self.said

    def new_counts(self):
        return self.lines


class Rows(unittest.TestCase):
    TEXT = "noise\nop a 10 11 12 100\nop b 1 1 1 2\nop c 1 1\n"

    def test_read(self):
        found = rows.measured(self.TEXT)
        self.assertEqual(found["a"], ({"unit": "instructions", "least": 10, "median": 11, "most": 12}, 100))
        self.assertEqual(list(found), ["a", "b"])
        self.assertEqual(rows.events_of(["cr3=10 iret=0", "cr3=30 iret=0"], 10), {"cr3": 2})

    def test_counts_belong_to_their_row(self):
        found = measure.by_linux_ops(Shell(0, self.TEXT, ["cr3=100", "cr3=300", "cr3=2", "cr3=2"]), "a b", 2, "linux")
        self.assertEqual(found["linux.a"]["events"], {"cr3": 2})
        self.assertEqual(found["linux.b"]["events"], {"cr3": 1})

    def test_a_program_that_fails(self):
        with self.assertRaisesRegex(AssertionError, "ended with 1"):
            measure.by_linux_ops(Shell(1, self.TEXT, ["cr3=1"] * 4), "a b", 2, "linux")
        with self.assertRaisesRegex(AssertionError, "saw 3 runs"):
            measure.by_linux_ops(Shell(0, self.TEXT, ["cr3=1"] * 3), "a b", 2, "linux")


class Reports(unittest.TestCase):
    def test_markdown(self):
        text = report_md.report(canned(), model.load())
        for needed in ("0123456789ab", "Model, not measured", "no packages", "spectre_v2:Mitigation: Retpolines", "| null_call | 337 | 763 | 337 |",
                       "440,000 (431,000 to 449,000)", "syscall 400"):
            self.assertIn(needed, text)
        for constant in model.EVENTS + model.TLB:
            self.assertIn(model.load()[("events" if constant in model.EVENTS else "tlb")][constant]["source"], text)
        measured = text[text.index("## Measured"):text.index("## Counted")]
        self.assertNotIn("cycles", measured)

    def test_no_ratio_across_1(self):
        self.assertEqual(verdict.ratio_text((0.9, 1.2, 2)), "not known")
        self.assertEqual(verdict.ratio_text((1.1, 1.2, 2)), "1.20 (1.10 to 2.00)")
        self.assertEqual(verdict.ratio_text(None), "-")
        run = canned()
        run["columns"]["parvis-pv"]["rows"]["linux.even"] = row(1000, cr3=10)
        run["columns"]["parvis-hvm"]["rows"]["linux.even"] = row(1100, vmrun=1)
        found = verdict.tally(run, "parvis-pv", "parvis-hvm", model.load())
        self.assertIn("even", found[None])
        self.assertIn("null_call", found["more"])
        self.assertIn("| even |", report_md.report(run, model.load()))

    def test_mean(self):
        self.assertAlmostEqual(verdict.mean(canned(), "parvis-pv", "linux"), (763 / 337 * 440 / 150) ** 0.5)
        self.assertIsNone(verdict.mean(canned(), "parvis-pv", "work"))

    def test_html_needs_nothing_from_elsewhere(self):
        run = canned()
        run["columns"]["parvis-pv"]["title"] = "<b>PV</b>"
        text = report_html.report(run, model.load())
        for never in ("http:", "https:", "<script", "<link", "src=", "<b>PV</b>", "@import"):
            self.assertNotIn(never, text)
        self.assertEqual(text.count("<svg"), 2)
        self.assertIn("not measured", text)

    def test_few_columns(self):
        """Without native, without any column, without events: what can be shown is."""
        for keep in (["parvis-pv"], [], ["native"]):
            run = canned()
            run["columns"] = {key: run["columns"][key] for key in keep}
            report_md.report(run, model.load())
            report_html.report(run, model.load())
        run = canned()
        for each in run["columns"].values():
            for figures in each["rows"].values():
                figures.pop("events")
        self.assertNotIn("Counted:", report_md.report(run, model.load()))

    def test_plot(self):
        text = svg.bands([("a & b", [("native", "N", (1, 1, 1)), ("parvis-pv", "P", (0.5, 1, 2000))])], "title")
        self.assertIn("a &amp; b", text)
        self.assertEqual(text.count("<rect"), 1)
        self.assertEqual(text.count("<circle"), 2)
        self.assertLess(svg.position(1, 0.5, 2000), svg.position(2, 0.5, 2000))
        self.assertEqual(svg.bands([], "title"), "")


class Diff(unittest.TestCase):
    def test_what_changed(self):
        old, new = canned(), copy.deepcopy(canned())
        self.assertEqual(diff.compared(old, new), "nothing differs\n")
        new["columns"]["parvis-pv"]["rows"]["linux.null_call"].update(least=600, median=600, most=600)
        new["columns"]["parvis-pv"]["rows"]["linux.fork"].update(median=434000)    # within the spread
        self.assertEqual(len(diff.compared(old, new).splitlines()), 2)
        self.assertIn("0.786", diff.compared(old, new))
        self.assertEqual(len(diff.compared(old, new, every=True).splitlines()), 7)

    def test_other_machine(self):
        new = canned()
        new["machine"]["kernel"] = "bb"
        with self.assertRaisesRegex(store.BadRun, "kernel: aa and bb"):
            diff.compared(canned(), new)
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("old.json", "new.json")]
            for path, run in zip(paths, (canned(), new)):
                store.save(path, run)
            done = subprocess.run([sys.executable, os.path.join(HERE, "diff.py"), *paths], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("different machines", done.stderr)


if __name__ == "__main__":
    unittest.main()
