#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds pvctl(1), pvctl-VERB(1), parvisd(8), calibrate(1) and parvis.cfg(5) against the programs: verbs, options, arguments, exit codes, defaults, words.

The programs tell by `help` and `--help`, which are printed from the tables that they work by.
"""
import os
import re
import subprocess
import sys

problems = []


def complain(text):
    problems.append(text)


def roff(text):
    """A line or paragraph of a manual page as plain text."""
    text = re.sub(r"\\f[A-Z]", "", text)
    return text.replace("\\-", "-").replace("\\(aq", "'")


def said_by(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def said_in(path):
    with open(path, encoding="utf-8") as source:
        return source.read()


def manual_verbs(page):
    """{verb: words of its synopsis} from the .TP items of the description."""
    verbs = {}
    for macro, line in re.findall(r"^\.TP\n\.(BR|BI) (.*)$", page.split(".SH JSON")[0], re.MULTILINE):
        words = roff(line).replace('"', " ").replace("[", " [ ").replace("]", " ] ").split()
        verbs[words[0]] = words[1:]
    return verbs


def help_verbs(pvctl):
    """The same, from the first line of `pvctl help VERB`; and what the verb's help says beside it."""
    verbs = {}
    for name in re.findall(r"^  ([a-z-]+) ", said_by(pvctl, "help").split("Exit status:")[0], re.MULTILINE):
        first = said_by(pvctl, "help", name).splitlines()[0]
        words = first.replace("[", " [ ").replace("]", " ] ").split()
        verbs[name] = words[2:]
    return verbs


def manual_exit_codes(page):
    part = re.search(r'^\.SH "EXIT STATUS"\n(.*?)^\.SH ', page, re.MULTILINE | re.DOTALL).group(1)
    found = re.findall(r"^\.TP\n\.B (\d)\n((?:[^.\n].*\n)+)", part, re.MULTILINE)
    return {int(code): " ".join(roff(text).split()) for code, text in found}


def help_exit_codes(pvctl):
    part = said_by(pvctl, "help").split("Exit status:")[1]
    return {int(code): text for code, text in re.findall(r"^  (\d)  (.*)$", part, re.MULTILINE)}


def examples(pvctl, verb):
    said = said_by(pvctl, "help", verb).split("\nExamples:\n")
    return re.findall(r"^    (.*)$", said[1], re.MULTILINE) if len(said) == 2 else []


def check_examples(pvctl, page, verbs):
    """Each verb has examples, and the manual has the same."""
    for verb in verbs:
        have = examples(pvctl, verb)
        if not have:
            complain(f"verb {verb} has no example")
        for line in have:
            if f"\n{line}\n" not in page:
                complain(f"verb {verb}: the manual lacks the example {line}")


def compare(what, manual, program):
    for name in sorted(set(manual) | set(program), key=str):
        if name not in manual:
            complain(f"{what} {name} is not in the manual")
        elif name not in program:
            complain(f"{what} {name} is in the manual only")
        elif manual[name] != program[name]:
            complain(f"{what} {name}: the manual says {manual[name]}, the program {program[name]}")


def check_pvctl(pvctl):
    page = said_in("docs/man/pvctl.1")
    verbs = help_verbs(pvctl)
    compare("verb", manual_verbs(page), verbs)
    check_examples(pvctl, roff(page), verbs)
    codes = help_exit_codes(pvctl)
    compare("exit status", manual_exit_codes(page), codes)
    default = re.search(r"default (\d+)", said_by(pvctl, "help", "shutdown")).group(1)
    if f"(default {default}," not in page:
        complain(f"the default of --timeout, {default}, is not what the manual says")
    return len(verbs), len(codes)


