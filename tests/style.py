#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the sources against the house rules that a program can see.

Every source file begins with its licence line; none is longer than 500 lines; `#if` is in headers only; no line is longer than 100
columns in C; every file is text; no function longer than 100 lines; no note that something is still to be done; hypervisor code
includes only its own headers and five of the compiler's; the folders keep to who-may-use-whom, the rooms of core among them
(tests/rooms.py), those of the tools too (tests/tool_rooms.py); every path that docs/reading-order.md names exists; comments are /* */, braces are where c_braces.py says, no line
ends in blanks, assertions have no side effects, loops that wait for another CPU serve it meanwhile, every function is called and every declaration means
something, comments and pages name functions and files that exist, clang-format would change nothing, include/xen has as many lines of
comment as of code, and the hypervisor has no more lines of code than it may have.

--loc prints the hypervisor's lines of code, neither blank nor comment, by folder and room.
"""
import os
import re
import subprocess
import sys

import c_braces
import c_rules
import dead_code
import model_labels
import mutants
import nospec
import rooms
import stale_words
import tool_rooms
from c_source import blank

ALLOWED_STANDARD = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "limits.h"}
COMMENT = {".c": "/* ", ".h": "/* ", ".asm": "; ", ".lds": "/* ", ".py": "# ", ".sh": "# ", ".mk": "# ", ".pml": "/* "}
problems = []


def complain(path, line, text):
    problems.append(f"{path}:{line}: {text}")


def check_common(path, lines, extension):
    head = lines[:2] if lines and lines[0].startswith("#!") else lines[:1]
    if not any(line.startswith(COMMENT[extension] + "SPDX-License-Identifier: MIT") for line in head):
        complain(path, 1, "does not begin with the licence line")
    if len(lines) > 500:
        complain(path, len(lines), f"{len(lines)} lines; a file has at most 500")
    for number, line in enumerate(lines, 1):
        if re.search(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b", line):
            complain(path, number, "says that something is still to be done")


def check_c(path, lines):
    start = 0
    fenced = False      # tables, between clang-format off and on, may be wider
    for number, line in enumerate(lines, 1):
        if "clang-format o" in line:
            fenced = "clang-format off" in line
        if len(line) > 100 and not fenced:
            complain(path, number, f"{len(line)} columns; a line has at most 100")
        if path.endswith(".c") and re.match(r"\s*#\s*(if|ifdef|ifndef)\b", line):
            complain(path, number, "#if belongs into headers")
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start > 101:
                complain(path, start, f"a function of {number - start - 1} lines")
            start = 0


def check_includes(path, lines):
    """Who may use whom, beside what rooms.py sees; and nothing twice, but for lists of rows."""
    seen = set()
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if not found:
            continue
        name = found.group(1)
        if name in seen and not name.endswith("_rows.h"):
            complain(path, number, f"includes {name} twice")
        seen.add(name)
        if path.startswith("include/xen/") and not name.startswith("xen/") and name not in ALLOWED_STANDARD:
            complain(path, number, f"include/xen includes only itself, not {name}")
        if path.startswith("hypervisor/") and not path.startswith("hypervisor/boot/efi"):
            if "/" not in name and line.lstrip().find("<") > 0 and name not in ALLOWED_STANDARD:
                complain(path, number, f"the hypervisor does not use {name}")
        if path.startswith("hypervisor/loader/") and name.startswith(("hv/", "port/", "core/", "pv/", "hvm/")):
            complain(path, number, "the loader includes only include/")
        if path.startswith("dom0-tools/") and name.startswith(("hv/", "port/", "core/", "pv/", "hvm/")):
            complain(path, number, "tools include nothing of the hypervisor but its loader")


# Who maps a frame of RAM to write to it: everyone else reads (read_frame()). Entries of a guest's page tables: set_pte() alone.
MAPS_TO_WRITE = {
    "hypervisor/core/domain/guest_memory.h",    # frames of a guest, but for its page tables
    "hypervisor/core/frame/alloc.c",            # the hypervisor's own memory
    "hypervisor/core/frame/heap.c",             # free memory
    "hypervisor/pv/domain_ops.c",               # the hypervisor's own tables of a domain
    "hypervisor/hvm/npt_tables.h",              # the hypervisor's own: nested page tables
    "hypervisor/include/port/machine.h",        # the two primitives
    "hypervisor/x86/memory.c",
}
CASTS = {"hypervisor/pv/set_pte.h", "hypervisor/lib/string.c", "hypervisor/lib/x86_decode.c", "hypervisor/include/hv/x86_insn.h", "hypervisor/lib/x86_write.c"}
COPIES_OUT = {"hypervisor/core/domain/guest_memory.h", "hypervisor/include/port/guest_access.h", "hypervisor/x86/guest_access.c", "hypervisor/x86/guest_copy.h"}


def check_writers(path, lines):
    """One writer of page-table entries, and one way to write to a guest's memory."""
    if not path.startswith("hypervisor/"):
        return
    for number, line in enumerate(lines, 1):
        if re.search(r"\b(map_frame\(|frame_map\b)", line) and path not in MAPS_TO_WRITE:
            complain(path, number, "maps a frame to write to it: map_guest_frame(), set_pte() or read_frame()")
        if re.search(r"\b(guest_(write|write_word|try|write_zeros|copy|clear)|(write|write_word|try)_elsewhere)\(", line) and path not in COPIES_OUT:
            complain(path, number, "writes to a guest: copy_to_guest()")
        if re.search(r"\([a-z_0-9 ]+\*\)\s*\(?(read_frame|table_entry|\(uintptr_t)\b", line) and "(const " not in line and path not in CASTS:
            complain(path, number, "casts away that a frame is only read")


