# SPDX-License-Identifier: MIT
"""The hypervisor's rooms, those around core and those of core: who may call whom, and how much code stands in each.

A room is a folder of hypervisor/ or of hypervisor/core/. An arrow goes from room A to room B when a file of A includes a header of B, or names a
function or variable that a file of B defines. The names are read from the sources, which are formatted: a definition begins in
the first column. So a call is seen whatever header (or bare declaration) it came through. A call through a pointer is no arrow:
that is how a room is told something by one above it.
"""
import collections
import re

from c_source import WORD, blank

# From the bottom to the top. A room may use the rooms named here, which stand below it, and itself; hence no circle.
# state/ has the structs and no code. They are made of parts that belong to the rooms, whose headers it includes: no arrows.
ARROWS = {
    "state": "",
    "base": "state",
    "frame": "base state",
    "domain": "frame base state",
    "sched": "domain frame base state",
    "event": "sched domain frame base state",
    "grant": "domain frame base state",
    "console": "event sched domain frame base state",
    "life": "console grant event sched domain frame base state",
    "control": "life console grant event sched domain frame base state",
    "guest": "control life console grant event sched domain frame base state",
}
# The rooms around core, in the same order. Where core, the machine and the boot code must know of each other they do by what
# include/ declares (port/, hv/), and these are no arrows; what core and the machine ask of a kind of guest is in struct guest_ops.
OUTER = {
    "include": "core/state core/frame",     # parts of what the port's inline functions look into
    "lib": "include",
    "loader": "lib",                        # compiled into the tools too
    "core": "lib include",
    "x86": "core/base core/frame core/state lib include",
    "boot": "x86 core/base lib include",
    "pv": "loader core lib include",
    "pv/cpu": "pv x86 core lib include",    # the part of pv that only a machine can run
    "hvm": "loader core lib include",
    "hvm/cpu": "hvm x86 core lib include",
}
# In hvm/, from the bottom to the top, how an exit is dealt with: none of these files names what a later one defines.
EXITS = ("inject", "instruction", "control_registers", "debugreg", "hypercall", "msr", "exit_io", "exit", "state", "entry")
KINDS = ("pv", "hvm")   # of guests: none knows of another
KIND = re.compile("|".join(rf"\b{kind}\b|\b{kind}_|\b{kind.upper()}_" for kind in KINDS))
# core too: style.py knows more words there. The loader calls no kind either, but writes what each begins with, in the ABI's words.
BELOW_KINDS = {"include", "lib", "x86", "boot"}
KINDS_PORTS = {f"hypervisor/{kind}/cpu.h" for kind in KINDS}    # what a kind asks of its part for the machine
KINDS_PART = "hypervisor/include/hv/arch_vcpu.h"    # each kind's part of struct vcpu, by value, which all include
CORE = "hypervisor/core/"
MOST_LINES = 23490  # of code in the hypervisor,
MOST_LINES_OF = {"hvm": 4530}    # beside these rooms


def definitions(text):
    """What a .c file defines at its top level: names for others, names of its own."""
    outside, own, depth, piece = set(), set(), 0, ""
    text = re.sub(r"^[ \t]*#.*?(?<!\\)$", "", text, flags=re.M | re.S)
    for char in text:
        if char in "{}":
            depth += 1 if char == "{" else -1
            if char == "{" and depth == 1:
                head, piece = piece, ""
                found = re.search(r"(\w+)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*$", head) or \
                    re.search(r"(\w+)(?:\[[^\]]*\])*\s*=\s*$", head)
                if not found:
                    piece = head    # a struct: what it is the type of follows
                elif "typedef" not in head:
                    (own if re.search(r"\bstatic\b", head) else outside).add(found.group(1))
        elif depth == 0:
            piece += char
            if char == ";":
                head, piece = piece, ""
                if "(" not in head and not re.match(r"\s*(extern|typedef|_Static_assert|(struct|union|enum)\s*\w*\s*;)", head):
                    for part in head.rstrip(";").split(","):
                        found = re.search(r"(\w+)(?:\[[^\]]*\])*\s*(?:=.*)?$", part.strip(), re.S)
                        if found:
                            (own if re.search(r"\bstatic\b", head) else outside).add(found.group(1))
    return outside - own, own


def room_of(path):
    found = re.match(CORE + r"(\w+)/", path)
    return found.group(1) if found else None


def outer_room(path):
    found = re.match(r"hypervisor/(\w+/cpu|\w+)/", path)
    return found.group(1) if found else None


def code_of(path, lines):
    """The lines without comments and texts."""
    if path.endswith(".asm"):
        return [line.split(";")[0] for line in lines]
    return blank("\n".join(lines)).split("\n")


