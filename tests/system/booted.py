# SPDX-License-Identifier: MIT
"""A control domain that has booted once, and goes on from there as often as one likes: a second of this host's CPU time in place of fifteen.

    with booted.control_domain("name", files) as m:     # otherwise as Machine.parvis()
        m.prompt()

What the machine is when its shell answers and its drivers are loaded is kept in build/booted/: its memory is a file, which each later machine
maps for itself (what it writes there is its own), and all else what QEMU writes for a migration; "x-ignore-shared" is QEMU's word for a migration
that leaves the memory where it is. It is made by whoever needs it first, and anew when anything is not what it was made of.

Such a machine's clock goes on from that moment: its date is that of the boot. It cannot reboot. What happens while a machine boots is shown by tests that
boot one; these are for what is done later. It has one CPU of the default model, no network card, and a disk (disk.img in the machine's directory), which
brings the files, and may then be written to.
"""
import fcntl
import json
import os
import re
import shutil
import time

import ending
import machine
import qemu_monitor
import scratch
from machine import BUILD, SCALE, Machine, built

FOLDER = os.path.join(BUILD, "booted")
MEMORY = 2048           # MiB
DISK_SIZE = 256 << 20
DISK = "/dev/disk/by-id/virtio-files"
IGNORE_SHARED = {"capabilities": [{"capability": "x-ignore-shared", "state": True}]}


def new_directory(files):
    """A machine's, with its disk, on which these files are."""
    directory = Machine.scratch()
    with open(os.path.join(directory, "disk.img"), "wb") as disk:
        disk.write(machine.newc(files))
        assert disk.tell() <= DISK_SIZE, f"{disk.tell()} bytes of files are more than the disk has"
        disk.truncate(DISK_SIZE)
    return directory


def arguments(folder, share, directory, modules, qemu):
    """QEMU's, for a machine whose memory is in this folder, and its own files in that directory."""
    ram = f"memory-backend-file,id=ram,mem-path={folder}/ram,size={MEMORY}M,share={share}"
    return [*machine.base_args(mem=MEMORY), "-object", ram, "-machine", "memory-backend=ram", *machine.named_disk_args(f"{directory}/disk.img", "files"),
            *qemu, "-kernel", built("parvis.bin"),
            "-initrd", machine.multiboot_modules(directory, machine.control_config(), modules)]


def made_of(modules, args, directory):
    """All that a booted machine depends on: QEMU and its arguments, the files that it loads, this program."""
    files = [shutil.which(args[0]), built("parvis.bin"), *modules.values(), __file__]
    about = [(path, (of := os.stat(path)).st_size, of.st_mtime_ns) for path in files]
    return json.dumps([about, machine.control_config(), " ".join(args).replace(directory, "")])


def is_kept(folder, stamp):
    """Whether what is kept was made of this. What was made of something else is taken away, whoever uses it still."""
    path = os.path.join(folder, "stamp")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            if file.read() == stamp:
                return True
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    return False


def keep(name, folder, qemu, modules):
    """Boots one, and waits until it has started whatever it starts by itself. Its memory is kept already; so is all else then."""
    directory = new_directory({})
    with Machine(name, arguments(folder, "on", directory, modules, qemu) + qemu_monitor.args(directory), directory) as m:
        m.prompt()
        m.settle()
        m.check("until [ -e /run/parvis/started ] && [ -e /run/udhcpd.leases ]; do usleep 100000; done")
        monitor = qemu_monitor.Monitor(directory)
        monitor.execute("migrate-set-capabilities", **IGNORE_SHARED)
        monitor.execute("migrate", uri=f"exec:cat >{folder}/state")
        while (status := monitor.execute("query-migrate").get("status", "none")) != "completed":
            assert status in ("none", "setup", "active", "device"), f"what has booted could not be kept: {status}"
            m.read(0.1)


def until_it_goes_on(m):
    """QEMU has taken in what was kept: before that, what is typed is lost."""
    patience = time.monotonic() + 60 * SCALE
    while not ending.has_happened("RESUME", m.directory):
        assert m.read(0.05) and time.monotonic() < patience, f"what was kept was not taken in:\n{m.tail()}"


def control_domain(name, files=None, qemu=()):
    """One that has booted, with these files (path: content), and more of QEMU's arguments, for its clock."""
    folder = os.path.join(FOLDER, re.sub(r"\W+", "_", " ".join(qemu)) or "plain")
    os.makedirs(folder, exist_ok=True)
    modules = {"vmlinux": built("dom0/vmlinux"), "initramfs.cpio.gz": built("dom0/initramfs.cpio.gz")}
    directory = new_directory(files or {})
    args = arguments(folder, "off", directory, modules, qemu)
    stamp = made_of(modules, args, directory)
    lock = scratch.locked(folder, fcntl.LOCK_EX)
    try:
        if not is_kept(folder, stamp):
            keep(name + "-boots", folder, qemu, modules)
            with open(os.path.join(folder, "stamp"), "w", encoding="utf-8") as out:
                out.write(stamp)
        m = Machine(name, [*args, "-incoming", "defer"], directory,
                    [("migrate-set-capabilities", IGNORE_SHARED), ("migrate-incoming", {"uri": f"exec:cat {folder}/state"})])
        until_it_goes_on(m)
    finally:
        os.close(lock)
    m.send("")
    m.prompt()
    if files:
        m.check(f"(cd / && cpio -idu <{DISK})")
    m.send("")
    return m
