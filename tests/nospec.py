# SPDX-License-Identifier: MIT
"""Where a guest's number is an index, or an address, and comes out of index_nospec(), or is masked by mask_nospec() (hypervisor/include/port/nospec.h).

The list was made by looking at every subscript of the hypervisor. An array of which no subscript is a guest's number, or only one that its
type or a mask keeps in bounds (a vector of 8 bits in a table of 256, an entry of a page table, a register of an instruction), is not here.
"""
import re

CORE = "hypervisor/core/"
# file: what must be the first argument of one of the two, once each
INDICES = {
    CORE + "domain/subop.c": ["cmd"],
    CORE + "domain/domain_table.c": ["id"],
    CORE + "event/event_channel.h": ["port", "port", "port"],
    CORE + "event/pirq.c": ["pirq"],
    CORE + "event/virq.c": ["virq"],
    CORE + "frame/frame.h": ["mfn.n", "mfn.n"],
    CORE + "grant/grant_op.c": ["cmd", "cmd"],
    CORE + "grant/grant_pin.c": ["ref"],
    CORE + "grant/grant_table.c": ["idx"],
    CORE + "grant/maptrack.c": ["handle"],
    CORE + "life/watchdog.c": ["id"],
    CORE + "state/domain.h": ["id"],
    "hypervisor/hvm/lapic.c": ["offset / 16", "msr - MSR_X2APIC"],
    "hypervisor/hvm/param.c": ["index"],
    "hypervisor/pv/callback.c": ["reg->type"],
    "hypervisor/pv/debugreg.c": ["reg", "reg"],
    "hypervisor/pv/mmuext.c": ["op->cmd"],
    "hypervisor/x86/guest_access.c": ["gva"],   # addresses, of which the hypervisor's are not the guest's
}
# file: where a guest's frame number becomes a struct page_info
FRAMES = {CORE + "domain/domain_pages.c": 1, CORE + "grant/grant_pin.c": 1, "hypervisor/pv/grant_map.c": 1, "hypervisor/pv/mmu_update.c": 2, "hypervisor/pv/mmuext.c": 1, "hypervisor/pv/page_entry.c": 7, "hypervisor/pv/pv_mm.h": 1}

# file: what stands there of it otherwise, and how often: bits of a port's; in assembly a number, addresses
OTHERWISE = [
    (CORE + "event/evtchn.c", "= evtchn_bit(port);", 2), (CORE + "event/evtchn.c", "_pending, evtchn_bit(port));", 1),
    ("hypervisor/pv/cpu/entry.asm", "and eax, NR_HYPERCALLS - 1", 1), ("hypervisor/pv/cpu/bounce.asm", "sbb rax, rax", 2),
    ("hypervisor/x86/guest_copy.asm", "cmovb %1, rax", 1),
]


def check(files, complain):
    """files: path -> lines."""
    for path, wanted in INDICES.items():
        found = re.findall(r"(?:index|mask)_nospec\(([^,]+),", "\n".join(files.get(path, ())))
        if sorted(found) != sorted(wanted):
            complain(path, 1, f"index_nospec() of {', '.join(found) or 'nothing'}; tests/nospec.py knows {', '.join(wanted)}")
    for path, wanted in FRAMES.items():
        found = "\n".join(files.get(path, ())).count("mfn_to_page_nospec(")
        if found != wanted:
            complain(path, 1, f"mfn_to_page_nospec() {found} times; tests/nospec.py knows {wanted}")
    for path, text, wanted in OTHERWISE:
        found = "\n".join(files.get(path, ())).count(text)
        if found != wanted:
            complain(path, 1, f"{text!r} {found} times; tests/nospec.py knows {wanted}")
    return f"{sum(map(len, INDICES.values()))} indices of guests"
