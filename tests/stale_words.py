# SPDX-License-Identifier: MIT
"""Finds comments and pages that speak of what is no more: a function, name(), that no source has, and a file that is not there."""
import os
import re

from c_source import blank, line_of

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
FUNCTION = re.compile(r"\b([A-Za-z_]\w*)\(\)")
FILE = re.compile(r"(?<![\w/.<-])((?:[\w-]+/)*[\w-]+\.(?:c|h|asm|py|mk|sh))\b")
# Said of others' things: the ABI's macros that a user of a header defines, AML, files that a reader is to make.
OTHERS = {"xen_rmb", "Package", "tiny.asm", "NAME/main.c"}


class Names:
    def __init__(self, texts, paths):
        """texts: {path: text} of all sources and pages; paths: of all files there are."""
        self.words = set(OTHERS)
        for path, text in texts.items():
            if not path.endswith(".md"):
                self.words |= set(re.findall(r"\w+", blank(text) if path.endswith((".c", ".h")) else text))
        self.ends = set()
        for path in paths:
            parts = path.split("/")
            self.ends |= {"/".join(parts[i:]) for i in range(len(parts))}

    def problems(self, path, text):
        """(line, words) of each name in the comments of a C source, or in a page, that nothing has."""
        made = re.findall(r"^New file `([^`]+)`", text, re.M)  # by the reader, whose code stands below it
        coded = set(re.findall(r"\bdo_\w+", text)) if made else set()
        pieces = [(0, text)] if path.endswith(".md") else [(m.start(), m.group(0)) for m in COMMENT.finditer(text)]
        for start, piece in pieces:
            for found in FUNCTION.finditer(piece):
                if found.group(1) not in self.words and found.group(1) not in coded:
                    yield line_of(text, start + found.start()), f"there is no {found.group(0)}"
            for found in FILE.finditer(piece):
                name = found.group(1)
                if name not in self.ends and not any(name.endswith(other) for other in OTHERS) and \
                        not any(file.endswith(name) for file in made):
                    yield line_of(text, start + found.start()), f"there is no {name}"
