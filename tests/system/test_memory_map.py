#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the hypervisor maps, as the CPU sees it: QEMU lists the page tables that are loaded.

Nothing of the hypervisor's is both writable and executable, by whatever address; what is constant in its image is written by nobody; each
stack has a page below it that is not there.
"""
import json
import os
import re
import socket
import subprocess

from machine import Machine, built, run_tests

CONFIG = "on_end = poweroff\n[domain hello]\nkernel = hello\nmemory = 16M\n"
ENTRY = re.compile(r"([0-9a-f]{16}): ([0-9a-f]{16}) ([-A-Z]{9})")
IMAGE, DIRECT_MAP, DIRECT_MAP_END = 0xffff82d040000000, 0xffff830000000000, 0xffff880000000000
GUARDS = (0x0000, 0x2000, 0x4000, 0x6000, 0x8000)


def monitor(path, command):
    """What QEMU's monitor answers, asked through QMP."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        stream = s.makefile("rw")
        stream.readline()
        for request in ({"execute": "qmp_capabilities"},
                        {"execute": "human-monitor-command", "arguments": {"command-line": command}}):
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            answer = json.loads(stream.readline())
        return answer["return"]


def symbols():
    listed = subprocess.run(["nm", built("parvis.elf")], check=True, capture_output=True, text=True).stdout
    return {name: int(address, 16) for address, _, name in (line.split() for line in listed.splitlines())}


def maps_nothing_too_much():
    """W^X, constants that are constant, guards below stacks."""
    directory = Machine.scratch()
    path = os.path.join(directory, "qmp")
    with Machine.direct("memory-map", CONFIG, {"hello": built("pvguest/hello")}, mem="256", directory=directory,
                        qemu=["-qmp", f"unix:{path},server=on,wait=off"]) as m:
        m.expect(r"hello> ", 30)
        pages = [(int(va, 16), int(pa, 16), flags) for va, pa, flags in ENTRY.findall(monitor(path, "info tlb"))]
    ours = {va: (pa, flags) for va, pa, flags in pages if IMAGE & ~((1 << 39) - 1) <= va < DIRECT_MAP_END}
    named = symbols()
    image = ours[named["image_start"]][0]
    constant = range(image, image + named["rodata_end"] - named["image_start"])
    code = range(image, image + named["text_end"] - named["image_start"])
    assert len(ours) > 100 and DIRECT_MAP in ours, "the list has another form"
    for va, (pa, flags) in ours.items():
        writable, executable = flags[-1] == "W", flags[0] != "X"    # QEMU's X is no-execute
        assert not executable or pa in code and IMAGE <= va < DIRECT_MAP, f"{va:#x} can be executed"
        assert not writable or pa not in constant, f"{va:#x} can be written"
    assert any(va >= DIRECT_MAP and pa in constant for va, (pa, _) in ours.items()), "the direct map lacks the image"
    block = named["cpu0_block"]
    for offset in range(0, 0x10000, 0x1000):
        assert (block + offset in ours) == (offset not in GUARDS), f"page {offset:#x} of the CPU's block"


if __name__ == "__main__":
    run_tests(maps_nothing_too_much)
