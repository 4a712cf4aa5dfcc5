# SPDX-License-Identifier: MIT
"""The settings of `make run`, environment variables, and what they may be.

Each function gives what one of them says, or ends with a sentence of what is wrong with it. wrong() looks at all that matter for the start
that is asked for, and has a sentence for each: `make run` says them before it builds anything.
"""
import os
import re
import shlex

import machine

# By kind of guest, what holds where nothing is said: its memory, its command line, the machine's MEM.
KINDS = {"pv": ("32M", "", "256"), "hvm": ("256M", "console=ttyS0", "512"), "pvh": ("256M", "console=hvc0", "512")}
LEAST_MEMORY = {"guest": 4, "machine": 256}     # MB: with less, nothing is said, or Linux crashes
TOOLSTACKS = ("xl", "libvirt")
MOST_CPUS = 4    # without SMP: enough to see domains share CPUs; each more makes an emulated start slower


def setting(name, default=""):
    """An environment variable; empty means unset."""
    return os.environ.get(name) or default


def kind():
    """Of which kind the guest is."""
    word = setting("KIND", "pv")
    if word not in KINDS:
        raise SystemExit(f"parvis: KIND={word}: must be pv, hvm or pvh")
    return word


def vcpus():
    """How many vCPUs the guest has, as parvis.cfg takes it."""
    word = setting("GUEST_VCPUS", "1")
    if not re.fullmatch(r"[1-9]|[1-5]\d|6[0-4]", word, re.ASCII):
        raise SystemExit(f"parvis: GUEST_VCPUS={word}: must be a number from 1 to 64")
    return word


def guest_memory():
    """What the guest has, as parvis.cfg takes it."""
    usual = KINDS[kind()][0]
    word = setting("GUEST_MEM", usual)
    if not re.fullmatch(r"0*[1-9]\d*[KMG]", word, re.ASCII):
        raise SystemExit(f"parvis: GUEST_MEM={word}: must be a number with K, M or G behind it, as {usual}")
    return word


def begin_of(path, what, size):
    """The first bytes of a file that a person named."""
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except OSError as error:
        raise SystemExit(f"parvis: {what} {path}: {error.strerror}")


def toolstack():
    """Whose tools are in the control domain beside ours."""
    word = setting("TOOLSTACK")
    if word and word not in TOOLSTACKS:
        raise SystemExit(f"parvis: TOOLSTACK={word}: must be {' or '.join(TOOLSTACKS)}, or nothing")
    return word


def network():
    """The control domain's network card, if it has one."""
    word = setting("NETWORK", "user")
    if word not in ("user", "none"):
        raise SystemExit(f"parvis: NETWORK={word}: must be user or none; QEMU_EXTRA= adds other cards")
    return machine.network_args() if word == "user" else []


def firmware():
    """What starts the control domain."""
    word = setting("FIRMWARE", "uefi")
    if word not in ("uefi", "direct"):
        raise SystemExit(f"parvis: FIRMWARE={word}: must be uefi or direct")
    return word


def guest_disk():
    """The disk for a guest."""
    path = setting("GUEST_DISK")
    if path and os.path.abspath(path) == os.path.abspath(machine.GUEST_DISK) and not os.path.exists(path):
        raise SystemExit(f"parvis: GUEST_DISK={path}: `make guest-disk` makes it")
    if path:
        begin_of(path, "GUEST_DISK", 0)
    return path


def data_disk():
    """The disk with a file system for definitions and files of the user's."""
    path = setting("DATA_DISK")
    if path and not os.path.exists(path):
        raise SystemExit(f"parvis: DATA_DISK={path}: `mkfs.vfat -C {shlex.quote(path)} 65536` makes it")
    if path:
        begin_of(path, "DATA_DISK", 0)
    return path


def processors():
    """(CPUs of the machine, how QEMU makes them): more than this host has take turns in one thread, as threads would wait for each
    other. Otherwise QEMU makes a thread for each where it can: not where it counts instructions (-icount)."""
    host = len(os.sched_getaffinity(0))
    smp = setting("SMP", "1" if setting("GUEST") else str(min(host, MOST_CPUS)))
    cpus = re.match(r"(?:cpus=)?([1-9]\d{0,5})(?:,|$)", smp, re.ASCII)
    if not cpus:
        raise SystemExit(f"parvis: SMP={smp}: must be a number of CPUs; what else QEMU's -smp takes comes behind it and a comma")
    return smp, setting("ACCEL", "tcg" if int(cpus[1]) <= host else "tcg,thread=single")


def memory():
    """What the machine has: in MB, or with QEMU's suffixes."""
    guest = bool(setting("GUEST"))
    mem = setting("MEM", KINDS[kind()][2] if guest else "2048")
    size = re.match(r"(?:size=)?(\d+(?:\.\d+)?)([BKMGT]?)(?:,|$)", mem, re.ASCII | re.IGNORECASE)
    if not size:
        raise SystemExit(f"parvis: MEM={mem}: must be a number of MB, or one with K, M, G or T behind it")
    least = LEAST_MEMORY["guest" if guest else "machine"]
    if float(size[1]) * 1024 ** "BKMGT".index(size[2].upper() or "M") < least << 20:
        raise SystemExit(f"parvis: MEM={mem}: the machine starts with {least} MB or more" + ("" if guest else "; README.md promises from 512 on"))
    return mem


def more_for_qemu():
    """The words of QEMU_EXTRA, as a shell splits them."""
    try:
        return shlex.split(setting("QEMU_EXTRA"))
    except ValueError as error:
        raise SystemExit(f"parvis: QEMU_EXTRA={setting('QEMU_EXTRA')}: {error}")


def for_another_start():
    """A guest alone and the control domain have settings of their own, which the other start would ignore: a sentence for each that is set."""
    if setting("GUEST"):
        others, why = ("FIRMWARE", "NETWORK", "DOM0_KERNEL", "DOM0_MODULES", "TOOLSTACK", "GUEST_DISK", "DATA_DISK"), "is for the control domain, and GUEST= starts a guest without it"
    else:
        others, why = ("GUEST_MEM", "GUEST_CMDLINE", "GUEST_RAMDISK", "GUEST_VCPUS", "KIND"), "is for a guest alone, which GUEST= names"
    return [f"parvis: {name}={setting(name)}: {why}" for name in others if setting(name)]


def file_of(name, what):
    """A file that is named can be read, or is one of those that `make run` is about to build."""
    path = setting(name)
    if path and path not in setting("TO_BUILD").split():
        begin_of(path, what, 0)


def modules():
    """The folder of another kernel's modules."""
    path = setting("DOM0_MODULES")
    if path and not os.path.isdir(path):
        raise SystemExit(f"parvis: DOM0_MODULES={path}: must be some kernel's folder lib/modules/VERSION")
    return path


OF_ANY = (processors, memory, more_for_qemu)
OF_GUEST = (lambda: file_of("GUEST", "guest kernel"), kind, vcpus, guest_memory, lambda: file_of("GUEST_RAMDISK", "guest ramdisk"))
OF_MACHINE = (firmware, network, toolstack, lambda: file_of("DOM0_KERNEL", "DOM0_KERNEL"), modules, guest_disk, data_disk)


def wrong():
    """What is wrong with what is set, a sentence each, each once."""
    sentences = for_another_start()
    for look in OF_ANY + (OF_GUEST if setting("GUEST") else OF_MACHINE):
        try:
            look()
        except SystemExit as end:
            sentences.append(end.code)
    return list(dict.fromkeys(sentences))
