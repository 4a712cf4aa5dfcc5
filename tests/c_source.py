# SPDX-License-Identifier: MIT
"""C sources as the checks see them: without comments and texts, with functions and calls where they are.

The house's format makes this easy: what begins in the first column is a declaration, a definition or a macro.
"""
import functools
import re

COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
WORD = re.compile(r"[A-Za-z_]\w*")
PAIRS = {"(": re.compile(r"[()]"), "{": re.compile(r"[{}]"), "[": re.compile(r"[][]")}


@functools.cache
def blank(text):
    """The text with comments and the insides of quotes as blanks: same length, same lines. (Many ask for that of the same sources.)"""
    def emptied(found):
        piece = found.group(0)
        if piece[0] in "\"'":
            return piece[0] + " " * (len(piece) - 2) + piece[-1]
        return "\n".join(" " * len(line) for line in piece.split("\n"))
    return COMMENT_OR_TEXT.sub(emptied, text)


def closing(text, at):
    """Where the bracket that opens at `at` closes; the end of the text when it does not."""
    depth, opens = 0, text[at]
    for found in PAIRS[opens].finditer(text, at):
        depth += 1 if found.group() == opens else -1
        if not depth:
            return found.start()
    return len(text)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


class Function:
    """One that a source defines or declares: `kind` is "definition", "static" or "declaration"."""

    def __init__(self, name, kind, at, parameters, head):
        self.name, self.kind, self.at, self.parameters, self.head = name, kind, at, parameters, head


def functions(text):
    """The functions of a blanked source."""
    for found in re.finditer(r"^(?![#}\s]|typedef\b)((?:[\w \t*\n]|__\w+\([^()]*\))*?[\s*])(?!__)(\w+)\(", text, re.MULTILINE):
        head, name = found.groups()
        end = closing(text, found.end() - 1)
        after = re.match(r"(?:\s|__\w+(?:\([^;{]*\))?)*([;{])", text[end + 1:])
        if not after:
            continue
        if after.group(1) == ";":
            kind = "declaration"
        else:
            kind = "static" if re.search(r"\bstatic\b", head) else "definition"
        yield Function(name, kind, found.start(2), text[found.end():end], head)


def calls(text, names):
    """(position, name, argument text) of each call of one of the names in a blanked source."""
    for found in re.finditer(r"\b(" + "|".join(names) + r")\s*\(", text):
        start = text.rfind("\n", 0, found.start()) + 1
        if not re.match(r"\s*#\s*define\b", text[start:found.start()]):
            yield found.start(), found.group(1), text[found.end():closing(text, found.end() - 1)]
