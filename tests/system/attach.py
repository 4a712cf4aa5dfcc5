#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make attach`: a second shell, on the second serial line of a machine that `make run` has started in this tree.

    MACHINE=NUMBER      which one, where several run; they are listed where none is named

^] leaves; the shell stays, and another `make attach` goes on with it. Without a terminal it copies from standard input until that has
ended and the line is quiet. Who starts a machine makes its line by line_args(): a socket in its directory, which is locked as long as the
machine runs (scratch.py), named for its process; who is attached holds a lock beside it.
"""
import contextlib
import fcntl
import glob
import os
import select
import signal
import socket
import sys
import termios
import tty

import machine
import scratch

TMP = os.path.join(machine.BUILD, "tmp")
LEAVE = b"\x1d"     # ^]
QUIET_SECONDS = 2   # without a terminal: so long nothing has come since its input ended


def line_args(directory):
    """QEMU's second serial line, for the machine that this process starts with this directory."""
    return ["-chardev", f"socket,id=attach,path={directory}/attach-{os.getpid()},server=on,wait=off", "-serial", "chardev:attach"]


def runs(directory):
    """Is the machine of this directory there still? Who was killed has left it unlocked."""
    try:
        lock = scratch.locked(directory, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    if lock is not None:
        os.close(lock)
    return lock is None


def running():
    """{number: socket} of the machines that run in this tree."""
    found = {path.rsplit("-", 1)[1]: path for path in sorted(glob.glob(f"{glob.escape(TMP)}/*/attach-*")) if runs(os.path.dirname(path))}
    return dict(sorted(found.items(), key=lambda item: int(item[0])))


def about(number):
    """What it was started with, as far as that can be seen."""
    with contextlib.suppress(OSError), open(f"/proc/{number}/environ", "rb") as file:
        words = file.read().decode(errors="replace").split("\0")
        return " ".join(word for word in words if word.split("=")[0] in ("SMP", "MEM", "FIRMWARE", "TOOLSTACK", "CPU") and not word.endswith("="))
    return ""


def choose(numbers):
    """The number of the machine that is meant; ends the program where none is."""
    wanted = os.environ.get("MACHINE", "")
    if not numbers:
        sys.exit("parvis: no machine runs in this tree: `make run` in another terminal starts one")
    if wanted:
        if wanted not in numbers:
            sys.exit(f"parvis: MACHINE={wanted}: no such machine runs; there is {', '.join(numbers)}")
        return wanted
    if len(numbers) > 1:
        lines = "".join(f"\n  make attach MACHINE={number}    {about(number)}".rstrip() for number in numbers)
        sys.exit(f"parvis: {len(numbers)} machines run in this tree:{lines}")
    return next(iter(numbers))


def hold(number, path):
    """The lock of who is attached, until this program ends: the line takes one at a time, others would wait."""
    lock = os.open(os.path.join(os.path.dirname(path), f"attached-{number}"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"parvis: another `make attach` has the second line of machine {number}; ^] there leaves it")


@contextlib.contextmanager
def terminal_as_it_is():
    """What is typed goes on as it is; afterwards the terminal is as before, whatever ends this program."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, machine.end_in_order)
    try:
        tty.setraw(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def copy(line):
    """Both ways, until one end has had enough; why it ended."""
    typed, at_terminal = True, os.isatty(0)
    while True:
        ready = select.select([line] + ([0] if typed else []), [], [], None if typed else QUIET_SECONDS)[0]
        if not ready:
            return "left"
        if line in ready:
            data = line.recv(65536)
            if not data:
                return "the machine has ended"
            while data:
                data = data[os.write(1, data):]
        if 0 in ready:
            data = os.read(0, 4096)
            typed = bool(data)
            if not typed and at_terminal:
                return "left"
            before, leave, _ = data.partition(LEAVE) if at_terminal else (data, b"", b"")
            line.sendall(before)
            if leave:
                return "left"


def main():
    if sys.argv[1:]:
        print(__doc__.strip())
        return 0 if sys.argv[1] in ("-h", "--help") else 2
    machines = running()
    number = choose(machines)
    hold(number, machines[number])
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(machines[number])
    except (ConnectionRefusedError, FileNotFoundError):
        sys.exit(f"parvis: machine {number} has just ended")
    if os.isatty(0):
        print(f"parvis: the second shell of machine {number}; ^] leaves it", file=sys.stderr)
    with terminal_as_it_is():
        line.sendall(b"\r")     # the shell, or a prompt of it
        try:
            why = copy(line)
        except (BrokenPipeError, ConnectionResetError):
            why = "the machine has ended"
    print(f"\nparvis: machine {number}: {why}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
