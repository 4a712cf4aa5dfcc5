#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs test programs, as many at a time as there are processors, and sums up.

    run.py [--timeout SECONDS] [--jobs N] COMMAND ... [then COMMAND ...] ...

Each COMMAND is one test; words inside are split as a shell would. They start in the order given; what stands behind `then` starts
when all before it has ended. Each has its line when it ends. Where more run than there are processors, what they wait for at most
(PARVIS_TIMEOUT_SCALE) is that much longer, unless the environment says another scale.

A test passes when it exits with 0; 77 means that it could not be tried here (skipped, with its last line as the
reason); anything else, and silence, is a failure. What a test prints goes to build/logs/NAME.log and is shown when it fails.
The last line is the summary: `N passed, N failed` (and `N skipped`).
"""
import argparse
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import time

LOGS = "build/logs"
SKIP = 77


def log_name(command):
    """A file name that tells which test it was."""
    words = [os.path.splitext(w)[0] for w in shlex.split(command) if w != "python3"]
    name = "_".join(words).replace("build/host/", "").replace("tests/", "")
    return re.sub(r"[^A-Za-z0-9_.=-]+", "-", name).strip("-")[:60]


def run_one(command, timeout):
    """Runs one test; returns (exit status, its output, how many seconds it took). When this program is ended, so is the test."""
    start = time.monotonic()
    try:
        done = subprocess.run(["setpriv", "--pdeathsig", "TERM", *shlex.split(command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout, check=False)
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        status, output = 124, (late.stdout or b"") + b"\ntest did not end in %d s\n" % timeout
    if status == 0 and not output.strip():
        status, output = 1, b"the test said nothing\n"
    return status, output, time.monotonic() - start


def groups(words):
    """The commands between the words `then`."""
    found = [[]]
    for word in words:
        if word == "then":
            found.append([])
        else:
            found[-1].append(word)
    return found


class Results:
    """What has passed, failed and been skipped so far."""

    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []

    def add(self, name, status, output, took):
        """Keeps what a test printed, and says how it ended."""
        with open(f"{LOGS}/{name}.log", "wb") as log:
            log.write(output)
        lines = output.decode(errors="replace").strip().splitlines()
        if status == 0:
            self.passed.append(name)
            print(f"pass  {name} ({took:.1f} s)", flush=True)
        elif status == SKIP:
            self.skipped.append(name)
            print(f"skip  {name}: {lines[-1] if lines else 'no reason given'}", flush=True)
        else:
            self.failed.append(name)
            print(f"FAIL  {name} (status {status}); {LOGS}/{name}.log ends:", flush=True)
            print("\n".join("    " + line for line in lines[-25:]), flush=True)

    def sum_up(self):
        for name in self.failed:
            print(f"failed: {name}")
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        print(f"{len(self.passed)} passed, {len(self.failed)} failed{skipped}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timeout", type=float, default=900)
    processors = len(os.sched_getaffinity(0))
    parser.add_argument("--jobs", type=int, default=processors)
    parser.add_argument("commands", nargs="*")
    options = parser.parse_args()
    os.makedirs(LOGS, exist_ok=True)
    os.environ.setdefault("PARVIS_TIMEOUT_SCALE", str(max(1, options.jobs / processors)))
    results = Results()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        try:
            for group in groups(options.commands):
                running = {pool.submit(run_one, command, options.timeout): command for command in group}
                for done in concurrent.futures.as_completed(running):
                    results.add(log_name(running[done]), *done.result())
        finally:    # interrupted: what runs has had the signal too, and nothing more is started
            pool.shutdown(wait=False, cancel_futures=True)
    results.sum_up()
    if not options.commands:
        print("there was nothing to run", file=sys.stderr)
    return 1 if results.failed or not options.commands else 0


sys.exit(main())
