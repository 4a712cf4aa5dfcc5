#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tree may lie where it likes: in a folder with a blank and a comma in its name the hypervisor and a guest are built, and the
guest runs. What make cannot hold in a name is given relative to the tree, and so is what QEMU cannot hold.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from machine import ROOT, SCALE


def tracked():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in names.split("\0") if name and not name.startswith("docs/")]


def main():
    home = tempfile.mkdtemp()
    tree = os.path.join(home, "a b, c")
    try:
        for name in tracked():
            os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
            shutil.copy2(os.path.join(ROOT, name), os.path.join(tree, name), follow_symlinks=False)
        os.makedirs(os.path.join(tree, "build"))
        shutil.copy2(os.path.join(ROOT, "build/.deps"), os.path.join(tree, "build/.deps"))
        env = {key: value for key, value in os.environ.items() if not key.startswith(("GUEST", "MAKE", "MFLAGS"))}
        # the guest's file too lies in such a folder, and is named from the root
        done = subprocess.run(["make", "-j2", "hv", "build/pvguest/hello"], cwd=tree, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600 * SCALE, check=False)
        assert done.returncode == 0, done.stdout[-3000:]
        said = re.findall(r"^  \[ *(\d+)/(\d+)\] ", done.stdout, re.MULTILINE)    # each line says how many are to come
        assert len(said) > 20 and int(said[-1][1]) == len(said), said[-3:]
        done = subprocess.run(["make", "run", f"GUEST={tree}/build/pvguest/hello", "GUEST_CMDLINE=exit=poweroff"], cwd=tree, env=env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=120 * SCALE, check=False)
        assert done.returncode == 0 and "xen-3.0-x86_64" in done.stdout, done.stdout[-3000:]
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print("ok: a tree whose path has a blank and a comma builds, and a guest runs from it")


if __name__ == "__main__":
    sys.exit(main())
