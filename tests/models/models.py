#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the models of what CPUs do to each other with spin, exhaustively within their bounds.

    models.py [--long] [--jobs N] [--trail] [NAME ...]

A design must have no error; a mutant, which puts a known fault back, must have one. Anything else, a search that came to no end too,
is a failure. Without --long, those alone that take seconds. NAME: a model, a mutant, or a part of a run's name. --trail: of what
fails, the steps to the error, in build/models/. The table of states is build/models/states.txt too. docs/models.md says what each
model shows, and what it leaves out.
"""
import argparse
import collections
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from runs import RUNS

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = "build/models"
PAN = ["-w", "-DSAFETY", "-DVECTORSZ=2048", "-DMEMLIM=9000", "-o", "pan", "pan.c"]
# What has few states is through before a compiler would have made it fast, or small: clang is the one that is soon ready.
QUICK, LONG = ["clang", "-O0"], ["gcc", "-O2", "-DCOLLAPSE"]
Result = collections.namedtuple("Result", "run ending states seconds")


def complete(what, command, folder):
    """Runs a step of the tool chain; what it prints belongs to a failure."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        sys.exit(f"models: {what}: {' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def ending(output):
    """(how the search ended, states): `no error`, what error there is, or why it is unfinished."""
    states = re.search(r"(\d+) states, stored", output)
    found = re.search(r"^pan:1: (.*?)( \(at depth \d+\))?$", output, re.M)
    if re.search(r"too small|reached MEMLIM|out of memory|aborting", output) or not states or "errors: " not in output:
        return "unfinished: " + (output.strip().splitlines() or ["said nothing"])[-1], 0
    if "errors: 0" in output:
        return "no error", int(states[1])
    return "waits for ever" if "invalid end state" in found[1] else found[1], int(states[1])


def check(run, trail):
    """Makes the checker of one run and runs it."""
    start = time.monotonic()
    flags = [f"-D{flag}" for flag in run.flags.split()]
    model = os.path.join(HERE, run.model + ".pml")
    with tempfile.TemporaryDirectory(prefix="model.", dir=OUT) as folder:
        complete(run.name, ["spin", "-a", *flags, model], folder)
        complete(run.name, [*(LONG if run.long else QUICK), *PAN], folder)
        room = ["-m2000000", "-w26"] if run.long else ["-m100000", "-w20"]     # for the steps of the way there, and for the table
        searched = subprocess.run(["./pan", *room], cwd=folder, capture_output=True, text=True, errors="replace", check=False)
        end, states = ending(searched.stdout + searched.stderr)
        if trail and os.path.exists(os.path.join(folder, run.model + ".pml.trail")):
            steps = complete(run.name, ["spin", "-p", "-g", "-k", run.model + ".pml.trail", *flags, model], folder)
            with open(os.path.join(OUT, f"{run.model}.{run.name.split(':')[0]}.trail".replace(" ", "_").replace(",", "")), "w",
                      encoding="utf-8") as file:
                file.write(steps)
    return Result(run, end, states, time.monotonic() - start)


def as_wanted(result):
    """A mutant is found by its own error: another one would hide that it is not found any more."""
    if result.ending.startswith("unfinished"):
        return False
    return result.ending == "no error" if not result.run.mutant else result.run.error in result.ending


def wanted(run, options):
    if run.long and not options.long:
        return False
    return not options.names or any(name == run.model or name == run.mutant or name in run.name for name in options.names)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--trail", action="store_true")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    for program in ("spin", "clang", "gcc"):
        if not shutil.which(program):
            sys.exit(f"models: {program} is not installed (make deps)")
    runs = [run for run in RUNS if wanted(run, options)]
    if not runs:
        sys.exit("models: there is no such model or mutant")
    os.makedirs(OUT, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda run: check(run, options.trail), runs))
    lines = [f"{'':4}  {'model':10}  {'states':>10}  {'s':>6}  what: how it ended"]
    for result in results:
        run, verdict = result.run, "ok" if as_wanted(result) else "FAIL"
        lines.append(f"{verdict:4}  {run.model:10}  {result.states:10,}  {result.seconds:6.1f}  {run.name}: {result.ending[:100]}")
    bad = sum(not as_wanted(result) for result in results)
    mutants = sum(bool(run.mutant) for run in runs)
    lines.append(f"{len(runs) - mutants} designs, {mutants} mutants, {sum(r.states for r in results):,} states, {bad} not as they should be")
    print("\n".join(lines))
    with open(os.path.join(OUT, "states.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
