#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the hypervisor on purpose, one line at a time, and says which test notices.

A mutant is a safety measure left out: a flush, a stamp, a check. For each, the one file is compiled with the change and linked in front
of libcore.a into the unit programs that are named, and these run until one fails. A mutant that no program notices is a hole in the
tests, and the exit status is 1. `make mutants` builds what is needed and runs all; with names as arguments, those alone.

A change names the text that it replaces, which must stand in exactly one file of the hypervisor, once:
tests/style.py looks at that, so that who changes such a line changes it here too.
"""
import os
import subprocess
import sys

OUT = "build/mutants"
PAGING = ["pv_tlb", "pv_mm_fuzz", "pv_random"]
MUTANTS = {
    # name: (text, replacement, programs that may notice)
    "no flush at a type change": ("if (old != PGT_none && old != type && !tlb_flushed_since(pg->tlb_stamp))", "if (0)", PAGING),
    "no stamp when a table ends": ("    pg->tlb_stamp = tlb_clock();\n    __atomic_store_n(", "    __atomic_store_n(", PAGING),
    "no stamp when a plain use ends": ("    pg->tlb_stamp = tlb_clock();\n    return cmpxchg(", "    return cmpxchg(", PAGING),
    "no flush at exchange": ("if (page_list_first(&f->taken))\n        flush_tlb_domain(d);", "", PAGING),
    "no flush in the heap": ("flush_tlb_all();\n            return;", "return;", PAGING),
    "no stamp of free frames": ("uint32_t stamp = tlb_clock();", "uint32_t stamp = 0;", PAGING),
    "no flush at a foreign entry": ("flush_tlb_domain(l1_owner);", "", PAGING),
    "no flush at a grant's unmap": ("    if (batch->nr)\n        flush_tlb_domain(ld);", "", PAGING + ["core_grants_fuzz"]),
    "no flush when an LDT goes": ("v->arch.pv.ldt_mapped = 0;\n    flush_tlb_domain(v->domain);", "v->arch.pv.ldt_mapped = 0;", PAGING),
    "no flush when a GDT is set": ("flush_tlb_local(); /* the slots' old translations */", "", PAGING),
    "a new base table is not loaded": ("machine_load_cr3(v->arch.pv.cr3, false);\n    if (!mfn_eq(old, mfn)", "if (!mfn_eq(old, mfn)", PAGING),
}


def find(text):
    """The one source file that has the text."""
    found = []
    for path in subprocess.run(["git", "ls-files", "hypervisor/*.c"], check=True, capture_output=True, text=True).stdout.split():
        with open(path, encoding="utf-8") as source:
            found += [path] * source.read().count(text)
    if len(found) != 1:
        sys.exit(f"mutants: {text!r} stands {len(found)} times: {' '.join(found)}")
    return found[0]


def build(name, path, text, replacement):
    """The mutated file's object, or None."""
    folder = os.path.join(OUT, name.replace(" ", "-"))
    os.makedirs(folder, exist_ok=True)
    source = os.path.join(folder, os.path.basename(path))
    with open(path, encoding="utf-8") as original, open(source, "w", encoding="utf-8") as mutated:
        mutated.write(original.read().replace(text, replacement))
    flags = os.environ["MUTANT_CFLAGS"].split() + ["-iquote", os.path.dirname(path), "-Wno-error"]
    subprocess.run(["gcc", *flags, "-w", "-c", source, "-o", source[:-1] + "o"], check=True)
    return source[:-1] + "o"


def link(program, mutant):
    """Links a unit program with the mutated object; `make` has named its objects in the environment."""
    out = os.path.join(os.path.dirname(mutant), program)
    objects = os.environ["OBJECTS_" + program].split()
    subprocess.run(["gcc", "-fsanitize=address,undefined", "-o", out, *objects, mutant,
                    "build/host/gcc/libcore.a", "-lcmocka"], check=True)
    return out


def killer(name):
    """The first program that fails with the mutant, or None."""
    text, replacement, programs = MUTANTS[name]
    mutant = build(name, find(text), text, replacement)
    for program in programs:
        ran = subprocess.run([link(program, mutant)], capture_output=True, text=True, errors="replace", check=False, timeout=900)
        if ran.returncode:
            lines = [line for line in (ran.stderr + ran.stdout).splitlines() if "still knows" in line or "FAILED" in line or "differ" in line]
            return f"{program}: {lines[0].strip() if lines else ran.returncode}"
    return None


def main():
    survivors = 0
    for name in sys.argv[1:] or MUTANTS:
        by = killer(name)
        survivors += by is None
        print(f"{name:34} {by or 'SURVIVES'}", flush=True)
    print(f"{survivors} mutants survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
