#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a fuzzer's first inputs, of random bytes, where its corpus is: the same each time.

From nothing a fuzzer comes in minutes to where any long input leads, because what plays bytes as lives makes sense of all of them.
"""
import os
import random
import sys

FILES = 64


def main():
    folder, size = sys.argv[1], int(sys.argv[2])
    os.makedirs(folder, exist_ok=True)
    for number in range(FILES):
        with open(os.path.join(folder, f"random-{number}"), "wb") as out:
            out.write(random.Random(number).randbytes(size))


if __name__ == "__main__":
    main()
