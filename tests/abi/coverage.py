# SPDX-License-Identifier: MIT
"""Holds the table docs/abi-coverage.md against the numbers in include/xen.

A row of the document is `| NAME | number | who | answer | remark |`. NAME is the constant; every hypercall number and every
sub-operation must have exactly one row with its number, every row must name one. The answer is `offered`, `partly` or `refused -XEN_E...`;
a refusal and a part must give the reason.
"""
import re

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
    (r"XEN_MC_[a-z]\w+", None),
    (r"XEN_DOMCTL_[a-z]\w+", None),
    (r"XEN_SYSCTL_[a-z]\w+", r"XEN_SYSCTL_cpu_(policy|featureset)_\w+"),
]
ANSWER = re.compile(r"offered|partly|refused `-XEN_E[A-Z0-9]+`")


def operations(values):
    found = {}
    for name, value in values.items():
        for pattern, exception in OPERATIONS:
            if re.fullmatch(pattern, name) and not (exception and re.fullmatch(exception, name)):
                found[name] = value
    return found


def check(path, values, problems):
    """Adds what is wrong to problems; returns the number of rows."""
    expected, seen = operations(values), set()
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
            problems.append(f"{where}: no such operation in include/xen")
            continue
        if name in seen:
            problems.append(f"{where}: has two rows")
        seen.add(name)
        if cells[1] != expected[name]:
            problems.append(f"{where}: number is {cells[1]}, should be {expected[name]}")
        if not ANSWER.fullmatch(cells[3]):
            problems.append(f"{where}: answer '{cells[3]}' is not offered, partly, or refused `-XEN_E..`")
        elif cells[3] != "offered" and not cells[4]:
            problems.append(f"{where}: gives no reason")
    for name in sorted(expected.keys() - seen):
        problems.append(f"{path}: no row for {name} (number {expected[name]})")
    return len(seen)
