#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The run of the comparison without a machine: what is measured and what is left out, where it goes on, and how answers are read."""
import contextlib
import copy
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import types
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, *(os.path.join(HERE, folder) for folder in ("..", "../../system"))]
import run as program  # noqa: E402, before the others: they put the system tests' folder, which has a run.py too, first
import at_once  # noqa: E402
import columns  # noqa: E402
import devices  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402
import setup  # noqa: E402
import store  # noqa: E402
from machine import CONTROL_MEMORY, ROOT, Ended, Timeout  # noqa: E402 (the harness lives with the system tests)
from canned import canned, row  # noqa: E402


class Run(unittest.TestCase):
    """run.py, with columns that are not measured but answer."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "run.json")
        self.measured, self.now = [], 0
        clock = types.SimpleNamespace(monotonic=lambda: self.now)
        nothing = {**canned(), "complete": False, "columns": {}, "left_out": {}}
        for where, name, value in ((program, "time", clock), (program, "new", lambda quick, chosen: copy.deepcopy(nothing)), (program, "say", lambda what: None),
                                   (program, "answers", self.in_turn), (measure, "measure", self.answer)):
            self.addCleanup(setattr, where, name, getattr(where, name))
            setattr(where, name, value)
        self.errors, sys.stderr = sys.stderr, open(os.devnull, "w", encoding="utf-8")
        self.addCleanup(setattr, sys, "stderr", self.errors)
        self.addCleanup(sys.stderr.close)
        self.wanted = [c for c in program.COLUMNS if c.key in ("native", "parvis-pv", "xen-pv")]

    def in_turn(self, commands, most, may_begin):
        """In place of programs side by side."""
        for key in commands:
            if not may_begin(key):
                return
            yield key, measure.answer(next(one for one in program.COLUMNS if one.key == key), False, [])

    def answer(self, one, quick, chosen):
        self.measured.append(one.key)
        if one.system == "xen":
            raise SystemExit("build/reference/xen.elf is missing: `make build/reference/xen.elf` makes it")
        return {"linux.null_call": row(300, cr3=1)}, {"guest": []}

    def go(self):
        program.go(program.begun(self.path, False), self.path, self.wanted, False)
        return store.load(self.path)

    def main(self, *words):
        argv, sys.argv = sys.argv, ["run.py", "--out", self.path, *words]
        try:
            with contextlib.redirect_stdout(None):
                return program.main()
        finally:
            sys.argv = argv

    def beside(self):
        return sorted(os.listdir(os.path.dirname(self.path)))

    def test_what_cannot_be_had_is_left_out(self):
        run = self.go()
        self.assertEqual(list(run["columns"]), ["native", "parvis-pv"])
        self.assertIn("xen.elf is missing", run["left_out"]["xen-pv"])
        self.assertTrue(run["complete"])

    def test_a_machine_that_dies(self):
        """A run that has no column for this is not written."""
        def dies(one, quick, chosen):
            raise Timeout("no prompt\nmuch text")
        measure.measure = dies
        run = program.begun(self.path, False)
        program.go(run, self.path, self.wanted, False)
        self.assertEqual(run["left_out"]["native"], "it does not go on:")
        self.assertEqual((run["columns"], self.beside()), ({}, []))

    def test_why_in_a_line(self):
        """Of a machine that ended or fell silent, what it said last; a panic before all; of a refusal, what was refused and why."""
        one = columns.Column("native", "native", "native", "native")
        self.assertEqual(measure.reason(one, Timeout("no /^prompt/\nmuch")), "it does not go on:")
        one.machine = Shell(0, "", [])
        one.machine.text = "(parvis) [ 0.1] hello\n(parvis) [  0.25] panic: too little memory\nmore\n\n"
        self.assertEqual(measure.reason(one, Ended("QEMU ended\nmuch")), "QEMU ended: (parvis) [ 0.25] panic: too little memory")
        one.machine.text = "much\nmemory = 1024M, but   only 719M are free\nnone could be started\n\n"
        self.assertEqual(measure.reason(one, Ended("QEMU ended\nmuch")), "QEMU ended: memory = 1024M, but only 719M are free none could be started")
        self.assertEqual(measure.reason(one, AssertionError("`a` ended with 1\npvctl: no\nmore")), "`a` ended with 1 pvctl: no")
        self.assertEqual(measure.reason(one, OSError()), "OSError")

    def test_a_signal_ends_it(self):
        """What was measured stays, and the column it came in is not said to be missing."""
        def ends(one, quick, chosen):
            if one.system == "parvis":
                sys.exit(143)
            return self.answer(one, quick, chosen)
        measure.measure = ends
        with self.assertRaises(SystemExit):
            self.go()
        run = store.load(self.path)
        self.assertEqual((list(run["columns"]), run["left_out"], run["complete"]), (["native"], {}, False))

    def test_cut_off_and_gone_on_with(self):
        store.save(self.path, {**program.new(False, []), "columns": {"native": canned()["columns"]["native"]}})
        run = self.go()
        self.assertEqual(self.measured, ["parvis-pv", "xen-pv"])
        self.assertEqual(list(run["columns"]), ["native", "parvis-pv"])

    def test_no_time_left(self):
        """Such a run is not whole: the same again goes on with what had none, for so long again, until it is."""
        def slowly(one, quick, chosen):
            self.now += 2000
            return self.answer(one, quick, chosen)
        measure.measure = slowly
        run = self.go()
        self.assertEqual((list(run["columns"]), run["complete"]), (["native", "parvis-pv"], False))
        self.assertEqual(run["left_out"], {"xen-pv": program.NO_TIME})
        self.assertEqual(program.without_time(run), ["xen-pv"])
        run = self.go()
        self.assertEqual(self.measured, ["native", "parvis-pv", "xen-pv"])
        self.assertTrue(run["complete"])
        self.assertIn("xen.elf is missing", run["left_out"]["xen-pv"])

    def test_reports_are_of_the_run_beside_them(self):
        """Made at its end; kept with it where another one has its first column, taken away where it goes on; a run that has nothing displaces none."""
        both = ["report.html", "report.md", "run.json"]
        last = ["report.last.html", "report.last.md", "run.last.json"]
        self.assertEqual(self.main("native"), 0)
        self.assertEqual(self.beside(), both)
        measure.measure = lambda one, quick, chosen: (_ for _ in ()).throw(Ended("no CPU foo"))
        good = store.load(self.path)
        self.assertEqual(self.main("native"), 1)
        self.assertEqual((self.beside(), store.load(self.path)), (both, good))
        measure.measure = self.answer
        self.assertEqual(self.main("parvis-pv"), 0)
        self.assertEqual(self.beside(), sorted([*last, *both]))
        self.assertEqual(store.load(self.path.replace(".json", ".last.json")), good)
        store.save(self.path, {**program.new(False, []), "columns": {"native": canned()["columns"]["native"]}})
        run = self.go()
        self.assertEqual((list(run["columns"]), self.beside()), (["native", "parvis-pv"], sorted([*last, "run.json"])))
        self.assertEqual(store.load(self.path.replace(".json", ".last.json")), good)

    def test_other_constants(self):
        """They need no other measurement, only another report; without them, on another commit, or for another column it is measured again."""
        self.main("native")
        os.remove(report.paths(self.path)[0])
        constants = ("--constants", report.model.PUBLISHED)
        self.main(*constants, "native")
        self.assertEqual((self.measured, self.beside()), (["native"], ["report.html", "report.md", "run.json"]))
        self.main(*constants, "native", "parvis-pv")
        self.main("native")
        self.assertEqual(self.measured, ["native"] * 2 + ["parvis-pv", "native"])
        store.save(self.path, {**store.load(self.path), "commit": "another"})
        self.main(*constants, "native")
        self.assertEqual(len(self.measured), 5)

    def test_parts_have_their_folders(self):
        """By what was asked, in whichever order; a long one by a part of it."""
        self.assertEqual(program.part(["xen-pv", "native"], ["io", "fork_exit"]), "native+xen-pv-fork_exit+io")
        self.assertEqual(program.part([], ["io"]), "all-io")
        self.assertEqual(program.part(["native"], []), "native")
        long = [program.part([], list(rows.LINUX[:n])) for n in (20, 21)]
        self.assertNotEqual(*long)
        self.assertLess(max(map(len, long)), 101)

    def test_not_gone_on_with(self):
        """On another machine, on another commit, after a whole run, or after what is no run: from the start."""
        old = {**program.new(False, []), "columns": {"native": canned()["columns"]["native"]}}
        for change in ({"machine": {"QEMU": "8.0"}}, {"commit": "another"}, {"complete": True}, {"chosen": ["io"]}):
            store.save(self.path, {**old, **change})
            self.assertEqual(program.begun(self.path, False)["columns"], {}, change)
        with open(self.path, "w", encoding="utf-8") as out:
            out.write("{")
        self.assertEqual(program.begun(self.path, False)["columns"], {})

    def test_whole_run_is_kept(self):
        """Beside the new one, so that the two can be compared; so is one that was cut off, and is of another commit."""
        for change in ({"complete": True}, {"complete": False, "commit": "another"}):
            store.save(self.path, {**canned(), **change})
            self.assertEqual(list(self.go()["columns"]), ["native", "parvis-pv"])
            self.assertEqual({**store.load(self.path.replace(".json", ".last.json")), **change}, {**canned(), **change})

    def test_misspelt(self):
        """What make is given and does not know is refused before anything is begun."""
        for word in ("COLUMN=parvis-pv", "QUICK=yes", "KERNEL=older"):
            done = subprocess.run(["make", "-n", "-C", os.path.join(HERE, "../../.."), "compare", word], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"*** {'COLUMN' if word.startswith('COLUMN') else word}: `make compare` knows QUICK COLUMNS", done.stdout)
            self.assertIn("; QUICK=1; KERNEL=newer, or none.", done.stdout)

    def test_asked_before_it_is_built(self):
        """The first that make does is to look at what it was given."""
        done = subprocess.run(["make", "-n", "-C", ROOT, "compare", "COLUMNS=foo", "MEM=10"], stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "MAKELEVEL": "1"})
        self.assertLess(done.stdout.index("run.py  --rows \"\"  foo --check"), done.stdout.index("make -s reference"))

    def test_list(self):
        """All that may be named; and nothing has to be built for it."""
        said = subprocess.run([sys.executable, os.path.join(HERE, "run.py"), "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout
        for name in ("price-all", "xen-pvh-nospec", *rows.LINUX, *rows.LIFE, "bench.NAME"):
            self.assertRegex(said, rf"(?m)[ ]{name}( |$)")
        done = subprocess.run(["make", "-n", "-C", ROOT, "compare", "LIST=1"], stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual([line for line in done.stdout.splitlines() if "directory" not in line], ["python3 tests/bench/compare/run.py --list"])

    def refused(self, *words, **environment):
        """In a line, which this is."""
        done = subprocess.run([sys.executable, os.path.join(HERE, "run.py"), "--check", *words], capture_output=True, text=True, check=False, env={**os.environ, "MEM": "", **environment})
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), done.stderr)
        return done.stderr.strip()

    def test_what_there_is_not(self):
        known = "; `make compare LIST=1` lists what there is"
        for words, said in ((["xen-hvm"], "COLUMNS: there is no column xen-hvm"), (["native,xen-pv"], "COLUMNS: there is no column native,xen-pv; blanks separate them, not commas"),
                            (["--rows", "io nul_call work.find linux.find", "native"], "ROWS: there is no row linux.find nul_call")):
            self.assertEqual(self.refused(*words), f"compare: {said}{known}")

    def test_memory(self):
        """A number, no less than the machines need; native has the guests', which is another."""
        for mem in ("abc", "10", "1535", "2G", "-2048", "2048.5", "\u0662048"):
            self.assertRegex(self.refused(MEM=mem), f"^compare: MEM={mem}: must be a number of MB, 1536 or more: 1024 are the control domain's, 256 the guest's, ")
        self.assertRegex(self.refused("native", MEM="2048"), "^compare: MEM=2048: `native` has 256 MB, as the guests have")
        for words, mem in ((["native"], ""), (["native", "xen-pv"], "1536"), ([], "4096")):
            subprocess.run([sys.executable, os.path.join(HERE, "run.py"), "--check", *words], check=True, env={**os.environ, "MEM": mem})
        self.assertEqual(int(CONTROL_MEMORY.removesuffix("M")) + 2 * setup.GUEST_MEM, setup.LEAST_MEM)
        self.assertIn(f"\nmemory={setup.GUEST_MEM}\n", columns.XL)

    def test_quick_ones_are_columns(self):
        self.assertLessEqual(set(program.QUICK), {one.key for one in columns.COLUMNS if not one.price})


