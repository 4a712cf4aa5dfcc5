#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the hypervisor on purpose, one line at a time, and says which test notices.

A mutant is a safety measure left out: a flush, a stamp, a check. For each, the one file is compiled with the change and linked in front
of libcore.a into the programs that are named, unit tests or scenarios of torture, and these run until one fails, or does not end. A mutant that
no program notices is a hole in the tests, and the exit status is 1. `make mutants` builds what is needed and runs all; with names as arguments, those alone.

Of a header, all of the portable code that includes it is compiled with the change.

What is assembly is linked into a hypervisor of its own, under which guest tests run ("guest NAME", tests/guest): they are through in half a second.
"guest syscall DEED" is that test's way to end its domain; "check NAME" is what looks at the image itself (tests/NAME.py).

A change names the text that it replaces (tests/mutants_table.py), which must stand in exactly one file of the hypervisor, once:
tests/style.py looks at that, so that who changes such a line changes it here too.
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import time

from mutants_table import MUTANTS

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "system"))
from machine import Ended, Machine, Timeout  # noqa: E402
from test_guest_programs import DEEDS  # noqa: E402

OUT = "build/mutants"
MACHINES = ("hypervisor/x86", "hypervisor/hvm/cpu")     # code that is not portable
TORTURE_SECONDS = 180   # of a scenario that is to notice, which is a matter of luck
# Seconds of a program: what does not end by itself is noticed too, as by the limit that each test has.
LIMIT = 300 * float(os.environ.get("PARVIS_TIMEOUT_SCALE", "1"))
TOLD = re.compile("still knows|LINE|differ|, seed |invariant|panic|lock of rank|runtime error|SUMMARY")    # the line that says most


def plain(source):
    """Without the comments that name steps of models (model_labels.py)."""
    return re.sub(r"^[ ]*/\* model: [\w.]+ \*/\n|[ ]*/\* model: [\w.]+ \*/", "", source, flags=re.M)


def find(text):
    """The one source file that has the text."""
    found = []
    for path in subprocess.run(["git", "ls-files", "hypervisor/*.c", "hypervisor/*.h", "hypervisor/*.asm"], check=True, capture_output=True, text=True).stdout.split():
        with open(path, encoding="utf-8") as source:
            found += [path] * plain(source.read()).count(text)
    if len(found) != 1:
        sys.exit(f"mutants: {text!r} stands {len(found)} times: {' '.join(found)}")
    return found[0]


def assemble(path, source):
    """A hypervisor with this in place of the file; its table of symbols is that of the other."""
    subprocess.run(["nasm", "-f", "elf64", *os.environ["MUTANT_NASM"].split(), source, "-o", source + ".o"], check=True)
    others = [o for o in os.environ["MUTANT_LINK"].split() if not o.endswith(path + ".o")]
    subprocess.run([*others, source + ".o", "-o", source + ".elf"], check=True)
    subprocess.run(["objcopy", "-O", "binary", source + ".elf", source + ".bin"], check=True)
    return os.path.abspath(source + ".bin")


def deed_failure(deed, m):
    """Why the deed of guest test syscall did not end its domain with the right words, or None."""
    said = m.expect(r"crashed: .*\n|TEST-RESULT: .*\n", 20)[0]
    return None if re.search("crashed: .*" + DEEDS[deed], said) else said.strip()


def guest_failure(name, hypervisor, deed=None):
    """Why the guest test failed, or None."""
    with Machine.guest("mutant-" + name, os.path.abspath("build/tests/guest/" + name), vcpus=2, hypervisor=hypervisor, cmdline=f"do={deed}" if deed else "") as m:
        try:
            if deed:
                return deed_failure(deed, m)
            said = m.expect(r"^FAILURE: .*\n|crashed: .*\n|TEST-RESULT: \S+ (?!success)\w+\n|(TEST-RESULT: \S+ success)\n", 20)
        except (Ended, Timeout) as why:
            return str(why).splitlines()[-1].strip()
    return None if said[1] else said[0].strip()


def compiled(path, source, out, *flags):
    """The object of the source, which stands for the file at path."""
    if os.path.dirname(path) in MACHINES:
        flags += ("-include", "tests/unit/x86_names.h")
    subprocess.run(["gcc", *flags, *os.environ["MUTANT_CFLAGS"].split(), "-iquote", os.path.dirname(path), "-Wno-error", "-w", "-c", source, "-o", out], check=True)
    return out


def compiled_with(header, folder):
    """The objects of the portable code that includes the header, with the one in the folder instead."""
    users = []
    for dependencies in glob.glob("build/host/gcc/hypervisor/**/*.d", recursive=True):
        with open(dependencies, encoding="utf-8") as file:
            path = dependencies[len("build/host/gcc/"):-1] + "c"
            if header in file.read().split() and os.path.dirname(path) not in MACHINES:
                users.append(path)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda path: compiled(path, path, os.path.join(folder, path.replace("/", "-")[:-1] + "o"), "-I" + folder), users))


def build(name, path, text, replacement):
    """The objects that the mutated file changes; or, of assembly, the hypervisor."""
    folder = os.path.join(OUT, name.replace(" ", "-"))
    is_header = path.endswith(".h")
    source = os.path.join(folder, re.sub("hypervisor/(include/)?", "", path) if is_header else os.path.basename(path))
    os.makedirs(os.path.dirname(source), exist_ok=True)
    with open(path, encoding="utf-8") as original, open(source, "w", encoding="utf-8") as mutated:
        mutated.write(plain(original.read()).replace(text, replacement))
    if path.endswith(".asm"):
        return assemble(path, source)
    return compiled_with(path, folder) if is_header else [compiled(path, source, source[:-1] + "o")]


def link(program, mutants):
    """Links a unit program with the mutated objects; `make` has named its own in the environment."""
    program, *arguments = program.split()
    out = os.path.join(os.path.dirname(mutants[0]), program)
    instead = tuple(room + os.path.basename(mutant) for mutant in mutants for room in ("/base/", "/x86/", "/hvm/", "/cpu/"))
    objects = [o for o in os.environ["OBJECTS_" + program].split() if not o.endswith(instead)]
    subprocess.run(["gcc", "-fsanitize=address,undefined", "-o", out, *objects, *mutants,
                    "build/host/gcc/libcore.a", "-lcmocka", "-lm"], check=True)
    return [out, *arguments, str(TORTURE_SECONDS), "1"] if arguments else [out]


def failure(command):
    """Why the program failed, or None."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return f"did not end in {LIMIT} s"
    if not ran.returncode:
        return None
    said = (ran.stderr + ran.stdout).splitlines() or [f"status {ran.returncode}"]
    return next(filter(TOLD.search, said), said[-1]).strip()


def killer(name):
    """The first program that fails with the mutant, or None."""
    text, replacement, programs = MUTANTS[name]
    mutant = build(name, find(text), text, replacement)
    for program in programs:
        kind, *words = program.split()
        if kind == "guest":
            why = guest_failure(words[0], mutant, *words[1:])
        elif kind == "check":
            why = failure(["python3", f"tests/{words[0]}.py", mutant[:-3] + "elf"])
        else:
            why = failure(link(program, mutant))
        if why:
            return f"{program}: {why}"
    return None


def main():
    survivors = 0
    names = sys.argv[1:] or list(MUTANTS)
    for name in names:
        start = time.monotonic()
        by = killer(name)
        survivors += by is None
        print(f"{name:34} {by or 'SURVIVES'} ({time.monotonic() - start:.1f} s)", flush=True)
    print(f"{survivors} of {len(names)} mutants survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
