#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Three rows of the comparison in `make check`: that a paravirtual guest can be measured, and that what is counted of it is what it did. With
--long so of each kind; and that a run which is cut off, in whichever way, leaves nothing behind and is gone on with.

Nothing of this asserts how long something took. A null system call of a paravirtual guest enters the hypervisor twice, from user mode
and from the guest's kernel's return, and loads CR3 for both; natively and fully virtualized it is one SYSCALL, and no exit.
"""
import contextlib
import os
import signal
import subprocess
import sys
import time

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("..", "../../system")]
import store  # noqa: E402
from columns import COLUMNS  # noqa: E402
from machine import SCALE, Machine  # noqa: E402 (the harness lives with the system tests)
from rows import by_linux_ops  # noqa: E402

ROWS = ("null_call", "page_fault", "fork_exit")
LONG = "--long" in sys.argv
KEYS = ("native", "parvis-pv", "parvis-hvm") if LONG else ("parvis-pv",)


def rows_of(column):
    with column.running():
        column.create()
        return by_linux_ops(column, " ".join(ROWS), 1, "linux")


def about(events, name, least, most):
    """An interrupt that comes meanwhile adds a few thousandths."""
    assert least <= events.get(name, 0) <= most, f"{name}: {events.get(name, 0)}, and it should be from {least} to {most}; all: {events}"


def below(pid):
    """(pid, name) of the processes that it has started, and those have."""
    with contextlib.suppress(FileNotFoundError):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
        for child in children:
            with open(f"/proc/{child}/comm", encoding="ascii") as name:
                yield child, name.read().strip()
            yield from below(child)


def with_qemu(process):
    """All that are below it, as soon as a QEMU is."""
    end = time.monotonic() + 60 * SCALE
    while time.monotonic() < end:
        found = dict(below(process.pid))
        if any(name.startswith("qemu") for name in found.values()):
            return found
        time.sleep(0.05)
    raise AssertionError("the run has started no QEMU")


def end(processes):
    limit = time.monotonic() + 10 * SCALE
    for pid, name in processes.items():
        while os.path.exists(f"/proc/{pid}"):
            assert time.monotonic() < limit, f"{name}, process {pid}, has outlived its run"
            time.sleep(0.05)


def cut_off():
    """By SIGTERM, then by SIGKILL, in the second column, which takes longer: the first one is kept, its figures too, and it is not measured again."""
    path = os.path.join(Machine.scratch(), "run.json")
    command = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py"), "--quick", "--rows", "null_call", "--out", path,
               "native", "parvis-pv"]
    kept = None
    for number, status in ((signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)):
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            for line in process.stderr:
                if line.startswith("native: done") or kept:
                    break
            processes = with_qemu(process)
            process.send_signal(number)
            assert process.wait() == status, process.returncode
        end(processes)
        run = store.load(path)
        assert (list(run["columns"]), run["complete"], run["left_out"]) == (["native"], False, {}), run
        assert kept in (None, run["columns"]), "native was measured twice"
        kept = run["columns"]
    subprocess.run(command, check=True)
    run = store.load(path)
    assert list(run["columns"]) == ["native", "parvis-pv"] and run["complete"], run
    assert run["columns"]["native"] == kept["native"]


def main():
    found = {column.key: rows_of(column) for column in COLUMNS if column.key in KEYS}
    for key, rows in found.items():
        assert list(rows) == ["linux." + name for name in ROWS], f"{key}: {list(rows)}"
        print(key, {name: row["median"] for name, row in rows.items()})
    null = {key: rows["linux.null_call"]["events"] for key, rows in found.items()}
    for key in set(KEYS) - {"parvis-pv"}:
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
    if LONG:
        for name in ROWS[1:]:   # each must make the hypervisor do something
            pv, native = (found[key]["linux." + name]["events"] for key in ("parvis-pv", "native"))
            assert pv["instructions"] > native["instructions"], f"{name}: paravirtual {pv}, native {native}"
        cut_off()


if __name__ == "__main__":
    main()
