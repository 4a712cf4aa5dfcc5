#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make attach`: a second shell of a machine that `make run` has started, and what is said where there is none, or several."""
import contextlib
import fcntl
import os
import pty
import select
import subprocess
import sys
import time

import attach
import scratch
from machine import ROOT, SCALE, Machine, run_tests

RUN = [sys.executable, os.path.join(ROOT, "tests/system/run.py")]
ATTACH = [sys.executable, os.path.join(ROOT, "tests/system/attach.py")]


def environment(**more):
    return {**{name: value for name, value in os.environ.items() if name != "MACHINE"}, **more}


def attached(**more):
    """(exit status, what was printed, what was said beside it)"""
    done = subprocess.run(ATTACH, input="", capture_output=True, text=True, check=False, env=environment(**more), timeout=120 * SCALE)
    return done.returncode, done.stdout, done.stderr


def answered(typed, wanted, **more):
    """The exit status, when the input has ended behind this answer: a slow machine may be quiet before."""
    with subprocess.Popen(ATTACH, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(**more)) as one:
        os.write(one.stdin.fileno(), typed)
        printed, limit = b"", time.monotonic() + 120 * SCALE
        while wanted not in printed.replace(b"\r", b""):
            assert time.monotonic() < limit, printed
            if select.select([one.stdout], [], [], 1)[0]:
                data = os.read(one.stdout.fileno(), 4096)
                assert data, printed
                printed += data
        one.communicate()
    return one.returncode


@contextlib.contextmanager
def started():
    """A machine of `make run`, whose prompt is there."""
    directory = Machine.scratch()
    with open(directory + "/console", "w+b") as console, subprocess.Popen(
            RUN, env=environment(FIRMWARE="direct", SMP="1", GUEST="", QEMU_EXTRA=""), stdin=subprocess.PIPE, stdout=console, stderr=console) as run:
        try:
            limit = time.monotonic() + 240 * SCALE
            while b"parvis# " not in open(directory + "/console", "rb").read():
                assert time.monotonic() < limit and run.poll() is None, open(directory + "/console", encoding="latin-1").read()[-2000:]
                time.sleep(0.1)
            yield run
        finally:
            run.terminate()


def said_on(terminal, text):
    """What a terminal shows, until this; who asks it for its size is answered."""
    shown, limit = b"", time.monotonic() + 120 * SCALE
    while text not in shown:
        assert time.monotonic() < limit, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096)
        if b"\x1b[6n" in shown:
            shown = shown.replace(b"\x1b[6n", b"", 1)
            os.write(terminal, b"\x1b[33;99R")
    return shown


def has_a_second_shell():
    """A shell on the second line, while one is on the first; who has it keeps others out, and ^] leaves it."""
    with started() as run:
        number = {"MACHINE": str(run.pid)}
        assert answered(b"echo $((40 + 2)) on $(tty)\n", b"\n42 on /dev/ttyS1", **number) == 0
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe(ATTACH[0], ATTACH, environment(**number))
        said_on(terminal, b"parvis# ")
        status, printed, said = attached(**number)
        assert status == 1 and f"another `make attach` has the second line of machine {run.pid}" in said, said
        os.write(terminal, b"\x1d")
        said_on(terminal, f"machine {run.pid}: left".encode())
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def refused(numbers, wanted=""):
    os.environ["MACHINE"] = wanted
    try:
        return attach.choose(numbers)
    except SystemExit as end:
        return end.code


def tells_machines_apart():
    """No machine, one that was killed, several: what to do is said."""
    assert refused({}) == "parvis: no machine runs in this tree: `make run` in another terminal starts one"
    attach.TMP = Machine.scratch()
    for number in ("30", "4", "5"):
        os.mkdir(f"{attach.TMP}/{number}")
        with open(f"{attach.TMP}/{number}/attach-{number}", "w", encoding="ascii"):
            pass
    locks = [scratch.locked(f"{attach.TMP}/{number}", fcntl.LOCK_EX | fcntl.LOCK_NB) for number in ("30", "4")]
    machines = attach.running()
    assert list(machines) == ["4", "30"], f"5 was killed: {machines}"
    assert refused(machines) == "parvis: 2 machines run in this tree:\n  make attach MACHINE=4\n  make attach MACHINE=30", refused(machines)
    assert refused(machines, "5") == "parvis: MACHINE=5: no such machine runs; there is 4, 30", refused(machines, "5")
    assert refused(machines, "30") == "30"
    for lock in locks:
        os.close(lock)
    assert not attach.running()


if __name__ == "__main__":
    run_tests(has_a_second_shell, tells_machines_apart)
