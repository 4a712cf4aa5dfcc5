#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every CPU that the machine has is started; the log says how many there are, and which are left out and why."""
import os
import re
import struct
import subprocess

import ending
from machine import DEBUG_EXIT, MAX, QEMU64, SKYLAKE, Machine, Skipped, built, run_tests

HELLO = "on_end = poweroff\ndebug_exit = 0xf4\n[domain hello]\nkernel = hello\nmemory = 16M\ncmdline = exit=poweroff\n"


def boots(name, said, smp, config="", qemu=(), **base):
    """A guest runs on such a machine, whose log says these lines before, in this order."""
    with Machine.direct("cpus-" + name, config + HELLO, {"hello": built("pvguest/hello")}, mem="256", smp=smp,
                        qemu=[*DEBUG_EXIT, *qemu], **base) as m:
        for pattern in said:
            m.expect(pattern, 60)
        assert m.wait() == ending.POWERED_OFF, m.tail()


def starts_all():
    """1, 2, 4, 8 and 64 CPUs; of 128 the first 64; absent ones are not waited for."""
    for n in (1, 2, 4, 8, 64):
        boots(str(n), [rf"CPUs: {n}$"], n, cpu=QEMU64 if n % 8 else MAX)
    boots("128", ["CPUs: 64; left alone: 64, as at most 64 are used$"], 128)
    boots("absent", ["CPUs: 2$"], "2,maxcpus=8")


def obeys_the_limit():
    """`cpus =` of parvis.cfg limits them; more than there are is said."""
    boots("limited", ["CPUs: 3; left alone: 2, as at most 3 are used$"], 5, "cpus = 3\n")
    boots("too-few", ["CPUs: 2$", r"parvis\.cfg: cpus = 3, but there are only 2$"], 2, "cpus = 3\n")


def leaves_threads_alone():
    """`smt = no` of parvis.cfg: one thread of each core."""
    boots("threads", [r"CPU with APIC id 0x1: left alone, a core's second thread \(smt = no\)$", r"CPU with APIC id 0x3: left alone", "CPUs: 2$"],
          "4,threads=2", "smt = no\n", cpu=SKYLAKE)
    boots("all-threads", ["CPUs: 4$"], "4,threads=2", cpu=SKYLAKE)
    boots("cores", ["CPUs: 2$"], "2,cores=2", "smt = no\n", cpu=SKYLAKE)


def leaves_out_who_does_not_answer():
    """A CPU that is listed and does not exist is named, and ids have no gap; the boot CPU and one more are listed twice."""
    directory = Machine.scratch()
    path = os.path.join(directory, "madt")
    entries = b"".join(struct.pack("<BBBBI", 0, 8, 0, apic_id, 1) for apic_id in (200, 0, 1))
    with open(path, "wb") as out:
        out.write(struct.pack("<II", 0xfee00000, 1) + entries)
    boots("absent-listed", [r"CPU with APIC id 0xc8: left out, it does not answer$", "CPUs: 4$"], 4,
          qemu=["-acpitable", f"sig=APIC,data={path}"])


def leaves_out_who_lacks_something():
    """A CPU that lacks what the boot CPU has is named, with what it lacks; the one behind it is started."""
    model = MAX.split(",")[0]
    lame = f"{model}-x86_64-cpu,socket-id=0,core-id=1,thread-id=0,smep=off,cx16=off"
    good = f"{model}-x86_64-cpu,socket-id=0,core-id=2,thread-id=0,cx16=off"
    boots("lame", [r"CPU with APIC id 0x1: left out, it lacks what the boot CPU has: smep$", "CPUs: 2$"],
          "1,maxcpus=3,sockets=1,cores=3", cpu=MAX, qemu=["-device", lame, "-device", good])


def starts_all_by_x2apic():
    """APIC ids that need x2APIC: 254, 255 and 280 are started."""
    version = subprocess.run(["qemu-system-x86_64", "--version"], check=True, capture_output=True, text=True).stdout
    if int(re.search(r"version (\d+)", version)[1]) < 9:
        raise Skipped("This QEMU has none: 9.0 is the first to emulate it.")
    model = QEMU64.split(",")[0]
    more = [word for number in (254, 255, 280)
            for word in ("-device", f"{model}-x86_64-cpu,socket-id={number},core-id=0,thread-id=0,x2apic=on,cx16=off")]
    boots("x2apic", ["CPUs: 4$"], "1,maxcpus=300,sockets=300", cpu=QEMU64 + ",+x2apic", qemu=more)


if __name__ == "__main__":
    run_tests(starts_all, obeys_the_limit, leaves_threads_alone, leaves_out_who_does_not_answer, leaves_out_who_lacks_something,
              starts_all_by_x2apic)
