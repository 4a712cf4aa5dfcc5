#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The comparison: native, Parvis and Xen, paravirtual and fully virtualized, one after another; build/compare/run.json (store.py).

    run.py [--quick] [--out FILE] [COLUMN ...]      (all columns)

A column that cannot be had is left out, and why is said; the others go on. The file is written after each column, and a run that was cut
off goes on behind the last one, if the machine and the commit are still the same.
"""
import argparse
import datetime
import os
import sys
import time

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("..", "../../system")]
import identity  # noqa: E402
import store  # noqa: E402
from columns import COLUMNS  # noqa: E402
from machine import BUILD, Ended, Timeout  # noqa: E402 (the harness lives with the system tests)
from measure import measure  # noqa: E402
from measured import say  # noqa: E402

LIMIT = {"quick": 8 * 60, "whole": 40 * 60}     # seconds, after which no further column is begun
LONGEST = 5 * 60                                # a column, so that the last one ends in time too


def new(quick):
    return {"schema": store.SCHEMA, "commit": identity.commit(), "machine": identity.machine(quick), "complete": False,
            "began": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M"), "took": 0, "columns": {}, "left_out": {}}


def begun(path, quick):
    """The run to go on with, or a new one."""
    run = new(quick)
    if not os.path.exists(path):
        return run
    try:
        old = store.load(path)
    except store.BadRun as why:
        say(f"a new run, as {why}")
        return run
    if old["complete"]:
        return run
    other = store.differences(old, run) + (["commit"] if old["commit"] != run["commit"] or "changes" in run["commit"] else [])
    if other:
        say(f"a new run: one that was cut off differs in {', '.join(other)}")
        return run
    say(f"going on behind {', '.join(old['columns']) or 'nothing'}")
    return {**old, "left_out": {}}


def add(run, column, quick):
    """Measures a column, or says why it is not there."""
    try:
        rows, mitigations = measure(column, quick)
        run["columns"][column.key] = {"title": column.title, "system": column.system, "kind": column.kind, "mitigations": mitigations, "rows": rows}
    except (AssertionError, Ended, Timeout, SystemExit, OSError) as why:
        if isinstance(why, SystemExit) and isinstance(why.code, int):   # a signal asks this program to end
            raise
        run["left_out"][column.key] = str(why).split("\n", 1)[0] or type(why).__name__
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="each operation once, in 8 minutes")
    parser.add_argument("--out", default=os.path.join(BUILD, "compare", "run.json"))
    parser.add_argument("columns", nargs="*", metavar="COLUMN", help=" ".join(column.key for column in COLUMNS))
    options = parser.parse_args()
    unknown = set(options.columns) - {column.key for column in COLUMNS}
    if unknown:
        parser.error(f"there is no column {', '.join(sorted(unknown))}")
    run = begun(options.out, options.quick)
    go(run, options.out, [column for column in COLUMNS if not options.columns or column.key in options.columns], options.quick)
    print(f"{options.out}: {len(run['columns'])} columns, {len(run['left_out'])} left out, {run['took']:.0f} s")
    return 0 if run["columns"] else 1


if __name__ == "__main__":
    sys.exit(main())