class AtOnce(unittest.TestCase):
    """at_once.py, with real programs."""

    @staticmethod
    def python(text):
        return [sys.executable, "-c", text]

    def test_as_many_as_there_may_be(self):
        """Two that wait for each other answer; a third is begun when one has ended, and none when it may not be."""
        with tempfile.TemporaryDirectory() as folder:
            meet = "import os, time\nopen({0!r}, 'w').close()\nwhile not os.path.exists({1!r}): time.sleep(0.01)\nprint('{{\"rows\": {{}}}}')"
            a, b = (os.path.join(folder, name) for name in "ab")
            commands = {"a": self.python(meet.format(a, b)), "b": self.python(meet.format(b, a)), "c": self.python("print('{\"why\": \"so\"}')"), "d": ["false"]}
            begun = []
            found = dict(at_once.answers(commands, 2, lambda key: key != "d" and not begun.append(key)))
            self.assertEqual((found, begun), ({"a": {"rows": {}}, "b": {"rows": {}}, "c": {"why": "so"}}, ["a", "b", "c"]))

    def test_no_answer(self):
        """A program that is killed, or fails, is why; one that a signal asks to end ends all, and leaves none running."""
        ends = {"killed": self.python("import os; os.kill(os.getpid(), 9)"), "failed": ["false"]}
        self.assertEqual(dict(at_once.answers(ends, 1, lambda key: True)),
                         {"killed": {"why": "it was killed, by signal 9"}, "failed": {"why": "it ended with 1, and said why above"}})
        with tempfile.TemporaryDirectory() as folder:
            other = os.path.join(folder, "pid")
            waits = f"import os, time\nwith open({other!r}, 'w') as out: out.write(str(os.getpid()))\ntime.sleep(600)"
            asked = f"import os, sys, time\nwhile not os.path.exists({other!r}): time.sleep(0.01)\ntime.sleep(0.1)\nsys.exit(143)"
            with self.assertRaises(SystemExit) as end:
                dict(at_once.answers({"waits": self.python(waits), "asked": self.python(asked)}, 2, lambda key: True))
            self.assertEqual(end.exception.code, 143)
            with open(other, encoding="ascii") as file:
                self.assertFalse(os.path.exists("/proc/" + file.read()))

    def test_slots(self):
        """One for a CPU, fewer where memory is short, and one at least."""
        self.assertEqual(at_once.slots(1), len(os.sched_getaffinity(0)))
        self.assertEqual(at_once.slots(1 << 40), 1)


