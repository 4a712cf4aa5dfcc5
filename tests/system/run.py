#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make run`: starts Parvis in QEMU with its console on this terminal.

Without GUEST: the control domain, from build/parvis.img by UEFI firmware, or with FIRMWARE=direct by QEMU's -kernel. With
GUEST: only the hypervisor and that guest kernel; the exit status is 0 when the guest powered off and 1 when it crashed.
With a terminal, Ctrl-A x ends QEMU and Ctrl-A c reaches its monitor. Without one the console is plain standard input and
output. Variables (environment): SMP MEM CPU ACCEL QEMU_EXTRA FIRMWARE, and for a guest GUEST_MEM GUEST_CMDLINE GUEST_RAMDISK
GUEST_VCPUS. With DEBUG_WAIT=1 the machine waits for a debugger on localhost:1234.
"""
import os
import shlex
import shutil
import subprocess
import sys

import machine


def setting(name, default=""):
    """An environment variable; empty means unset."""
    return os.environ.get(name) or default


def kernel_of(path, directory):
    """A guest's kernel for the hypervisor, which takes ELF: a bzImage is unpacked first."""
    try:
        with open(path, "rb") as kernel:
            head = kernel.read(0x206)
    except OSError as error:
        sys.exit(f"parvis: guest kernel {path}: {error.strerror}")
    if head[0x202:0x206] != b"HdrS":
        return path
    unpacked = os.path.join(directory, "unpacked")
    subprocess.run([machine.built("dom0-tools/parvis-unpack"), path, unpacked], check=True)
    return unpacked


def guest_args(directory):
    kernel = kernel_of(setting("GUEST"), directory)
    ramdisk = setting("GUEST_RAMDISK")
    if ramdisk and not os.access(ramdisk, os.R_OK):
        sys.exit(f"parvis: guest ramdisk {ramdisk}: cannot be read")
    config = machine.guest_config(setting("GUEST_MEM", "32M"), setting("GUEST_CMDLINE"), ramdisk,
                                  setting("GUEST_VCPUS", "1"))
    modules = {"guest": kernel, **({"ramdisk": ramdisk} if ramdisk else {})}
    # debug_exit on the command line too: it holds before parvis.cfg is read, so a bad setting fails.
    return ["-kernel", machine.built("parvis.bin"), *machine.DEBUG_EXIT, "-append", "debug_exit=0xf4",
            "-initrd", machine.multiboot_modules(directory, config, modules)]


def direct_args(directory):
    modules = {name: machine.built("dom0/" + name) for name in ("vmlinux", "initramfs.cpio.gz")}
    return ["-kernel", machine.built("parvis.bin"),
            "-initrd", machine.multiboot_modules(directory, machine.control_config(), modules)]


def uefi_args(directory):
    shutil.copy(machine.OVMF_VARS, directory + "/vars.fd")
    return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={machine.OVMF}",
            "-drive", f"if=pflash,format=raw,unit=1,file={directory}/vars.fd",
            "-drive", f"file={machine.built('parvis.img')},format=raw,if=none,id=boot",
            "-device", "virtio-blk-pci,drive=boot,bootindex=1"]


def main():
    directory = machine.Machine.scratch()
    guest = bool(setting("GUEST"))
    args = machine.base_args(setting("SMP", "1"), setting("MEM", "256" if guest else "2048"),
                             setting("CPU", machine.DEFAULT_CPU), setting("ACCEL"), reboot=not guest)
    if guest:
        args += guest_args(directory)
    elif setting("FIRMWARE", "uefi") == "direct":
        args += direct_args(directory) + machine.network_args()
    elif setting("FIRMWARE", "uefi") == "uefi":
        args += uefi_args(directory) + machine.network_args()
    else:
        sys.exit(f"parvis: FIRMWARE={setting('FIRMWARE')}: must be uefi or direct")
    args += ["-serial", "mon:stdio" if sys.stdin.isatty() else "stdio"]
    if setting("DEBUG_WAIT"):
        args += ["-s", "-S"]
    args += shlex.split(setting("QEMU_EXTRA"))
    try:
        status = subprocess.run(args, check=False).returncode
    except KeyboardInterrupt:
        status = 130
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if guest and status == machine.CRASHED:
        print("parvis: the guest crashed, or could not be started: see above", file=sys.stderr)
    return 1 if status not in (0, 130) else status


if __name__ == "__main__":
    sys.exit(main())
