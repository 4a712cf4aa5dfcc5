#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The comparison: native, Parvis and Xen, paravirtual and fully virtualized, one after another; build/compare/run.json (store.py).

    run.py [--quick] [--rows "NAME ..."] [--out FILE] [COLUMN ...]

All columns and all rows, or those that are named: rows by their group (linux, work, bench, life, io), their name, or GROUP.NAME. A part of
a run goes to build/compare/part/. A column that cannot be had is left out, and why is said; the others go on. The file is written
after each column, and a run that was cut off goes on behind the last one, if the machine and the commit are still the same.

It ends with 0 where a column was measured, 1 where none was, 2 where it is not asked right, and 128 and the signal's number.
"""
import argparse
import datetime
import os
import sys
import time

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("..", "../../system")]
import identity  # noqa: E402
import rows  # noqa: E402
import store  # noqa: E402
from columns import COLUMNS  # noqa: E402
from machine import BUILD, PANIC, Ended, Timeout, built  # noqa: E402 (the harness lives with the system tests)
from measure import measure  # noqa: E402
from measured import say  # noqa: E402

LIMIT = {"quick": 8 * 60, "whole": 40 * 60}     # seconds, after which no further column is begun
LONGEST = 5 * 60                                # a column, so that the last one ends in time too


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
    """What is complete stays beside the new run, for `make compare-diff`."""
    kept = os.path.splitext(path)[0] + ".last.json"
    os.replace(path, kept)
    say(f"the run before is {kept}")


def begun(path, quick, chosen=()):
    """The run to go on with, or a new one; a complete one is kept."""
    run = new(quick, chosen)
    if not os.path.exists(path):
        return run
    try:
        old = store.load(path)
    except store.BadRun as why:
        say(f"a new run, as {why}")
        return run
    if old["complete"]:
        keep(path)
        return run
    other = store.differences(old, run) + [name for name in ("commit", "chosen") if old[name] != run[name]]
    if other:
        say(f"a new run: one that was cut off differs in {', '.join(other)}")
        return run
    say(f"going on behind {', '.join(old['columns']) or 'nothing'}")
    return {**old, "left_out": run["left_out"]}


def reason(column, why):
    """In a line: the first two of what is told; of a machine that ended or fell silent, what it said last, or why its hypervisor panicked."""
    if not isinstance(why, (Ended, Timeout)):
        told = str(why).split("\n")[:2]
    else:
        said = [line for line in column.machine.text.splitlines() if line.strip()] if column.machine else []
        told = ["QEMU ended:" if isinstance(why, Ended) else "it does not go on:", *([line for line in said if PANIC.search(line)][:1] or said[-2:])]
    return " ".join(" ".join(told).split()) or type(why).__name__


def add(run, column, quick):
    """Measures a column, or says why it is not there."""
    try:
        found, mitigations = measure(column, quick, run["chosen"])
        run["columns"][column.key] = {"title": column.title, "system": column.system, "kind": column.kind, "price": column.price,
                                      "mitigations": mitigations, "rows": found}
    except (AssertionError, Ended, Timeout, SystemExit, OSError) as why:
        if isinstance(why, SystemExit) and isinstance(why.code, int):   # a signal asks this program to end
            raise
        run["left_out"][column.key] = reason(column, why)
        print(f"left out: {column.title}: {why}", file=sys.stderr, flush=True)


def go(run, path, wanted, quick):
    start, before = time.monotonic(), run["took"]
    limit = LIMIT["quick" if quick else "whole"]
    for column in wanted:
        if column.key in run["columns"]:
            continue
        if time.monotonic() - start > limit - min(LONGEST, limit / 4):
            run["left_out"][column.key] = "there was no time left"
            say(f"no time left for {column.title}")
            continue
        say(f"{column.title} ({time.monotonic() - start:.0f} s until now)")
        add(run, column, quick)
        run["took"] = round(before + time.monotonic() - start, 1)
        store.save(path, run)
    run["complete"] = True
    store.save(path, run)


def asked():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="each operation once, in 8 minutes; without other columns' names: " + " ".join(QUICK))
    parser.add_argument("--rows", default="", metavar="NAMES", help="in one argument: " + " ".join(rows.NAMES) + ", or names of rows")
    parser.add_argument("--out", metavar="FILE", help="build/compare/run.json, or build/compare/part/run.json")
    parser.add_argument("columns", nargs="*", metavar="COLUMN", help=" ".join(column.key for column in COLUMNS))
    options = parser.parse_args()
    options.rows = options.rows.split()
    there = [column.key for column in COLUMNS]
    for what, wrong, right in (("column", set(options.columns) - set(there), there), ("row", rows.unknown(options.rows), rows.NAMES)):
        if wrong:
            parser.error(f"there is no {what} {', '.join(sorted(wrong))}; there are {', '.join(right)}" + (", and the rows of each" if what == "row" else ""))
    options.out = options.out or os.path.join(BUILD, "compare", *(["part"] if options.rows or options.columns else []), "run.json")
    return options


def main():
    options = asked()
    wanted = options.columns or (QUICK if options.quick else [column.key for column in COLUMNS])
    run = begun(options.out, options.quick, options.rows)
    go(run, options.out, [column for column in COLUMNS if column.key in wanted], options.quick)
    print(f"{options.out}: {len(run['columns'])} columns, {len(run['left_out'])} left out, {run['took']:.0f} s")
    return 0 if run["columns"] else 1


if __name__ == "__main__":
    sys.exit(main())
