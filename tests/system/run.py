#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make run`: starts Parvis in QEMU with its console on this terminal.

Without GUEST: the control domain, from build/parvis.img by UEFI firmware, or with FIRMWARE=direct by QEMU's -kernel. With
GUEST: only the hypervisor and that guest kernel, and what the hypervisor refuses it is shown. The last line says how it ended, the
exit status is its number (ending.py), and so is the content of build/run.status, as make itself answers 2 to every failure.
With a terminal, Ctrl-A x ends QEMU and Ctrl-A c reaches its monitor. Without one the console is plain standard input and
output, and the end of the input does not end the machine, which may still have to do what it was told. Variables
(environment): SMP MEM CPU ACCEL QEMU_EXTRA FIRMWARE NETWORK (user, the default: a card on QEMU's user network; none: without a card) TOOLSTACK (xl, libvirt: Debian's beside ours) DOM0_KERNEL DOM0_MODULES GUEST_DISK (a disk for guests: /dev/disk/by-id/virtio-guest in the
control domain) DATA_DISK (one with a file system, which keeps the control domain's definitions), and for a guest KIND (pv, the default; hvm: fully
virtualized; pvh: that, and told of Xen) GUEST_MEM GUEST_CMDLINE GUEST_RAMDISK GUEST_VCPUS. Without SMP the machine has as many CPUs as this host, at most 4, and one for a guest alone. With
DEBUG_WAIT=1 it waits for a debugger on localhost:1234. With --check it only says what is wrong with them, a line each, and starts nothing.
"""
import contextlib
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys

import attach
import ending
import held_input
import machine
from run_settings import (KINDS, begin_of, data_disk, firmware, guest_disk, guest_memory, kind, memory, more_for_qemu, network, processors, setting, toolstack,
                          vcpus, wrong)

DOM0 = os.path.join(machine.ROOT, "dom0-tools/dom0/")
STATUS_FILE = os.path.join(machine.BUILD, "run.status")


def kernel_of(path, what, directory, memory, says=""):
    """A kernel for the hypervisor, which takes ELF: a bzImage is unpacked first, to no more than the domain's memory; says: the setting of that."""
    head = begin_of(path, what, 0x206)
    if head[0x202:0x206] != b"HdrS":
        return path
    unpacked = os.path.join(directory, "unpacked")
    most = (int(memory[:-1]) << {"K": 0, "M": 10, "G": 20}[memory[-1]]) // 1024
    if subprocess.run([machine.built("dom0-tools/parvis-unpack"), path, unpacked, str(most)], check=False).returncode:
        sys.exit(f"parvis: {what} {path}: not unpacked; the domain has {memory}{says}")    # it has said why
    return unpacked


def multiboot_args(directory, config, modules):
    # The debug-exit port on the command line: it holds before parvis.cfg is read, so that a mistake there is told too.
    return ["-kernel", machine.built("parvis.bin"), *ending.DEBUG_EXIT, "-append", f"debug_exit={ending.DEBUG_EXIT_PORT}",
            "-initrd", machine.multiboot_modules(directory, config, modules)]


def guest_args(directory):
    memory_of_guest = guest_memory()
    kernel = kernel_of(setting("GUEST"), "guest kernel", directory, memory_of_guest, " (GUEST_MEM=)")
    ramdisk = setting("GUEST_RAMDISK")
    if ramdisk:
        begin_of(ramdisk, "guest ramdisk", 0)
    config = machine.guest_config(memory_of_guest, setting("GUEST_CMDLINE", KINDS[kind()][1]), ramdisk, vcpus(),
                                  "loglevel = debug\n", kind())
    modules = {"guest": kernel, **({"ramdisk": ramdisk} if ramdisk else {})}
    return multiboot_args(directory, config, modules)


def control_files(directory):
    """The control domain's kernel and initramfs, with TOOLSTACK's tools in it, and with DOM0_KERNEL and DOM0_MODULES in place of ours."""
    files = {"vmlinux": machine.built("dom0/vmlinux"), "initramfs.cpio.gz": machine.built(f"dom0/{machine.initramfs_of(toolstack())}")}
    if setting("DOM0_KERNEL"):
        files["vmlinux"] = kernel_of(setting("DOM0_KERNEL"), "DOM0_KERNEL", directory, machine.CONTROL_MEMORY)
    if setting("DOM0_MODULES"):
        ours = files["initramfs.cpio.gz"]
        files["initramfs.cpio.gz"] = os.path.join(directory, "initramfs-with-modules")
        if subprocess.run([DOM0 + "with-modules.sh", files["initramfs.cpio.gz"], ours, setting("DOM0_MODULES"),
                           DOM0 + "modules"], check=False).returncode:
            sys.exit(f"parvis: DOM0_MODULES={setting('DOM0_MODULES')}: must be some kernel's folder lib/modules/VERSION")
    return files


def direct_args(directory):
    with open(DOM0 + "parvis.cfg", encoding="utf-8", errors="surrogateescape", newline="") as config:
        return multiboot_args(directory, config.read(), control_files(directory))


