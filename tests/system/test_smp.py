#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Several CPUs at work: stock Linux with more vCPUs than there are CPUs, as control domain and as guest; where vCPUs may run and how
CPU time is shared, shown and set; many vCPUs, and many guests, at once.

A machine of 4 CPUs, which QEMU runs by turns, and machines of 2, each a thread of its own. On that of 4 a debug build runs, which ends
when a lock is taken against the order or an assertion fails, and which answers no differently: so one machine shows both. The main
scenarios are all there: disk and network of a guest, a reboot, pauses, vCPUs off and on, pins, caps. With --long: 64 vCPUs.
"""
import hashlib
import os
import re
import sys

import ending
from machine import Machine, built, control_config, disk_args, network_args, run_tests

machine = None
scratch = Machine.scratch()
disk = os.path.join(scratch, "disk.img")
DEVICES = ('<disk type="block"><source dev="/dev/vda"/><target dev="xvda"/></disk>'
           '<interface type="bridge"><source bridge="xenbr0"/></interface>')
commands = 0     # so many were typed in guests
LOAD = ("rm -rf /tmp/load; mkdir /tmp/load; for i in $(seq 12); do seq $((i * 400)) >/tmp/load/$i; done; cd /tmp/load; "
        "ls | xargs -n 1 md5sum | sort >../serial; ls | xargs -n 1 -P 8 md5sum | sort >../parallel; cd /; "
        "wc -l </tmp/parallel; cmp /tmp/serial /tmp/parallel && echo the same")


def linux(name, vcpu, devices):
    """Creates a stock Linux guest with these devices too; vcpu: its <vcpu> element and what may follow it. Its kernel is unpacked
    already, for that takes as long as its boot, and says little, for its console is opened often."""
    machine.check(f"sed 's|>debian<|>{name}<|; s|<vcpu>1</vcpu>|{vcpu}|; s|</devices>|{devices}</devices>|; s|/vmlinuz<|/vmlinux<|; "
                  f"s|=hvc0<|=hvc0 quiet<|' /etc/parvis/debian.xml >/tmp/{name}.xml && pvctl create /tmp/{name}.xml")


def inside(name, command, *patterns):
    """Runs a command in a Linux guest, which says these lines. (Its console shows first what it said before.)"""
    global commands
    commands += 1
    machine.send(f"pvctl console {name}")
    machine.expect(r"guest# ", 600)
    machine.send(f"echo begin{commands}; {command}; echo end{commands}")
    for pattern in (rf"^begin{commands}$", *patterns, rf"^end{commands}$"):
        machine.expect(pattern, 300)
    machine.send("\x1d", end="")
    machine.prompt(60)


def in_guest(name, number):
    """The guest has that many vCPUs, does the same in parallel as one by one, and its kernel found no fault."""
    inside(name, "nproc", rf"^{number}$")
    inside(name, LOAD, r"^12$", r"^the same$")
    inside(name, "dmesg | grep -cE 'WARNING: CPU|BUG:|Oops|Call Trace'", r"^0$")


def goes_to_work():
    """Linux is the control domain with 8 vCPUs on 4 CPUs: all run, and what they do in parallel is right."""
    global machine
    with open(disk, "wb") as out:
        out.write(os.urandom(4 << 20))
    with open(built("dom0/vmlinux"), "rb") as kernel, open(built("system/vdso_clock"), "rb") as program:
        files = {"var/lib/parvis/vmlinux": kernel.read(), "usr/bin/vdso_clock": program.read()}
    machine = Machine.parvis("smp-4", control_config() + "vcpus = 8\nweight = 512\n", files, hypervisor="debug/parvis.bin",
                             smp="4,sockets=1,cores=2,threads=2", qemu=[*disk_args(disk), *network_args()])
    machine.prompt()
    machine.settle()
    machine.check("nproc", r"^8$")
    machine.check(LOAD, r"(?s)^12$.*^the same$", timeout=300)


def reads_the_clock():
    """Where guests are told that time is stable, Linux lets its applications read the clock by themselves: its vDSO has it, on all vCPUs."""
    machine.check("cat /sys/devices/system/clocksource/clocksource0/current_clocksource", r"^xen$")
    machine.check("for n in $(seq 0 7); do taskset $(printf %x $((1 << n))) vdso_clock || break; done | uniq -c",
                  r"^ +8 the application reads the clock$")


def tells_about_cpus():
    """info shows the CPUs, and that each was busy and idle; dominfo and vcpu-list show each vCPU."""
    info = machine.told("info")
    assert info["cpus"] == 4 and [cpu["id"] for cpu in info["cpu"]] == [0, 1, 2, 3], info
    assert info["cores_per_socket"] == 2 and info["threads_per_core"] == 2, info
    assert all(cpu["idle_time_ns"] > 0 and 0 <= cpu["busy_percent"] <= 100 for cpu in info["cpu"]), info
    machine.check("pvctl info", r"(?s)^CPUs +4 \(2 cores a socket, 2 threads a core\)$.*^CPU 3 .* % busy, idle for")
    vcpus = machine.told("vcpu-list")
    assert [v["vcpu"] for v in vcpus] == list(range(8)), vcpus
    assert all(v["affinity"] == "0-3" and v["cpu"] < 4 and v["cpu_time_ns"] > 0 for v in vcpus), vcpus
    assert len({v["cpu"] for v in vcpus}) > 1, vcpus
    total = machine.told("list")[0]["cpu_time_ns"]
    assert total >= sum(v["cpu_time_ns"] for v in vcpus), (total, vcpus)


def turns_vcpus_off_and_on():
    """vCPUs of the control domain are taken off and come back. (They have to compute again when they are pinned, next.)"""
    machine.check("for n in 1 5 7; do echo 0 >/sys/devices/system/cpu/cpu$n/online; done; nproc", r"^5$")
    states = [v["state"] for v in machine.told("vcpu-list Domain-0")]
    assert [n for n in range(8) if states[n] == "offline"] == [1, 5, 7], states
    assert machine.told("list")[0]["vcpus"] == 5
    machine.check("for n in 7 1 5; do echo 1 >/sys/devices/system/cpu/cpu$n/online; done; nproc", r"^8$")


def pins():
    """A pinned vCPU runs on its CPUs and no other; what is not there is refused."""
    machine.check("pvctl pin Domain-0 all 1,3 && pvctl pin Domain-0 0 3", "")
    machine.check("pvctl pin Domain-0", r"(?s)^vCPU 0 +3$.*^vCPU 7 +1,3$")
    before = machine.told("vcpu-list Domain-0")
    machine.check(LOAD, r"^the same$", timeout=300)
    ran = [v for v, old in zip(machine.told("vcpu-list Domain-0"), before) if v["cpu_time_ns"] > old["cpu_time_ns"]]
    assert len(ran) > 1 and all(v["cpu"] in ((1, 3) if v["vcpu"] else (3,)) for v in ran), ran
    machine.check("pvctl pin Domain-0 all 4-5 2>&1", r"there are no CPUs 4-5: the machine has CPUs 0 to 3", status=2)
    machine.check("pvctl pin Domain-0 8 0 2>&1", r"there is no vCPU 8: it has 8", status=2)
    machine.check("pvctl pin Domain-0 0 1,^1 2>&1", r"names no CPU", status=2)
    machine.check("pvctl pin Domain-0 0", r"^vCPU 0 +3$")
    machine.check("pvctl pin Domain-0 all all && pvctl pin Domain-0 7", r"^vCPU 7 +all$")


def leaves_out_the_first_cpu():
    """On QEMU's emulation with several CPUs a fully virtualized guest, unless it is told otherwise; a paravirtual one does not."""
    for name, cpus, file in (("debian-hvm", "1-3", "debian-hvm.xml"), ("hello", "all", "hello.xml")):
        machine.check(f"pvctl create --paused /etc/parvis/{file} && pvctl vcpu-list {name}", rf"^{name} .* {cpus}$")
    machine.check("pvctl pin debian-hvm 0 0 && pvctl vcpu-list debian-hvm", "^debian-hvm .* 0$")
    machine.check("pvctl destroy debian-hvm && pvctl destroy hello", "")


