#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds include/xen against Debian's libxen-dev, and docs/abi-coverage.md against include/xen.

    compare.py [--headers DIR] [--coverage FILE] [--work DIR]

For each side a C program is made that prints every constant, the size of every structure and type, and offset and
size of every member; built with gcc (ours with clang too) and run; the lines are compared. Names that only one side
has must be listed, with the reason, in differences.py. Then: every header compiles alone, the stable libraries' own
headers (xencall.h, ...) compile with ours, and every hypercall and sub-operation has a row in the coverage table with
the right number. Exit status 0 when all agrees, 77 when libxen-dev is not there.
"""
import argparse
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cheader        # noqa: E402
import coverage       # noqa: E402
import differences    # noqa: E402

OURS = "include"
AT_LEAST = {"constants": 1100, "sizes": 300, "members": 1200}    # far fewer means that this test is broken
STRICT = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wundef", "-Wstrict-prototypes", "-fsyntax-only", "-x", "c"]
THEIR_FLAGS = ["-D__XEN_TOOLS__", "-D__XEN_INTERFACE_VERSION__=0x00040e00"]
LIBRARIES = ["xencall.h", "xenevtchn.h", "xengnttab.h", "xenforeignmemory.h", "xenstore.h"]

PRINTER = """
#include <stdio.h>
#include <string.h>
static void text(const char *name, const char *value) { printf("%s %s\\n", name, value); }
static void number(const char *name, long long value) { printf("%s %lld\\n", name, value); }
#define C(x) _Generic((x), char *: text, const char *: text, default: number)(#x, x);
#define T(t, n) number(n, sizeof(t));
#define O(t, n, m) number(n "." #m, __builtin_offsetof(t, m));
#define S(t, n, m) number(n "." #m "#", sizeof(((t *)0)->m));
"""


def our_headers():
    """Every header of include/xen, as <xen/...> names it."""
    return sorted(os.path.relpath(os.path.join(folder, f), f"{OURS}/xen")
                  for folder, _, files in os.walk(f"{OURS}/xen") for f in files if f.endswith(".h"))


class Side:
    """One set of headers: what it declares, and what its program prints."""

    def __init__(self, label, headers, root, flags, wanted):
        self.label, self.root, self.flags = label, root, [f"-I{root}", *flags]
        self.source = "#include <stddef.h>\n#include <stdint.h>\n" + "".join(f"#include <xen/{h}>\n" for h in headers)
        self.names = cheader.read(self.source, self.flags, wanted)

    def values(self):
        """Names of the macros that can be printed: not those that stand for a type or a tag."""
        tags = {key.split()[-1] for key in self.names.aggregates} | self.names.typedefs
        return {n for n, v in self.names.macros.items() if n not in differences.NOT_A_VALUE and v not in tags}

    def members(self):
        return {f"{key}.{path.removesuffix('[]').removesuffix(':')}"
                for key, paths in self.names.aggregates.items() for path in paths}

    def all_names(self):
        macros = set(self.names.macros) | self.names.constants
        return (macros | {f"{n}()" for n in self.names.functions} | set(self.names.aggregates) | self.members()
                | {f"typedef {n}" for n in self.names.typedefs})

    def program(self):
        lines = [PRINTER, self.source, "int main(void)", "{"]
        lines += [f"C({name})" for name in sorted(self.values() | self.names.constants)]
        lines += [f"C({sample})" for sample in differences.SAMPLES]
        lines += [f'T({name}, "typedef {name}")' for name in sorted(self.names.typedefs)]
        for key, paths in sorted(self.names.aggregates.items()):
            lines.append(f'T({key}, "{key}")')
            for path in paths:
                if path.endswith(":"):
                    continue
                plain = path.removesuffix("[]")
                lines.append(f'O({key}, "{key}", {plain})')
                if plain == path:
                    lines.append(f'S({key}, "{key}", {path})')
        return "\n".join(lines + ["return 0;", "}"]) + "\n"

    def run(self, compiler, work):
        """Builds and runs the program; returns name -> printed value."""
        base = os.path.join(work, f"{self.label}-{compiler}")
        with open(base + ".c", "w", encoding="ascii") as out:
            out.write(self.program())
        subprocess.run([compiler, "-std=gnu11", "-w", "-O0", *self.flags, "-o", base, base + ".c"], check=True)
        lines = subprocess.run([base], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        return dict(split_name(line).split(" ", 1) for line in lines)


def split_name(line):
    """Names of aggregates contain a blank ("struct x"): join it, so that the first blank ends the name."""
    return re.sub(r"^(struct|union|typedef) ", r"\1~", line)


def excused(names, table, problems, what):
    """Takes the names that a row of the table explains; complains of the rest and of rows that explain nothing."""
    used = set()
    for name in sorted(names):
        for row, (pattern, _) in enumerate(table):
            if re.fullmatch(pattern, name):
                used.add(row)
                break
        else:
            problems.append(f"{what}: {name}")
    for row, (pattern, reason) in enumerate(table):
        if row not in used:
            problems.append(f"differences.py: nothing matches ({reason}): {pattern}")


def check_names(ours, theirs, problems):
    mine, other = ours.all_names(), theirs.all_names()
    gone = {key for key in theirs.names.aggregates if key not in ours.names.aggregates}
    missing = {n for n in other - mine if not any(n.startswith(key + ".") for key in gone)}
    excused(missing, differences.LEFT_OUT, problems, "missing in include/xen")
    excused(mine - other, differences.OURS_ONLY, problems, "not in libxen-dev")


def check_values(ours, theirs, work, problems):
    expected = theirs.run("gcc", work)
    counts = dict.fromkeys(AT_LEAST, 0)
    for compiler in ("gcc", "clang"):
        got = ours.run(compiler, work)
        for name in sorted(expected.keys() & got.keys()):
            kind = "members" if re.match(r"(struct|union)~.*\.|\w+\.\w", name) else "sizes" if "~" in name else "constants"
            counts[kind] += compiler == "gcc"
            if got[name] != expected[name]:
                problems.append(f"differs ({compiler}): {name.replace('~', ' ')} is {got[name]}, should be {expected[name]}")
    for kind, least in AT_LEAST.items():
        if counts[kind] < least:
            problems.append(f"only {counts[kind]} {kind} compared, expected at least {least}: the test is broken")
    return counts, got


def check_compiles(theirs_root, problems):
    """Each header of ours alone, and the stable libraries' headers with ours in place of Xen's."""
    sources = {f"xen/{h}": f"#include <xen/{h}>\n" for h in our_headers()}
    sources |= {h: f"#include <{h}>\n#include <xen/domctl.h>\n" for h in LIBRARIES if os.path.exists(f"{theirs_root}/{h}")}
    for name, source in sources.items():
        for compiler in ("gcc", "clang"):
            done = subprocess.run([compiler, *STRICT, f"-I{OURS}", "-"], input=source, text=True,
                                  stderr=subprocess.PIPE, check=False)
            if done.returncode:
                problems.append(f"does not compile ({compiler}): {name}\n{done.stderr}")
    return len(sources)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headers", default="/usr/include", help="where xen/ of libxen-dev is")
    parser.add_argument("--coverage", default="docs/abi-coverage.md")
    parser.add_argument("--work", default="build/abi")
    options = parser.parse_args()
    reference = f"{options.headers}/xen/arch-x86/xen.h"
    if not os.path.exists(reference):
        print(f"{reference} is not there: Debian package libxen-dev is needed")
        return 77
    os.makedirs(options.work, exist_ok=True)
    problems = []
    headers = check_compiles(options.headers, problems)
    if problems:
        print("\n".join(problems))
        return 1
    scope = {os.path.join(options.headers, "xen", h) for h in [*differences.HEADERS, "xen-compat.h"]}
    ours = Side("ours", our_headers(), OURS, [], lambda path: path.startswith(OURS + "/xen/"))
    theirs = Side("theirs", differences.HEADERS, options.headers, THEIR_FLAGS,
                  lambda path: os.path.normpath(path) in scope)
    check_names(ours, theirs, problems)
    counts, values = check_values(ours, theirs, options.work, problems)
    rows = coverage.check(options.coverage, values, problems)
    print("\n".join(problems + [""]) if problems else "", end="")
    print(f"abi: {counts['constants']} constants, {counts['sizes']} sizes, {counts['members']} member offsets and sizes, "
          f"{headers} headers, {rows} coverage rows: " + (f"{len(problems)} problems" if problems else "all agree"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
