# SPDX-License-Identifier: MIT
"""A run as a file: build/compare/run.json, what it holds, and how it is read and written.

    schema      3
    commit      of the tree, with "and changes" and which where there were some
    machine     what the figures depend on beside Parvis itself: QEMU's version and model of the CPU, the kernel, the guest's files, the
                programs (by their SHA-256), how time is counted, how often each was run. Two runs are put side by side when this is equal
    complete    false while columns are still to come
    began       when, in UTC; took: seconds of this host
    chosen      [name], of the rows that were asked for; empty: all
    columns     {key: {title, system, kind, price, version, mitigations: {who: [line]}, rows: {row: figures}}}; version: what the system says of
                itself, where it does and it is not Parvis, whose commit is above; older runs have none. price: the measure against speculation
                that is taken there alone, to see what it costs; empty in columns that are held against each other
    left_out    {key: why}, columns, and programs whose rows are missing

The figures of a row: `unit`; `least`, `median`, `most` of the runs; and where they could be had
    events      {name: times an operation}, instructions that cost more than one on silicon, by the plugin (events_plugin.c); `instructions`
                is how many were executed, without waiting; `walks` and `walks_4k` how often page tables had to be walked (tlb.c)
    counted     {name: times an operation}, what the hypervisor counted of this guest (pvctl stats --events); Parvis alone
"""
import json
import os

SCHEMA = 3
COLUMN = {"title": str, "system": str, "kind": str, "price": str, "version": str, "mitigations": dict, "rows": dict}
RUN = {"schema": int, "commit": str, "machine": dict, "chosen": list, "complete": bool, "began": str, "took": (int, float), "columns": dict,
       "left_out": dict}
FIGURES = ("least", "median", "most")
MOST = 1e18     # of anything; all that is less can be a whole number or not, and is shown as it is


class BadRun(Exception):
    """This file is not a run, or not one that is understood; the text says why."""


def need(what, fields, where):
    if not isinstance(what, dict):
        raise BadRun(f"{where} is no object")
    for name, kind in fields.items():
        if not isinstance(what.get(name), kind):
            raise BadRun(f"{where} has no {name}, or not what it should be")


def amount(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < MOST


def check_row(row, where):
    need(row, {"unit": str}, where)
    if not all(amount(row.get(name)) for name in FIGURES) or not row["least"] <= row["median"] <= row["most"]:
        raise BadRun(f"{where} has no least, median and most in this order")
    for name in ("events", "counted"):
        if not isinstance(row.get(name, {}), dict) or not all(map(amount, row.get(name, {}).values())):
            raise BadRun(f"{where}: its {name} are no numbers")


def check(run, where="the run"):
    """Raises BadRun unless this is a run."""
    need(run, {"schema": int}, where)
    if run["schema"] != SCHEMA:
        raise BadRun(f"{where} has schema {run['schema']}, and {SCHEMA} is understood")
    need(run, RUN, where)
    if not amount(run["took"]):
        raise BadRun(f"{where} took no time that there is")
    for key, column in run["columns"].items():
        need({"version": "", **column} if isinstance(column, dict) else column, COLUMN, f"{where}, column {key}")
        if not all(isinstance(lines, list) and all(isinstance(line, str) for line in lines) for lines in column["mitigations"].values()):
            raise BadRun(f"{where}, column {key}: its mitigations are no lines")
        for row, figures in column["rows"].items():
            check_row(figures, f"{where}, column {key}, row {row}")
    return run


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            run = json.load(file)
        json.dumps(run, ensure_ascii=False).encode()    # what JSON can say and no text can hold
    except OSError as error:
        raise BadRun(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadRun(f"{path} is no JSON: {error}") from None
    return check(run, path)


def save(path, run):
    """At once: who reads it meanwhile has the old file or the new one, and so has who is cut off."""
    check(run)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as out:
        json.dump(run, out, indent=1)
        out.write("\n")
        out.flush()
        os.fsync(out.fileno())
    os.replace(path + ".new", path)


def differences(one, other):
    """What is not alike in the machines of two runs."""
    return [name for name in sorted(one["machine"].keys() | other["machine"].keys()) if one["machine"].get(name) != other["machine"].get(name)]
