# SPDX-License-Identifier: MIT
"""What the programs of this folder share: how time is counted, guests as both toolstacks are told of them, and what is read of both."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import built, newc  # noqa: E402 (the harness lives with the system tests)

ICOUNT = ["-icount", "shift=0,sleep=off"]    # a virtual nanosecond is an instruction; waits take no time of this host
KINDS = {"pv": "/etc/parvis/debian.xml", "pvh": "/etc/parvis/debian-pvh.xml", "hvm": "/etc/parvis/debian-hvm.xml"}
XENS = ("pv", "pvh")
# Linux as a guest of Xen. Its TSC is the machine's, as that of Parvis's guests is: else Xen emulates RDTSC, of which there is one in each
# system call of Debian's kernel.
XL = ('name="{kind}"\ntype="{kind}"\nmemory=256\nvcpus={vcpus}\ntsc_mode="native"\nkernel="/root/vmlinux"\nramdisk="/root/ramdisk"\n'
      'extra="console=hvc0"\non_poweroff="{at_end}"\n')
XL_BENCH = 'name="{name}"\ntype="{kind}"\nmemory=32\nvcpus=2\nkernel="/root/bench"\nextra="{words}"\non_poweroff="destroy"\n'
BENCH_LINE = r"^\s*([a-z][a-z0-9 _,.:()/-]*?)\s+(\d+)(?:\s|$)"


def say(what):
    """What goes on meanwhile, for those who wait; the figures alone are standard output."""
    print(f"{what} ...", file=sys.stderr, flush=True)


def table(title, columns):
    """Rows of all names, one column a system; the title says the unit."""
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    print(f"{title:46}" + "".join(f"{system:>12}" for system in columns))
    for name in names:
        print(f"  {name:44}" + "".join(f"{column.get(name, '-'):>12}" for column in columns.values()))


def figures(text):
    """{operation: instructions} of what pvguest's bench printed."""
    return {name: int(value) for name, value in re.findall(BENCH_LINE, text, re.MULTILINE)}


def ramdisk(files, kernel="dom0"):
    """The guest's, with more files; kernel: the folder of build/ that has it."""
    with open(built(kernel + "/guest-initramfs.cpio.gz"), "rb") as file:
        data = file.read()
    return data + b"\0" * (-len(data) % 512) + newc(files)


def events(m, name):
    """{event: how often, on all vCPUs}, of those that there were; as the hypervisor counts for a domain."""
    every = [vcpu["events"] for vcpu in m.told(f"stats --events {name}")[0]["vcpu"]]
    return {event: times for event in every[0] if (times := sum(vcpu[event] for vcpu in every))}


def guest_xml(kind, name, **values):
    """A shell command that writes the sample guest of a kind to /tmp/NAME.xml, under this name, with other values in its elements."""
    edits = "; ".join(f"s#<{element}>.*<#<{element}>{value}<#" for element, value in {"name": name, **values}.items())
    return f"sed '{edits}' {KINDS[kind]} >/tmp/{name}.xml"
