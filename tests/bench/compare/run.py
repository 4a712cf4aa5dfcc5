#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The comparison: native, Parvis and Xen, paravirtual and fully virtualized, as many at once as this host has CPUs; build/compare/run.json (store.py).

    run.py [--quick] [--rows "NAME ..."] [--out FILE] [--constants FILE] [--list] [COLUMN ...]

All columns and all rows, or those that are named: rows by their group (linux, work, bench, life, io), their name, or GROUP.NAME. Each part of
a run has a folder of its own in build/compare/part/. A column that cannot be had is left out, and why is said; the others go on. The file is
written after each column that was measured. A run that was cut off, or had no time for all columns, goes on with those that it lacks when it is started again, if the
machine and the commit are still the same. When a new run has its first column, what stands in its place is kept beside it, run.json and its reports, as NAME.last.EXT;
a run that has none is not written.

The reports (report.py) are made at the end. With constants of another machine nothing is measured that was: only the reports are made anew.

It ends with 0 where a column was measured, 1 where none was, 2 where it is not asked right, and 128 and the signal's number.
"""
import argparse
import datetime
import hashlib
import os
import sys
import time

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("..", "../../system")]
import identity  # noqa: E402
import model  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402
import setup  # noqa: E402
import store  # noqa: E402
from at_once import answers, slots  # noqa: E402
from columns import COLUMNS  # noqa: E402
from machine import BUILD, built, signals_end_in_order  # noqa: E402 (the harness lives with the system tests)
from measure import command  # noqa: E402
from measured import say  # noqa: E402

LIMIT = {"quick": 8 * 60, "whole": 40 * 60}     # seconds, after which no further column is begun
LONGEST = 5 * 60                                # a column, so that the last one ends in time too
NO_TIME = "there was no time left: the same command again goes on with it"
QUICK = ("native", "parvis-pv", "xen-pv", "parvis-hvm", "parvis-pvh", "xen-pvh")    # the columns of a quick run
PROGRAMS = {"hackbench": "rt-tests", "iperf3": "iperf3"}    # of packages that may not be had


def new(quick, chosen):
    return {"schema": store.SCHEMA, "commit": identity.commit(), "machine": identity.machine(quick), "chosen": sorted(chosen), "complete": False,
            "began": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M"), "took": 0, "columns": {}, "left_out": programs_left_out()}


def programs_left_out():
    there = os.listdir(built("bench/guest-files/usr/bin"))
    return {"rows of " + program: f"Debian's package {package} could not be had when the guests' files were made"
            for program, package in PROGRAMS.items() if program not in there}


def keep(path):
    """A run and its reports stay beside the new one, for `make compare-diff`."""
    for each in (path, *report.paths(path)):
        base, ending = os.path.splitext(each)
        if os.path.exists(each):
            os.replace(each, f"{base}.last{ending}")
    say(f"the run before is {os.path.splitext(path)[0]}.last.json")


def before(path):
    """The run that stands there, if one does."""
    try:
        return store.load(path) if os.path.exists(path) else None
    except store.BadRun as why:
        say(f"a new run, as {why}")
        return None


def other_than(old, run):
    """In what two differ that are to be one."""
    return store.differences(old, run) + [name for name in ("commit", "chosen") if old[name] != run[name]]


def begun(path, quick, chosen=()):
    """The run to go on with, or a new one; nothing of what stands there is touched yet."""
    run, old = new(quick, chosen), before(path)
    other = other_than(old, run) if old else []
    if old and not old["complete"] and not other:
        say(f"going on behind {', '.join(old['columns']) or 'nothing'}")
        return {**old, "left_out": run["left_out"]}
    if old and old["columns"] and not old["complete"]:
        say(f"a new run: one that was cut off differs in {', '.join(other)}")
    return run


def save(path, run, first=False):
    """A run that has no column takes nobody's place; with its first one it does. No report is left beside a run that is not its own."""
    if not run["columns"]:
        return
    old = before(path) if first else None
    if old and old["columns"]:
        keep(path)
    for each in report.paths(path):
        if os.path.exists(each):
            os.remove(each)
    store.save(path, run)


def measured_already(path, quick, chosen, wanted):
    """The whole run that stands there, if it is of this machine and commit, and has been at all of these columns."""
    old = before(path)
    if old and old["complete"] and not other_than(old, new(quick, chosen)) and set(wanted) <= old["columns"].keys() | old["left_out"].keys():
        return old
    return None


def put(run, column, found):
    """What a column has to say, in its place among the others."""
    if "why" in found:
        run["left_out"][column.key] = found["why"]
        print(f"left out: {column.title}: {found['why']} (build/logs/compare-{column.key}.serial)", file=sys.stderr, flush=True)
        return
    there = {**run["columns"], column.key: {"title": column.title, "system": column.system, "kind": column.kind, "price": column.price, **found}}
    run["columns"] = {each.key: there[each.key] for each in COLUMNS if each.key in there}


