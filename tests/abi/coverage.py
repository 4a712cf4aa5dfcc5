# SPDX-License-Identifier: MIT
"""Holds the table docs/abi-coverage.md against the numbers in include/xen, and those of operations of Parvis' own in include/parvis.

A row of the document is `| NAME | number | who | answer | remark |`. NAME is the constant; every hypercall number and
every sub-operation must have exactly one row with its number, every row must name one. The answer is `offered`,
`partly` or `refused -XEN_E...`; a refusal and a part must give the reason. What is said to be offered must be in the
sources of hypervisor/: a hypercall has a row in a file hypercall_rows.h with the same `who`, a sub-operation is named
somewhere (NAME, or its last part as first argument of a table macro). What is refused must have no entry in a table,
neither there nor as [NAME] = .... The document says how many rows have which answer, of all and of three families.
"""
import os
import re

TABLES = ["hypervisor/core/base/hypercall_rows.h", "hypervisor/pv/hypercall_rows.h"]

# What counts as a number by which something is asked: constants that match, and do not match the exception.
OPERATIONS = [
    (r"__HYPERVISOR_[a-z]\w*", r"__HYPERVISOR_arch_\d"),
    (r"MMU_\w+", None),
    (r"MMUEXT_\w+", None),
    (r"CONSOLEIO_\w+", None),
    (r"VMASST_TYPE_\w+", None),
    (r"SEGBASE_\w+", None),
    (r"SCHEDOP_\w+", None),
    (r"EVTCHNOP_\w+", None),
    (r"GNTTABOP_\w+", None),
    (r"VCPUOP_\w+", None),
    (r"XENVER_\w+", None),
    (r"CALLBACKOP_\w+", None),
    (r"XENNMI_\w+", None),
    (r"XENMEM_[a-z]\w+", r"XENMEM_(resource|(paging|access|sharing)_op)_\w+"),
    (r"PHYSDEVOP_[a-z]\w+", r"PHYSDEVOP_pirq_eoi_gmfn"),
    (r"XENPF_[a-z]\w+", r"XENPF_settime"),
    (r"XENPMU_[a-z]\w+", None),
    (r"HVMOP_\w+", None),
    (r"XEN_MC_[a-z]\w+", None),
    (r"XEN_DOMCTL_[a-z]\w+", None),
    (r"XEN_SYSCTL_[a-z]\w+", r"XEN_SYSCTL_cpu_(policy|featureset)_\w+"),
]
OWN = ("include/parvis/counters.h", "include/parvis/speculation.h")    # operations that Xen has not
OWN_NUMBER = re.compile(r"^#define (PARVIS_(?:DOM|SYS)CTL_[a-z]\w+) (\d+)$", re.M)
# These have a row in a dispatch table, of a handler that says which error it is.
REFUSED_BY_HANDLER = {"XEN_DOMCTL_shadow_op", "MMUEXT_MARK_SUPER", "MMUEXT_UNMARK_SUPER", "XENPF_firmware_info"}
ANSWER = re.compile(r"offered|partly|refused `-XEN_E[A-Z0-9]+`")
FAMILIES = (("hypercalls", "__HYPERVISOR_"), ("domctl", "XEN_DOMCTL_"), ("sysctl", "XEN_SYSCTL_"))


def operations(values):
    found = {}
    for name, value in values.items():
        for pattern, exception in OPERATIONS:
            if re.fullmatch(pattern, name) and not (exception and re.fullmatch(exception, name)):
                found[name] = value
    return found


class Sources:
    """The words of the hypervisor's sources, comments left out."""

    def __init__(self, root="hypervisor"):
        text = []
        for folder, _, files in os.walk(root):
            for name in files:
                if name.endswith((".c", ".h", ".asm", ".inc")):
                    with open(os.path.join(folder, name), encoding="utf-8") as source:
                        text.append(re.sub(r"/\*.*?\*/", " ", source.read(), flags=re.S))
        everything = "\n".join(text)
        self.words = set(re.findall(r"\w+", everything))
        self.entries = set(re.findall(r"\[(\w+)\]\s*=", everything))
        self.entries |= set(re.findall(r"\bOP\((\w+),\s+(?!\s|left_out)", everything))
        self.rows = set(re.findall(r"\b[A-Z_]+\(\s*(\w+)\s*,", everything))
        self.hypercalls = {}
        for path in TABLES:
            with open(path, encoding="utf-8") as table:
                self.hypercalls.update(re.findall(r"^HYPERCALL\((\w+),\s*HC_(\w+)", table.read(), flags=re.M))

    def has(self, name):
        if name.startswith("__HYPERVISOR_"):
            return name.removeprefix("__HYPERVISOR_") in self.hypercalls
        return name in self.words or re.sub(r"^[A-Z]+?_?(?:(?:DOM|SYS)CTL_|OP_|MEM_|VER_|PF_|EXT_)", "", name) in self.rows


def check_answer(name, who, answer, reason, sources, complain):
    gate = sources.hypercalls.get(name.removeprefix("__HYPERVISOR_")) if name.startswith("__HYPERVISOR_") else None
    if gate and who != gate.lower():
        complain(f"said to be for '{who}', the dispatch table says HC_{gate}")
    if not ANSWER.fullmatch(answer):
        complain(f"answer '{answer}' is not offered, partly, or refused `-XEN_E..`")
    elif answer != "offered" and not reason:
        complain("gives no reason")
    if answer in ("offered", "partly") and not sources.has(name):
        complain(f"said to be {answer}, but hypervisor/ does not name it")
    handled = sources.has(name) if name.startswith("__HYPERVISOR_") else name in sources.entries - REFUSED_BY_HANDLER
    if answer.startswith("refused") and handled:
        complain("said to be refused, but it is in a dispatch table")


def totals(answers):
    """The document's line of totals, of the answers by name."""
    def of(prefix):
        kinds = [answer.split(" ")[0] for name, answer in answers.items() if name.startswith(prefix)]
        return f"{len(kinds)}: {kinds.count('offered')} offered, {kinds.count('partly')} partly, {kinds.count('refused')} refused"
    return "Rows: " + of("") + "".join(f"; of {family} {of(prefix)}" for family, prefix in FAMILIES) + "."


def check(path, values, problems):
    """Adds what is wrong to problems; returns the number of rows."""
    expected, seen, sources, answers = operations(values), set(), Sources(), {}
    for own in OWN:
        with open(own, encoding="utf-8") as header:
            expected.update(OWN_NUMBER.findall(header.read()))
    try:
        with open(path, encoding="utf-8") as document:
            lines = document.read().splitlines()
    except OSError as error:
        problems.append(f"{path}: {error.strerror}")
        return 0
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        name = cells[0].strip("`")
        if not line.startswith("| `") or len(cells) < 5:
            continue
        where = f"{path}:{number}: {name}"
        if name not in expected:
            problems.append(f"{where}: no such operation in include/xen or {' or '.join(OWN)}")
            continue
        if name in seen:
            problems.append(f"{where}: has two rows")
        seen.add(name)
        answers[name] = cells[3]
        if cells[1] != expected[name]:
            problems.append(f"{where}: number is {cells[1]}, should be {expected[name]}")
        check_answer(name, cells[2], cells[3], cells[4], sources, lambda what, where=where: problems.append(f"{where}: {what}"))
    if totals(answers) not in lines:
        problems.append(f"{path}: has no line `{totals(answers)}`")
    for name in sorted(expected.keys() - seen):
        problems.append(f"{path}: no row for {name} (number {expected[name]})")
    return len(seen)
