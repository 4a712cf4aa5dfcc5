#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs test programs one after another and sums up.

    run.py [--timeout SECONDS] COMMAND ...     each COMMAND is one test; words inside are split as a shell would

A test passes when it exits with 0; 77 means that it could not be tried here (skipped, with its last line as the
reason); anything else, and silence, is a failure. What a test prints goes to build/logs/NAME.log and is shown when it fails.
The last line is the summary: `N passed, N failed` (and `N skipped`).
"""
import argparse
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
    """Runs one test; returns (exit status, its output)."""
    try:
        done = subprocess.run(shlex.split(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout, check=False)
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        status, output = 124, (late.stdout or b"") + b"\ntest did not end in %d s\n" % timeout
    except OSError as error:
        status, output = 127, f"{command}: {error.strerror}\n".encode()
    if status == 0 and not output.strip():
        status, output = 1, b"the test said nothing\n"
    return status, output


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timeout", type=float, default=900)
    parser.add_argument("commands", nargs="*")
    options = parser.parse_args()
    os.makedirs(LOGS, exist_ok=True)
    passed, failed, skipped = [], [], []
    for command in options.commands:
        name = log_name(command)
        start = time.time()
        status, output = run_one(command, options.timeout)
        with open(f"{LOGS}/{name}.log", "wb") as log:
            log.write(output)
        took = time.time() - start
        lines = output.decode(errors="replace").strip().splitlines()
        if status == 0:
            passed.append(name)
            print(f"pass  {name} ({took:.1f} s)", flush=True)
        elif status == SKIP:
            skipped.append(name)
            print(f"skip  {name}: {lines[-1] if lines else 'no reason given'}", flush=True)
        else:
            failed.append(name)
            print(f"FAIL  {name} (status {status}); {LOGS}/{name}.log ends:", flush=True)
            print("\n".join("    " + line for line in lines[-25:]), flush=True)
    for name in failed:
        print(f"failed: {name}")
    print(f"{len(passed)} passed, {len(failed)} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    if not options.commands:
        print("there was nothing to run", file=sys.stderr)
    return 1 if failed or not options.commands else 0


sys.exit(main())
