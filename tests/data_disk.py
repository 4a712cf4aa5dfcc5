#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which disk keeps the control domain's definitions, of those that there are: /etc/start-domains' own functions, in busybox's shell, with
folders that look like /sys and /dev: disks with a GPT, each with one partition. What a guest can write, a label or a partition's name, does not count.
And what the image brings is on the disk whole, whenever the first copy was cut off."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid

ROOT = "dom0-tools/dom0/root"
IMAGE, OTHER, NONE = "0d5f3a86-0c1e-4b57-9d5e-b1a2c3d4e5f6", "7d3c0a11-5a5a-4c4c-8e8e-001122334455", "ffffffff-0000-4000-8000-000000000000"
DISKS = {"vda": (IMAGE, 1, 512), "vdb": (OTHER, 3, 4096), "vdc": (None, 1, 512)}    # GUID of the partition, its number, bytes of a sector
SERIAL = "parvis-data"
CASES = [                                       # (kernel's command line, disk that has the serial number, the one that is taken)
    ("quiet", "", ""),                          # nobody has named one
    ("quiet", "vdc", "vdc"),
    (f"parvis.boot=PARTUUID={IMAGE} quiet", "", "vda1"),
    (f"parvis.boot=PARTUUID={OTHER.upper()}", "", "vdb3"),
    (f"parvis.boot=PARTUUID={IMAGE} quiet", "vdc", "vdc"),
    (f"parvis.boot=PARTUUID={NONE}", "", ""),
    ("parvis.boot=PARTUUID=", "", ""),          # as an empty medium has it
    ("parvis.boot=LABEL=PARVIS", "", ""),
    (f"parvis.data=PARTUUID={OTHER} parvis.boot=PARTUUID={IMAGE}", "vdc", "vdb3"),
    (f"parvis.boot=PARTUUID={IMAGE} parvis.data=/dev/vdb", "vdc", "vdb"),
    (f"parvis.data=/dev/disk/by-id/virtio-{SERIAL}", "vdc", "vdc"),
    (f"parvis.boot=PARTUUID={IMAGE} parvis.data=none", "vdc", ""),
    (f"parvis.data=/dev/vdz parvis.boot=PARTUUID={IMAGE}", "vdc", ""),      # not there: no other instead
    (f"parvis.data=PARTUUID={NONE} parvis.boot=PARTUUID={IMAGE}", "vdc", ""),
]


def make_disks(folder):
    os.makedirs(f"{folder}/sys/class/block")
    os.makedirs(f"{folder}/dev/disk/by-id")
    for disk, (guid, number, sector) in DISKS.items():
        partition = f"{disk}{number}"
        os.makedirs(f"{folder}/sys/devices/{disk}/{partition}")
        os.makedirs(f"{folder}/sys/devices/{disk}/queue")
        for path, text in ((f"{partition}/partition", f"{number}\n"), ("queue/logical_block_size", f"{sector}\n")):
            with open(f"{folder}/sys/devices/{disk}/{path}", "w", encoding="ascii") as file:
                file.write(text)
        os.symlink(f"../../devices/{disk}", f"{folder}/sys/class/block/{disk}")
        os.symlink(f"../../devices/{disk}/{partition}", f"{folder}/sys/class/block/{partition}")
        with open(f"{folder}/dev/{disk}", "wb") as file:
            if guid:
                file.seek(2 * sector + 128 * (number - 1) + 16)
                file.write(uuid.UUID(guid).bytes_le)
        with open(f"{folder}/dev/{partition}", "wb") as file:
            file.write(b"PARVIS PARVIS-DATA")


def taken(folder, script, line, has_serial):
    """The device, "" for none, by the functions alone: the loop that waits for disks looks once here."""
    link = f"{folder}/dev/disk/by-id/virtio-{SERIAL}"
    if os.path.lexists(link):
        os.unlink(link)
    if has_serial:
        os.symlink(f"../../{has_serial}", link)
    with open(f"{folder}/cmdline", "w", encoding="ascii") as file:
        file.write(line)
    run = subprocess.run(["busybox", "sh", "-c", f". {ROOT}/etc/default/parvis\nusleep() {{ tries=10; }}\n{script}\nname_data && find_data \"$data\""],
                         capture_output=True, text=True, check=False)
    return run.stdout.strip().removeprefix(f"{folder}/dev/")


# Each command is a step; the shell is killed at the one of this number, a copy half-way.
CUT_OFF = """n=0
step() { n=$((n + 1)); [ $n = CUT ] || return 0; [ $1 = cp ] && for to; do :; done && busybox cp FOLDER/etc/parvis/domains/a.xml $to; kill -9 $$; }
for command in rm mkdir cp sync mv; do eval "$command() { step $command \"\$@\"; busybox $command \"\$@\"; }"; done
mount() { :; }
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
    script = re.search(r"^name_data\(\).*?(?=^# What the image brings)", text, re.M | re.S).group()
    copies = re.search(r"^mount_data\(\).*?^}\n", text, re.M | re.S).group()
    with tempfile.TemporaryDirectory() as folder:
        make_disks(folder)
        script = script.replace("/sys/", f"{folder}/sys/").replace("/dev/", f"{folder}/dev/").replace("/proc/cmdline", f"{folder}/cmdline")
        script = script.replace(f"2>{folder}/dev/null", "2>/dev/null").replace("[ -b ", "[ -e ")     # a file is no device
        for line, has_serial, want in CASES:
            got = taken(folder, script, line.replace("=/dev/", f"={folder}/dev/"), has_serial)
            if got != want:
                sys.exit(f"data_disk.py: `{line}`, serial number of {has_serial or 'none'}: {got or 'none'} is taken, and not {want or 'none'}")
        steps = copies_whole(folder, copies)
    print(f"{len(CASES)} cases of disks, the right one taken in each; the first copy cut off at each of {steps} steps")


if __name__ == "__main__":
    main()
