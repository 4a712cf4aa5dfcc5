# SPDX-License-Identifier: MIT
"""What a run's figures depend on: said in the run, and held against that of another before the two are put side by side."""
import hashlib
import os
import subprocess
import sys

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("..", "../../system")]
from machine import DEFAULT_CPU, ROOT, built  # noqa: E402 (the harness lives with the system tests)
from measured import ICOUNT  # noqa: E402

FILES = {"kernel": "dom0/vmlinuz", "guest's files": "dom0/guest-initramfs.cpio.gz", "linux-ops": "bench/linux-ops",
         "plugin": "bench/events_plugin.so", "added files": "bench/guest-files"}


def said(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def digest(path):
    """Of a file; of a folder, of all files in it."""
    whole = hashlib.sha256()
    paths = [path] if os.path.isfile(path) else sorted(os.path.join(where, name) for where, _, names in os.walk(path) for name in names)
    for each in paths:
        with open(each, "rb") as file:
            whole.update(os.path.relpath(each, path).encode() + b"\0" + file.read())
    return whole.hexdigest()[:16]


def commit():
    """Of the tree; it may come without its history."""
    head = said("git", "-C", ROOT, "rev-parse", "--short=12", "HEAD")
    if not head:
        return "unknown"
    return head + (" and changes" if said("git", "-C", ROOT, "status", "--porcelain", "--untracked-files=no") else "")


def linux():
    """The release of the kernel, by the name of Debian's file."""
    return ", ".join(name.removeprefix("vmlinuz-") for name in sorted(os.listdir(built("debian/boot"))) if name.startswith("vmlinuz-"))


def machine(quick):
    return {"QEMU": said("qemu-system-x86_64", "--version").splitlines()[0], "CPU": f"q35, {DEFAULT_CPU}, one CPU, TCG", "time": " ".join(ICOUNT),
            "Linux": linux(),
            "extent": "quick" if quick else "whole", **{name: digest(built(path)) for name, path in FILES.items()}}
