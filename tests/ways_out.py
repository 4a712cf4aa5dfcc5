#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the hypervisor's images against what x86/entry.inc says of buffers: VERW clears them as the last before a guest.

Each VMRUN, SYSRET and IRETQ of the entry code, found by its bytes, stands behind a site with VERW (.spec_sites) and what may come between: loads
of what is the guest's own. The one IRETQ within the hypervisor, by which an NMI ends too, has it before the registers are restored.
When an IRETQ to a guest has faulted the hypervisor goes on, behind a site that sets IBRS again, for that was off by then.

    ways_out.py [IMAGE.elf ...]    without one: those of build/ that are there
"""
import struct
import sys

from images import Image, check_each

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


if __name__ == "__main__":
    sys.exit(check_each(check, problems))
