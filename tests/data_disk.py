#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which disk keeps the control domain's definitions, of those that there are: /etc/start-domains' own functions, in busybox's shell, with
a folder that looks like /sys and a findfs that knows these disks. A guest's disk is never it, whatever label the guest wrote."""
import os
import re
import subprocess
import sys
import tempfile

ROOT = "dom0-tools/dom0/root"
GUESTS, OTHER = "guest", "data"                 # serial numbers
CASES = [                                       # (kernel's command line, label -> device, the one that is taken)
    ("quiet", {}, ""),
    ("quiet", {"PARVIS-DATA": "vda"}, "vda"),
    ("quiet", {"PARVIS": "vda1"}, "vda1"),
    ("quiet", {"PARVIS-DATA": "vdb"}, ""),      # a guest's
    ("quiet", {"PARVIS-DATA": "vdb1"}, ""),
    ("quiet", {"PARVIS-DATA": "vdb1", "PARVIS": "vda1"}, "vda1"),
    ("quiet", {"PARVIS-DATA": "vdb1", "PARVIS": "vdb"}, ""),
    ("quiet parvis.data=none", {"PARVIS-DATA": "vda"}, ""),
    ("parvis.data=/dev/none quiet", {"PARVIS-DATA": "vda"}, ""),    # not there: labels do not count instead
]


def make_sys(folder):
    for disk, serial in (("vda", OTHER), ("vdb", GUESTS)):
        base = f"{folder}/sys/devices/{disk}"
        os.makedirs(f"{base}/{disk}1")
        os.makedirs(f"{folder}/sys/class/block", exist_ok=True)
        open(f"{base}/{disk}1/partition", "w").close()
        with open(f"{base}/serial", "w", encoding="ascii") as file:
            file.write(serial)
        os.symlink(f"../../devices/{disk}", f"{folder}/sys/class/block/{disk}")
        os.symlink(f"../../devices/{disk}/{disk}1", f"{folder}/sys/class/block/{disk}1")


def taken(folder, functions, line, labels):
    with open(f"{folder}/cmdline", "w", encoding="ascii") as file:
        file.write(line)
    findfs = "".join(f"LABEL={label}) echo /dev/{device} ;; " for label, device in labels.items())
    script = f". {ROOT}/etc/default/parvis\nfindfs() {{ case $1 in {findfs} *) return 1 ;; esac; }}\n{functions}\nfind_now"
    run = subprocess.run(["busybox", "sh", "-c", script], capture_output=True, text=True, check=False)
    return run.stdout.strip().removeprefix("/dev/")


def main():
    with open(f"{ROOT}/etc/start-domains", encoding="utf-8") as file:
        functions = re.search(r"^is_guests\(\).*?(?=^find_data)", file.read(), re.M | re.S).group()
    with tempfile.TemporaryDirectory() as folder:
        make_sys(folder)
        functions = functions.replace("/sys/", f"{folder}/sys/").replace("/proc/cmdline", f"{folder}/cmdline")
        for line, labels, want in CASES:
            got = taken(folder, functions, line, labels)
            if got != want:
                sys.exit(f"data_disk.py: `{line}`, {labels}: {got or 'none'} is taken, and not {want or 'none'}")
    print(f"{len(CASES)} cases of disks and labels, the right one taken in each")


if __name__ == "__main__":
    main()
