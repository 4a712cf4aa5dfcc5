# SPDX-License-Identifier: MIT
"""Programs side by side, each with a line of JSON to answer: as many at once as there are CPUs and memory for.

A machine without a hypervisor of the host's own is one busy thread of QEMU, and its time is counted in instructions: who else has a CPU
meanwhile makes no difference to a figure, but half the time of waiting. None of the programs outlives this one, however it ends: each gets
SIGTERM then, so that it can tidy up.
"""
import contextlib
import json
import os
import signal
import subprocess
import sys
from multiprocessing.connection import wait

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../system")]
from machine import start  # noqa: E402 (the harness lives with the system tests)


def slots(each):
    """How many at once, where each needs so many MB: at least one, which may then say what it lacks."""
    with open("/proc/meminfo", encoding="ascii") as file:
        available = next(int(line.split()[1]) // 1024 for line in file if line.startswith("MemAvailable:"))
    return max(1, min(len(os.sched_getaffinity(0)), available // each))


def answer(process):
    """What a program that has ended said. One that was asked to end by a signal ends this one, too; else its end is why it has nothing to say."""
    said, status = process.stdout.read(), process.wait()
    if status > 128:
        sys.exit(status)
    try:
        return json.loads(said)
    except ValueError:
        return {"why": f"it was killed, by signal {-status}" if status < 0 else f"it ended with {status}, and said why above"}


@contextlib.contextmanager
def ended(running):
    """At the end, whatever that is, none of them is left."""
    try:
        yield
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.communicate()


def answers(commands, most, may_begin):
    """Yields (key, answer) of {key: command}, as they come; each is begun in its turn, when one of `most` is free and while may_begin(key)."""
    waiting, running = list(commands), {}
    with ended(running):
        while waiting or running:
            while waiting and len(running) < most and may_begin(waiting[0]):
                key = waiting.pop(0)
                running[key] = start(commands[key], signal.SIGTERM, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            if not running:
                return
            for pipe in wait([process.stdout for process in running.values()]):
                key = next(key for key, process in running.items() if process.stdout is pipe)
                found = answer(running[key])
                running.pop(key).stdout.close()
                yield key, found
