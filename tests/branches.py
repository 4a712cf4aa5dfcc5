#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the hypervisor's images against what x86/thunk.asm says of their indirect branches and returns.

Each RET and each indirect jump or call stands in the upper half of 64 bytes; but for those of .boot, which run before any guest does,
and for the returns of compilers that make no thunks. And the jumps to the thunk that returns are what spec_return_at_once() (x86/spec_sites.c) finds
when it looks at each byte of the code: no more, and none of another form.

    branches.py [IMAGE.elf ...]    without one: those of build/ that are there
"""
import re
import sys

from images import check_each, run

THUNK = "__x86_return_thunk"
problems = []


def code_of(image):
    """(address, bytes) of .text."""
    for line in run("readelf", "-SW", image).splitlines():
        fields = line.replace("[", " ").replace("]", " ").split()
        if len(fields) > 5 and fields[1] == ".text":
            address, offset, size = (int(f, 16) for f in fields[3:6])
            with open(image, "rb") as file:
                file.seek(offset)
                return address, file.read(size)
    sys.exit(f"{image}: there is no .text")


def jumps_by_bytes(address, code, thunk):
    found = set()
    at = code.find(0xe9)
    while 0 <= at <= len(code) - 5:
        if address + at + 5 + int.from_bytes(code[at + 1:at + 5], "little", signed=True) == thunk:
            found.add(address + at)
        at = code.find(0xe9, at + 1)
    return found


def check(image):
    symbols = {name: int(value, 16) for value, _, name in re.findall(r"^(\w+) (\w) (\w+)$", run("nm", image), re.M)}
    thunk, first = symbols[THUNK], symbols["entry_start"]
    compiler_has_thunks = "clang" not in image
    upper = lower = 0
    jumps = set()
    for at, what, to in re.findall(r"^([0-9a-f]{16}):\t(\S+)[ \t]*(.*)$", run("objdump", "-Dj.text", "--no-show-raw-insn", image), re.M):
        at = int(at, 16)
        is_return = what.startswith("ret")
        if at >= first and (is_return or "*" in to):
            if at & 32:
                upper += 1
            elif is_return and not compiler_has_thunks:
                lower += 1
            else:
                problems.append(f"{image}: {at:#x}: {what} {to} stands in a lower half")
        if re.search(rf"<{THUNK}>", to) and what != "lea":
            jumps.add(at)
            if what != "jmp":
                problems.append(f"{image}: {at:#x}: {what} to {THUNK}")
    found = jumps_by_bytes(*code_of(image), thunk)
    if found != jumps:
        problems.append(f"{image}: returns that are one way alone: {[hex(at) for at in sorted(found ^ jumps)[:10]]}")
    if len(jumps) < (1000 if compiler_has_thunks else 3) or upper < 30:
        problems.append(f"{image}: {len(jumps)} jumps to {THUNK} and {upper} branches in upper halves are too few to be true")
    print(f"{image}: {upper} indirect branches in upper halves, {len(jumps)} returns by the thunk, {lower} not")


if __name__ == "__main__":
    sys.exit(check_each(check, problems))
