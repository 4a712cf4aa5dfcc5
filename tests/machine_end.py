#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The machine's end, /etc/rc.shutdown, in busybox's shell with stand-ins for what it calls: the guests are ended, within the time that
/etc/default/parvis gives or else one of its own, and what was written reaches the disks, whatever an operator has made of that file."""
import os
import subprocess
import sys
import tempfile

SCRIPT = "dom0-tools/dom0/root/etc/rc.shutdown"
END = "pvctl shutdown --all --destroy --timeout"
LAST = ["sync", "umount /etc/parvis/domains /data"]
CASES = [                                       # (the file, None: there is none; what is called)
    ("DOMAINS_TIMEOUT=17\n", [f"{END} 17"]),
    ("DOMAINS_TIMEOUT=0\n", [f"{END} 0"]),
    ("DOMAINS_TIMEOUT=1m\n", [f"{END} 1m", f"{END} 60"]),
    ("DOMAINS_TIMEOUT=\n", [f"{END} ", f"{END} 60"]),
    ("", [f"{END} ", f"{END} 60"]),
    (None, [f"{END} ", f"{END} 60"]),
    ("DOMAINS_TIMEOUT=17\nDATA_LABELS=\"A\n", [f"{END} ", f"{END} 60"]),
    ("exit 0\n", [f"{END} ", f"{END} 60"]),
]
# The real one takes a number, and says with status 2 that it is none; the guests may have had to be destroyed: 1.
PVCTL = """#!/bin/sh
echo "pvctl $*" >>CALLED
case $5 in '' | *[!0-9]*) exit 2 ;; *) exit 1 ;; esac
"""


def called(folder, text, settings):
    """What the script calls, a line each."""
    log, default = f"{folder}/called", f"{folder}/default"
    if os.path.exists(log):
        os.remove(log)
    if settings is None:
        os.remove(default)
    else:
        with open(default, "w", encoding="ascii") as file:
            file.write(settings)
    subprocess.run(["busybox", "sh", "-c", text], stderr=subprocess.DEVNULL, check=False)
    with open(log, encoding="ascii") as file:
        return file.read().splitlines()


def main():
    with open(SCRIPT, encoding="utf-8") as file:
        text = file.read()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("sync", "umount", "pvctl"):
            with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                file.write((PVCTL if name == "pvctl" else f"#!/bin/sh\necho {name} $* >>CALLED\n").replace("CALLED", f"{folder}/called"))
            os.chmod(f"{folder}/{name}", 0o755)
        for path, to in (("/usr/sbin/pvctl", f"{folder}/pvctl"), ("PATH=/usr/sbin:/usr/bin", f"PATH={folder}"),
                         ("/proc/xen/privcmd", f"{folder}/pvctl"), ("/etc/default/parvis", f"{folder}/default"), ("/run/", f"{folder}/")):
            if path not in text:
                sys.exit(f"machine_end.py: {SCRIPT} does not speak of {path}")
            text = text.replace(path, to)
        for name in ("sync", "umount"):
            text = text.replace(f"\n{name}", f"\n{folder}/{name}") # not the shell's own
        for settings, ends in CASES:
            have = called(folder, text, settings)
            if have != ends + LAST:
                sys.exit(f"machine_end.py: with {settings!r} in /etc/default/parvis: {have}")
    print(f"{len(CASES)} files of settings: the guests are ended, and the disks written, with each")


if __name__ == "__main__":
    main()
