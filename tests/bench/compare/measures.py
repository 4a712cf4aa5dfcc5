# SPDX-License-Identifier: MIT
"""The measures against speculation that each column took, as its kernel and its hypervisor say of themselves: whether two columns are alike in them."""
import re

# A measure's plain name: how Linux says it of itself, Parvis's word for it, how Xen says it; None: it has no word for it.
MEASURES = {
    "retpolines": (r"Retpolines", "retpoline", r"BTI-Thunk: RETPOLINE"),
    "return stack filled": (r"(?<!-)RSB filling", "rsb", r"Support for {vms} VMs:.*\bRSB\b"),
    "barriers at branches": (r"spectre_v1:Mitigation", None, r"Xen settings:.*\bBRANCH_HARDEN\b"),
    "buffers cleared (VERW)": (r"Clear CPU buffers", "verw", r"Support for {vms} VMs:.*\bMD_CLEAR\b"),
    "page tables apart": (r"PTI", "pti", r"XPTI.*DomU enabled"),
    "L1TF": (r"l1tf:Mitigation", "pv-l1tf", r"PV L1TF.*DomU enabled"),
}
KERNEL, HYPERVISOR = "kernel", "hypervisor"
ABOUT = ("The model prices them as it does any other instruction, for they are counted with the rest; what a real CPU loses by them beyond that is not in it.",
         "What is compiled in for good, as masks of indices are in both hypervisors, is not in this table.")


def words_of_parvis(column):
    """As `pvctl info` lists them."""
    lines = [line.split()[1:] for line in column["mitigations"].get("Parvis", []) if line.startswith("mitigations")]
    return [word for words in lines for word in words if word != "none"]


def takes(column):
    """{measure: [who takes it]}; one of Parvis's that has no plain name here has its own."""
    kernel = column["mitigations"].get("guest", [])
    xen = column["mitigations"].get("Xen", [])
    words = words_of_parvis(column)
    found = {}
    for name, (linux, word, line) in MEASURES.items():
        below = word in words or any(re.search(line.format(vms="PV" if column["kind"] == "pv" else "HVM"), each) for each in xen)
        who = [KERNEL] * any(re.search(linux, each) for each in kernel) + [HYPERVISOR] * below
        if who:
            found[name] = who
    known = {word for _, word, _ in MEASURES.values()}
    return {**found, **{word: [HYPERVISOR] for word in words if word not in known}}


def rows(run):
    """(head, lines) of a table: column by measure; only measures that one of them takes."""
    each = {column["title"]: takes(column) for column in run["columns"].values()}
    names = list(dict.fromkeys(name for found in each.values() for name in found))
    return ["", *names], [[title, *(" and ".join(found.get(name, ["-"])) for name in names)] for title, found in each.items()]


def of_hypervisor(column):
    return [name for name, who in takes(column).items() if HYPERVISOR in who]


def alike(run):
    """Whether the columns that have a hypervisor are equal in what it takes, in a sentence; "" where there are not two."""
    columns = [column for column in run["columns"].values() if column["system"] != "native"]
    groups = {}
    for column in columns:
        groups.setdefault(tuple(of_hypervisor(column)), []).append(column["title"])
    if len(columns) < 2:
        return ""
    if len(groups) == 1:
        return f"The hypervisors take the same: {', '.join(next(iter(groups))) or 'none'}."
    told = "; ".join(f"{', '.join(names) or 'none'} in {' and '.join(titles)}" for names, titles in groups.items())
    return f"The columns are not equal, for each hypervisor takes what it chooses for this CPU or is told to, as each says of itself: {told}."
