#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The guest author's loop, `make run GUEST=path`, without a terminal: the guest's console is standard output, and the exit
status is 0 for poweroff and not 0 for anything else. Bad kernels are refused with one line that names the cause.
"""
import os
import shutil
import subprocess

from machine import ROOT, SCALE, Machine, built, run_tests
from test_bad_domains import elf32, without_notes


def run(guest, **settings):
    """(exit status, output) of `make run GUEST=...`."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GUEST", "MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "--no-print-directory", "run", f"GUEST={guest}",
                           *(f"{key}={value}" for key, value in settings.items())],
                          cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=120 * SCALE, check=False)
    return done.returncode, done.stdout.decode("latin-1").replace("\r", "")


def poweroff_is_success():
    """hello greets, powers off, and make is content."""
    status, text = run("build/pvguest/hello", GUEST_CMDLINE="exit=poweroff")
    assert status == 0 and "xen-3.0-x86_64" in text, text[-3000:]


def crash_is_failure():
    """hello greets and crashes: make is not content, and the registers are shown."""
    status, text = run("build/pvguest/hello", GUEST_CMDLINE="exit=crash")
    assert status != 0 and "xen-3.0-x86_64" in text and "crash" in text.lower(), text[-3000:]


def misbehaviour_is_failure():
    """A jump to nowhere and a fault without a stack end the run with failure, after the guest's own line."""
    for name in ("nowhere", "triple"):
        status, text = run(f"build/bad-guests/{name}")
        assert status != 0 and f"{name}: " in text, text[-3000:]


def bad_kernels_are_named():
    """Missing, empty, truncated, 32-bit, note-less kernels and text: failure, and the cause is said."""
    directory = Machine.scratch()
    with open(built("pvguest/hello"), "rb") as kernel:
        hello = kernel.read()
    cases = {"missing": (None, "No such file"), "empty": (b"", "guest"), "text": (b"no kernel\n" * 500, "ELF"),
             "truncated": (hello[:3000], "guest"), "elf32": (elf32(hello), "32-bit"),
             "nonotes": (without_notes(hello), "note")}
    try:
        for name, (content, word) in cases.items():
            path = os.path.join(directory, name)
            if content is not None:
                with open(path, "wb") as out:
                    out.write(content)
            status, text = run(path)
            assert status != 0 and word in text, f"{name}: status {status}, no '{word}' in:\n{text[-2000:]}"
    finally:
        shutil.rmtree(directory)


def stock_kernel_boots_alone():
    """Debian's kernel as the one boot-time guest: reaches its init and powers off."""
    status, text = run(built("dom0/vmlinuz"), GUEST_RAMDISK=built("dom0/guest-initramfs.cpio.gz"), GUEST_MEM="256M",
                       GUEST_CMDLINE="console=hvc0 shutdown=now", MEM="512")
    assert "guest: init reached" in text, text[-3000:]
    assert status == 0, f"status {status}:\n{text[-3000:]}"


if __name__ == "__main__":
    run_tests(poweroff_is_success, crash_is_failure, misbehaviour_is_failure, bad_kernels_are_named,
              stock_kernel_boots_alone)
