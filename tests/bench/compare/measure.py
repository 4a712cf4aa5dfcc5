#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One column, from the start of its machine to its last row: what is done there in which order.

    measure.py [--quick] [--rows "NAME ..."] COLUMN

prints a line of JSON: {"rows", "mitigations", "version"}, as store.py has them, or {"why"} it could not be measured. It ends with 0, and with 128 and
the signal's number where one asks it to end.
"""
import argparse
import json
import os
import re
import sys

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("..", "../../system")]
import devices  # noqa: E402
import rows  # noqa: E402
from columns import COLUMNS  # noqa: E402
from machine import PANIC, Ended, Timeout, signals_end_in_order  # noqa: E402 (the harness lives with the system tests)
from rows import by_linux_ops, of, one  # noqa: E402


def linux(column, runs, choice):
    names = [name for name in rows.LINUX if choice.has("linux." + name)]
    return by_linux_ops(column, " ".join(names), runs, "linux") if names else {}


def works(column, runs, choice):
    found = {}
    for name, command in rows.WORK.items():
        if not choice.has("work." + name) or name == "hackbench" and column.machine.shell("which hackbench")[0]:
            continue
        quoted = command.replace("'", "'\\''")
        found |= by_linux_ops(column, f"--time {name} '{quoted}'", runs, "work")
    return found


def counted(column, operation):
    """{event: times an operation}, by the hypervisor: what two runs count beyond one, for what a program takes to start and end is no part."""
    each = []
    for runs in (1, 3):
        before = column.counted()
        text = column.machine.shell(f"/usr/bin/linux-ops --runs {runs} {operation}", 600)[1]
        after = column.counted()
        each.append({name: count - before.get(name, 0) for name, count in after.items()})
    column.new_counts()
    times = 2 * rows.measured(text)[operation][1]
    return {name: round((count - each[0].get(name, 0)) / times, 4) for name, count in each[1].items() if count > each[0].get(name, 0)}


def in_seconds(row):
    """Of the virtual clock, where waiting is a part: a tick is a nanosecond. What is executed meanwhile stays in the events."""
    return {**row, "unit": "s", **{end: round(row[end] / 1e9, 3) for end in ("least", "median", "most")}}


def beside(taken, own):
    """KiB that went with a guest, beside its own."""
    assert taken >= own, f"a guest of {own} KiB has taken {taken} KiB of the hypervisor's memory, so others gave some back meanwhile"
    return taken - own


def life(column, runs):
    """Creating and destroying a guest that is not let run, and the hypervisor's memory that goes with it beside its own; and from the creation
    of one that is to its first line. Nothing else happens in the machine meanwhile. Its console's other end is at once nobody's, and has no
    input that could end."""
    config, quietly = column.config(), " >/dev/null 2>&1"
    commands = {"create": column.command({"parvis": "create --paused ", "xen": "create -p "}[column.system] + config) + quietly,
                "destroy": column.command("destroy " + column.name()) + quietly,
                "first_line": f'({column.create_on_console()} <>/tmp/no-input 2>/dev/null &) | grep -qm 1 "Linux version"'}
    found = {name: [] for name in commands}
    memory = []
    column.machine.check("mkfifo /tmp/no-input")
    for _ in range(runs):
        free = column.free_kib()
        for name, command in commands.items():
            found[name].append(by_linux_ops(column, f"--time {name} '{command}'", 1, "life")["life." + name])
            if name == "create":
                memory.append(beside(free - column.free_kib(), column.MEMORY_KIB))
        column.destroy()
    found = {f"life.{name}": rows.together(each) for name, each in found.items()}
    return {**found, "life.first_line": in_seconds(found["life.first_line"]), "life.memory_beside": of(memory, "KiB")}


def counted_of_all(column, found):
    """What the hypervisor counts of each operation of Linux's that was measured."""
    for name in [name for name in found if name.startswith("linux.")]:
        found[name]["counted"] = counted(column, name.removeprefix("linux."))


def from_control(column, runs, choice):
    """What is measured from the control domain."""
    found = {}
    if choice.some_of("life"):
        found |= life(column, runs)
    if column.kind != "hvm":    # which has neither hypercalls, of which alone this program makes much, nor devices of Xen's
        if choice.some_of("bench"):
            found |= {"bench." + name: one(value, rows.UNIT) for name, value in column.bench().items()}
        if choice.some_of("io"):
            found |= devices.measure(column, runs)
    return found


def measure(column, quick, chosen=()):
    """(rows, mitigations) of a column. A quick run has each operation once, and not what the hypervisor counts of each."""
    runs = 1 if quick else rows.RUNS
    choice = rows.Choice(chosen, column.groups)
    with column.running():
        column.create()
        found = {"life.boot_to_shell": one(float(re.findall(r"at the shell: ([\d.]+)", column.machine.text)[-1]), "s")}
        found |= linux(column, runs, choice) | works(column, runs, choice)
        told = column.mitigations()
        if column.system == "parvis" and not quick and not column.price:
            counted_of_all(column, found)
        if column.system != "native":
            column.leave()
            column.destroy()
            found |= from_control(column, runs, choice)
        return {name: row for name, row in found.items() if choice.has(name)}, told


def reason(column, why):
    """In a line: the first two of what is told; of a machine that ended or fell silent, what it said last, or why its hypervisor panicked."""
    if not isinstance(why, (Ended, Timeout)):
        told = str(why).split("\n")[:2]
    else:
        said = [line for line in column.machine.text.splitlines() if line.strip()] if column.machine else []
        told = ["QEMU ended:" if isinstance(why, Ended) else "it does not go on:", *([line for line in said if PANIC.search(line)][:1] or said[-2:])]
    return " ".join(" ".join(told).split()) or type(why).__name__


def answer(column, quick, chosen):
    """What there is to say of a column: its figures, or why it has none."""
    try:
        found, mitigations = measure(column, quick, chosen)
    except (AssertionError, Ended, Timeout, SystemExit, OSError) as why:
        if isinstance(why, SystemExit) and isinstance(why.code, int):   # a signal asks this program to end
            raise
        return {"why": reason(column, why)}
    return {"rows": found, "mitigations": mitigations, "version": column.version}


def command(column, quick, chosen):
    """The one above for this column."""
    return [sys.executable, os.path.abspath(__file__), *(["--quick"] if quick else []), "--rows", " ".join(chosen), column.key]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", default="")
    parser.add_argument("column", choices=[column.key for column in COLUMNS])
    options = parser.parse_args()
    signals_end_in_order()
    column = next(column for column in COLUMNS if column.key == options.column)
    print(json.dumps(answer(column, options.quick, options.rows.split())))


if __name__ == "__main__":
    main()
