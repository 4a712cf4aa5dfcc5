#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The comparison without a machine: what of a run's file is read, refused, modelled, shown and held against another; bad input above all."""
import copy
import html
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from canned import canned, column, flat, row  # noqa: E402
import answer  # noqa: E402
import diff  # noqa: E402
import measures  # noqa: E402
import model  # noqa: E402
import page_rows  # noqa: E402
import prices  # noqa: E402
import report_html  # noqa: E402
import report_md  # noqa: E402
import rows  # noqa: E402
import store  # noqa: E402
import svg  # noqa: E402
import verdict  # noqa: E402
import words  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


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

    def test_absurd(self):
        os.makedirs(os.path.dirname(self.path))
        for wrong in (lambda run: run.update(took=10 ** 400), lambda run: run.update(took=-1), lambda run: run.update(took=True),
                      lambda run: run.update(commit="\ud800"), lambda run: run["machine"].update(CPU=["\ud800"]),
                      lambda run: run["columns"]["native"]["mitigations"].update(guest=[["x"]]),
                      lambda run: run["columns"]["native"]["mitigations"].update(guest="x"),
                      lambda run: run["columns"]["native"]["rows"]["linux.fork"].update(most=10 ** 18)):
            run = canned()
            wrong(run)
            with open(self.path, "w", encoding="utf-8") as out:
                json.dump(run, out)
            with self.assertRaises(store.BadRun):
                store.load(self.path)
        with open(self.path, "w", encoding="utf-8") as out:
            out.write("[" * 100000)
        with self.assertRaises(store.BadRun):
            store.load(self.path)

    def test_no_run(self):
        for text in ("", "{", "[]", "3", '{"schema": 3}'):
            with open(os.path.join(self.folder.name, "bad.json"), "w", encoding="utf-8") as out:
                out.write(text)
            with self.assertRaises(store.BadRun):
                store.load(out.name)
        with self.assertRaises(store.BadRun):
            store.load(self.path)


