#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the machine's start and end, /etc/start-domains and /etc/rc.shutdown, do in busybox's shell, with stand-ins for what they call: domains
are started; guests are ended, within the time that /etc/default/parvis gives or else one of its own, and what was written reaches the
disks, whatever an operator has made of that file."""
import os
import subprocess
import sys
import tempfile

SCRIPTS = "dom0-tools/dom0/root/etc"
END = "pvctl shutdown --all --destroy --timeout"
CASES = [                                       # (the file, None: there is none; how the guests are ended)
    ("DOMAINS_TIMEOUT=17\n", [f"{END} 17"]),
    ("DOMAINS_TIMEOUT=0\n", [f"{END} 0"]),
    ("DOMAINS_TIMEOUT=1m\n", [f"{END} 1m", f"{END} 60"]),
    ("DOMAINS_TIMEOUT=\n", [f"{END} ", f"{END} 60"]),
    ("", [f"{END} ", f"{END} 60"]),
    (None, [f"{END} ", f"{END} 60"]),
    ("DOMAINS_TIMEOUT=17\nDATA_SERIAL=\"a\n", [f"{END} ", f"{END} 60"]),
    ("exit 0\n", [f"{END} ", f"{END} 60"]),
]
# The real one takes a number, and says with status 2 that it is none; the guests may have had to be destroyed: 1.
PVCTL = """#!/bin/sh
echo "pvctl $*" >>CALLED
case $5 in '' | *[!0-9]*) exit 2 ;; *) exit 1 ;; esac
"""


def stand_ins(folder):
    os.mkdir(f"{folder}/parvis")
    for name in ("cmdline", "devices-ready"):
        open(f"{folder}/{name}", "w", encoding="ascii").close()
    for name in ("sync", "umount", "pvctl"):
        with open(f"{folder}/{name}", "w", encoding="ascii") as file:
            file.write((PVCTL if name == "pvctl" else f"#!/bin/sh\necho {name} $* >>CALLED\n").replace("CALLED", f"{folder}/called"))
        os.chmod(f"{folder}/{name}", 0o755)


def read(folder, name):
    """The script, with these stand-ins: by their paths, as the shell has programs of its own."""
    with open(f"{SCRIPTS}/{name}", encoding="utf-8") as file:
        text = file.read()
    for path, to in (("/usr/sbin/pvctl", "pvctl"), ("/usr/sbin:/usr/bin", ""), ("/proc/xen/privcmd", "pvctl"),
                     ("/etc/default/parvis", "default"), ("/run/", ""), ("/proc/cmdline", "cmdline")):
        if path not in text and path != "/proc/cmdline":
            sys.exit(f"settings.py: {name} does not speak of {path}")
        text = text.replace(path, f"{folder}/{to}")
    for name in ("sync", "umount"):
        text = text.replace(f"\n{name}", f"\n{folder}/{name}")
    return text


def called(folder, script, settings):
    """What the script calls, a line each."""
    log, default = f"{folder}/called", f"{folder}/default"
    for path in (log, default):
        if os.path.exists(path):
            os.remove(path)
    if settings is not None:
        with open(default, "w", encoding="ascii") as file:
            file.write(settings)
    subprocess.run(["busybox", "sh", "-c", script], stderr=subprocess.DEVNULL, check=False)
    if not os.path.exists(log):
        return []
    with open(log, encoding="ascii") as file:
        return file.read().splitlines()


def main():
    with tempfile.TemporaryDirectory() as folder:
        stand_ins(folder)
        scripts = {name: read(folder, name) for name in ("start-domains", "rc.shutdown")}
        for settings, ends in CASES:
            for name, wanted in (("start-domains", ["pvctl start --autostart"]), ("rc.shutdown", ends + ["sync", "umount /etc/parvis/domains /data"])):
                have = called(folder, scripts[name], settings)
                if have != wanted:
                    sys.exit(f"settings.py: {name}, with {settings!r} in /etc/default/parvis, calls {have}")
    print(f"{len(CASES)} files of settings: domains are started and ended, and the disks written, with each")


if __name__ == "__main__":
    main()
