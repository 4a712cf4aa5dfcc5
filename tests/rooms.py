# SPDX-License-Identifier: MIT
"""The rooms of the hypervisor's core, who may call whom, and how much code stands in each.

A room is a folder of hypervisor/core/. An arrow goes from room A to room B when a file of A includes a header of B, or names a
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
CORE = "hypervisor/core/"
MOST_LINES = 18000  # of code in the hypervisor


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
                if found and "typedef" not in head:
                    (own if re.search(r"\bstatic\b", head) else outside).add(found.group(1))
        elif depth == 0:
            piece += char
            if char == ";":
                head, piece = piece, ""
                if "(" not in head and not re.match(r"\s*(extern|typedef|_Static_assert|struct \w+;)", head):
                    for part in head.rstrip(";").split(","):
                        found = re.search(r"(\w+)(?:\[[^\]]*\])*\s*(?:=.*)?$", part.strip(), re.S)
                        if found:
                            (own if re.search(r"\bstatic\b", head) else outside).add(found.group(1))
    return outside - own, own


def room_of(path):
    found = re.match(CORE + r"(\w+)/", path)
    return found.group(1) if found else None


def check(files, complain):
    """files: path -> lines. Returns what there is to say."""
    home, inside, tokens = {}, {}, {}
    for path, lines in files.items():
        if path.startswith("hypervisor/") and path.endswith((".c", ".h")):
            text = blank("\n".join(lines))
            tokens[path] = text.split("\n")
            if room_of(path) and path.endswith(".c"):
                outside, inside[path] = definitions(text)
                for name in outside:
                    home[name] = path
    arrows = collections.defaultdict(set)

    def arrow(path, number, there, what):
        here = room_of(path)
        if not here or not there or here == there or here == "state":
            return
        arrows[here].add(there)
        if there not in ARROWS.get(here, "").split():
            complain(path, number, f"{what}: core/{here} may not use core/{there}")

    for path in tokens:
        here = room_of(path)
        if not here:
            continue
        if here not in ARROWS:
            complain(path, 1, f"core/{here} is no room that tests/rooms.py knows")
        for number, line in enumerate(files[path], 1):
            found = re.match(r"\s*#\s*include\s*<core/(\w+)/(\w+\.h)>", line)
            if found:
                arrow(path, number, found.group(1), f"includes {found.group(2)}")
        seen = set()
        for number, line in enumerate(tokens[path], 1):
            for name in WORD.findall(line):
                if name in home and name not in inside.get(path, ()) and name not in seen and path.endswith(".c"):
                    seen.add(name)
                    arrow(path, number, room_of(home[name]), f"uses {name}")
    below = []
    for room, uses in ARROWS.items():
        for other in uses.split():
            if other not in below:
                complain("tests/rooms.py", 1, f"{room} uses {other}, which does not stand below it")
        below.append(room)
    return f"{len(ARROWS)} rooms in core, {sum(map(len, arrows.values()))} arrows"


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