def shares():
    """Weight and cap come from the domain's file, and can be changed; what makes no sense is refused."""
    linux("four", '<vcpu cpuset="0-3">4</vcpu><cputune><shares>512</shares><global_quota>200000</global_quota>'
                  '<vcpupin vcpu="3" cpuset="2-3"/></cputune>', DEVICES)
    machine.check("pvctl sched four", r"^four +\d+ +512 +200$")
    assert [v["affinity"] for v in machine.told("vcpu-list four")] == ["0-3", "0-3", "0-3", "2-3"]
    machine.check("pvctl dumpxml four", r"(?s)<shares>512<.*<global_quota>200000<.*<vcpupin vcpu='3' cpuset='2-3'/>")
    machine.check("pvctl sched four --weight 300 --cap 350 && pvctl sched four", r"^four +\d+ +300 +350$")
    machine.check("pvctl sched four --cap 401 2>&1", "vCPUs 4, CPUs 4, so at most 400 %", status=2)
    machine.check("pvctl sched four --weight 0 2>&1", "--weight wants a number from 1 to 65535", status=2)
    machine.check("pvctl sched four --cap 0 && pvctl sched four", r"^four +\d+ +300 +none$")
    for wrong, says in (("<vcpu>65<", "<vcpu>: 65 is not between 1 and 64"), ('<vcpu cpuset="3-0">2<', "a range ends before it begins"),
                        ('<vcpu cpuset="4">2<', "there is no CPU 4: the machine has CPUs 0 to 3")):
        machine.check(f"sed 's|>debian<|>bad<|; s|<vcpu>1<|{wrong}|' /etc/parvis/debian.xml >/tmp/bad.xml; "
                      "pvctl create /tmp/bad.xml 2>&1", says, status=4)