def our_image():
    """build/parvis.img, which one machine at a time has: the lock is held until this program ends."""
    image = machine.built("parvis.img")
    lock = os.open(os.path.join(machine.BUILD, "run.lock"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"parvis: another `make run` of this tree runs: its machine has {image}")
    return image


def image_of(directory):
    """The disk image, with another kernel when one is asked for."""
    if not any(map(setting, ("DOM0_KERNEL", "DOM0_MODULES", "TOOLSTACK"))):
        return our_image()
    image = os.path.join(directory, "parvis.img")
    files = []
    for name, path in control_files(directory).items():
        files.append(os.path.join(directory, name))
        os.symlink(os.path.abspath(path), files[-1])
    if subprocess.run([DOM0 + "image.sh", image, machine.built("parvis.efi"), DOM0 + "parvis.cfg", *files], check=False).returncode:
        sys.exit("parvis: the disk image could not be made: see above")
    return image


def disks():
    """GUEST_DISK and DATA_DISK as disks of the machine's. QEMU lets one machine at a time write each."""
    guests, data = guest_disk(), data_disk()
    return (machine.guest_disk_args(guests) if guests else []) + (machine.data_disk_args(data) if data else [])


def uefi_args(directory):
    shutil.copy(machine.OVMF_VARS, directory + "/vars.fd")
    return [*ending.DEBUG_EXIT,
            "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={machine.OVMF}",
            "-drive", f"if=pflash,format=raw,unit=1,file={directory}/vars.fd",
            "-drive", f"file={image_of(directory)},format=raw,if=none,id=boot",
            "-device", "virtio-blk-pci,drive=boot,bootindex=1"]


def arguments(directory):
    """The QEMU command that the settings ask for."""
    if wrong():
        sys.exit("\n".join(wrong()))
    guest = bool(setting("GUEST"))
    smp, accel = processors()
    args = machine.base_args(smp, memory(), setting("CPU", machine.DEFAULT_CPU), accel, reboot=not guest)
    if guest:
        args += guest_args(directory)
    else:
        args += (direct_args if firmware() == "direct" else uefi_args)(directory) + network() + disks()
    args += ["-serial", "mon:stdio"] if os.isatty(0) else held_input.line_args(directory)
    if not guest:
        args += attach.line_args(directory)
    if setting("DEBUG_WAIT"):
        args += ["-s", "-S"]
    return args + ending.witness_args(directory) + more_for_qemu()


def wait_for(qemu):
    """QEMU's exit status. The end of a terminal is told (SIGHUP) only to the leader of its session, which may be a make that waits
    for us, and QEMU does not mind: so whoever has the console on a terminal that is gone is told here."""
    poll = select.poll()
    ended = os.pidfd_open(qemu.pid)
    poll.register(ended, select.POLLIN)
    for stream in filter(os.isatty, (0, 1)):
        poll.register(stream, 0)                    # POLLHUP comes unasked
    while (stream := poll.poll()[0][0]) != ended:   # whatever is said of it: who ignores SIGCHLD has POLLHUP too
        poll.unregister(stream)
        signal.raise_signal(signal.SIGHUP)          # ends this program, unless who started it said no, as nohup does
    os.close(ended)
    return qemu.wait()


def run(directory):
    """Runs QEMU; the number of how it ended. Whatever ends this program ends QEMU."""
    args = arguments(directory)
    with machine.start(args, stdin=None if os.isatty(0) else subprocess.PIPE) as qemu:
        try:
            if not os.isatty(0):
                print("parvis: the input is no terminal, and its end does not end the machine: `poweroff` in it does, or Ctrl-C", file=sys.stderr)
                firmware_first = not setting("GUEST") and firmware() == "uefi"
                held_input.hold(directory, qemu.stdin, held_input.BEHIND_FIRMWARE if firmware_first else held_input.BY_ITSELF)
            return ending.status(wait_for(qemu), directory)
        finally:
            qemu.kill()


def outcome():
    """The number of how the machine ended, or did not begin; then it has been told why."""
    try:
        return run(machine.Machine.scratch())
    except OSError as error:    # a program or a file of the machine's that is not there, no room
        print(f"parvis: {error.filename or 'this machine'}: {error.strerror}", file=sys.stderr)
        return ending.FAILED
    except SystemExit as end:   # with a number, or with a sentence of why not
        if isinstance(end.code, int):
            return end.code
        print(end.code, file=sys.stderr)
        return ending.FAILED


def end(status):
    """Says and keeps how it ended."""
    with open(STATUS_FILE, "w", encoding="ascii") as out:
        out.write(f"{status}\n")
    who = "guest" if setting("GUEST") else "machine"
    with contextlib.suppress(OSError):      # the terminal is gone
        print(f"parvis: {who}: {ending.sentence(status)} (status {status})", file=sys.stderr)
    return status


def explain(argument):
    """What it is told that is no setting."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)   # who has read enough of it ends it
    known = argument in ("-h", "--help")
    print(__doc__.strip() if known else f"parvis: {argument}: settings are environment variables: see --help",
          file=sys.stdout if known else sys.stderr)
    return 0 if known else 2


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        return explain(sys.argv[1])
    os.makedirs(machine.BUILD, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(STATUS_FILE)
    if sys.argv[1:]:
        for sentence in wrong():
            print(sentence, file=sys.stderr)
        return end(ending.FAILED) if wrong() else 0
    if sys.stdin is None:       # closed: nothing that is opened may stand in for it
        os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)
    return end(outcome())


if __name__ == "__main__":
    sys.exit(main())
