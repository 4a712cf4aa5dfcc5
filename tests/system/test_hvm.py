#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The second kind of guest: Debian's kernel, as it is, on a machine that it takes for a real one, without a control domain.

It is unpacked as `make run GUEST=vmlinuz KIND=hvm` does it, and its console is ttyS0. What such a guest cannot be is said in a line.
With --long: with 64 vCPUs, and alone of kind pvh too; and what test_pvh.py shows of the same code, memory above 4 GiB and other models of CPU.
"""
import hashlib
import re
import sys

import ending
import run as runner
from machine import AT_ONCE, BY_TURNS, DEBUG_EXIT, EPYC, MAX, NO_CX16, Machine, built, run_tests
from test_pvh import guest as pvh_guest, uses_memory_above_4g

KERNEL = runner.kernel_of(built("dom0/vmlinuz"), "guest kernel", Machine.scratch(), "256M")
FOUR_SUMS = "for i in 1 2 3 4; do (dd if=/dev/zero bs=64k count=64 2>/dev/null | md5sum) & done; wait"


def guest(name, kernel=KERNEL, memory="256M", mem="512", **more):
    """A machine with this kernel in a fully virtualized guest, which ends with it."""
    m = Machine.guest("hvm-" + name, kernel, memory, "console=ttyS0", built("dom0/guest-initramfs.cpio.gz"), kind="hvm", mem=mem, **more)
    m.shells_prompt = r"^guest# "
    return m


def to_the_shell(m):
    """From here on the kernel says nothing on the console, where it could come between a command's words; dmesg has it."""
    m.prompt()
    m.send("dmesg -n 1")
    m.prompt()


def md5(data):
    return hashlib.md5(data).hexdigest()


def is_clean(m):
    """The kernel has met nothing that it wonders about."""
    status, text = m.shell("dmesg | grep -E 'BUG|WARNING: CPU|soft lockup|lost|Oops|Call Trace'")
    assert status == 1, text


def irqs_of_the_console(m):
    return int(m.check("grep ttyS0 /proc/interrupts", r"^ *4: +(\d+) .*XT-PIC.* ttyS0")[1])


def lives_as_on_a_machine():
    """1 vCPU, memory that is no multiple of 2 MiB: no hint of a hypervisor, interrupts of the UART, lines that arrive whole, files, time; power-off."""
    with guest("1", memory="200004K") as m:
        to_the_shell(m)
        m.check("grep -w apic /proc/cpuinfo", r"^flags\t")
        m.check("(cat /proc/cpuinfo; dmesg) | grep -i hypervisor", status=1)
        m.check("dmesg | grep e820", rf"-0x0*{(200004 << 10) - 1:x}\] usable$")
        before = irqs_of_the_console(m)
        long = "".join(f"{n}-" for n in range(160))
        m.check(f"echo {long} | md5sum", md5(f"{long}\n".encode()))
        assert irqs_of_the_console(m) > before
        lines = "".join(f"line {n}\n" for n in range(2000)).encode()
        m.check("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done >/tmp/lines; md5sum /tmp/lines", md5(lines))
        m.check("before=$(date +%s); sleep 1; [ $(date +%s) -gt $before ] && date +%Y", r"^20\d\d$")
        is_clean(m)
        m.send("poweroff")
        assert m.wait() == ending.POWERED_OFF, m.tail()


def computes_on_several(machines=((4, AT_ONCE),)):
    """More vCPUs than CPUs, truly at once: all at work with right results, one off and on again; what asks for a reboot is told as that."""
    sums = rf"(^{md5(bytes(64 * 65536))}  -\n){{4}}"
    for vcpus, cpus in machines:
        with guest(f"{vcpus}-{cpus['accel'][-6:]}", vcpus=vcpus, **cpus) as m:
            to_the_shell(m)
            m.check("nproc", f"^{vcpus}$")
            m.check(FOUR_SUMS, sums)
            m.check(f"cd /sys/devices/system/cpu/cpu{vcpus - 1}; echo 0 >online; a=$(nproc); echo 1 >online; echo $a then $(nproc)",
                    f"^{vcpus - 1} then {vcpus}$")
            m.check(FOUR_SUMS, sums)
            is_clean(m)
            m.send("reboot -f")
            assert m.wait() == ending.ASKED_REBOOT, m.tail()


def computes_by_turns():
    """More vCPUs than CPUs, and as many, which take turns."""
    computes_on_several(((4, BY_TURNS), (2, BY_TURNS)))


def starts_on_other_cpus():
    """2 vCPUs on models of CPU with more in them, once with more memory than 1 GiB: to the shell, and off by itself."""
    for name, cpu, memory in (("epyc", EPYC, "256M"), ("max", MAX, "1100M")):
        with guest(name, memory=memory, mem="1536", vcpus=2, cpu=cpu) as m:
            to_the_shell(m)
            m.check("nproc", "^2$")
            is_clean(m)
            m.send("poweroff")
            assert m.wait() == ending.POWERED_OFF, m.tail()


