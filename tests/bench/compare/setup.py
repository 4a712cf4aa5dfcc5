# SPDX-License-Identifier: MIT
"""What the comparison is told of its machine in the environment, where it is not the usual one: CPU= and MEM= as for `make run`, and
KERNEL=, a folder of build/ with a kernel and an initramfs for the guests (newer: `make newer`); their control domain keeps its own.

MEM is of a machine with a control domain. A guest has GUEST_MEM of it, and native just as much: they are held against each other."""
import os
import re
import sys

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../system")]
from machine import DEFAULT_CPU  # noqa: E402 (the harness lives with the system tests)

CPU = os.environ.get("CPU") or DEFAULT_CPU
MEM = os.environ.get("MEM") or "2048"
KERNEL = os.environ.get("KERNEL") or "dom0"
GUEST_MEM = 256     # MB
QEMUS_OWN = 1024    # MB that QEMU takes beside a machine's, at most: what it translates to
LEAST_MEM = 1536    # the control domain's 1024, the guest's, and 256 for the hypervisor and the files that it starts with


def refused(columns, given):
    """Why this MEM, if it was given, is not to be had with these columns."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", MEM) or int(MEM) < LEAST_MEM:
        return (f"MEM={MEM}: must be a number of MB, {LEAST_MEM} or more: 1024 are the control domain's, {GUEST_MEM} the guest's, "
                "the others are for the hypervisor and the files that it starts with")
    if given and set(columns) == {"native"}:
        return f"MEM={MEM}: `native` has {GUEST_MEM} MB, as the guests have in the other columns, whose machine alone is meant"
    return ""
