#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A manual page for each verb of pvctl, pvctl-VERB(1), cut out of pvctl(1) and of what `pvctl help VERB` prints.

    verb_pages.py PVCTL PAGE FOLDER

No sentence is written here but the words between: what a verb does, its synopsis and its examples stand in pvctl(1) alone; what its
options mean, and its other names, in the tables that pvctl works by. tests/man.py holds the two against each other.
"""
import os
import re
import subprocess
import sys


def plain(text):
    return re.sub(r"\\f[A-Z]", "", text).replace("\\-", "-")


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def section(page, name):
    return re.search(rf'^\.SH "?{name}"?\n(.*?)(?=^\.SH )', page, re.MULTILINE | re.DOTALL).group(1)


def items(page):
    """{verb: (its synopsis as macro and words, what it does, its examples)} of the description."""
    found = {}
    for item in section(page, "DESCRIPTION").split("\n.TP\n")[1:]:
        head, body = item.split("\n", 1)
        text, examples = body.split(".IP\n.EX\n")
        macro, words = head.split(" ", 1)
        verb = plain(words.replace('"', " ").split()[0])
        text = text.removesuffix("\n").replace("\n.IP\n", "\n.PP\n").replace("see DEFINITIONS", "see DEFINITIONS in pvctl(1)")
        found[verb] = (f"{macro} {words}", text, examples.split(".EE")[0].rstrip("\n"))
    return found


def json_of(page):
    """{verb: what it prints with --json}."""
    found, names = {}, []
    for line in section(page, "JSON").splitlines():
        words = plain(re.sub(r"[\", ]+", " ", line)).split()
        if words[:1] in ([".BR"], [".B"]) and words[-1] == ":":
            names = words[1:-1]
        elif line != ".br" and not line.startswith("Members may be added"):
            for name in names:
                found.setdefault(name, []).append(line)
    return found


class Help:
    """What `pvctl help VERB` prints: its parts."""

    def __init__(self, pvctl, verb):
        lines = subprocess.run([pvctl, "help", verb], check=True, capture_output=True, text=True).stdout.splitlines()
        self.summary = lines[1].strip()
        self.options = [m.groups() for m in (re.match(r"    (?:(-\w), |    )--(\S+)(?: (\S+))? {1,}(\S.*)$", line) for line in lines[2:]) if m]
        self.others = [line.removeprefix("Other names: ") for line in lines if line.startswith("Other names: ")]


def option_item(letter, name, value, meaning):
    names = f"{letter}, --{name}" if letter else f"--{name}"
    return f'.TP\n.BR "{roff(names)}"' + (f' " " \\fI{roff(value)}\\fR' if value else "") + f"\n{roff(meaning)}\n"


def see_also(verb, text, verbs):
    """Pages of sections that the text names, and of the verbs that it speaks of."""
    named = re.findall(r"^\.BR ([\w\\.-]+) \((\d)\)", text, re.MULTILINE)
    spoken = [plain(w) for w in re.findall(r"^\.BR? ([a-z\\-]+)(?: |$)", text, re.MULTILINE)]
    others = [f".BR {roff('pvctl-' + v)} (1)" for v in dict.fromkeys(spoken) if v in verbs and v != verb]
    pages = [".BR pvctl (1)"] + others + [f".BR {name} ({number})" for name, number in dict.fromkeys(named)]
    return ",\n".join(pages) + "\n"


def page_of(verb, told, verbs, page, json):
    synopsis, text, examples = verbs[verb]
    macro, words = synopsis.split(" ", 1)
    parts = [f'.\\" SPDX-License-Identifier: MIT\n.TH PVCTL-{verb.upper()} 1 "" "Parvis" "Parvis"\n',
             f".SH NAME\npvctl-{verb} \\- {roff(told.summary)}\n",
             f".SH SYNOPSIS\n.B pvctl\n{macro} {words}\n",
             f".SH DESCRIPTION\n{text}\n"]
    if told.others:
        parts.append(f".PP\nOther names: {roff(told.others[0])}.\n")
    if told.options:
        parts.append(".SH OPTIONS\n" + "".join(option_item(*o) for o in told.options))
    if verb in json:
        parts.append('.SH JSON\n' + "\n".join(json[verb]) + "\n")
    parts.append(f".SH EXAMPLES\n.EX\n{examples}\n.EE\n")
    parts.append('.SH "EXIT STATUS"\n' + section(page, "EXIT STATUS"))
    parts.append('.SH "SEE ALSO"\n' + see_also(verb, text, verbs))
    return "".join(parts)


def main():
    pvctl, source, folder = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        page = file.read()
    verbs, json = items(page), json_of(page)
    os.makedirs(folder, exist_ok=True)
    for verb in verbs:
        with open(f"{folder}/pvctl-{verb}.1", "w", encoding="utf-8") as out:
            out.write(page_of(verb, Help(pvctl, verb), verbs, page, json))


main()
