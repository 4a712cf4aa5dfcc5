#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fully virtualized guests in the hands of pvctl: Debian's kernel, created by the control domain, told of no hypervisor and told of Xen.

What such a guest cannot be is said in a sentence; on a machine without SVM, with --long without nested paging, paravirtual guests run as ever.
"""
import struct
import sys

import booted
from machine import NO_CX16, Machine, built, run_tests
from test_bad_domains import elf32
from test_calibrate import without_the_second_kind

machine, free_before = None, 0
FILE = "/etc/parvis/debian-hvm.xml"


def kernel(code):
    """A kernel of these bytes, which PVH starts at 1 MiB."""
    note = struct.pack("<III4sI", 4, 4, 18, b"Xen", 0x100000)
    at = 64 + 2 * 56
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0x100000, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 7, at + len(note), 0x100000, 0x100000, len(code), len(code), 1)
    notes = struct.pack("<IIQQQQQQ", 4, 4, at, 0, 0, len(note), len(note), 4)
    return header + load + notes + note + code


# mov eax, 0xfd000000; add dword [eax], 1: where there is no memory, and in a form that is not carried out
WILD = kernel(b"\xb8\x00\x00\x00\xfd\x83\x00\x01\xf4")


def broken_image():
    """Debian's kernel with a page of 0 in the middle of its payload."""
    with open(built("dom0/vmlinuz"), "rb") as whole:
        image = whole.read()
    return image[:len(image) // 2] + bytes(4096) + image[len(image) // 2 + 4096:]


def free_memory():
    return machine.told("info")["free_memory_kib"]


def listed():
    return {domain["name"]: domain for domain in machine.told("list")}


def refused(change, said, status=1):
    """A file with this change is refused with this sentence, and nothing is left."""
    machine.check(f"sed '{change}' {FILE} >/tmp/changed.xml; pvctl create /tmp/changed.xml", rf"(^|\x1b\[K)pvctl: {said}$", status=status)
    assert list(listed()) == ["Domain-0"]


def reaches_its_shell():
    """create --console ends at the guest's shell, where no Xen is seen, and lines go both ways; so they do after its reboot.
    Its memory is no multiple of 2 MiB."""
    global free_before
    machine.prompt()
    machine.settle()
    machine.check("pvctl info", r"^guests +pv, hvm, pvh$")
    assert machine.told("info")["full_virtualization"] is True
    machine.check(f"pvctl create --paused {FILE} && pvctl destroy debian-hvm", "")
    free_before = free_memory()
    machine.check(f"sed \"s/unit='MiB'>256/unit='KiB'>200004/\" {FILE} >/tmp/odd.xml", "")
    machine.send("pvctl create /tmp/odd.xml --console")
    for life in ("first", "second"):
        machine.expect(r"Linux version 6\.", 240)
        machine.expect(r"guest: init reached", 480)
        machine.expect(r"guest# ", 120)
        if life == "first":
            machine.send("reboot -f")
    machine.send("dmesg -n 1; ls /sys/hypervisor; grep -c hypervisor /proc/cpuinfo; echo $((6 * 7))")
    machine.expect(r"^0$", 60)
    machine.expect(r"^42$", 60)
    machine.send("\x1d", end="")
    machine.prompt()
    assert free_memory() < free_before - 200004


def is_told_of():
    """list, dominfo and dumpxml say its kind; a console taken later goes on."""
    kinds = {name: domain["kind"] for name, domain in listed().items()}
    assert kinds == {"Domain-0": "pv", "debian-hvm": "hvm"}, kinds
    machine.check("pvctl list", r"^debian-hvm .* hvm$")
    machine.check("pvctl dominfo debian-hvm", r"^kind +hvm$")
    assert machine.told("dominfo debian-hvm")["kind"] == "hvm"
    machine.check("pvctl dumpxml debian-hvm", r"<type arch='x86_64'>hvm</type>")
    machine.check("pvctl pause debian-hvm && pvctl dominfo debian-hvm", r"^state +paused$")
    machine.check("pvctl save debian-hvm /tmp/saved", r"^pvctl: debian-hvm: a domain cannot be saved yet: it goes on as it was$", status=1)
    machine.check("pvctl unpause debian-hvm && pvctl vcpu-list debian-hvm", r"debian-hvm")
    machine.send("pvctl console debian-hvm")
    machine.send("echo I am $((2 * 21))")
    machine.expect(r"^I am 42$", 60)
    machine.send("\x1d", end="")
    machine.prompt()


def events_of(name):
    return machine.told(f"stats --events {name}")[0]["vcpu"][0]["events"]


def is_counted():
    """What stats tells of it is a fully virtualized guest's: exits, and nothing of what a paravirtual one asks for."""
    events = events_of("debian-hvm")
    assert all(events[event] for event in ("switches", "timers", "injections", "exit_interrupt", "exit_port", "exit_msr", "exit_cpuid",
                                           "exit_hlt", "exit_npt_fault")), events
    assert not any(events[event] for event in events if event.startswith("hypercall_")), events
    assert not any(events[event] for event in ("syscalls", "exceptions", "upcalls", "ptes_written", "cr3_loads", "flushes")), events
    machine.check("pvctl stats debian-hvm", r"^debian-hvm +\d+ +\d+\.\d +0 +0 +0 +[1-9]\d* +[1-9]\d* +0$")


def does(command, done):
    """The guest carries out a command, and says so by these words when it has succeeded."""
    machine.check(f"rm -f /tmp/said; (echo '{command} && echo {done}'; until grep -qs '^{done}' /tmp/said; do usleep 100000; done) | pvctl console debian-hvm >/tmp/said")


def is_asked_by_its_button():
    """reboot cannot be asked for. shutdown presses the power button; a guest that does not heed it lives on, and goes when it does."""
    machine.check("pvctl reboot debian-hvm",
                  r"^pvctl: debian-hvm: an hvm guest can be asked to power off, and not to reboot: do that from inside$", status=1)
    does("killall acpid", "nobody listens")
    machine.check("pvctl shutdown --wait --timeout 3 debian-hvm",
                  r"^pvctl: debian-hvm: not ended within 3 s; `pvctl destroy` does not ask$", status=1)
    does("acpid; pidof acpid >/dev/null", "it listens")
    machine.check("pvctl shutdown --wait debian-hvm", r"^debian-hvm: powered off$")
    machine.check("pvctl dominfo debian-hvm", r"no such domain \(the last of this name: powered off\)", status=3)


def gives_all_back():
    """Whether it powers off by itself, after a reboot, or is destroyed: all comes back, to the page."""
    assert free_memory() == free_before, (free_memory(), free_before)
    machine.check(f"pvctl create {FILE} && pvctl destroy debian-hvm", r"debian-hvm: domain \d+$")
    assert free_memory() == free_before, (free_memory(), free_before)


def heard_while_it_starts():
    """A guest of kind pvh that is asked to power off as soon as it is created does, though it may lose the first request."""
    machine.check("truncate -s 16M /tmp/disk.img && ip addr add 10.9.9.1/24 dev xenbr0 && ip link set xenbr0 up", "")
    machine.check("sed 's#<devices>#<devices><disk type=\"file\"><source file=\"/tmp/disk.img\"/><target dev=\"xvda\"/></disk>"
                  "<interface type=\"bridge\"><source bridge=\"xenbr0\"/></interface>#' /etc/parvis/debian-pvh.xml >/tmp/pvh.xml", "")
    machine.check("pvctl create /tmp/pvh.xml && pvctl shutdown --wait debian-pvh", r"^debian-pvh: powered off$", timeout=240)


def knows_of_xen():
    """pvh, as libvirt writes it: its disk and its network work, in its next life too, and it hears of pvctl reboot."""
    global free_before
    free_before = free_memory()     # what the control domain keeps of the first such guest for the next one is not missed
    machine.send("pvctl create /tmp/pvh.xml --console")
    for life in range(2):
        machine.expect(r"guest# ", 480)
        machine.send(f"dmesg -n 1; echo begin$(({life} + 1)); cat /sys/hypervisor/type; dmesg | grep 'Booting kernel on'")
        machine.expect(rf"^begin{life + 1}$", 480)       # the console may show the former life first
        machine.expect(r"^xen$", 60)
        machine.expect(r"Xen PVH$", 60)
        machine.send(f"echo life {life} | dd of=/dev/xvda conv=sync oflag=direct; ip addr add 10.9.9.2/24 dev eth0; ip link set eth0 up; ping -c 2 10.9.9.1")
        machine.expect(r"2 packets received", 120)
        machine.send("\x1d", end="")
        machine.prompt()
        machine.check("head -c 6 /tmp/disk.img", rf"life {life}")
        assert listed()["debian-pvh"]["kind"] == "pvh"
        events = events_of("debian-pvh")
        hypercalls = sum(events[event] for event in events if event.startswith("hypercall_"))
        assert 0 < events["exit_vmmcall"] <= hypercalls and events["hypercall_event_channel_op"] and events["upcalls"], events
        if not life:
            machine.check("pvctl reboot --wait debian-pvh", r"^debian-pvh: rebooted\n(?s:.)*debian-pvh: domain \d+$", timeout=240)
            machine.send("pvctl console debian-pvh")


def how_it_crashed_is_kept():
    """A guest that does what it must not, or says by itself that it crashed, is preserved, with the reason; its console's reader is told by the status. When it
    is destroyed all comes back."""
    machine.send("pvctl console debian-pvh")
    machine.send("echo c >/proc/sysrq-trigger")
    machine.prompt(120)
    machine.check("pvctl dominfo debian-pvh", r"^ended +crashed: it reported this itself; its console may tell more \(preserved\)$")
    machine.check("pvctl console debian-pvh </dev/null", r"Kernel panic - not syncing", status=6)
    machine.check("pvctl destroy debian-pvh", "")
    assert free_memory() == free_before, (free_memory(), free_before)
    machine.check(f"sed '/<initrd>/d; s/vmlinuz/wild/; s/>256</>16</' {FILE} >/tmp/wild.xml; pvctl create /tmp/wild.xml", r"debian-hvm: domain \d+$")
    machine.check("n=0; until pvctl dominfo debian-hvm | grep ended || [ $n -gt 100 ]; do n=$((n+1)); usleep 100000; done; pvctl dominfo debian-hvm",
                  r"^ended +crashed: .*0x?fd000000")
    machine.check("pvctl destroy debian-hvm", "")


def the_most_vcpus():
    """64 of them are made, of each kind, and given back."""
    before = free_memory()
    for kind in ("hvm", "pvh"):
        machine.check(f"sed 's#<vcpu>1<#<vcpu>64<#' /etc/parvis/debian-{kind}.xml >/tmp/many.xml; pvctl create --paused /tmp/many.xml", "paused$")
        machine.check(f"pvctl vcpu-list debian-{kind} | grep -c debian-{kind}", "^64$")
        machine.check(f"pvctl destroy debian-{kind}", "")
    assert free_memory() == before, (free_memory(), before)


def what_cannot_be_is_said():
    """Files of PCs, sizes and kernels that are not to be had: a sentence each."""
    use_pvh = "no firmware and no emulated devices: use PVH: <type>xenpvh</type>"
    refused("s/<type arch/<type machine=\"xenfv\" arch/", rf"/tmp/changed\.xml:\d+: <type> xenfv of an hvm guest: {use_pvh}", status=4)
    refused("s/<cmdline>.*/<boot dev=\"hd\"\\/>/", rf"/tmp/changed\.xml:\d+: <boot> of an hvm guest: {use_pvh}", status=4)
    refused("/<kernel>/d", rf"/tmp/changed\.xml:\d+: <os> without <kernel> of an hvm guest: {use_pvh}", status=4)
    refused("s/>256</>6144</", r"debian-hvm: <memory>: needs 6291468 KiB, \d+ KiB are free")
    refused("s/>256</>16</", r"/var/lib/parvis/vmlinuz: .*")
    refused("s/vmlinuz</elf32</", r"/var/lib/parvis/elf32: a 32-bit kernel; only 64-bit kernels are supported")
    refused("s/vmlinuz</broken</", r"/var/lib/parvis/broken: the xz payload is corrupt")
    refused("s/vmlinuz</forever</", r"/var/lib/parvis/forever: kernel: cannot be started by PVH: it lacks the ELF note PHYS32_ENTRY.*")


def goes_down_with_a_guest():
    """poweroff while a guest with a disk and an interface lives: it ends first, its back ends are gone to the last, and the machine is off."""
    machine.send("pvctl create /tmp/pvh.xml --console")
    machine.expect(r"guest# ", 480)
    machine.send("\x1d", end="")
    machine.prompt()
    machine.ends_well()
    assert "debian-pvh: powered off" in machine.text, machine.tail()


def where_the_cpu_cannot(lacking="svm", said=r"its CPUs have no SVM \(AMD-V\)"):
    """An interface right after the prompt waits for its bridge. On a machine without SVM info says why, create refuses in one sentence, calibrate leaves out what it cannot measure, and a paravirtual guest is created as ever."""
    global machine
    with Machine.parvis("kinds-no-" + lacking, cpu=f"qemu64,+rdrand,-{lacking}{NO_CX16}") as machine:
        machine.prompt()
        machine.check("sed 's#<devices>#&<interface type=\"bridge\"><source bridge=\"xenbr0\"/></interface>#' /etc/parvis/hello.xml >/tmp/early.xml; "
                      "pvctl create --paused /tmp/early.xml && pvctl destroy hello", r"^hello: domain \d+, paused$")
        machine.check("pvctl info", rf"^guests +pv; neither hvm nor pvh: {said}$")
        machine.check(f"pvctl create {FILE}", rf"^pvctl: debian-hvm: no hvm guest can be had on this machine: {said}$", status=1)
        machine.check("pvctl create /etc/parvis/hello.xml", r"hello: domain \d+$")
        machine.check("pvctl destroy hello", "")
        without_the_second_kind(machine)
        machine.ends_well()


def without_nested_paging():
    """The same on a machine without nested paging."""
    where_the_cpu_cannot("npt", "its CPUs have no nested paging that is safe")


def main():
    global machine
    if "--long" in sys.argv:
        run_tests(without_nested_paging)
    with open(built("bad-guests/forever"), "rb") as no_note:
        files = {"var/lib/parvis/forever": no_note.read(), "var/lib/parvis/wild": WILD, "var/lib/parvis/elf32": elf32(WILD),
                 "var/lib/parvis/broken": broken_image()}
    with booted.control_domain("kinds", files) as machine:
        run_tests(reaches_its_shell, is_told_of, is_counted, is_asked_by_its_button, gives_all_back, heard_while_it_starts, knows_of_xen, how_it_crashed_is_kept,
                  the_most_vcpus, what_cannot_be_is_said, goes_down_with_a_guest, where_the_cpu_cannot)


if __name__ == "__main__":
    main()
