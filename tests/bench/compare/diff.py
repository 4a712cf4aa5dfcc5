#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two runs side by side: what changed from the first to the second, of each column that both have.

    diff.py OLD.json NEW.json [--all]       rows that differ by a hundredth and more than both spreads; --all: every row

What one of the two has not, a column or a row, is said. Runs on different machines (QEMU, CPU, kernel, programs, extent) are never put
into one table: status 1, and what differs.
"""
import argparse
import sys

import store
import verdict


def apart(one, other):
    """Whether two figures differ by a hundredth, and their spreads do not meet."""
    if not (one["most"] < other["least"] or other["most"] < one["least"]):
        return False
    return abs(one["median"] - other["median"]) * 100 >= max(one["median"], other["median"], 1)


def lines(old, new, every=False):
    """[(column, row, old, new, ratio)]"""
    for key, column in old["columns"].items():
        for name, one in column["rows"].items():
            other = verdict.row(new, key, name)
            if other and one["unit"] == other["unit"] and (every or apart(one, other)):
                ratio = f"{other['median'] / one['median']:.3f}" if one["median"] else "-"
                yield column["title"], name, verdict.number(one["median"]), verdict.number(other["median"]), ratio


def only_in(one, other):
    """Columns, and rows of columns, that one run has and the other has not."""
    for key, column in one["columns"].items():
        if key not in other["columns"]:
            yield column["title"]
            continue
        missing = [name for name in column["rows"] if not verdict.row(other, key, name)]
        if missing:
            yield f"{column['title']} ({', '.join(missing)})"


def aligned(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return "".join("  ".join([*(cell.ljust(width) for cell, width in zip(row[:2], widths)),
                              *(cell.rjust(width) for cell, width in zip(row[2:], widths[2:]))]).rstrip() + "\n" for row in rows)


def compared(old, new, every=False):
    """The table as text, and what it cannot have; BadRun where the two are not to be compared."""
    other = store.differences(old, new)
    if other:
        raise store.BadRun("these runs are of different machines, which differ in " +
                           "; ".join(f"{name}: {old['machine'].get(name)} and {new['machine'].get(name)}" for name in other))
    rows = [("column", "row", old["commit"], new["commit"], "new/old"), *lines(old, new, every)]
    text = aligned(rows) if len(rows) > 1 else "nothing differs\n"
    for which, one, two in (("old", old, new), ("new", new, old)):
        text += "".join(f"only in the {which} run: {what}\n" for what in only_in(one, two))
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    try:
        print(compared(store.load(options.old), store.load(options.new), options.all), end="")
    except store.BadRun as why:
        raise SystemExit(f"diff.py: {why}") from None


if __name__ == "__main__":
    sys.exit(main())
