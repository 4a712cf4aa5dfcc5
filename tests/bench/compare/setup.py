# SPDX-License-Identifier: MIT
"""What the comparison is told of its machine in the environment, where it is not the usual one: CPU= and MEM= as for `make run`, and
KERNEL=, a folder of build/ with a kernel and an initramfs for the guests (newer: `make newer`); their control domain keeps its own."""
import os
import sys

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../system")]
from machine import DEFAULT_CPU  # noqa: E402 (the harness lives with the system tests)

CPU = os.environ.get("CPU") or DEFAULT_CPU
MEM = os.environ.get("MEM") or "2048"
KERNEL = os.environ.get("KERNEL") or "dom0"
