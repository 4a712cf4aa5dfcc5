#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the hypervisor's images against what x86/entry.inc says of buffers: VERW clears them as the last before a guest.

Each VMRUN, SYSRET and IRETQ of the entry code, found by its bytes, stands behind a site with VERW (.spec_sites) and what may come between: loads
of what is the guest's own. The one IRETQ within the hypervisor, by which an NMI ends too, has it before the registers are restored.
When an IRETQ to a guest has faulted the hypervisor goes on, behind a site that sets IBRS again, for that was off by then.

    ways_out.py [IMAGE.elf ...]    without one: those of build/ that are there
"""
import os
import struct
import subprocess
import sys

IMAGES = ["build/parvis.elf", "build/debug/parvis.elf", "build/clang/parvis.elf"]
VERW = bytes.fromhex("0f002d")
LONGEST = 64                                    # bytes of code between the two
MOV_ECX_48 = bytes.fromhex("b948000000")        # MSR SPEC_CTRL
BEFORE_IBRS = 32                                # bytes of code behind a fault
WAYS = {                                        # last instruction: what may stand between VERW and it
    "VMRUN": (bytes.fromhex("0f01d8"), {""}),
    "SYSRET": (bytes.fromhex("480f07"), {""}),
    # MOV CR3, RDI; POP RDI. Within: CMP R12, R13; JE +4; MOV CR3, R12 (with its prefix); the registers; ADD RSP, 8
    "IRETQ": (bytes.fromhex("48cf"), {"", "0f22df5f", "4d39ec7404410f22dc415f415e415d415c5d5b415b415a4159415858595a5e5f4883c408"}),
}
WANTED = {"VMRUN": 1, "SYSRET": 1, "IRETQ": 3}
problems = []


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Image:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.symbols = {name: int(value, 16) for value, _, name in (line.split() for line in run("nm", path).splitlines() if line[0] != " ")}
        self.sections = []
        for line in run("readelf", "-SW", path).splitlines():
            fields = line.replace("[", " ").replace("]", " ").split()
            if len(fields) > 5 and fields[2] == "PROGBITS":
                self.sections.append(tuple(int(f, 16) for f in fields[3:6]))

    def between(self, first, end):
        """The bytes from one symbol to the other."""
        first, end = self.symbols[first], self.symbols[end]
        for address, offset, size in self.sections:
            if address <= first and end <= address + size:
                return first, self.data[offset + first - address:offset + end - address]
        sys.exit(f"{first:#x} is in no section")


def sites(image, start, code):
    """Where the sites of the entry code begin, and how long they are."""
    at, table = image.between("spec_sites_start", "spec_sites_end")
    for n in range(0, len(table), 12):
        where, length, _ = struct.unpack_from("<iII", table, n)
        site = at + n + where - start
        if 0 <= site < len(code):
            yield site, length


def ends_of_verw(image, start, code):
    """Where the sites end that have VERW alone."""
    return {site + length for site, length in sites(image, start, code) if code[site:site + 3] == VERW and length == 7}


def sets_ibrs_again(image, start, code):
    """Behind a fault of IRETQ: RSP, CR3, and the site."""
    at = image.symbols["iret_faulted"] - start
    return any(at <= site <= at + BEFORE_IBRS and code[site:site + 5] == MOV_ECX_48 for site, _ in sites(image, start, code))


def check(path):
    image = Image(path)
    start, code = image.between("entry_start", "entry_end")
    ends = ends_of_verw(image, start, code)
    if not sets_ibrs_again(image, start, code):
        problems.append(f"{path}: iret_faulted goes on without IBRS")
    found = dict.fromkeys(WAYS, 0)
    for name, (last, between) in WAYS.items():
        at = code.find(last)
        while at >= 0:
            behind = {code[end:at].hex() for end in ends if at - LONGEST <= end <= at}
            if behind & between:
                found[name] += 1
            else:
                problems.append(f"{path}: {start + at:#x}: {name} is not just behind a VERW: {sorted(behind)}")
            at = code.find(last, at + 1)
    if found != WANTED or len(ends) != sum(WANTED.values()):
        problems.append(f"{path}: {found} behind VERW, of {len(ends)}")
    print(f"{path}: {len(ends)} ways out by VERW")


def main():
    images = sys.argv[1:] or list(filter(os.path.exists, IMAGES))
    if not images:
        problems.append(f"there is none of {', '.join(IMAGES)}: `make all` makes the first")
    for image in images:
        check(image)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
