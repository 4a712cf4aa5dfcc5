# SPDX-License-Identifier: MIT
"""What a run's figures depend on: said in the run, and held against that of another before the two are put side by side."""
import hashlib
import os
import subprocess
import sys

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("..", "../../system")]
import setup  # noqa: E402
from machine import ROOT, built  # noqa: E402 (the harness lives with the system tests)
from measured import ICOUNT  # noqa: E402

FILES = {"kernel": setup.KERNEL + "/vmlinuz", "guest's files": setup.KERNEL + "/guest-initramfs.cpio.gz", "linux-ops": "bench/linux-ops",
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
    """Of the tree, and which changes are to it; it may come without its history."""
    head = said("git", "-C", ROOT, "rev-parse", "--short=12", "HEAD")
    changes = said("git", "-C", ROOT, "diff", "HEAD")
    return (head or "unknown") + (" and changes " + hashlib.sha256(changes.encode()).hexdigest()[:8] if changes else "")


def linux():
    """The release of the guests' kernel, as its own file says (Documentation/arch/x86/boot.rst, kernel_version)."""
    with open(built(FILES["kernel"]), "rb") as file:
        image = file.read(0x10000)
    at = int.from_bytes(image[0x20e:0x210], "little") + 0x200
    return image[at:at + 64].split(b" ", 1)[0].decode("ascii", "replace") if image[0x202:0x206] == b"HdrS" else "unknown"


def machine(quick):
    return {"QEMU": said("qemu-system-x86_64", "--version").splitlines()[0], "CPU": f"q35, {setup.CPU}, one CPU, TCG", "memory": f"{setup.MEM} MB", "time": " ".join(ICOUNT),
            "Linux": linux(), "extent": "quick" if quick else "whole", **{name: digest(built(path)) for name, path in FILES.items()}}
