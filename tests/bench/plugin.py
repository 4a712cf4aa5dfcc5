# SPDX-License-Identifier: MIT
"""A machine whose instructions in the hypervisor are counted by latency_plugin.c: what QEMU is told, and where the figures will be."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import BUILD, built  # noqa: E402 (the harness lives with the system tests)


def counted(name, counts=False):
    """QEMU's arguments, the file of the longest stretches, and that of all kinds of stretches if it is asked for."""
    directory = os.path.join(BUILD, "bench")
    os.makedirs(directory, exist_ok=True)
    symbols, *out = [os.path.join(directory, end) for end in ("symbols", name + ".latency", name + ".counts")]
    with open(symbols, "w", encoding="ascii") as file:
        subprocess.run(["nm", built("parvis.elf")], check=True, stdout=file)
    for path in out:
        if os.path.exists(path):
            os.remove(path)
    plugin = f"{built('bench/latency_plugin.so')},symbols={symbols},out={out[0]}"
    return ["-plugin", plugin + (f",counts={out[1]}" if counts else "")], *out