class House:
    """The sources, and which of them defines what."""

    def __init__(self, files):
        self.files = {path: lines for path, lines in files.items()
                      if path.startswith("hypervisor/") and path.endswith((".c", ".h", ".asm"))}
        self.code = {path: code_of(path, lines) for path, lines in self.files.items()}
        self.home, self.inside, self.port = {}, {}, set()
        for path, lines in self.code.items():
            text = "\n".join(lines)
            self.inside[path] = set()
            if path.endswith(".asm"):
                outside = {name for found in re.findall(r"^\s*global\s+(.*)", text, re.M) for name in WORD.findall(found)}
            elif path.endswith(".c"):
                outside, self.inside[path] = definitions(text)
            else:
                outside = set()
                if outer_room(path) == "include" or path in KINDS_PORTS:
                    self.port |= set(WORD.findall(text))
            for name in outside:
                self.home.setdefault(name, path)

    def uses(self, path):
        """(line, path of the header or of the definition, what) for each include and each name of another file's."""
        for number, line in enumerate(self.files[path], 1):
            found = re.match(r"\s*#\s*include\s*<([\w/]+\.h)>", line)
            if found and not (path == KINDS_PART and re.match(r"(\w+)/\1_vcpu\.h$", found.group(1))):
                there = "hypervisor/" + found.group(1)
                yield number, there if there in self.files else "hypervisor/include/" + found.group(1), f"includes {found.group(1)}"
        if path.endswith(".h"):
            return
        seen = set(self.inside[path])
        for number, line in enumerate(self.code[path], 1):
            for name in WORD.findall(line):
                if name in self.home and name not in seen and self.home[name] != path:
                    seen.add(name)
                    yield number, self.home[name], f"uses {name}"


def check_outer(house, complain):
    arrows = set()
    for path in house.files:
        here = outer_room(path)
        if not here:
            continue
        if here not in OUTER:
            complain(path, 1, f"{here} is no room that tests/rooms.py knows")
            continue
        allowed = OUTER[here].split()
        for number, there, what in house.uses(path):
            room = outer_room(there)
            if not room or room == here or there not in house.files or (what.startswith("uses ") and what[5:] in house.port):
                continue
            arrows.add((here, room))
            if room not in allowed and f"core/{room_of(there)}" not in allowed:
                complain(path, number, f"{what}: {here} may not use {room}")
        for number, line in enumerate(house.code[path], 1):
            if here in BELOW_KINDS and KIND.search(line) and path != KINDS_PART:
                complain(path, number, f"{here} knows no kind of guest")
    return arrows


def check_exits(house, complain):
    paths = [f"hypervisor/hvm/{name}.c" for name in EXITS]
    if not set(paths) & set(house.files):
        return
    for above, path in enumerate(paths, 1):
        if path not in house.files:
            complain("tests/rooms.py", 1, f"there is no {path}")
            continue
        for number, there, what in house.uses(path):
            if there in paths[above:]:
                complain(path, number, f"{what}, which stands above it (tests/rooms.py)")


def check(files, complain):
    """files: path -> lines. Returns what there is to say."""
    house = House(files)
    outer = check_outer(house, complain)
    check_exits(house, complain)
    arrows = collections.defaultdict(set)
    for path in house.files:
        here = room_of(path)
        if not here:
            continue
        if here not in ARROWS:
            complain(path, 1, f"core/{here} is no room that tests/rooms.py knows")
        for number, where, what in house.uses(path):
            there = room_of(where)
            if not there or there == here or here == "state":
                continue
            arrows[here].add(there)
            if there not in ARROWS.get(here, "").split():
                complain(path, number, f"{what}: core/{here} may not use core/{there}")
    for rooms in (ARROWS, OUTER):
        below = []
        for room, uses in rooms.items():
            for other in uses.split():
                if rooms is ARROWS and other not in below:
                    complain("tests/rooms.py", 1, f"{room} uses {other}, which does not stand below it")
            below.append(room)
    return f"{len(OUTER)} rooms with {len(outer)} arrows, {len(ARROWS)} in core with {sum(map(len, arrows.values()))}"


def lines_of_code(files):
    """Lines of the hypervisor that are neither blank nor comment: by folder, and by room in core."""
    count = collections.Counter()
    for path, lines in files.items():
        if path.startswith("hypervisor/") and path.endswith((".c", ".h", ".asm")):
            if path.endswith(".asm"):
                code = [line for line in lines if line.split(";")[0].strip()]
            else:
                text = re.sub(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*',
                              lambda found: found.group() if found.group()[0] == '"' else "\n" * found.group().count("\n"),
                              "\n".join(lines), flags=re.S)
                code = [line for line in text.split("\n") if line.strip()]
            parts = path.split("/")
            count["/".join(parts[1:3] if parts[1] == "core" else parts[1:-1][:1]) or "main.c"] += len(code)
    return count