def guest_with_four():
    """Linux is a guest with 4 vCPUs on 4 CPUs, and takes its vCPUs off and on, by itself and when it is told to."""
    in_guest("four", 4)
    inside("four", "cd /sys/devices/system/cpu; echo 0 >cpu2/online; nproc; echo 1 >cpu2/online; nproc; cd", r"^3$", r"^4$")
    machine.check("pvctl vcpu-set four 3")
    inside("four", "until [ $(nproc) = 3 ]; do usleep 100000; done; nproc", r"^3$")
    machine.check("pvctl setvcpus four 4")
    # Its kernel then offers the CPU again, and its user space takes it.
    inside("four", "cd /sys/devices/system/cpu; until [ -e cpu3/online ]; do usleep 100000; done; echo 1 >cpu3/online; nproc; cd",
           r"^4$")


def guest_with_devices():
    """Its disk is the machine's, which four of its programs read at once, and write; and it reaches the network, with answers of all sizes."""
    with open(disk, "rb") as content:
        before = content.read()
    sums = hashlib.md5(before).hexdigest()
    inside("four", "(for i in 1 2 3 4; do md5sum </dev/xvda & done; wait) | sort | uniq -c", rf"^ *4 {sums} ")
    inside("four", "for i in 0 1 2 3; do dd if=/dev/xvda of=/dev/xvda bs=256k count=1 skip=$i seek=$((7 - i)) conv=notrunc 2>/dev/null & done; "
           "wait; sync; echo done", r"^done$")
    with open(disk, "rb") as content:
        blocks = [content.read(1 << 18) for _ in range(8)]
    assert blocks[4:] == blocks[3::-1] and b"".join(blocks[:4]) == before[:1 << 20], "what was written is not there"
    inside("four", "e=$(ls /sys/class/net | grep -v lo); ip addr add 10.0.2.77/24 dev $e; ip link set $e up; "
           "(for n in 10 500 1400 5000; do ping -c 5 -s $n 10.0.2.2 >/tmp/ping$n & done; wait); cat /tmp/ping*; "
           "grep -l ' [1-5] packets received' /tmp/ping* | wc -l", r"^4$")    # a network may lose one


def events_of(name):
    """What was counted for its vCPUs, each; and for all of them."""
    vcpus = [vcpu["events"] for vcpu in machine.told(f"stats --events {name}")[0]["vcpu"]]
    return vcpus, {event: sum(vcpu.get(event, 0) for vcpu in vcpus) for event in vcpus[0]}


def counts_events():
    """What is known to happen is what was counted: of system calls so many as a program makes, and each way into the kernel ends in an
    iret. Guests do what their kind does, and no more; by their disk and card the control domain maps and copies grants."""
    vcpus, before = events_of("Domain-0")
    assert len(vcpus) == 8 and all(events["switches"] and events["timers"] and events["upcalls"] for events in vcpus), vcpus
    machine.check("dd if=/dev/zero of=/dev/null bs=1 count=20000 2>/dev/null; echo done", "^done$")
    _, after = events_of("Domain-0")
    new = {event: after[event] - before[event] for event in before}
    assert 40000 <= new["syscalls"] < 60000, new
    ways_in = new["syscalls"] + new["exceptions"] + new["upcalls"]
    assert abs(new["hypercall_iret"] - ways_in) < ways_in // 20, new
    assert new["cr3_loads"] >= 2 * 40000 and new["ptes_written"] >= new["hypercall_update_va_mapping"] > 0, new
    _, four = events_of("four")
    assert all(four[event] for event in ("syscalls", "upcalls", "timers", "ipis", "flushes", "flushes_of_others", "switches")), four
    assert not any(four[event] for event in four if event.startswith("exit_") or event == "injections"), four
    assert machine.told("stats Domain-0")[0]["grants"] > 100
    machine.check("pvctl stats four", r"^four +\d+ +\d+\.\d( +\d+){6}$")
    machine.check("(pvctl stats --interval 1 four & sleep 3; kill $!) | tail -n 1", r"^four +\d+( +\d+\.\d){7}$")


