#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One dialect of braces: a body of one simple statement has none, unless another branch of the same `if` needs them, or a comment is
inside. (A body that is a loop or an `if` itself may have them.)

A small parser of statements. It works on a source that c_source.blank() has been over, and on what is in functions only.

    c_braces.py FILE ...      puts braces where they belong (make fmt)
"""
import re
import sys

from c_source import blank, closing, line_of

CONTROL = re.compile(r"(if|for|while|switch|list_for_each\w*|for_each_\w+)\b\s*\(")
LABEL = re.compile(r"(?:case\b[^:;{}]*|default\s*|(?!default\b)\w+\s*):(?!:)")


class Body:
    def __init__(self, start, end, count, comment):
        self.start, self.end, self.count, self.comment = start, end, count, comment

    def may_lose_braces(self):
        return self.braced and self.count == 1 and not self.comment


class Parser:
    def __init__(self, text, raw):
        # Preprocessor lines are no statements.
        self.text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.MULTILINE)
        self.raw = raw
        self.groups = []            # lists of bodies that go together

    def skip(self, i):
        return i + re.match(r"\s*", self.text[i:i + 4000]).end()

    def block(self, i):
        """A block that opens at i: (its end, how many statements)."""
        end, count = closing(self.text, i), 0
        i = self.skip(i + 1)
        while i < end:
            i = self.skip(self.statement(i))
            count += 1
        return end + 1, count

    def body(self, i):
        start = self.skip(i)
        body = Body(start, start, 1, False)
        body.braced = self.text[start:start + 1] == "{"
        if body.braced:
            body.end, body.count = self.block(start)
            inside = self.raw[start:body.end]
            body.comment = "/*" in inside
            first = self.skip(start + 1)
            body.count += bool(CONTROL.match(self.text, first) or re.match(r"do\b|\{", self.text[first:first + 3]))
        else:
            body.end = self.statement(start)
        return body

    def statement(self, i):
        """Where the statement that begins at i ends."""
        text = self.text
        while (label := LABEL.match(text, i)) and not text.startswith("::", label.end() - 1) and "?" not in label.group(0):
            i = self.skip(label.end())
            if text[i:i + 1] == "}":
                return i
        if text[i:i + 1] == "{":
            return self.block(i)[0]
        if re.match(r"do\b", text[i:i + 3]):
            body = self.body(i + 2)
            return text.find(";", body.end) + 1
        control = CONTROL.match(text, i)
        if not control:
            while i < len(text) and text[i] != ";":
                i = closing(text, i) + 1 if text[i] in "({[" else i + 1
            return i + 1
        body = self.body(closing(text, control.end() - 1) + 1)
        group = [body]
        while control.group(1) == "if":
            i = self.skip(body.end)
            other = re.match(r"else\b\s*(?:if\s*(?=\())?", text[i:i + 200])
            if not other:
                break
            at = i + other.end()
            is_if = other.group(0).rstrip().endswith("if")
            body = self.body(closing(text, at) + 1 if is_if else at)
            group.append(body)
            if not is_if:
                break
        if control.group(1) != "switch":
            self.groups.append(group)
        return body.end

    def functions(self):
        for found in re.finditer(r"^\{", self.text, re.MULTILINE):
            if self.text[:found.start()].rstrip().endswith(")"):
                self.block(found.start())
        return self.groups


def wrong(group):
    """What to do with the braces of a group: "add" where they are missing, "drop" them all, or nothing."""
    some, needed = any(b.braced for b in group), any(b.braced and not b.may_lose_braces() for b in group)
    if needed:
        return None if all(b.braced for b in group) else "add"
    return "drop" if some else None


def braces(text, raw):
    says = {"add": "all branches of an `if` have braces, or none", "drop": "a body of one simple statement has no braces"}
    for group in Parser(text, raw).functions():
        if wrong(group):
            yield line_of(text, group[0].start), says[wrong(group)]


def fixed(raw):
    """The source with its braces right; clang-format does the rest."""
    while True:
        edits = []
        for group in Parser(blank(raw), raw).functions():
            what = wrong(group)
            for b in group:
                if what == "add" and not b.braced:
                    edits += [(b.start, b.start, "{ "), (b.end, b.end, " }")]
                elif what == "drop" and b.braced:
                    line = raw.rfind("\n", 0, b.end) + 1
                    alone = not raw[line:b.end - 1].strip() and raw[b.end:b.end + 1] == "\n"
                    edits += [(b.start, b.start + 1, ""), (line if alone else b.end - 1, b.end + alone, "")]
        if not edits:
            return raw
        for start, end, text in sorted(edits, reverse=True):
            raw = raw[:start] + text + raw[end:]


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as source:
            before = source.read()
        if fixed(before) != before:
            with open(name, "w", encoding="utf-8") as source:
                source.write(fixed(before))
