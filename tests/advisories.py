#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds docs/advisories.md against the tests.

A row is `| numbers | what went wrong | what answers it |`. No number stands in two rows; the answer says tested,
impossible or open; what is tested names a test, and every test that is named exists: `PROGRAM: name, name` is a
program of `make unit` (tests/unit/PROGRAM.c) and cmocka functions in it, `tests/guest/NAME: name, name` a guest
test and functions of its main.c. A fuzzer's target (`make fuzz-NAME`) must be in a tests/fuzz/*.mk.
"""
import glob
import re
import sys

PAGE = "docs/advisories.md"
LIST = r"(\w+(?:, \w+(?![\w/]*:))*)"
UNIT = re.compile(r"(?<![\w/])((?:pv|core|hvm|loader|x86)_\w+): " + LIST)
GUEST = re.compile(r"(tests/guest/\w+): " + LIST)
problems = []


def complain(line, text):
    problems.append(f"{PAGE}:{line}: {text}")


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return None


def check_names(line, where, path, names, pattern):
    """How many of the names are there."""
    text = read(path)
    if text is None:
        complain(line, f"{where}: there is no {path}")
        return 0
    for name in names:
        if not re.search(pattern % re.escape(name), text, re.M):
            complain(line, f"{where} has no test {name}")
    return len(names)


def check_answer(line, answer):
    named = 0
    for where, names in UNIT.findall(answer):
        named += check_names(line, where, f"tests/unit/{where}.c", names.split(", "), r"^static void %s\(void \*\*")
    for where, names in GUEST.findall(answer):
        named += check_names(line, where, f"{where}/main.c", names.split(", "), r"^static void %s\(void\)")
    kinds = re.findall(r"\b(tested|impossible|open)\b", answer, re.I)
    if not kinds:
        complain(line, "says neither tested, nor impossible, nor open")
    if answer.startswith("tested") and not named:
        complain(line, "is said to be tested, but names no test")


def main():
    fuzzers = "".join(read(path) for path in glob.glob("tests/fuzz/*.mk"))
    seen = {}
    for line, text in enumerate(read(PAGE).splitlines(), 1):
        for target in re.findall(r"make (fuzz-[\w-]+)", text):
            if not re.search(rf"^{target}:", fuzzers, re.M):
                complain(line, f"there is no target {target}")
        row = re.match(r"\| (\d[\d, ]*) \|[^|]+\| ([^|]+) \|$", text)
        if not row:
            if text.startswith("|") and not re.match(r"\| XSA \||\|-", text):
                complain(line, "is no row of numbers, cause, answer")
            continue
        for number in row.group(1).split(", "):
            if number in seen:
                complain(line, f"{number} stands in line {seen[number]} already")
            seen[number] = line
        check_answer(line, row.group(2))
    for problem in problems:
        print(problem)
    print(f"{len(seen)} advisories, {len(problems)} problems")
    return 1 if problems or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