def eight_guests():
    """Eight guests at once beside it: one is paused and rebooted, which it is not to gain by, each answers, and all are gone at the end."""
    names = [f"g{n}" for n in range(8)]
    for name in names:
        machine.check(f"sed 's/>hello</>{name}</' /etc/parvis/hello.xml >/tmp/{name}.xml && pvctl create /tmp/{name}.xml")
    machine.check("pvctl sched g0 --weight 300 --cap 50 && pvctl pin g0 0 1,3")
    machine.check("pvctl pause g0 && pvctl unpause g0 && pvctl reboot --wait g0", r"g0: rebooted", timeout=300)
    machine.check("pvctl sched g0 && pvctl pin g0", r"(?s)^g0 +\d+ +300 +50$.*^vCPU 0 +1,3$")
    for name in names:
        machine.send(f"pvctl console {name}")
        machine.expect(r"hello> ", 120)
        machine.send(f"echo I am {name}")
        machine.expect(rf"^I am {name}$", 60)
        machine.send("\x1d", end="")
        machine.prompt(60)
    machine.check("pvctl shutdown --all --wait --timeout 0", r"four: powered off$", timeout=300)
    assert [d["name"] for d in machine.told("list")] == ["Domain-0"]


def alone(vcpus, cmdline="", accel="tcg,thread=multi", **more):
    """A machine with 2 CPUs, real threads, where a stock kernel is the only domain."""
    return Machine.guest(f"smp-2-{vcpus}", built("dom0/vmlinux"), memory="256M", cmdline="console=hvc0" + cmdline, vcpus=vcpus,
                         ramdisk=built("dom0/guest-initramfs.cpio.gz"), smp="2", mem="512", accel=accel, **more)


def four_vcpus_on_two():
    """4 vCPUs of Linux on 2 CPUs: they do the same in parallel as one by one, one is off and on again, and the kernel finds no fault."""
    with alone(4) as m:
        m.expect(r"guest# ", 600)
        m.send("nproc")
        m.expect(r"^4$", 120)
        m.send(LOAD)
        m.expect(r"^12\nthe same$", 600)
        m.send("echo 0 >/sys/devices/system/cpu/cpu3/online; nproc; echo 1 >/sys/devices/system/cpu/cpu3/online; nproc")
        m.expect(r"^3\n(.*\n)*?4$", 120)
        m.send("dmesg | grep -cE 'WARNING: CPU|BUG:|Oops|Call Trace'")
        m.expect(r"^0$", 120)
        m.send("poweroff")
        assert m.wait(300) == ending.POWERED_OFF, m.tail()


def sixty_four_vcpus_on_two():
    """64 vCPUs of Linux on 2 CPUs: all are started, it powers off as soon as its programs run, and its kernel says nothing of a fault.

    Time goes by instructions: a host with too much to do could not run 64 timers as fast as they come, and the kernel's watchdog would
    say so. What it says here is our doing."""
    with alone(64, " shutdown=now", accel="tcg,thread=single", qemu=("-icount", "shift=0,sleep=off")) as m:
        m.expect(r"smp: Brought up 1 node, 64 CPUs$", 600)
        m.expect(r"^guest: init reached", 600)
        assert m.wait(300) == ending.POWERED_OFF, m.tail()
        faults = re.findall(r"^.*(?:WARNING: CPU|BUG:|Oops|Call Trace).*$", m.text, re.MULTILINE)
        assert not faults, faults


def ends_well():
    """The control domain computes, its kernel has found no fault, and poweroff ends the machine."""
    machine.ends_well()
    machine.close()


ON_FOUR = (goes_to_work, reads_the_clock, tells_about_cpus, turns_vcpus_off_and_on, pins, leaves_out_the_first_cpu, shares, guest_with_four, guest_with_devices, counts_events, eight_guests,
           ends_well)

if __name__ == "__main__":
    run_tests(*((sixty_four_vcpus_on_two,) if "--long" in sys.argv else (*ON_FOUR, four_vcpus_on_two)))