SECTIONS = ("NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "EXIT STATUS", "SEE ALSO")


def check_verb_page(pvctl, folder, verb, words):
    """The page of a verb, which is made from the two that check_pvctl() compares: nothing of it was lost on the way."""
    page = said_in(f"{folder}/pvctl-{verb}.1")
    have = dict(re.findall(r'^\.SH "?([A-Z ]+)"?\n(.*?)(?=^\.SH |\Z)', page, re.MULTILINE | re.DOTALL))
    for name in SECTIONS:
        if not have.get(name, "").strip():
            complain(f"pvctl-{verb}(1) has no {name}")
    said = said_by(pvctl, "help", verb).splitlines()
    if roff(have["NAME"]).strip() != f"pvctl-{verb} - {said[1].strip()}":
        complain(f"pvctl-{verb}(1) is called {have['NAME'].strip()}")
    synopsis = have["SYNOPSIS"].splitlines()[-1].split(" ", 1)[1]
    if roff(synopsis).replace('"', " ").replace("[", " [ ").replace("]", " ] ").split() != [verb, *words]:
        complain(f"pvctl-{verb}(1), synopsis: {synopsis}")
    if roff(have["EXAMPLES"]).splitlines()[1:-1] != examples(pvctl, verb):
        complain(f"pvctl-{verb}(1) has other examples than `pvctl help {verb}`")
    options = re.findall(r'^\.BR "(?:-\w, )?--([a-z-]+)"', roff(have.get("OPTIONS", "")), re.MULTILINE)
    known = [word.removeprefix("--") for word in re.findall(r"\[(--[a-z-]+)", said[0])]
    if options != known:
        complain(f"pvctl-{verb}(1) explains {options}; the verb has {known}")
    if ("--json" in said[0]) != ("JSON" in have):
        complain(f"pvctl-{verb}(1): what it prints with --json")


def check_verb_pages(pvctl, folder):
    verbs = help_verbs(pvctl)
    pages = sorted(name for name in os.listdir(folder) if name != ".made")
    compare("page", dict.fromkeys(pages), dict.fromkeys(f"pvctl-{verb}.1" for verb in verbs))
    for verb, words in verbs.items():
        if f"pvctl-{verb}.1" in pages:
            check_verb_page(pvctl, folder, verb, words)
    for path in [f"{folder}/{name}" for name in pages] + [f"docs/man/{name}" for name in sorted(os.listdir("docs/man"))]:
        lint = subprocess.run(["build/debian/usr/bin/mandoc", "-Tlint", "-Wwarning", path], check=False, capture_output=True, text=True)
        warnings = [line for line in lint.stdout.splitlines() if "missing date" not in line]  # ours have none
        if warnings or lint.stderr:
            complain(f"{path}: mandoc warns: {(warnings + [lint.stderr])[0]}")


def check_parvisd(parvisd):
    page = roff(said_in("docs/man/parvisd.8"))
    options = set(re.findall(r"--[a-z]+", page.split(".SH DESCRIPTION")[0]))
    explained = set(re.findall(r"^\.BI? (--[a-z]+)", page.split(".SH OPTIONS")[1], re.MULTILINE))
    known = set(re.findall(r"--[a-z]+", said_by(parvisd, "--help"))) - {"--help", "--version"}
    for name, have in (("synopsis", options), ("options", explained)):
        if have != known:
            complain(f"parvisd(8), {name}: {sorted(have)}; the program has {sorted(known)}")


def check_calibrate():
    """The page has the file's name that the program has, and the options of who reads it; README names each page."""
    page = roff(said_in("docs/man/calibrate.1"))
    default = re.search(r"\$\{1:-(\S+)\}$", said_in("dom0-tools/dom0/root/usr/bin/calibrate"), re.MULTILINE).group(1)
    if default not in page:
        complain(f"calibrate(1) does not name {default}")
    options = set(re.findall(r"--[a-z]+", said_by("tests/bench/calibrate/constants_of.py", "--help"))) - {"--help"}
    for name, have in (("synopsis", page.split(".SH DESCRIPTION")[0]), ("options", page.split(".SH OPTIONS")[1])):
        if set(re.findall(r"--[a-z]+", have)) != options:
            complain(f"calibrate(1), {name}: constants_of.py has {sorted(options)}")
    readme = said_in("README.md")
    for name in sorted(os.listdir("docs/man")):
        if f"`{name.rsplit('.', 1)[0]}`" not in readme:
            complain(f"README.md does not name docs/man/{name}")


def check_spec_ctrl():
    """parvis.cfg(5) explains each measure that spec-ctrl takes, and no other."""
    table = re.search(r"define SPEC_MEASURES\(X\)(.*?)\n\n", said_in("include/parvis/speculation.h"), re.DOTALL).group(1)
    known = re.findall(r'X\(\w+, +"([a-z0-9-]+)"\)', table)
    page = roff(said_in("docs/man/parvis.cfg.5")).split("\n.B spec-ctrl\n")[1].split("\n.IP\n")[1]
    lists = re.findall(r"(?:^|\. |\)\. |\.\n|\)\.\n)((?:[a-z0-9-]+, )*[a-z0-9-]+):\s", page)
    explained = [word for words in lists for word in words.split(", ")]
    compare("spec-ctrl's", dict.fromkeys(explained), dict.fromkeys(known))
    return len(known)


def main():
    verbs, codes = check_pvctl("build/dom0-tools/pvctl")
    check_verb_pages("build/dom0-tools/pvctl", "build/dom0-tools/man")
    check_parvisd("build/dom0-tools/parvisd")
    check_calibrate()
    measures = check_spec_ctrl()
    print("\n".join(problems))
    print(f"{verbs} verbs, {codes} exit codes, {measures} measures, {len(problems)} problems")
    return 1 if problems or verbs < 10 or codes < 5 or measures < 10 else 0


sys.exit(main())
