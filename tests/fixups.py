#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the hypervisor's images against what x86/guest_copy.asm says of faults: each instruction there that touches what is a guest's has an
entry in the exception table that leads to guest_fault; it lies where was_stale() (x86/fault.c) takes it for a copy, from guest_copies to guest_fault;
and R8 is RSP before it, so that the copy tries once more. Nothing elsewhere leads to guest_fault.

    fixups.py [IMAGE.elf ...]    without one: those of build/ that are there
"""
import re
import struct
import sys

from images import Image, check_each, run

LEAST = 15      # such instructions; fewer are too few to be true
problems = []


def fixups(image):
    """Where instructions may fault -> where to go on."""
    start, table = image.between("extable_start", "extable_end")
    for at in range(0, len(table), 8):
        instruction, instead = struct.unpack_from("<ii", table, at)
        yield start + at + instruction, start + at + 4 + instead


def accesses(path):
    """(address, whether R8 is RSP) of each instruction that uses RDI or RSI as an address."""
    retry = False
    code = run("objdump", "-Dj.text", "--no-show-raw-insn", path)
    for at, function, what in re.findall(r"^([0-9a-f]{16})(?: <(\w+)>)?:(?:\t(.*))?$", code, re.M):
        if function:
            retry = False
        elif re.search(r",%r8d?$", what) or re.match(r"(pop|inc|dec|neg|not|set\w+) +%r8", what):
            retry = what.split() == ["mov", "%rsp,%r8"]
        if re.search(r"\(%r[ds]i", what) and not re.match("lea|nop", what):
            yield int(at, 16), retry


def check(path):
    image = Image(path)
    first, end = image.symbols["guest_copies"], image.symbols["guest_fault"]
    led = {at for at, instead in fixups(image) if instead == end}
    copies = {at: retry for at, retry in accesses(path) if first <= at < end}
    for at in sorted(led ^ set(copies)):
        problems.append(f"{path}: {at:#x}: " + ("leads to guest_fault and is no copy" if at in led else "a copy that may fault has no way out"))
    for at, retry in copies.items():
        if not retry:
            problems.append(f"{path}: {at:#x}: a copy with another's R8")
    if len(copies) < LEAST:
        problems.append(f"{path}: {len(copies)} instructions that copy are too few to be true")
    print(f"{path}: {len(copies)} instructions that copy have a way out")


if __name__ == "__main__":
    sys.exit(check_each(check, problems))
