#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The harness itself, without a machine: what a program leaves behind whose tests fail, or that is ended; what is read of a terminal; and
what QEMU is asked for."""
import os
import re
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from unittest import mock

import held_input
import run as runner
from machine import BUILD, ROOT, SCALE, Machine, json_in, run_tests

# In the place of QEMU a shell; nobody closes it, for the test that would have done so does not come to its end.
ENDS_EARLY = """
import os, signal
{before}
from machine import Machine, run_tests
scratch = Machine.scratch()
machine = Machine("harness", ["sh", "-c", "echo said; exec sleep 1000"])
def ends():
    machine.expect("^said$")
    print(f"{{scratch}} {{machine.directory}} {{machine.process.pid}}", flush=True)
    {end}
run_tests(ends)
"""


def ended_early(end, before=""):
    """(what has ended, its two directories, the process of its machine)."""
    done = subprocess.run([sys.executable, "-c", ENDS_EARLY.format(end=end, before=before)], stdin=subprocess.DEVNULL,
                          env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.abspath(__file__))},
                          capture_output=True, text=True, timeout=60 * SCALE, check=False)
    scratch, directory, pid = re.search(r"^(\S+) (\S+) (\d+)$", done.stdout, re.MULTILINE).groups()
    return done, (scratch, directory), int(pid)


def is_there(pid):
    """It has not ended; one that nobody has waited for has."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends(pid):
    patience = time.monotonic() + 20 * SCALE
    while is_there(pid):
        assert time.monotonic() < patience, f"process {pid} is left"
        time.sleep(0.01)


def leaves_nothing_behind():
    """A program whose test fails, or that a signal ends, leaves neither its machine nor its files; what the machine said stays in build/logs."""
    done, directories, pid = ended_early("raise AssertionError('on purpose')")
    assert done.returncode == 1 and "AssertionError: on purpose" in done.stdout, done
    assert not is_there(pid) and not any(map(os.path.exists, directories)), done
    with open(os.path.join(BUILD, "logs/harness.serial"), encoding="ascii") as log:
        assert log.read().endswith("\nsaid\n")
    for number in ("SIGINT", "SIGTERM", "SIGHUP"):
        done, directories, pid = ended_early(f"os.kill(os.getpid(), signal.{number})", f"signal.signal(signal.{number}, signal.SIG_DFL)")
        assert done.returncode == 128 + signal.Signals[number] and not done.stderr, done
        assert not is_there(pid) and not any(map(os.path.exists, directories)), done


def takes_its_machine_along():
    """A program that is killed (SIGKILL) leaves no machine, and its files until the next one makes some; those of programs that run stay."""
    mine = Machine.scratch()
    done, directories, pid = ended_early("os.kill(os.getpid(), signal.SIGKILL)")
    assert done.returncode == -signal.SIGKILL, done
    ends(pid)
    ended_early("pass")
    assert not any(map(os.path.exists, directories)), directories
    assert os.path.isdir(mine)


