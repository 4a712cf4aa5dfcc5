#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds docs/man/parvis-domain.5 against the schema that decides.

The page has an entry for each element, or for an element with all that is in it. Whatever the schema knows stands in the
entry that is nearest: the name of each element and attribute, and each value that is enumerated. Whatever an entry is headed
by is in the schema. And the limits that the program keeps beside the schema (config.h) are on the page.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

PAGE = "docs/man/parvis-domain.5"
SCHEMA = "dom0-tools/schema/domain.rng"
CONFIG = "dom0-tools/lib/config.h"
RNG = "{http://relaxng.org/ns/structure/1.0}"
problems = []


def complain(text):
    problems.append(f"{PAGE}: {text}")


def walk(grammar, pattern, path, known):
    """Fills known[path] with (kind, word) of what may stand in the element at that path."""
    for p in pattern:
        kind = p.tag.removeprefix(RNG)
        if kind == "element":
            inner = f"{path}/{p.get('name')}".removeprefix("/")
            known.setdefault(path, []).append(("element", p.get("name")))
            known.setdefault(inner, [])
            walk(grammar, p, inner, known)
        elif kind == "ref":
            walk(grammar, grammar[p.get("name")], path, known)
        else:
            if kind in ("attribute", "value"):
                known[path].append((kind, p.get("name") if kind == "attribute" else p.text))
            walk(grammar, p, path, known)


def read_schema():
    root = ElementTree.parse(SCHEMA).getroot()
    grammar = {d.get("name"): d for d in root.iter(RNG + "define")}
    known = {}
    walk(grammar, root.find(RNG + "start"), "", known)
    return {path.removeprefix("domain").removeprefix("/") or "domain": words for path, words in known.items() if path}


def read_page():
    """Path of an element -> the text of its entry; several paths may share one."""
    with open(PAGE, encoding="utf-8") as file:
        body = file.read().split('.SH ELEMENTS\n')[1].split("\n.SH ")[0]
    entries = {}
    for entry in body.split(".TP\n")[1:]:
        head, _, text = entry.partition("\n")
        # macros that change the font are no words; '\-' is a dash
        text = re.sub(r"(?m)^\.(B|BR|RB|I)\b", "", text).replace('"', "").replace("\\-", "-").replace(" '", "'")
        head = re.sub(r"^\.(B|BR|RB)\b|[\",]", " ", head)
        for path in head.split():
            entries[path] = head + "\n" + text
    return entries


def entry_of(path, entries):
    while path and path not in entries:
        path = path.rpartition("/")[0]
    return path


def check(known, entries):
    for path in entries:
        if path not in known:
            complain(f"the entry {path} is about nothing that the schema knows")
    for path, words in known.items():
        for kind, word in words:
            inner = word if path == "domain" else f"{path}/{word}"
            own = kind == "element" and inner in entries
            split = kind == "element" and any(e.startswith(inner + "/") for e in entries)
            nearest = entry_of(path, entries)
            if own or split:
                continue
            if not nearest or not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", entries[nearest]):
                complain(f"<{path}>: the {kind} {word} is missing")


def check_limits(text):
    with open(CONFIG, encoding="utf-8") as file:
        for name, number in re.findall(r"#define (CONFIG_MAX_(?:VCPUS|DISKS|NICS|CMDLINE))\s+(\d+)u", file.read()):
            if not re.search(rf"\b{number}\b", text):
                complain(f"{name} is {number}: not said")


known, entries = read_schema(), read_page()
if len(known) < 20 or len(entries) < 10:
    complain(f"only {len(known)} elements and {len(entries)} entries were found: this test cannot read them")
check(known, entries)
check_limits("\n".join(entries.values()))
print("\n".join(problems) if problems else f"{PAGE}: {len(entries)} entries say all of {SCHEMA}")
sys.exit(1 if problems else 0)
