#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The schema of domain XML as the table that the tools check documents by (config_schema.h): table.py domain.rng >schema_table.c

Reading the schema anew for each document took most of the time of creating a small domain. Understands the forms that the schema's head
names, and refuses any other.
"""
import sys
import xml.etree.ElementTree as ElementTree

RNG = "{http://relaxng.org/ns/structure/1.0}"
SENTENCE = "{http://relaxng.org/ns/compatibility/annotations/1.0}documentation"
WRAPPERS = {"optional": (True, False), "zeroOrMore": (True, True), "choice": (True, False), "interleave": (False, False)}


def collected(grammar, pattern, kind, optional=False, many=False):
    """(pattern, may it be missing, may it come more than once) of each that is of this kind, through what is wrapped around it."""
    for p in pattern:
        name = p.tag.removeprefix(RNG)
        if name == kind:
            yield p, optional, many
        elif name == "ref":
            yield from collected(grammar, grammar[p.get("name")], kind, optional, many)
        elif name in WRAPPERS and (name != "choice" or all(choice.tag == RNG + "value" for choice in p)):
            more = WRAPPERS[name]
            yield from collected(grammar, p, kind, optional or more[0], many or more[1])
        elif p.tag != SENTENCE and name not in ("element", "attribute", "value", "data", "text", "empty"):
            raise SystemExit(f"the schema has <{name}>, which the table cannot say")


def literal(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if text is not None else "NULL"


def sentence_of(grammar, data):
    """What stands beside it, for a person."""
    for parent in grammar["/"].iter():
        children = list(parent)
        if data in children:
            return next(p.text for p in children[children.index(data):] if p.tag == SENTENCE)
    raise SystemExit("a <data> without a sentence")


class Table:
    def __init__(self, grammar):
        self.grammar, self.number = grammar, 0

    def array(self, kind, rows):
        """A static array, ended by an empty row; its name, or NULL where it has none."""
        if not rows:
            return "NULL"
        self.number += 1
        name = f"t{self.number}"
        print(f"static const {kind} {name}[] = {{", *(f"    {row}," for row in [*rows, "{0}"]), "};", sep="\n")
        return name

    def words(self, words):
        """A list of words, ended by none."""
        if not words:
            return "NULL"
        self.number += 1
        print(f"static const char *const w{self.number}[] = {{{', '.join(words)}, NULL}};")
        return f"w{self.number}"

    def text(self, pattern):
        words = [literal(p.text) for p, *_ in collected(self.grammar, pattern, "value")]
        data = [p for p, *_ in collected(self.grammar, pattern, "data")]
        free = any(collected(self.grammar, pattern, "text"))
        form = sentence = None
        if data:
            (param,) = data[0]          # one pattern, or this is no such schema
            form, sentence = param.text, sentence_of(self.grammar, data[0])
        words = self.words(words)
        return f"{{{words}, {literal(form)}, {literal(sentence)}, {str(free).lower()}}}"

    def attributes(self, pattern):
        return self.array("struct schema_attribute",
                          [f"{{{literal(p.get('name'))}, {str(optional).lower()}, {self.text(p)}}}"
                           for p, optional, _ in collected(self.grammar, pattern, "attribute")])

    def elements(self, pattern):
        if len(list(collected(self.grammar, pattern, "element"))) > 1 and pattern.find(RNG + "interleave") is None:
            raise SystemExit("the schema has elements in a sequence, which the table cannot say")
        return self.array("struct schema_element",
                          [f"{{{literal(p.get('name'))}, {str(optional).lower()}, {str(many).lower()}, "
                           f"{self.attributes(p)}, {self.elements(p)}, {self.text(p)}}}"
                           for p, optional, many in collected(self.grammar, pattern, "element")])


def main():
    root = ElementTree.parse(sys.argv[1]).getroot()
    grammar = {d.get("name"): d for d in root.iter(RNG + "define")} | {"/": root}
    print("/* Made of the schema by dom0-tools/schema/table.py. */\n#include \"config_schema.h\"\n")
    top = Table(grammar).elements(root.find(RNG + "start"))
    print(f"\nconst struct schema_element *const schema_root = {top};")


if __name__ == "__main__":
    main()