# Who waits, with cpu_relax(), for what is no other CPU.
WAITS_FOR_DEVICES = {
    "hypervisor/core/base/wait.c": "spin_wait() itself",
    "hypervisor/core/base/console_out.c": "the UART, as long as it is polled, within bounds",
    "hypervisor/x86/acpi.c": "the chipset, within bounds",
    "hypervisor/x86/apic.c": "this CPU's APIC; its timer is measured once, when nobody else runs",
    "hypervisor/x86/stop.c": "other CPUs, at the end, within bounds",
    "hypervisor/x86/uart.c": "the UART, at the end, within bounds",
}


def check_deeper(texts):
    """What needs more than one line of C to see: c_rules.py and dead_code.py (rules_test.py shows that they fire)."""
    sources = {path: blank(text) for path, text in texts.items() if path.endswith((".c", ".h"))}
    effects = {name for path, text in sources.items() if path.startswith("hypervisor/")
               for name in c_rules.functions_with_effects(text)}
    for path, text in sources.items():
        for_cpus = path.startswith("hypervisor/") and path.endswith(".c") and path not in WAITS_FOR_DEVICES
        found = [*c_rules.comments(text, texts[path]), *c_rules.assertions(text, effects), *c_rules.waits(text, for_cpus)]
        found += c_braces.braces(text, texts[path])
        for number, words in found:
            complain(path, number, words)
    parts = dead_code.Sources(texts)
    for path, number, words in parts.problems():
        complain(path, number, words)
    for path in WAITS_FOR_DEVICES:
        if "cpu_relax(" not in sources.get(path, ""):
            complain("tests/style.py", 1, f"{path} waits for nothing any more")
    for name in set(dead_code.FOR_TESTS) - parts.defined:
        complain("tests/dead_code.py", 1, f"{name}() is no more")


def check_names(sources, paths):
    """Comments and pages name functions and files that exist."""
    texts = dict(sources)
    for path in filter(re.compile(r"docs/.*\.md|README\.md").fullmatch, paths):
        with open(path, encoding="utf-8") as page:
            texts[path] = page.read()
    names = stale_words.Names(texts, paths)
    for path, text in texts.items():
        if path.endswith((".c", ".h", ".md")):
            for number, words in names.problems(path, text):
                complain(path, number, words)


def check_mutants(texts):
    """What tests/mutants_table.py leaves out is there to be left out, once."""
    sources = [mutants.plain(source) for path, source in texts.items() if path.startswith("hypervisor/") and path.endswith((".c", ".h", ".asm"))]
    for name, (text, _, _) in mutants.MUTANTS.items():
        n = sum(source.count(text) for source in sources)
        if n != 1:
            complain("tests/mutants_table.py", 1, f"'{name}': {text!r} stands {n} times in the hypervisor")


def check_models(texts):
    """Each step of a model is one of the code, in the code's order (model_labels.py)."""
    for problem in model_labels.problems(texts):
        complain(*problem)


FORMATTER = "14"    # the clang-format that the house uses: others differ in details


def check_format(paths):
    """As .clang-format says. What the summary is to say when the program is not there, or is another."""
    try:
        version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        return f"format not looked at (no clang-format {FORMATTER}), "
    found = re.search(r"version (\S+)", version)
    if not found or found[1].split(".")[0] != FORMATTER:
        return f"format not looked at (clang-format {found[1] if found else 'of no version'}, not {FORMATTER}), "
    told = subprocess.run(["clang-format", "--dry-run", *paths], capture_output=True, text=True).stderr
    for path, number in dict.fromkeys(re.findall(r"^(\S+?):(\d+):\d+: warning", told, re.MULTILINE)):
        complain(path, number, "is not formatted (make fmt)")
    return ""


def check_core(path, lines):
    """core does not look into what the machine and the kind of a guest keep, and has no word of a kind."""
    if not path.startswith("hypervisor/core/"):
        return
    for number, line in enumerate(lines, 1):
        if re.search(r"\b(v|d|rd|ld|current|prev|next|vcpu|domain)->arch\b", line):
            complain(path, number, "core passes the machine's part of a vCPU or domain by")
        if re.search(r"\bpv_|\bPV_|\bPTE_|\bPGT_(l[1-4]|seg|pinned|partial|locked)", line):
            complain(path, number, "a word of a kind of guest")


# Where guests' requests and exceptions end: the lines that they cause come out of their share of the log.
CAUSED_BY_GUESTS = re.compile(r"hypervisor/(pv|core/(console|domain|event|grant|guest))/")


