#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds docs/from-xl-and-virsh.md against pvctl: each name of xl's and virsh's in the table is understood as the verb beside it, one that
has no verb, or is neither's, is answered with the line beside it, and each other name, and each such line, that pvctl knows stands there."""
import re
import subprocess
import sys

PAGE = "docs/from-xl-and-virsh.md"
PVCTL = "build/dom0-tools/pvctl"
problems = []


def understood(word):
    """The verb that pvctl takes this word for, None if it knows none."""
    run = subprocess.run([PVCTL, "help", word], capture_output=True, text=True, check=False)
    return run.stdout.split()[1] if run.returncode == 0 else None


def answered(word):
    """What pvctl says to a verb that there is not, None if it knows nothing of it."""
    run = subprocess.run([PVCTL, word.replace("*", "list")], capture_output=True, text=True, check=False)
    found = re.fullmatch(r"pvctl: there is no verb \S+ here: (.*)\n", run.stderr)
    return found and run.returncode == 2 and found.group(1)


def names(cell):
    return [word for word in re.split(r",\s*", cell.strip()) if word != "-"]


def cells_of(nr):
    """The lines of the page's table of so many columns, without its head."""
    with open(PAGE, encoding="utf-8") as page:
        lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in page if line.startswith("| ")]
    return [cells for cells in lines if len(cells) == nr][1:]


def rows():
    return [(*(names(cell) for cell in cells[:3]), cells[3]) for cells in cells_of(4)]


def main():
    seen, verbs, notes = set(), set(), {}
    for xl, virsh, ours, note in rows():
        verbs.update(ours)
        for whose, words in (("xl", xl), ("virsh", virsh)):
            for word in words:
                seen.add((whose, word))
                if not ours:
                    notes[whose, word] = note
                    if answered(word) != note:
                        problems.append(f"{whose} {word}: the page says {note}, pvctl {answered(word)}")
                elif understood(word) != ours[0]:
                    problems.append(f"{whose} {word}: the page says {ours}, pvctl understands {understood(word)}")
    for words, note in cells_of(2):
        for word in names(words):
            notes["neither", word] = note
            if answered(word) != note:
                problems.append(f"{word}: the page says {note}, pvctl {answered(word)}")
    with open("dom0-tools/pvctl/alias_rows.h", encoding="utf-8") as table:
        aliases = re.findall(r'^ALIAS\("(\w+)", +"([a-z0-9-]+)", +"([a-z-]+)"', table.read(), re.MULTILINE)
    for whose, word, verb in aliases:
        if (whose, word) not in seen:
            problems.append(f"{whose} {word}, which is {verb}, is not in {PAGE}")
    with open("dom0-tools/pvctl/hint_rows.h", encoding="utf-8") as table:
        hints = re.findall(r'^(?:HINT\("([^"]*)", "([^"]*)"|WORD\("([^"]+)"),\s*"(.*)"\)$', table.read(), re.MULTILINE)
    for xl, virsh, neither, text in hints:
        for whose, words in (("xl", xl), ("virsh", virsh), ("neither", neither)):
            problems.extend(f"{whose} {word} is not in {PAGE}, or otherwise" for word in words.split() if notes.get((whose, word)) != text)
    listed = subprocess.run([PVCTL, "help"], capture_output=True, text=True, check=True).stdout.split("Exit status:")[0]
    for verb in re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE):
        if verb not in verbs:
            problems.append(f"verb {verb} is not in {PAGE}")
    print("\n".join(problems))
    print(f"{len(seen)} names of xl's and virsh's, {len(aliases)} other names, {len(hints)} lines for what there is not, {len(verbs)} verbs, {len(problems)} problems")
    return 1 if problems or len(seen) < 20 or len(aliases) < 10 or len(hints) < 10 or len(verbs) < 20 else 0


sys.exit(main())
