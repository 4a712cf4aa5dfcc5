#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that a round of torture can be made again by its seed, and that arguments which make no sense are refused.

    replay.py PROGRAM

On one CPU the threads cannot meet, so there one seed is one round, to the step; and another seed another round.
"""
import re
import subprocess
import sys

SEED = 4711
WRONG = ("events 0", "events -1 7", "events x", "events 1x", "events 1.5", "events 0 7y", "events 0 -7", "events 0 7 0", "events 0 7 17",
         "events 0 7 1 1", "nothing 0 7", "events 99999999999999999999")
failures = 0


def torture(program, words):
    done = subprocess.run([program, *words.split()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def expect(what, is_so, text):
    global failures
    failures += not is_so
    print(f"{'ok' if is_so else 'FAILED'}: {what}" + ("" if is_so else f"; it said:\n{text}"))


def one_round(program, scenario, seed):
    """What one round did: operations and steps."""
    status, text = torture(program, f"{scenario} 0 {seed} 1")
    expect(f"{scenario}, seed {seed}: this round alone", status == 0 and text.startswith(f"{scenario}: seed {seed}, 1 CPUs\n")
           and text.count("\n") == 2 and ": 1 rounds, " in text, text)
    return re.findall(r"(\d+) (?:operations|steps)", text)


def main():
    program, = sys.argv[1:]
    status, text = torture(program, "")
    scenarios = re.findall(r"^  (\w+) ", text, re.MULTILINE)
    expect("without arguments it says what it can do", status == 2 and scenarios, text)
    for scenario in scenarios:
        first = one_round(program, scenario, SEED)
        again, another = one_round(program, scenario, SEED), one_round(program, scenario, SEED + 1)
        expect(f"{scenario}: one seed is one round", first and first == again != another, f"{first} {again} {another}")
    for words in WRONG:
        status, text = torture(program, words)
        expect(f"refuses: {words}", status == 2 and text.startswith("usage: "), text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
