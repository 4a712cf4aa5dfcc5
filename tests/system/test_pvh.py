#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Profile pvh: Debian's kernel, as it is, fully virtualized and told of Xen, without a control domain; its console is hvc0."""
import hashlib

import ending
from machine import AT_ONCE, BY_TURNS, EPYC, MAX, Machine, built, run_tests


MEMORY = "/sys/devices/system/xen_memory/xen_memory0"


def guest(name, vcpus=1, memory="256M", mem="512", **more):
    """A machine with this kernel in such a guest, which ends with it. loglevel = info: what it asks for in vain is not shown between its lines."""
    return Machine.guest("pvh-" + name, built("dom0/vmlinux"), memory, "console=hvc0", built("dom0/guest-initramfs.cpio.gz"), vcpus=vcpus, kind="pvh",
                         mem=mem, **more)


def to_the_shell(m):
    """From here on the kernel says nothing on the console, where it could come between a command's words; dmesg has it."""
    m.shells_prompt = r"^guest# "
    m.prompt()
    m.send("dmesg -n 1")
    m.prompt()


def is_clean(m):
    """The kernel has met nothing that it wonders about."""
    status, text = m.shell("dmesg | grep -E 'BUG|WARNING: CPU|soft lockup|lost|Oops|Call Trace'")
    assert status == 1, text


def lives_as_on_xen():
    """1 vCPU, memory that is no multiple of 2 MiB: what the kernel says of Xen, its clock, events by the vector, lines that arrive whole, memory given back and got again; power-off."""
    with guest("1", memory="200004K") as m:
        to_the_shell(m)
        m.check("dmesg | grep 'Hypervisor detected'", "Xen HVM")
        m.check("dmesg | grep 'Booting kernel on'", "Xen PVH")
        m.check("dmesg | grep 'Switched APIC routing'", "physical x2apic")
        m.check("cat /sys/devices/system/clocksource/clocksource0/current_clocksource", "^xen$")
        m.check("cat /sys/hypervisor/guest_type /sys/hypervisor/version/minor", "^17$")
        m.check("grep -w HYP /proc/interrupts", r"^ *HYP: +[1-9]")
        m.check("grep -c ttyS /proc/tty/driver/serial", status=1)
        lines = "".join(f"{n}-" for n in range(160))
        m.check(f"echo {lines} | wc -c", f"^{len(lines) + 1}$")
        m.check("before=$(date +%s); sleep 1; [ $(date +%s) -gt $before ] && date +%Y", r"^20\d\d$")
        m.check(f"cd {MEMORY}; before=$(cat info/current_kb); echo 150000 >target_kb; n=0; until [ $(cat info/current_kb) = 150000 ] || [ $n -gt 50 ]; do "
                "n=$((n+1)); usleep 200000; done; cat info/current_kb", "^150000$")
        m.check("echo 200004 >target_kb; n=0; until [ $(cat info/current_kb) = $before ] || [ $n -gt 50 ]; do n=$((n+1)); usleep 200000; done; "
                "[ $(cat info/current_kb) = $before ]; cd /")
        is_clean(m)
        m.send("poweroff")
        assert m.wait() == ending.POWERED_OFF, m.tail()


def several_vcpus():
    """2 and 4 vCPUs on 2 CPUs, by turns, of a model with all that QEMU has, and truly at once: all compute, and interrupt each other by events; one is taken
    off and on."""
    for vcpus, cpus in ((2, {**BY_TURNS, "cpu": MAX}), (4, AT_ONCE)):
        with guest(str(vcpus), vcpus=vcpus, **cpus) as m:
            to_the_shell(m)
            m.check("nproc", f"^{vcpus}$")
            m.check("(while :; do :; done) & (while :; do :; done) & sleep 2; kill %1 %2; grep -w HYP /proc/interrupts", r"^ *HYP:" + r" +[1-9]\d*" * vcpus)
            m.check("cd /sys/devices/system/cpu; echo 0 >cpu1/online && nproc && echo 1 >cpu1/online && nproc", f"^{vcpus - 1}$")
            is_clean(m)
            m.send("poweroff")
            assert m.wait() == ending.POWERED_OFF, m.tail()


def uses_memory_above_4g(m):
    """Of 6 GiB half is told of above 4 GiB, to the last byte, and holds what is written: it is the kernel's zone Normal, from which files have their memory first."""
    m.check("dmesg | grep e820", r"0x0*100000000-0x0*1bfffffff\] usable$")
    free = "$(sed -n '/zone *Normal/,/pages free/s/.*pages free *//p' /proc/zoneinfo)"
    m.check(f"before={free}; yes above | head -c 600000 >/tmp/part; for n in $(seq 100); do cat /tmp/part; done >/tmp/file; [ {free} -lt $((before - 10000)) ] && md5sum /tmp/file",
            hashlib.md5(b"above\n" * 10000000).hexdigest())


def has_memory_above_4g():
    """6 GiB, of which a part lies above the devices: it is told of, and used, on another model of CPU with more in it; a reboot that is asked for."""
    with guest("6g", memory="6G", mem="8G", cpu=EPYC) as m:
        to_the_shell(m)
        uses_memory_above_4g(m)
        is_clean(m)
        m.send("reboot -f")
        assert m.wait() == ending.ASKED_REBOOT, m.tail()


if __name__ == "__main__":
    run_tests(lives_as_on_xen, several_vcpus, has_memory_above_4g)
