#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which disk keeps the control domain's definitions, of those that there are: /etc/start-domains' own functions, in busybox's shell, with
a folder that looks like /sys and a findfs that knows these disks. A guest's disk is never it, whatever label the guest wrote. And what
the image brings is on the disk whole, whenever the first copy was cut off."""
import os
import re
import shutil
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


# Each command is a step; the shell is killed at the one of this number, a copy half-way.
CUT_OFF = """n=0
step() { n=$((n + 1)); [ $n = CUT ] || return 0; [ $1 = cp ] && for to; do :; done && busybox cp FOLDER/etc/parvis/domains/a.xml $to; kill -9 $$; }
for command in rm mkdir cp sync mv; do eval "$command() { step $command \"\$@\"; busybox $command \"\$@\"; }"; done
mount() { :; }
findfs() { return 1; }
"""


def copies_whole(folder, functions):
    """How many steps the first copy has, at each of which it was cut off."""
    brought = f"{folder}/etc/parvis/domains"
    os.makedirs(brought)
    for name in "a.xml", "b.xml", "c.xml":
        with open(f"{brought}/{name}", "w", encoding="ascii") as file:
            file.write(name)
    functions = functions.replace("/data", f"{folder}/data").replace("/etc/parvis/", f"{folder}/etc/parvis/")
    for at in range(1, 100):
        shutil.rmtree(f"{folder}/data", ignore_errors=True)
        script = CUT_OFF.replace("FOLDER", folder) + functions + "\nmount_data /dev/vda\ntrue\n"
        cut = subprocess.run(["busybox", "sh", "-c", script.replace("CUT", str(at))], check=False).returncode < 0
        if cut:
            subprocess.run(["busybox", "sh", "-c", script.replace("CUT", "0")], check=True)
        if sorted(os.listdir(f"{folder}/data")) != ["domains"] or sorted(os.listdir(f"{folder}/data/domains")) != sorted(os.listdir(brought)):
            sys.exit(f"data_disk.py: cut off at step {at} of the first copy: {os.listdir(folder + '/data/domains')} is taken for all of it")
        if not cut:
            return at - 1
    return sys.exit("data_disk.py: the first copy has no end")


def main():
    with open(f"{ROOT}/etc/start-domains", encoding="utf-8") as file:
        text = file.read()
    functions = re.search(r"^is_guests\(\).*?(?=^find_data)", text, re.M | re.S).group()
    copies = re.search(r"^mount_data\(\).*?^}\n", text, re.M | re.S).group()
    with tempfile.TemporaryDirectory() as folder:
        make_sys(folder)
        functions = functions.replace("/sys/", f"{folder}/sys/").replace("/proc/cmdline", f"{folder}/cmdline")
        for line, labels, want in CASES:
            got = taken(folder, functions, line, labels)
            if got != want:
                sys.exit(f"data_disk.py: `{line}`, {labels}: {got or 'none'} is taken, and not {want or 'none'}")
        steps = copies_whole(folder, copies)
    print(f"{len(CASES)} cases of disks and labels, the right one taken in each; the first copy cut off at each of {steps} steps")


if __name__ == "__main__":
    main()