class Missing(unittest.TestCase):
    """What cannot be had, with the real columns, and nothing of theirs built."""

    def test_nothing_is_built(self):
        """Each column is left out, and which file it lacks is said."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("build/bench/guest-files/usr/bin", "run"):
                os.makedirs(os.path.join(folder, name))
            os.symlink(os.path.abspath(os.path.join(ROOT, "tests")), os.path.join(folder, "tests"))
            text = (f"import sys; sys.path.insert(0, {folder!r} + '/tests/bench/compare'); import run\n"
                    "run.new = lambda quick, chosen: " + repr({**canned(), "columns": {}, "left_out": {}, "complete": False}) + "\n"
                    "sys.argv[1:] = ['--out', 'run/run.json']\nsys.exit(run.main())")
            done = subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertEqual(os.listdir(os.path.join(folder, "run")), [])
        found = re.findall(r"^left out: .* is missing: `make \S+` makes it(?:, and `make check` all)? \(build/logs/compare-(\S+)\.serial\)$", done.stderr, re.MULTILINE)
        self.assertCountEqual(found, [one.key for one in columns.COLUMNS])
        self.assertIn("no column could be measured", done.stdout)

    def test_without_the_network(self):
        """Programs that cannot be had are left out of the guests' files, which is said, also by the run; the next time they are tried again."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("apt-get", "apt-cache"):
                with open(os.path.join(folder, name), "w", encoding="ascii") as out:
                    out.write("#!/bin/sh\nexit 100\n")
                os.chmod(out.name, 0o755)
            os.symlink(os.path.abspath(os.path.join(ROOT, "dom0-tools")), os.path.join(folder, "dom0-tools"))
            done = subprocess.run([os.path.abspath(os.path.join(HERE, "guest-files.sh")), "build/bench/guest-files", "build/packages"], cwd=folder,
                                  env={**os.environ, "PATH": folder + ":" + os.environ["PATH"]}, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            for name in program.PROGRAMS:
                self.assertIn(f"no {name}, as ", done.stderr)
            self.assertEqual([file for _, _, files in os.walk(os.path.join(folder, "build/bench/guest-files")) for file in files], [])
            self.addCleanup(setattr, program, "built", program.built)
            program.built = lambda path: os.path.join(folder, "build", path)
            self.assertEqual(list(program.programs_left_out()), ["rows of hackbench", "rows of iperf3"])


class Alone(unittest.TestCase):
    """tests/bench/alone.mk, in a tree of its own: makes that would spoil each other."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = folder.name
        with open(os.path.join(self.tree, "Makefile"), "w", encoding="utf-8") as out:
            out.write(f"SHELL := /bin/bash\n.SHELLFLAGS := -euo pipefail -c\nMAKEFLAGS += --no-builtin-rules\ninclude {os.path.abspath(os.path.join(HERE, '../alone.mk'))}\n"
                      "compare:\n\t@echo begins; read x\nbench all:\n\t@echo is done\nwithin:\n\t@$(MAKE) -s bench\n")

    def make(self, *words, **more):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        return subprocess.Popen(["make", "-C", self.tree, *words], env={**env, **more}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def said(self, *words, **more):
        with self.make(*words, **more) as process:
            text = process.communicate()[0]
            return process.returncode, text

    def test_one_at_a_time(self):
        """The second is refused, and told by whom, until the first has ended, though it is killed; what does not run anything is not."""
        for end in (signal.SIGINT, signal.SIGKILL):
            with self.make("-s", "compare") as first:
                self.assertEqual(first.stdout.readline(), "begins\n")
                status, text = self.said("bench")
                self.assertEqual(status, 2)
                self.assertIn(f"another `make compare` (pid {first.pid}) runs in this tree", text)
                for words in (("-n", "bench"), ("-sn", "bench"), ("all",), ("compare", "LIST=1", "-n")):
                    self.assertEqual(self.said(*words)[0], 0, words)
                self.assertEqual(self.said("bench", MAKELEVEL="1")[0], 0)
                first.send_signal(end)
            time.sleep(0.1)
            self.assertEqual(self.said("-s", "bench"), (0, "is done\n"))
            self.assertEqual(self.said("-s", "within"), (0, "is done\n"))


class Shell:
    """In place of a machine: linux-ops that answers this."""

    def __init__(self, status, text, lines):
        self.machine, self.said, self.lines = self, (status, text), lines

    def shell(self, command, timeout):
        return self.said

    def new_counts(self):
        return self.lines


class Console:
    """In place of a machine: what is typed comes back, and then this is said."""

    def __init__(self, says):
        self.says, self.text, self.seen, self.shells_prompt = says, "parvis# ", 8, r"^parvis# "

    def send(self, line):
        self.text += line + "\n"

    def expect(self, pattern, timeout):
        self.text += ("" if self.text.endswith("\n") else "\n") + self.says
        return re.compile(pattern, re.MULTILINE).search(self.text, self.seen)


class Rows(unittest.TestCase):
    TEXT = "noise\nop a 10 11 12 100\nop b 1 1 1 2\nop c 1 1\n"

    def test_read(self):
        found = rows.measured(self.TEXT)
        self.assertEqual(found["a"], ({"unit": "instructions", "least": 10, "median": 11, "most": 12}, 100))
        self.assertEqual(list(found), ["a", "b"])
        self.assertEqual(rows.events_of(["cr3=10 iret=0", "cr3=30 iret=0"], 10), {"cr3": 2})

    def test_counts_belong_to_their_row(self):
        found = rows.by_linux_ops(Shell(0, self.TEXT, ["cr3=100", "cr3=300", "cr3=2", "cr3=2"]), "a b", 2, "linux")
        self.assertEqual(found["linux.a"]["events"], {"cr3": 2})
        self.assertEqual(found["linux.b"]["events"], {"cr3": 1})

    def test_chosen(self):
        for names, groups, has, some in (((), ("linux", "io"), "linux.null_call linux.fork_exit io.disk_read_1m", "linux io"), (("io",), rows.NAMES, "io.disk_read_1m", "io"),
                                         (("fork_exit", "bench.syscall"), rows.NAMES, "linux.fork_exit bench.syscall", "linux bench"),
                                         (("linux.null_call",), rows.NAMES, "linux.null_call", "linux"), (("life",), ("linux",), "", "")):
            choice = rows.Choice(names, tuple(groups))
            self.assertEqual([row for row in ("linux.null_call", "linux.fork_exit", "life.create", "io.disk_read_1m", "bench.syscall") if choice.has(row)], has.split(), names)
            self.assertEqual([group for group in rows.NAMES if choice.some_of(group)], some.split(), names)
        self.assertEqual(rows.unknown(["io", "null_call", "life.create", "bench.any", "life.null_call", "x"]), ["life.null_call", "x"])

    def test_a_mib_without_connecting(self):
        def transfer(median, **counts):
            return {"unit": "instructions", "least": median, "median": median, "most": median, "events": counts}
        found = devices.per_mib(transfer(1000, cr3=10, iret=7), [transfer(33000, cr3=42), transfer(65000, cr3=74), transfer(34600, cr3=42)])
        self.assertEqual([found[end] for end in store.FIGURES], [1000, 1050, 2000])
        self.assertEqual(found["events"], {"cr3": round((32 + 64 + 32) / 32 / 3, 4)})

    def test_what_cannot_be_is_no_figure(self):
        """More memory after a guest was made, or more work for less to send, is no nothing, but a column that cannot be had."""
        self.assertEqual(measure.beside(270000, 262144), 7856)
        with self.assertRaisesRegex(AssertionError, "a guest of 262144 KiB has taken 262140 KiB"):
            measure.beside(262140, 262144)
        short, long = ({"unit": "instructions", "least": median, "median": median, "most": median, "events": {}} for median in (1000, 999))
        with self.assertRaisesRegex(AssertionError, "40 MiB took 999 instructions, and 8 MiB 1000"):
            devices.per_mib(short, [long])

    def test_seconds(self):
        found = measure.in_seconds({"unit": "instructions", "least": 999, "median": 1486299189, "most": 2 * 10 ** 9, "events": {"instructions": 630490761}})
        self.assertEqual(found, {"unit": "s", "least": 0, "median": 1.486, "most": 2, "events": {"instructions": 630490761}})

    def test_a_guest_that_does_not_come_up(self):
        """What the toolstack says instead of a guest's prompt is why, and nobody waits for one."""
        one = columns.Column("parvis-pvh", "Parvis PVH", "parvis", "pvh")
        one.machine = Console("pvctl: guest: this CPU has no NPT\nparvis# ")
        with self.assertRaisesRegex(AssertionError, "^no guest came up: pvctl: guest: this CPU has no NPT$"):
            one.create()
        one.machine = Console("Parsing config\nxc: error: can't allocate\nlibxl: error: -3\nparvis# ")
        with self.assertRaisesRegex(AssertionError, "^no guest came up: xc: error: can't allocate\nlibxl: error: -3$"):
            one.create()

    def test_a_system_that_does_not_start(self):
        one = columns.Column("xen-pv", "Xen PV", "xen", "pv")
        for said, why in (("(XEN) \n(XEN) Panic on CPU 0:\n(XEN) Xen BUG at dom0_build.c:1008\n(XEN) ***\n", "Xen BUG at dom0_build.c:1008"),
                          ("[    1.0] Kernel panic - not syncing: No init\n", "No init"),
                          ("(parvis) [   0.000000] panic: no memory left\n", "no memory left")):
            one.machine = Console(said)
            with self.assertRaisesRegex(AssertionError, f"^it does not start: {why}$"):
                one.first_prompt()
        one.machine = Console("parvis# ")
        one.first_prompt()

    def test_a_program_that_fails(self):
        with self.assertRaisesRegex(AssertionError, "ended with 1"):
            rows.by_linux_ops(Shell(1, self.TEXT, ["cr3=1"] * 4), "a b", 2, "linux")
        with self.assertRaisesRegex(AssertionError, "saw 3 runs"):
            rows.by_linux_ops(Shell(0, self.TEXT, ["cr3=1"] * 3), "a b", 2, "linux")


if __name__ == "__main__":
    unittest.main()
