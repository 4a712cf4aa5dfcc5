# SPDX-License-Identifier: MIT
"""Finds functions that nothing calls, or that tests alone call, and declarations of what is nowhere.

A word of a name anywhere in the sources of its part of the product counts as a use: the compiler finds unused static functions,
this finds the others. Names that macros put together (a ## b) count as used when what is pasted to the fixed half is a word somewhere.
"""
import collections
import functools
import re

from c_source import WORD, blank, functions, line_of

# What a part of the product is, and who else calls into it.
PARTS = {
    "hypervisor/lib/": ("hypervisor/", "include/", "pvguest/", "dom0-tools/"),
    "hypervisor/loader/": ("hypervisor/", "include/", "dom0-tools/"),
    "hypervisor/": ("hypervisor/", "include/"),
    "pvguest/": ("pvguest/", "include/", "tests/guest/"),
    "dom0-tools/": ("dom0-tools/", "include/", "hypervisor/loader/"),
}
# Called, or defined, by who is no source of ours: start-up code, compilers, libraries.
OUTSIDE = re.compile(r"main|efi_main|mem(cpy|move|set|cmp)|asm_offsets|__[am]san_\w+|(ucnv|UCNV)_\w+_72|libxl_\w+")
# What only tests call, with a reason.
FOR_TESTS = {
    "console_ring_frame": "a recount of references asks for it",
}


def part_of(path):
    return next((part for part in PARTS if path.startswith(part)), None)


def words(path, text):
    """The words of a source that may be uses: not those that only say that a name exists."""
    if path.endswith(".asm"):
        text = re.sub(r";.*|^\s*(?:extern|global)\b.*|^\w+:", "", text, flags=re.MULTILINE)
    return collections.Counter(WORD.findall(text))


def pasted_halves(text):
    """(prefix, suffix) of names that macros make: do_##name gives ("do_", "")."""
    for found in re.finditer("##", text):
        left = re.search(r"(\w*)\s*$", text[max(0, found.start() - 80):found.start()]).group(1)
        right = re.match(r"\s*(\w*)", text[found.end():]).group(1)
        if left.endswith("_"):
            yield left, ""
        if right.startswith("_"):
            yield "", right


class Sources:
    def __init__(self, texts):
        """texts: {path: text} of .c .h .asm .lds."""
        self.texts = {path: blank(text) if path.endswith((".c", ".h")) else text for path, text in texts.items()}
        self.words = {path: words(path, text) for path, text in self.texts.items()}
        self.functions = {path: list(functions(text)) for path, text in self.texts.items()
                          if path.endswith((".c", ".h"))}
        self.halves = {path: set(pasted_halves(text)) for path, text in self.texts.items()}
        self.defined = {f.name for fs in self.functions.values() for f in fs if f.kind != "declaration"}
        for path, text in self.texts.items():
            if path not in self.functions:
                self.defined |= set(re.findall(r"\b(\w+)\s*[:=]", text))

    @functools.cache
    def used_in(self, folders):
        """How often each word is said in these folders, other than to define or declare a function."""
        used = collections.Counter()
        for path in self.texts:
            if path.startswith(folders):
                used.update(self.words[path])
                used.subtract(f.name for f in self.functions.get(path, ()))
        return used

    def uses(self, name, folders):
        return self.used_in(folders)[name]

    def is_pasted(self, name, folders):
        here = [path for path in self.texts if path.startswith(folders)]
        for prefix, suffix in {half for path in here for half in self.halves[path]}:
            rest = name[len(prefix):len(name) - len(suffix)]
            if name.startswith(prefix) and name.endswith(suffix) and rest and any(self.words[p][rest] for p in here):
                return True
        return False

    def problems(self):
        """(path, line, text) of each function nobody needs and each declaration of nothing."""
        for path, found in sorted(self.functions.items()):
            folders = PARTS.get(part_of(path))
            if not folders:
                continue
            for f in found:
                if f.kind == "declaration":
                    if not (f.name in self.defined or OUTSIDE.fullmatch(f.name) or self.is_pasted(f.name, folders)):
                        yield path, line_of(self.texts[path], f.at), f"{f.name}() is declared and nowhere defined"
                    continue
                if f.kind == "static" and path.endswith(".c"):
                    continue
                needed = self.uses(f.name, folders) > 0 or self.is_pasted(f.name, folders)
                if f.name in FOR_TESTS and needed:
                    yield path, line_of(self.texts[path], f.at), f"{f.name}() is no longer for tests alone (FOR_TESTS)"
                if OUTSIDE.fullmatch(f.name) or f.name in FOR_TESTS or needed:
                    continue
                who = "tests alone call" if self.uses(f.name, ("",)) > 0 else "nothing calls"
                yield path, line_of(self.texts[path], f.at), f"{who} {f.name}()"
