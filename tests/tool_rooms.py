# SPDX-License-Identifier: MIT
"""The rooms of dom0-tools, and the files of parvisd: who may include whom.

The programs stand beside each other, upon lib/. parvisd's files stand upon each other, so that what happens goes up by return values
and by what the main loop hands on, and never by a call to one above: consoles, then those who listen (client), what they are told of
(events), domains that go (reaper), what follows an end (policy), what others left (collector), what is asked for (client_ask).
"""
import re

TOOLS = "dom0-tools/"
PROGRAMS = ("pvctl", "parvisd", "resize", "unpack")
# From the bottom to the top; what stands in one row is one concept, and may use each other.
PARVISD = ("log", "tell_once", "history", "child", "carried", "pts", "console console_file tty", "aside", "former", "client client_internal", "events", "reaper", "policy", "collector", "client_ask", "parvisd")
FLOOR = {name: floor for floor, row in enumerate(PARVISD) for name in row.split()}
INCLUDE = re.compile(r'\s*#\s*include "([^"]+)"')


def includes(lines):
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1)


def check(files, complain):
    """files: path -> lines. Returns what there is to say."""
    headers = {path.rsplit("/", 1)[1]: path.split("/")[1] for path in files if path.startswith(TOOLS) and path.endswith(".h")}
    own = {path for path in files if path.startswith(TOOLS)}
    arrows = set()
    for path, lines in files.items():
        if not path.startswith(TOOLS) or not path.endswith((".c", ".h")):
            continue
        room, name = path.split("/")[1], path.rsplit("/", 1)[1].rsplit(".", 1)[0]
        if room == "parvisd" and name not in FLOOR:
            complain(path, 1, f"parvisd's {name} is no file that tests/tool_rooms.py knows")
        for number, header in includes(lines):
            there = room if f"{TOOLS}{room}/{header}" in own else headers.get(header)
            other = header.rsplit(".", 1)[0]
            if there in PROGRAMS and there != room:
                complain(path, number, f"{room} may not use {there} (tests/tool_rooms.py)")
            if room == there == "parvisd" and FLOOR.get(other, 0) > FLOOR.get(name, 0):
                complain(path, number, f"{header} stands above {name} (tests/tool_rooms.py)")
            elif room == there == "parvisd" and other != name:
                arrows.add((name, other))
    return f"{len(FLOOR)} files of parvisd with {len(arrows)} arrows"
