#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the unit tests that clang compiled to count lines, and says which share of each file was executed.

Arguments: the programs, and the sources that count, whose objects are under build/host/coverage too. The report goes to the standard output
and, line by line with counts, to build/coverage/. Exit status 1: a file is below LEAST that could be run on the host, or a test failed.
"""
import glob
import json
import os
import subprocess
import sys

LEAST = 85      # percent of a file's lines
# Files that only a machine can run, with the reason. All else is tested here.
MACHINE = {
    "dom0-tools/lib/host_xen.c": "calls the hypervisor",
    "dom0-tools/lib/host_xen_domain.c": "calls the hypervisor",
    "dom0-tools/lib/host_xen_event.c": "calls the hypervisor",
    "dom0-tools/lib/host_xen_memory.c": "calls the hypervisor",
    "dom0-tools/lib/host_xen_store.c": "calls xenstored",
    "dom0-tools/lib/no_icu.c": "stands in for a library, and is never called",
}
BUILT = "build/host/coverage"
OUT = "build/coverage"


def run_tests(programs):
    """Executes each program; the names of those that failed."""
    failed = []
    for program in programs:
        name = os.path.basename(program)
        environment = dict(os.environ, LLVM_PROFILE_FILE=f"{OUT}/{name}.%p.profraw")
        ran = subprocess.run([program], env=environment, capture_output=True, text=True, errors="replace", check=False)
        if ran.returncode:
            failed.append(name)
            print("\n".join((ran.stdout + ran.stderr).splitlines()[-10:]))
    return failed


def counted(programs, sources):
    """Path -> (lines, lines that ran)."""
    raw = glob.glob(f"{OUT}/*.profraw")
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", f"{OUT}/all.profdata", *raw], check=True)
    objects = [f"{BUILT}/{path[:-2]}.o" for path in sources]
    binaries = [programs[0]] + [word for path in programs[1:] + objects for word in ("-object", path)]
    exported = subprocess.run(["llvm-cov", "export", "-summary-only", f"-instr-profile={OUT}/all.profdata", *binaries],
                              check=True, capture_output=True, text=True)
    with open(f"{OUT}/lines.txt", "w", encoding="utf-8") as shown:
        subprocess.run(["llvm-cov", "show", f"-instr-profile={OUT}/all.profdata", *binaries, *sources], check=True, stdout=shown)
    here = os.getcwd() + "/"
    files = {f["filename"].removeprefix(here): f["summary"]["lines"] for f in json.loads(exported.stdout)["data"][0]["files"]}
    return {path: (files[path]["count"], files[path]["covered"]) for path in sources if path in files}


def percent(lines, ran):
    return 100.0 * ran / lines if lines else 100.0


def main():
    sources = [path for path in sys.argv[1:] if path.endswith(".c")]
    programs = [path for path in sys.argv[1:] if not path.endswith(".c")]
    os.makedirs(OUT, exist_ok=True)
    for old in glob.glob(f"{OUT}/*.profraw"):
        os.remove(old)
    failed = run_tests(programs)
    files = counted(programs, sources)
    below, lines_all, ran_all = [], 0, 0
    for path, (lines, ran) in sorted(files.items()):
        note = f"not on the host: {MACHINE[path]}" if path in MACHINE else ""
        if not note:
            lines_all, ran_all = lines_all + lines, ran_all + ran
            if percent(lines, ran) < LEAST:
                below.append(path)
                note = f"below {LEAST} %"
        print(f"{percent(lines, ran):6.1f} % {ran:5} of {lines:5}  {path:48} {note}".rstrip())
    print(f"{percent(lines_all, ran_all):6.1f} % of {lines_all} lines in {len(files)} files; {len(below)} files below {LEAST} %")
    for name in failed:
        print(f"{name} failed")
    return 1 if below or failed else 0


sys.exit(main())
