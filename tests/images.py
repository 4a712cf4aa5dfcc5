# SPDX-License-Identifier: MIT
"""The hypervisor's images as programs read them that hold a rule against what was built: which there are, their symbols and bytes."""
import os
import subprocess
import sys

IMAGES = ["build/parvis.elf", "build/debug/parvis.elf", "build/clang/parvis.elf"]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Image:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.symbols = {name: int(value, 16) for value, _, name in (line.split() for line in run("nm", path).splitlines() if line[0] != " ")}
        self.sections = []
        for line in run("readelf", "-SW", path).splitlines():
            fields = line.replace("[", " ").replace("]", " ").split()
            if len(fields) > 5 and fields[2] == "PROGBITS":
                self.sections.append(tuple(int(f, 16) for f in fields[3:6]))

    def between(self, first, end):
        """The bytes from one symbol to the other."""
        first, end = self.symbols[first], self.symbols[end]
        for address, offset, size in self.sections:
            if address <= first and end <= address + size:
                return first, self.data[offset + first - address:offset + end - address]
        sys.exit(f"{first:#x} is in no section")


def check_each(check, problems):
    """check(path) of each image named on the command line, or of all that there are; prints what they say into problems. The exit status."""
    images = sys.argv[1:] or list(filter(os.path.exists, IMAGES))
    if not images:
        problems.append(f"there is none of {', '.join(IMAGES)}: `make all` makes the first")
    for image in images:
        check(image)
    for problem in problems:
        print(problem)
    return 1 if problems else 0