def takes_its_tests_along():
    """What runs many tests, and is ended, leaves none of them running; one that is not there is a failure."""
    runner_of_tests = [sys.executable, "tests/run.py"]
    told = os.path.abspath(os.path.join(Machine.scratch(), "pid"))
    os.mkfifo(told)
    with subprocess.Popen([*runner_of_tests, f"sh -c 'echo $$ >$0; exec sleep 1000' {told}"], cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        with open(told, encoding="ascii") as pid:
            pid = int(pid.read())
        process.terminate()
        assert process.wait() == -signal.SIGTERM
    ends(pid)
    done = subprocess.run([*runner_of_tests, "/nonexistent"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "FAIL  nonexistent (status 127)" in done.stdout and "No such file" in done.stdout, done


def json_and_nothing_else():
    """What is told in JSON is read among lines of the kernel's and the hypervisor's, with brackets of their own; nothing else may stand there."""
    kernel, hypervisor = "[    2.104711] eth0: {up}\n", "(parvis) [   3.400001] d1v0: [refused]\n"
    for told, wanted in (('[\n  {\n    "id": 0\n  }\n]\n', [{"id": 0}]), ('{\n  "cpus": 2\n}\n', {"cpus": 2}), ("[]\n", [])):
        for place in range(len(told) + 1):
            assert json_in(told[:place] + kernel + hypervisor + told[place:]) == wanted, (told, place)
        for more in ("[]\n", "]\n", "pvctl: web: no such domain\n", "[1]+  Done   sleep 1\n"):
            for text in (told + more, more + told):
                try:
                    said = json_in(text)
                except AssertionError:
                    continue
                raise AssertionError(f"{text} was read as {said}")


def instructions_are_counted_where_asked():
    """`make run` asks of QEMU nothing that keeps it from counting instructions (-icount)."""
    for smp, accel in (("1", "tcg"), ("1000", "tcg,thread=single")):
        os.environ["SMP"] = smp
        assert runner.processors() == (smp, accel), runner.processors()
        done = subprocess.run(["qemu-system-x86_64", "-M", "none", "-accel", accel, "-icount", "shift=0", "-display", "none",
                               "-monitor", "stdio"], input="quit\n", capture_output=True, text=True, timeout=60 * SCALE, check=False)
        assert done.returncode == 0, done.stderr
    del os.environ["SMP"]


def cpus_of_make_run():
    """`make run` has as many CPUs as this host, at most 4, and a guest alone one; more than the host's take turns in one thread."""
    for host, settings, wanted in ((1, {}, ("1", "tcg")), (3, {}, ("3", "tcg")), (64, {}, ("4", "tcg")), (64, {"GUEST": "x"}, ("1", "tcg")),
                                   (2, {"SMP": "2,sockets=2"}, ("2,sockets=2", "tcg")), (8, {"SMP": "8"}, ("8", "tcg")),
                                   (2, {"SMP": "cpus=3"}, ("cpus=3", "tcg,thread=single")), (2, {"SMP": "8", "ACCEL": "kvm"}, ("8", "kvm"))):
        with mock.patch.dict(os.environ, settings, clear=True), mock.patch.object(os, "sched_getaffinity", lambda _, n=host: range(n)):
            assert runner.processors() == wanted, (host, settings, runner.processors())


def memory_of_make_run():
    """MEM of `make run` is what QEMU takes: MB, or with a suffix, and more of -m's words behind a comma."""
    for settings, wanted in (({}, "2048"), ({"GUEST": "x"}, "256"), ({"GUEST": "x", "MEM": "4"}, "4"), ({"MEM": "256"}, "256"), ({"MEM": "0.5G"}, "0.5G"),
                             ({"MEM": "size=262144k,slots=1,maxmem=1G"}, "size=262144k,slots=1,maxmem=1G")):
        with mock.patch.dict(os.environ, settings, clear=True):
            assert runner.memory() == wanted, (settings, runner.memory())


def input_waits_in_little_memory():
    """Input waits for the hypervisor's first words, however they come and whatever the firmware says before: of that next to nothing is kept."""
    noise, words = b"no boot device\r\n" * 4096, [b"what follows is on", b" the serial port com1, not here\r", b"\n\r\n", b"(parvis)"]
    for said, begins in (([noise] * 100 + words[:3] + [b""], False), ([noise] * 100 + words + [noise, b""], True)):
        begun = threading.Event()
        with mock.patch.object(held_input, "copy", lambda line: line.set()), mock.patch.object(os, "read", side_effect=said):
            tracemalloc.start()
            held_input.follow(0, begun, held_input.BEHIND_FIRMWARE)
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert begun.wait(20 * SCALE if begins else 0) == begins, said[-3:]
        assert most < 10 * len(noise), most


def lines_are_read_to_their_end():
    """What has come of a line is not the line; a prompt, which has no end, is seen all the same, and so is what is said last."""
    machine = Machine("harness", ["sh", "-c", "printf '9.51 9.5'; sleep .5; printf '7\\nprompt# '; read a; echo whole; sleep .5; printf 'the end'"])
    assert machine.expect(r"^(\S+) (\S+)$").group(2) == "9.57"
    machine.expect("^prompt# ")
    machine.send("")
    machine.expect("^none$|whole\n")
    machine.expect("the end$")


def image_needs_its_guests_alone():
    """The image is made anew for a guest that it carries, and not for another, which may be half written."""
    for guest, needed in (("hello", True), ("tutorial", False)):
        source = f"pvguest/apps/{guest}/main.c"
        done = subprocess.run(["make", "-n", "COUNTING=1", "-W", source, "image"], cwd=ROOT, capture_output=True, text=True, check=False,
                              env={key: value for key, value in os.environ.items() if not key.startswith("MAKE")})
        assert done.returncode == 0 and (source in done.stdout) == needed, (guest, done)


if __name__ == "__main__":
    run_tests(leaves_nothing_behind, takes_its_machine_along, takes_its_tests_along, json_and_nothing_else,
              instructions_are_counted_where_asked, cpus_of_make_run, memory_of_make_run, input_waits_in_little_memory,
              lines_are_read_to_their_end, image_needs_its_guests_alone)