class Reports(unittest.TestCase):
    def test_whose_constants(self):
        """Published ones, or those of one machine."""
        self.assertIn("with costs (from published measurements)", report_html.report(canned(), model.load()))
        text = report_html.report(canned(), {**model.load(), "what": "Constants of one machine, measured on X, today; what instructions"})
        self.assertIn("with costs (constants of one machine, measured on X, today), each", text)

    def test_other_constants_are_said_first(self):
        """By what they say of themselves and their file; of the published ones nothing, from wherever they are named."""
        with open(model.PUBLISHED, encoding="utf-8") as file:
            published = json.load(file)
        with tempfile.TemporaryDirectory() as folder:
            for what, title in (("Constants of one machine, a Z; what instructions", "Constants of one machine, a Z, "), ("", "")):
                path = os.path.join(folder, "mine.json")
                with open(path, "w", encoding="utf-8") as out:
                    json.dump({**published, "what": what}, out)
                said = f"The cycles are with other constants than the published ones: {title}{path}."
                self.assertEqual(report_md.report(canned(), model.load(path)).splitlines()[4], f"**{said}**")
                page = report_html.report(canned(), model.load(path))
                self.assertLess(page.index(f"<p><b>{said}</b></p>"), page.index('<p class="answer">'))
        for path in (model.PUBLISHED, os.path.relpath(model.PUBLISHED)):
            for each in (report_md, report_html):
                self.assertNotIn("other constants than", each.report(canned(), model.load(path)))

    def test_markdown(self):
        text = report_md.report(canned(), model.load())
        for needed in ("0123456789ab", "Model, not measured", "no packages", "spectre_v2:Mitigation: Retpolines", "| null_call | 337 | 763 | 337 |",
                       "440,000 (431,000 to 449,000)", "syscall 400"):
            self.assertIn(needed, text)
        for constant in model.EVENTS + model.TLB:
            self.assertIn(model.load()[("events" if constant in model.EVENTS else "tlb")][constant]["source"], text)
        measured = text[text.index("## Measured"):text.index("## Counted")]
        self.assertNotIn("cycles", measured)

    def test_versions(self):
        """Xen's is what the columns say that was measured, and no other."""
        run = canned()
        self.assertNotIn("Xen", report_md.versions(run))
        run["columns"]["xen-pv"] = {**column("Xen PV", "xen", "pv"), "version": "4.99.1"}
        self.assertIn("; Xen 4.99.1; QEMU 7.2;", report_md.versions(run))
        for text in (report_md.report(run, flat()), report_html.report(run, flat())):
            self.assertIn("Xen 4.99.1", text)
        del run["columns"]["xen-pv"]["version"]
        self.assertIn("; Xen; QEMU", report_md.versions(store.check(run)))

    def test_bars_in_a_table(self):
        """What is told may have any letter in it, and stays in its cell, in both reports."""
        run = canned()
        run["left_out"] = {"xen-pv": "`a | b` ended with 1 | no"}
        self.assertIn("| xen-pv | `a \\| b` ended with 1 \\| no |\n", report_md.report(run, flat()))
        self.assertIn("<td>xen-pv</td><td>`a | b` ended with 1 | no</td></tr>", report_html.report(run, flat()))

    def test_ratio_across_1(self):
        """It is about equal where the whole band is near 1, and undecided elsewhere; a band that has a side has no such word."""
        self.assertEqual(verdict.ratio_text((0.89, 1, 1.1)), "undecided: 1.00 (0.89 to 1.10)")
        self.assertEqual(verdict.ratio_text((0.9, 1, 1.11)), "undecided: 1.00 (0.90 to 1.11)")
        self.assertEqual(verdict.ratio_text((0.91, 1, 1.09)), "about equal: 1.00 (0.91 to 1.09)")
        self.assertEqual(verdict.ratio_text((1.02, 1.03, 1.09)), "1.03 (1.02 to 1.09)")
        self.assertEqual(verdict.ratio_text((1.1, 1.2, 2)), "1.20 (1.10 to 2.00)")
        self.assertEqual(verdict.ratio_text(None), "-")
        run = canned()
        run["columns"]["parvis-pv"]["rows"]["linux.even"] = row(1000, cr3=10)
        run["columns"]["parvis-hvm"]["rows"]["linux.even"] = row(1100, vmrun=1)
        found = verdict.tally(run, "parvis-pv", "parvis-hvm", model.load())
        self.assertIn("even", found[None])
        self.assertIn("null_call", found["more"])
        self.assertIn("| even |", report_md.report(run, model.load()))

    def test_html_says_what_a_run_lacks(self):
        run = canned()
        self.assertNotIn("quick run", report_html.report(run, model.load()))
        self.assertIn("spread of the runs", report_html.report(run, model.load()))
        run["machine"]["extent"], run["complete"] = "quick", False
        text = report_html.report(run, model.load())
        for said in ("A quick run", "Cut off"):
            self.assertIn(said, text)
        self.assertNotIn("spread of the runs", text)

    def test_disk_and_network(self):
        """They are modelled as Linux's operations are, and what the toolstack does is not."""
        run = canned()
        for key, instructions in (("parvis-pv", 1000), ("parvis-hvm", 5000)):
            run["columns"][key]["rows"].update({"io.disk_read_4k": row(instructions, cr3=1), "life.create": row(instructions, cr3=1)})
        self.assertEqual(verdict.tally(run, "parvis-pv", "parvis-hvm", model.load())["less"], ["disk_read_4k"])
        self.assertIn("read 4 KiB from the disk", report_html.report(run, model.load()))

    def test_answer(self):
        """Made of the figures: who takes more, how often, how many times as many, and what is about level."""
        run = canned()
        run["columns"]["parvis-pv"]["rows"]["linux.tar_gzip"] = row(1010, cr4=0)
        run["columns"]["parvis-hvm"]["rows"]["linux.tar_gzip"] = row(1000, cr4=0)
        said = answer.sentences(run, flat())
        self.assertEqual(said[0], "Parvis PV takes more cycles than Parvis hvm in 2 (null_call, fork) of 3 comparisons, fewer in none; typically 1.89 times as many (1.87 to 1.90), "
                                  "and about level for tar and gzip of the kernel's modules (tar_gzip).")
        run["columns"]["xen-pv"] = column("Xen PV", "xen", "pv", null_call=row(1500, cr4=0), fork=row(300000, cr4=0))
        self.assertIn("fewer cycles than Xen PV in 1 (null_call) of 2 comparisons, more in 1 (fork);", answer.sentences(run, flat())[1])
        self.assertEqual(answer.sentences({**run, "columns": {}}, flat()), [])
        for text in (report_md.report(run, flat()), report_html.report(run, flat())):
            self.assertIn("comparisons, more in 1 (fork);", text)

    def test_middle(self):
        self.assertEqual([round(end, 6) for end in verdict.middle([(1, 2, 4), (4, 8, 9)])], [2, 4, 6])
        self.assertIsNone(verdict.middle([]))

    def test_measures_against_speculation(self):
        """Which each column took, by what each says; and whether hypervisors are alike in them."""
        run = canned()
        self.assertIn("take the same: none", measures.alike(run))
        run["columns"]["parvis-pv"]["mitigations"]["Parvis"] = ["affected by      none", "mitigations      rsb new-one"]
        run["columns"]["xen-pv"] = {**column("Xen PV", "xen", "pv"), "mitigations": {"Xen": ["(XEN)   Compiled-in support: INDIRECT_THUNK HARDEN_BRANCH",
                                    "(XEN)   Xen settings: BTI-Thunk: RETPOLINE, SPEC_CTRL: No, Other: BRANCH_HARDEN", "(XEN)   Support for HVM VMs: RSB",
                                    "(XEN)   XPTI (64-bit PV only): Dom0 disabled, DomU disabled"]}}
        head, lines = measures.rows(run)
        self.assertEqual(head, ["", "retpolines", "return stack filled", "new-one", "barriers at branches"])
        self.assertEqual(lines[1], ["Parvis PV", "kernel", "hypervisor", "hypervisor", "-"])
        self.assertEqual(lines[3], ["Xen PV", "hypervisor", "-", "-", "hypervisor"])
        self.assertIn("none in Parvis hvm; retpolines, barriers at branches in Xen PV", measures.alike(run))
        self.assertIn("Measures against speculation</h2>", report_html.report(run, model.load()))

    def test_bar_that_is_cut(self):
        self.assertEqual(page_rows.bar(page_rows.scale(), (0.5, 1, 2)).count("<polygon"), 0)
        self.assertEqual(page_rows.bar(page_rows.scale(), (0.01, 1, 20)).count("<polygon"), 2)

    def test_what_needs_a_word(self):
        run = canned()
        self.assertNotIn("wakes whom it likes", report_html.report(run, model.load()))
        run["columns"]["native"]["rows"]["work.hackbench"] = row(1000, cr3=1)
        for text in (report_html.report(run, model.load()), report_md.report(run, model.load())):
            self.assertIn("wakes whom it likes", text)
        known = {*words.PLAIN, *rows.WORK, *rows.LINUX}
        self.assertEqual([name for names in words.NOTES for name in names if name not in known], [])
        self.assertEqual(set(words.CONSTANTS), {"ipc", *model.EVENTS, *model.TLB})

    def test_limits_are_points(self):
        text = report_html.report(canned(), model.load())
        for point in report_md.LIMITS:
            self.assertIn(f"<li>{html.escape(point)}</li>", text)
            self.assertTrue(point.endswith("."))

    def test_mean(self):
        self.assertAlmostEqual(verdict.mean(canned(), "parvis-pv", "linux"), (763 / 337 * 440 / 150) ** 0.5)
        self.assertIsNone(verdict.mean(canned(), "parvis-pv", "work"))

    def test_prices(self):
        """What is taken for the price of a measure alone is in a table of its own, held against none, and nowhere else."""
        run = canned()
        self.assertEqual(list(prices.section(run)), [])
        run["columns"]["price-rsb"] = {**column("Parvis PV, rsb", "parvis", "pv", null_call=row(900), fork=row(441000, 9000)), "price": "rsb"}
        text = report_md.report(run, model.load())
        self.assertIn("| row | none | rsb |", text)
        self.assertIn("| null_call | 763 | +137 (+18.0 %) |", text)
        self.assertIn("| fork | 440,000 (431,000 to 449,000) | 0 |", text)
        self.assertEqual(text.count("Parvis PV, rsb"), 1)   # its mitigations
        self.assertIn("+137 (+18.0 %)", report_html.report(run, model.load()))
        self.assertIn("geometric mean: rsb +8.6 %. Each", text)     # fork is within its spread: (900 / 763) ^ 1/2
        self.assertEqual(prices.cell(row(700), row(763)), "-63 (-8.3 %)")
        self.assertEqual(prices.cell(None, row(763)), "-")
        del run["columns"]["parvis-pv"]
        self.assertEqual(list(prices.section(run)), [])

    def test_html_needs_nothing_from_elsewhere(self):
        run = canned()
        run["columns"]["parvis-pv"]["title"] = "<b>PV</b>"
        text = report_html.report(run, model.load())
        for never in ("http:", "https:", "<script", "<link", "src=", "<b>PV</b>", "@import"):
            self.assertNotIn(never, text)
        self.assertIn("<svg", text)
        self.assertIn("not measured", text)

    def test_html_says_who_wins(self):
        """A verdict a row and column, and their number; a word beside the ratio where neither wins."""
        run = canned()
        run["columns"]["parvis-pv"]["rows"]["linux.even"] = row(1000, cr3=10)
        run["columns"]["parvis-hvm"]["rows"]["linux.even"] = row(1100, vmrun=1)
        text = report_html.report(run, model.load())
        cells = re.findall(r'<td class="(less|more|open|even)"><b>([\d.]+)</b> <small>[\d. to]+</small>(?: <small>([a-z ]+)</small>)?', text)
        first, second = cells[:5], cells[5:]     # null_call, fork, even, which native has not; then hvm against native
        self.assertEqual([kind for kind, _, _ in first], ["more", "more", "more", "more", "open"])
        self.assertEqual([word for _, _, word in first], ["", "", "", "", "undecided"])
        self.assertEqual([kind for kind, _, _ in second], ["even", "even"])
        self.assertIn('<span class="open" style="flex:1"', text)
        self.assertIn("2 of 3 more; 1 of 3 undecided (even).", text)
        self.assertIn("2 of 2 about equal.", text)
        self.assertIn("a system call that does nothing <code>null_call</code>", text)
        self.assertIn(">Others</th>", text)

    def test_html_is_in_order(self):
        """What is opened is closed."""
        class Reader(html.parser.HTMLParser):
            alone, open = {"meta", "line", "rect", "circle", "polygon", "br"}, []

            def handle_starttag(self, tag, attrs):
                if tag not in self.alone:
                    self.open.append(tag)

            def handle_endtag(self, tag):
                if tag not in self.alone:
                    assert self.open.pop() == tag, tag
        Reader().feed(report_html.report(canned(), model.load()))
        self.assertEqual(Reader.open, [])

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
        axis = svg.Axis([0.5, 2000])
        self.assertLess(axis.at(1), axis.at(2))
        self.assertEqual((axis.at(0.001), axis.at(10 ** 6)), (0, 100))
        self.assertIn(1, axis.ticks())
        self.assertEqual("".join(svg.mark(axis, (1, 1, 1), 5, "other", "a & b")).count("<rect"), 0)
        text = "".join(svg.mark(axis, (0.5, 1, 2), 5, "other", "a & b"))
        self.assertEqual((text.count("<rect"), text.count("<circle")), (1, 1))
        self.assertIn("a &amp; b", text)

    def test_what_decides(self):
        """The constant that moves a ratio most; what a column's cycles are made of."""
        constants = flat(vmrun=1000, cr3=100)
        constants["events"]["vmrun"].update(low=500, high=2000)
        constants["events"]["cr3"].update(low=90)
        self.assertEqual(model.moves(row(1000, cr3=10), "pv", row(1000, vmrun=1), "hvm", constants), "vmrun")
        constants["ipc"].update(low=0.1, high=10)
        self.assertEqual(model.moves(row(1000, cr3=10), "pv", row(1000, vmrun=1), "hvm", constants), "vmrun")   # it moves both sides alike
        self.assertEqual(model.moves(row(1000, cr3=10), "pv", row(9000, cr3=10), "hvm", constants), "ipc")
        constants["ipc"].update(low=1, high=1)
        parts = model.shares(row(1000, cr3=10, vmrun=2), "hvm", constants)
        self.assertEqual({what: part for what, part in parts.items() if part}, {"instructions": 0.25, "flushes": 0.25, "exits": 0.5})
        self.assertAlmostEqual(sum(model.shares(canned()["columns"]["parvis-pv"]["rows"]["linux.fork"], "pv", model.load()).values()), 1)


class Diff(unittest.TestCase):
    def test_what_changed(self):
        old, new = canned(), copy.deepcopy(canned())
        self.assertEqual(diff.compared(old, new), "nothing differs\n")
        new["columns"]["parvis-pv"]["rows"]["linux.null_call"].update(least=600, median=600, most=600)
        new["columns"]["parvis-pv"]["rows"]["linux.fork"].update(median=434000)    # within the spread
        self.assertEqual(len(diff.compared(old, new).splitlines()), 2)
        self.assertIn("0.786", diff.compared(old, new))
        self.assertEqual(len(diff.compared(old, new, every=True).splitlines()), 7)

    def test_what_is_missing(self):
        """Whose figures are gone has not stayed as it was."""
        old, new = canned(), copy.deepcopy(canned())
        new["columns"].pop("parvis-hvm")
        new["columns"]["parvis-pv"]["rows"].pop("linux.fork")
        self.assertEqual(diff.compared(old, new), "nothing differs\nonly in the old run: Parvis PV (linux.fork)\nonly in the old run: Parvis hvm\n")
        self.assertEqual(diff.compared(new, old), "nothing differs\nonly in the new run: Parvis PV (linux.fork)\nonly in the new run: Parvis hvm\n")

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