def go(run, path, wanted, quick):
    start, before = time.monotonic(), run["took"]
    limit = LIMIT["quick" if quick else "whole"]
    lacking = {column.key: column for column in wanted if column.key not in run["columns"]}

    def may_begin(key):
        now = time.monotonic() - start
        if now > limit - min(LONGEST, limit / 4):
            return False
        say(f"{lacking[key].title} ({now:.0f} s until now)")
        return True

    commands = {key: command(column, quick, run["chosen"]) for key, column in lacking.items()}
    for key, found in answers(commands, slots(int(setup.MEM) + setup.QEMUS_OWN), may_begin):
        empty = not run["columns"]
        put(run, lacking[key], found)
        run["took"] = round(before + time.monotonic() - start, 1)
        save(path, run, first=empty)
        if key in run["columns"]:
            print(f"{lacking[key].title}: done, and kept", file=sys.stderr, flush=True)
    run["left_out"] |= {key: NO_TIME for key in lacking if key not in run["columns"] and key not in run["left_out"]}
    run["complete"] = not without_time(run)
    save(path, run)


def without_time(run):
    return [key for key, why in run["left_out"].items() if why == NO_TIME]


def listed():
    """Columns, and rows, as they may be named."""
    yield "COLUMNS (+: of a quick run):"
    yield from (f"  {column.key:20}{'+' if column.key in QUICK else ' '} {column.title}" for column in COLUMNS)
    yield "ROWS, by group, or each by its name:"
    yield from (f"  {group:20}  {' '.join(names) or 'operations of pvguest, each as bench.NAME'}" for group, names in rows.NAMES.items())


def part(columns, names):
    """The folder of a part: what was asked for, in one order; what is too long for a folder's name is cut, and still its own."""
    columns = "+".join(column.key for column in COLUMNS if column.key in columns) or "all"
    name = "-".join([columns, *(["+".join(sorted(names))] if names else [])])
    return name if len(name) <= 100 else f"{name[:90]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def wrongly_asked(columns, names):
    """What of these there is not."""
    there = {column.key for column in COLUMNS}
    for what, wrong in (("COLUMNS: there is no column", [key for key in columns if key not in there]), ("ROWS: there is no row", rows.unknown(names))):
        if wrong:
            commas = "; blanks separate them, not commas" if any("," in each for each in wrong) else ""
            return f"{what} {' '.join(sorted(set(wrong)))}{commas}; `make compare LIST=1` lists what there is"
    return ""


def asked():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="each operation once, in 8 minutes; without other columns' names: " + " ".join(QUICK))
    parser.add_argument("--rows", default="", metavar="NAMES", help="in one argument: " + " ".join(rows.NAMES) + ", or names of rows")
    parser.add_argument("--out", metavar="FILE", help="build/compare/run.json, or build/compare/part/WHAT/run.json")
    parser.add_argument("--constants", metavar="FILE", help="for the reports; a whole run that there is, of the same commit and machine, is not measured again")
    parser.add_argument("--list", action="store_true", help="the columns and rows that there are")
    parser.add_argument("--check", action="store_true", help="only whether this is asked right, before anything is built for it")
    parser.add_argument("columns", nargs="*", metavar="COLUMN", help=" ".join(column.key for column in COLUMNS))
    options = parser.parse_args()
    options.rows = options.rows.split()
    wrong = wrongly_asked(options.columns, options.rows) or setup.refused(options.columns, os.environ.get("MEM"))
    if wrong:
        parser.exit(2, f"compare: {wrong}\n")
    options.out = options.out or os.path.join(BUILD, "compare", *(["part", part(options.columns, options.rows)] if options.rows or options.columns else []), "run.json")
    return options


def main():
    options = asked()
    signals_end_in_order()
    if options.list:
        print("\n".join(listed()))
    if options.list or options.check:
        return 0
    wanted = options.columns or (QUICK if options.quick else [column.key for column in COLUMNS])
    run = measured_already(options.out, options.quick, options.rows, wanted) if options.constants else None
    if run:
        say(f"measured already, begun {run['began']}: the reports are made anew; without constants it is measured again")
    else:
        run = begun(options.out, options.quick, options.rows)
        go(run, options.out, [column for column in COLUMNS if column.key in wanted], options.quick)
    if not run["columns"]:
        print(f"no column could be measured; what stands in {os.path.dirname(options.out) or '.'} is as it was")
        return 1
    print(f"{options.out}: {len(run['columns'])} columns, {len(run['left_out'])} left out, {run['took']:.0f} s")
    if without_time(run):
        print(f"no time left for {', '.join(without_time(run))}: the same command again goes on with them")
    report.make(options.out, options.constants or model.PUBLISHED)
    return 0


if __name__ == "__main__":
    sys.exit(main())
