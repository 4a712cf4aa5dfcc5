#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's kernel from its first instruction to a shell, and off from there, as a guest of each kind; on Xen of those that Xen has.

One CPU, a control domain beside it, -icount shift=0,sleep=off: a virtual nanosecond is an instruction, and waits take no time of this
host. Instructions are the guest's CPU time: its own and the hypervisor's on its behalf. They say nothing of what an exit or a change of
mode costs on silicon; how often there was one, the hypervisor counts (`pvctl stats --events`), and these are the rows below. Xen's
guests read the TSC themselves, as Parvis's do (tsc_mode="native"); Xen counts no events.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from compare import ICOUNT, say, table  # noqa: E402
from machine import Machine, built, newc  # noqa: E402 (the harness lives with the system tests)

KINDS = {"pv": "/etc/parvis/debian.xml", "pvh": "/etc/parvis/debian-pvh.xml", "hvm": "/etc/parvis/debian-hvm.xml"}
XENS = ("pv", "pvh")
# In place of the guest's own: its shell says when it is there, and ends it.
SHELL = "#!/bin/sh\nexec cttyhack sh -c 'echo at the shell: $(cut -d \" \" -f 1 /proc/uptime); poweroff -f'\n"
XL = ('name="{0}"\ntype="{0}"\nmemory=256\nvcpus={1}\ntsc_mode="native"\nkernel="/root/vmlinux"\nramdisk="/root/ramdisk"\nextra="console=hvc0"\n'
      'on_poweroff="preserve"\n')


def ramdisk():
    """The guest's, with this shell."""
    with open(built("dom0/guest-initramfs.cpio.gz"), "rb") as file:
        data = file.read()
    return data + b"\0" * (-len(data) % 512) + newc({"etc/console-shell": SHELL})


def live(m, create, name, leave=""):
    """Its whole life; what there is to tell at its end, when it is preserved. leave: what is typed at the console that it leaves behind."""
    m.send(create)
    uptime = m.expect(r"at the shell: ([\d.]+)\n", 1200).group(1)
    m.expect("reboot: ", 120)
    m.send(leave, end="")
    m.prompt(600)
    million = round(m.told(f"dominfo {name}")["cpu_time_ns"] / 1e6)
    return {"seconds of its own clock, to the shell": uptime, "million instructions, to the shell and off": million}


def events(m, name):
    """{event: how often, on all vCPUs}, of those that there were."""
    every = [vcpu["events"] for vcpu in m.told(f"stats --events {name}")[0]["vcpu"]]
    return {event: times for event in every[0] if (times := sum(vcpu[event] for vcpu in every))}


def on_parvis(vcpus):
    with Machine.parvis("kinds-parvis", files={"root/ramdisk": ramdisk()}, qemu=ICOUNT) as m:
        m.prompt(600)
        m.settle()
        for kind, file in KINDS.items():
            say(f"a {kind} guest on Parvis")
            m.check(f"sed 's#<name>.*<#<name>{kind}<#; s#<vcpu>1<#<vcpu>{vcpus}<#; s#<initrd>.*<#<initrd>/root/ramdisk<#; "
                    f"s#<on_poweroff>destroy#<on_poweroff>preserve#' {file} >/tmp/{kind}.xml", "")
            figures = live(m, f"pvctl create --console /tmp/{kind}.xml", kind)
            yield "Parvis " + kind, {**figures, **events(m, kind)}
            m.check(f"pvctl destroy {kind}", "")


def on_xen(vcpus):
    files = {f"root/{kind}.cfg": XL.format(kind, vcpus) for kind in XENS}
    with open(built("dom0/vmlinux"), "rb") as kernel:
        files |= {"root/ramdisk": ramdisk(), "root/vmlinux": kernel.read()}
    with Machine.xen("kinds-xen", files=files, xl=True, qemu=ICOUNT) as m:
        m.prompt(600)
        m.settle()
        m.shell("xl-up")
        for kind in XENS:
            say(f"a {kind} guest on Xen")
            yield "Xen " + kind, live(m, f"xl create -c /root/{kind}.cfg", kind, leave="\x1d")
            m.check(f"xl destroy {kind}", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vcpus", nargs="?", type=int, default=1, metavar="VCPUS", help="of each guest, on one CPU (1)")
    vcpus = parser.parse_args().vcpus
    table(f"Linux to a shell, {vcpus} vCPU{'s' if vcpus > 1 else ''}", dict([*on_parvis(vcpus), *on_xen(vcpus)]))


if __name__ == "__main__":
    main()