def odd_sizes():
    """All that a guest is told of is memory, to the last byte, where it is no multiple of 2 MiB, one page more than one, or exactly 16 MiB."""
    for memory in ("134148K", "131076K", "16M"):
        with Machine.guest("hvm-" + memory, built("tests/guest/hvm-memory"), memory, kind="hvm") as m:
            m.expect("^TEST-RESULT: hvm-memory success$", 60)


def has_memory_above_4g():
    """6 GiB, of which a part lies above the devices: it is told of, and used."""
    with guest("6g", memory="6G", mem="8G") as m:
        to_the_shell(m)
        uses_memory_above_4g(m)
        is_clean(m)
        m.send("poweroff")
        assert m.wait() == ending.POWERED_OFF, m.tail()


def is_refused_where_the_cpu_cannot():
    """Where the CPU cannot, or must not, the reason is said at any loglevel, and a paravirtual domain of the same parvis.cfg runs as ever."""
    config = ("on_end = poweroff\ndebug_exit = 0xf4\nloglevel = error\n[domain full]\nkernel = vmlinux\nmemory = 128M\nkind = hvm\n"
              "[domain hello]\nkernel = hello\nmemory = 16M\ncmdline = exit=poweroff\n")
    modules = {"vmlinux": KERNEL, "hello": built("pvguest/hello")}
    for name, cpu, said in (("no-svm", "qemu64,-svm", r"its CPUs have no SVM \(AMD-V\)"), ("no-npt", "qemu64,-npt", "its CPUs have no nested paging"),
                            ("erratum", "phenom,+npt", r"its CPUs \(AMD's family 10h\) let a guest end the machine: erratum 383")):
        with Machine.direct("hvm-" + name, config, modules, mem="512", qemu=DEBUG_EXIT, cpu=cpu + NO_CX16) as m:
            m.expect(rf"\] no full virtualization on this machine: {said}$", 30)
            m.expect(r"\] full: cannot be created on this machine$", 30)
            m.expect("^hello is ready$|hello: ", 60)
            assert m.wait() == ending.POWERED_OFF, m.tail()


def bad_kernels_and_sizes_are_named():
    """No ELF file, no PVH note, too little memory for the kernel, more than there is: a line for each, and it did not start."""
    for name, kernel, memory, said in (
            ("text", __file__, "64M", "guest: kernel: not an ELF file"),
            ("no-note", built("bad-guests/forever"), "64M", "guest: kernel: cannot be started by PVH: it lacks the ELF note PHYS32_ENTRY"),
            ("small", KERNEL, "16M", r"guest: kernel: needs \d+ MiB, the domain has 16 MiB"),
            ("tiny", KERNEL, "1M", r"guest: memory: 256 pages are not between \d+ and \d+"),
            ("large", KERNEL, "6G", r"parvis\.cfg: guest: memory = 6144M, but only \d+M are free")):
        with guest(name, kernel, memory) as m:
            m.expect(said, 30)
            assert m.wait() == ending.NOT_STARTED, m.tail()
            named = re.findall(r"^\(parvis\) .*\] (?:parvis\.cfg: )?guest: .*$", m.text, re.MULTILINE)
            assert len(named) == 1, named


def sixty_four_vcpus():
    """64 vCPUs on 2 CPUs, of kinds hvm and pvh: all are started, a shell runs on them, its kernel has found no fault, and it powers off.

    Time goes by instructions, as a host with too much to do could not run 64 timers as fast as they come."""
    for make in (guest, pvh_guest):
        with make("64", vcpus=64, qemu=("-icount", "shift=0,sleep=off"), **BY_TURNS) as m:
            m.shells_prompt = r"^guest# "
            m.prompt(1800)
            m.send("dmesg -n 1")
            m.prompt(600)
            m.check("nproc", "^64$", timeout=600)
            m.check("grep -c ^processor /proc/cpuinfo; n=0; for i in 0 21 42 63; do taskset $(printf %x $((1 << i))) true && n=$((n+1)); done; echo $n", "^64\n4$", timeout=600)
            is_clean(m)
            m.send("poweroff")
            assert m.wait(600) == ending.POWERED_OFF, m.tail()


LONG = (sixty_four_vcpus, computes_by_turns, starts_on_other_cpus, has_memory_above_4g)
USUAL = (lives_as_on_a_machine, computes_on_several, odd_sizes, is_refused_where_the_cpu_cannot, bad_kernels_and_sizes_are_named)

if __name__ == "__main__":
    run_tests(*(LONG if "--long" in sys.argv else USUAL))
