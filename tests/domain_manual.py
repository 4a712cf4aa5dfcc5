#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds docs/man/parvis-domain.5 against the schema that decides, and the tables beside it.

The page has an entry for each element, or for an element with all that is in it. Whatever the schema knows stands in the
entry that is nearest: the name of each element and attribute, and each value that is enumerated. Whatever an entry is headed
by is in the schema. And the limits that the program keeps beside the schema (config.h) are on the page.

What is passed over or refused (config_policy_rows.c, config_xl_keys.c) has a paragraph for each treatment: each element, attribute
and value of a rule, and each key, stands in that of its treatment and in no other, with the rule's reason. Each key that is read has an entry.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

PAGE = "docs/man/parvis-domain.5"
SCHEMA = "dom0-tools/schema/domain.rng"
CONFIG = "dom0-tools/lib/config.h"
POLICY = "dom0-tools/lib/config_policy_rows.c"
KEYS = "dom0-tools/lib/config_xl_keys.c"
PARAGRAPHS = {"SILENT": "Silently passed over", "NOTE": "Passed over with a note", "REFUSE": "Refused"}
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
        for name, number in re.findall(r"#define (CONFIG_MAX_(?:VCPUS|DISKS|NICS|CMDLINE|GRANT_FRAMES|EVENT_CHANNELS|RATE_KIB))\s+(\d+)u", file.read()):
            if not re.search(rf"\b{number}\b", text):
                complain(f"{name} is {number}: not said")


def section(title):
    with open(PAGE, encoding="utf-8") as file:
        return file.read().split(f'.SH "{title}"\n')[1].split("\n.SH ")[0]


def paragraph(text, treatment):
    """The lines of one treatment, as plain text."""
    body = text.split(f".TP\n.B {PARAGRAPHS[treatment]}\n")[1].split("\n.TP")[0]
    return [line.replace("\\-", "-") for line in body.split("\n.br\n")]


def literals(text):
    """Macros of a source whose value is a string."""
    return dict(re.findall(r'#define (\w+)\s+"((?:[^"\\]|\\.)*)"', text))


def check_row(path, lines, treatment, names, reason):
    """One line of the paragraph has all names of a row, and its reason."""
    reason = reason.replace('\\"', '"')
    for line in lines:
        if reason[1:] in line and all(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", line) for name in names):
            return
    complain(f"{PARAGRAPHS[treatment]}: no line has {', '.join(names)}, of {path}, and says: {reason}")


def check_policy():
    with open(POLICY, encoding="utf-8") as file:
        source = file.read()
    macros, text = literals(source), section("WHAT OTHER PROGRAMS WRITE INTO XML")
    row = r'\{"([^"]*)",\s*(NULL|"[^"]*"),\s*(NULL|"[^"]*"),\s*(SILENT|NOTE|REFUSE),\s*(NULL|\w+|"(?:[^"\\]|\\.)*")\}'
    rows = re.findall(row, source)
    for element, when, attribute, treatment, words in rows:
        names = re.findall(r"[\w-]+", " ".join((element, when, attribute)).replace("NULL", ""))
        reason = "" if words == "NULL" else macros.get(words, words.strip('"'))
        check_row(POLICY, paragraph(text, treatment), treatment, names, reason)
    for treatment in PARAGRAPHS:
        if len(paragraph(text, treatment)) != sum(r[3] == treatment for r in rows):
            complain(f"{PARAGRAPHS[treatment]}: not as many lines as {POLICY} has rows")
    return len(rows)


def check_keys():
    with open(KEYS, encoding="utf-8") as file:
        source = file.read()
    macros, text = literals(source), section("KEYS OF XL")
    read = source.split("read_keys[] =")[1].split(";")[0]
    heads = " ".join(re.findall(r"(?m)^\.TP\n\.BR? (.*)", text))
    for key in " ".join(re.findall(r'"([^"]*)"', read)).split():
        if not re.search(rf"\b{key}\b", heads):
            complain(f"KEYS OF XL: the key {key} has no entry")
    rows = re.findall(r'\{((?:"[^"]*"\s*)+),\s*(SILENT|NOTE|REFUSE),\s*(NULL|\w+|"(?:[^"\\]|\\.)*")\}', source)
    for keys, treatment, words in rows:
        reason = "" if words == "NULL" else macros.get(words, words.strip('"'))
        check_row(KEYS, paragraph(text, treatment), treatment, " ".join(re.findall(r'"([^"]*)"', keys)).split(), reason)
    return len(rows)


known, entries = read_schema(), read_page()
if len(known) < 20 or len(entries) < 10:
    complain(f"only {len(known)} elements and {len(entries)} entries were found: this test cannot read them")
check(known, entries)
check_limits("\n".join(entries.values()))
rules, keys = check_policy(), check_keys()
if rules < 60 or keys < 15:
    complain(f"only {rules} rules and {keys} rows of keys were found: this test cannot read them")
print("\n".join(problems) if problems else f"{PAGE}: {len(entries)} entries say all of {SCHEMA}, and {rules} rules and {keys} rows of keys have their lines")
sys.exit(1 if problems else 0)
