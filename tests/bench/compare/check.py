#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Three rows of the comparison in `make check`: that a guest of each kind can be measured, and that what is counted of it is what it did.

Nothing of this asserts how long something took. A null system call of a paravirtual guest enters the hypervisor twice, from user mode
and from the guest's kernel's return, and loads CR3 for both; natively and fully virtualized it is one SYSCALL, and no exit.
"""
import os
import sys

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("..", "../../system")]
from columns import COLUMNS  # noqa: E402
from measure import by_linux_ops  # noqa: E402

ROWS = ("null_call", "page_fault", "fork_exit")
KEYS = ("native", "parvis-pv", "parvis-hvm")


def rows_of(column):
    with column.running():
        column.create()
        return by_linux_ops(column, " ".join(ROWS), 1, "linux")


def about(events, name, least, most):
    """An interrupt that comes meanwhile adds a few thousandths."""
    assert least <= events.get(name, 0) <= most, f"{name}: {events.get(name, 0)}, and it should be from {least} to {most}; all: {events}"


def main():
    found = {column.key: rows_of(column) for column in COLUMNS if column.key in KEYS}
    for key, rows in found.items():
        assert list(rows) == ["linux." + name for name in ROWS], f"{key}: {list(rows)}"
        print(key, {name: row["median"] for name, row in rows.items()})
    null = {key: rows["linux.null_call"]["events"] for key, rows in found.items()}
    for key in ("native", "parvis-hvm"):
        about(null[key], "syscall", 1, 1.01)
        about(null[key], "cr3", 0, 0.01)
        about(null[key], "vmrun", 0, 0.02)
    about(null["parvis-pv"], "syscall", 2, 2.05)
    about(null["parvis-pv"], "cr3", 2, 2.05)
    about(null["parvis-pv"], "vmrun", 0, 0)
    for key, rows in found.items():
        events = rows["linux.page_fault"]["events"]
        about(events, "iret", 1, 2.2)
        assert abs(rows["linux.null_call"]["median"] - null[key]["instructions"]) <= 0.02 * null[key]["instructions"], (
            f"{key}: a tick is not an instruction: {rows['linux.null_call']}")
    for name in ROWS[1:]:   # each must make the hypervisor do something
        pv, native = (found[key]["linux." + name]["events"] for key in ("parvis-pv", "native"))
        assert pv["instructions"] > native["instructions"], f"{name}: paravirtual {pv}, native {native}"


if __name__ == "__main__":
    main()