def check_log(path, lines):
    for number, line in enumerate(lines, 1):
        if CAUSED_BY_GUESTS.match(path) and re.search(r"\blog_(debug|warning)\(", line):
            complain(path, number, "a guest could fill the log with it: log_guest() or refused()")


def check_text(path):
    """What git has are sources: nothing that a program made."""
    with open(path, "rb") as file:
        if b"\0" in file.read():
            complain(path, 1, "is no text")


RESULT_MAY_BE_LEFT = {"error_set", "error_setv", "error_errno", "reap_wait", "lifecycle_reap"}  # they tell, or undo


def check_results(path, lines):
    """What the tools' functions tell by a struct error their results say too, and who calls looks at these."""
    if not path.startswith("dom0-tools/") or not path.endswith(".h"):
        return
    text = "\n".join(lines)
    for found in re.finditer(r"^int (\w+)\([^;]*?(?<!const )struct error \*e\b", text, re.MULTILINE):
        if found[1] not in RESULT_MAY_BE_LEFT:
            complain(path, text.count("\n", 0, found.start()) + 1, f"{found[1]}() may fail: __must_check")


def check_reading_order(path="docs/reading-order.md"):
    if not os.path.exists(path):
        complain(path, 1, "is missing")
        return 0
    named = 0
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        for name in re.findall(r"`([A-Za-z0-9_./-]+/[A-Za-z0-9_./-]*)`", line):
            named += 1
            if not os.path.exists(name):
                complain(path, number, f"{name} does not exist")
    return named


def check_manual(texts):
    """include/xen is the manual of the ABI: over all of it there is at least as much comment as code, in lines."""
    code = comment = 0
    for path, text in texts.items():
        if not path.startswith("include/xen/"):
            continue
        # a comment keeps its lines and becomes marks, so a line of marks alone is one of comment
        marked = re.sub(r"/\*.*?\*/", lambda found: re.sub(r"\S|(?<=\n) ", "\0", found.group()), text, flags=re.S)
        for line in filter(str.strip, marked.splitlines()):
            if line.replace("\0", "").strip():
                code += 1
            else:
                comment += 1
    if comment < code:
        complain("include/xen", 0, f"{comment} lines of comment for {code} lines of code; at least as many are wanted")


def without_own(code):
    """Lines of the rooms that have no limit of their own."""
    return sum(lines for room, lines in code.items() if room not in rooms.MOST_LINES_OF)


def check_size(code):
    """What is privileged stays small enough to be read."""
    for room, most in rooms.MOST_LINES_OF.items():
        if code.get(room, 0) > most:
            complain(f"hypervisor/{room}", 0, f"{code[room]} lines of code; at most {most}")
    if without_own(code) > rooms.MOST_LINES:
        complain("hypervisor", 0, f"{without_own(code)} lines of code; at most {rooms.MOST_LINES}")


def check_size_told(path, text):
    """A page for readers says the same sizes as the limits."""
    for most in (rooms.MOST_LINES, *rooms.MOST_LINES_OF.values()):
        if f"{most:,}" not in text:
            complain(path, 0, f"does not say {most:,}, which is a limit of lines of code")


def main():
    listed = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True).stdout.split("\n")
    files, texts = {}, {}
    for path in filter(os.path.isfile, listed):
        check_text(path)
        if os.path.splitext(path)[1] in COMMENT:
            with open(path, encoding="utf-8") as source:
                texts[path] = source.read()
            files[path] = texts[path].splitlines()
    for path in ("README.md", "docs/reading-order.md"):
        with open(path, encoding="utf-8") as page:
            check_size_told(path, page.read())
    code = rooms.lines_of_code(files)
    if "--loc" in sys.argv[1:]:
        for place in sorted(code):
            print(f"{code[place]:6}  {place}")
        print(f"{without_own(code):6}  hypervisor without {', '.join(rooms.MOST_LINES_OF)}, at most {rooms.MOST_LINES}")
        return 0
    for path, lines in files.items():
        extension = os.path.splitext(path)[1]
        check_common(path, lines, extension)
        if extension in (".c", ".h"):
            check_c(path, lines)
            check_includes(path, lines)
            check_writers(path, lines)
            check_core(path, lines)
            check_results(path, lines)
            check_log(path, lines)
    check_deeper(texts)
    check_manual(texts)
    check_mutants(texts)
    check_models(texts)
    check_names(texts, listed)
    said = f"{nospec.check(files, complain)}, {rooms.check(files, complain)}, {tool_rooms.check(files, complain)}"
    check_size(code)
    unformatted = check_format([path for path in texts if path.endswith((".c", ".h"))])
    named = check_reading_order()
    print("\n".join(problems))
    print(f"{len(files)} files, {said}, {sum(code.values())} lines of code in the hypervisor (at most {rooms.MOST_LINES}, "
          f"and in {rooms.MOST_LINES_OF}), "
          f"{named} names in the reading order, {unformatted}{len(problems)} problems")
    return 1 if problems or len(files) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
