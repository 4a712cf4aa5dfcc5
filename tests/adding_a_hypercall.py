#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does what docs/adding-a-hypercall.md says with a copy of the tree, builds it, and runs the test that the page adds.

The page's code blocks follow a line that says where they go: "New file `PATH`:", "In `PATH`, behind `BEGINNING OF A LINE`:", or
"instead of" such a line. The copy has what is in git, as it lies in the working tree. The test is compiled as fast as can be (the header
that the steps change is everybody's), without sanitizers; headers must agree with Xen's, the coverage table with the headers, and the house
rules with all of it.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import rooms

PAGE = "docs/adding-a-hypercall.md"
BLOCK = re.compile(r"^(?:New file `(?P<new>[^`]+)`|In `(?P<old>[^`]+)`, (?P<how>behind|instead of) (?P<tick>`+)(?P<line>.+?)(?P=tick)):\n"
                   r"```\w*\n(?P<text>.*?)^```$", re.M | re.S)
TEST = "core_pmu"


def apply(root, found):
    text = found["text"]
    if found["new"]:
        with open(os.path.join(root, found["new"]), "w", encoding="utf-8") as file:
            file.write(text)
        return
    path = os.path.join(root, found["old"])
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines(keepends=True)
    where = [number for number, line in enumerate(lines) if line.startswith(found["line"].strip())]
    if len(where) != 1:
        raise SystemExit(f"{PAGE}: {found['old']} has {len(where)} lines that begin with {found['line']!r}")
    lines[where[0]:where[0] + 1] = [text] if found["how"] == "instead of" else [lines[where[0]], text]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(lines)


def run(root, *command):
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        print(f"{PAGE}: {' '.join(command)} answers {done.returncode}:\n{done.stdout[-3000:]}")
        raise SystemExit(1)
    return done.stdout


def main():
    with open(PAGE, encoding="utf-8") as page:
        blocks = list(BLOCK.finditer(page.read()))
    files = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True).stdout.splitlines()
    with tempfile.TemporaryDirectory(prefix="adding.") as root:
        for name in filter(os.path.isfile, files):
            os.makedirs(os.path.join(root, os.path.dirname(name)), exist_ok=True)
            shutil.copy2(name, os.path.join(root, name))
        run(root, "git", "init", "-q")
        for found in blocks:
            apply(root, found)
        # The hypervisor may have as many lines as it may have: what the page adds is no part of it.
        apply(root, {"new": None, "old": "tests/rooms.py", "how": "instead of", "line": "MOST_LINES = ", "text": "MOST_LINES = 1000000\n"})
        for page in ("README.md", "docs/reading-order.md"):
            apply(root, {"new": page, "text": f"{1000000:,} and {rooms.MOST_LINES_OF['hvm']:,}\n"})
        os.makedirs(os.path.join(root, "build"))
        if os.path.exists("build/.deps"):  # what is installed here is installed there
            shutil.copy2("build/.deps", os.path.join(root, "build/.deps"))
        run(root, "git", "add", "-A")
        run(root, sys.executable, "tests/style.py")
        run(root, "make", "SANITIZE=", "HOST_CFLAGS=$(HOST_BASE) -O0", f"build/host/gcc/unit_{TEST}", "abi")
        run(root, f"build/host/gcc/unit_{TEST}")
    print(f"{PAGE}: {len(blocks)} steps, built and tested")


main()
