#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guests' networks, from the first minute: a guest of /etc/parvis has its disk and its address without anybody's help, what is sent is what
arrives, who hands out addresses is started again, a limit acts, and of an interface that ends in the midst of it nothing is left. Here the machine has no network card, so that the
control domain hands out the addresses; test_linux_guest.py has one. --long: a gigabyte each way.
"""
import hashlib
import random
import re
import sys

from machine import Machine, built, run_tests

machine = None
commands = 0
SAMPLE = "/etc/parvis/debian-net"
CONTROL = "10.77.0.1"
ICOUNT = ["-icount", "shift=0,sleep=off"]     # time is instructions: waiting takes none of this host's, and a busy host changes no rate
LIMIT = 256             # KiB a second
# With a limit, and put in its place by a script.
LIMITED = (f"<interface type='bridge'><source bridge='xenbr0'/><bandwidth><outbound average='{LIMIT}'/></bandwidth><script path='/root/vif-own'/></interface>")
LONG = sys.argv[1:] == ["--long"]
PIECE = 16 if LONG else 4       # MiB of random bytes, which are sent as often as is wanted; a ring of packets has one
SENT = random.Random(PIECE).randbytes(PIECE << 20)
# Scripts of interfaces: one that does what is wanted, as docs/networks.md has it, and says how it was called; one that does not.
SCRIPT = r"""#!/bin/sh
echo "$* $XENBUS_PATH $(xenstore-read "$XENBUS_PATH/script") $(xenstore-read "$XENBUS_PATH/bridge")" >>/tmp/called
[ "$1" = online ] || exit 0
brctl addif "$(xenstore-read "$XENBUS_PATH/bridge")" "$vif" && ip link set "$vif" up && xenstore-write "$XENBUS_PATH/hotplug-status" connected
"""
BAD_SCRIPT = """#!/bin/sh
echo "bad $1" >>/tmp/called
[ "$1" = online ] || exit 0
xenstore-write "$XENBUS_PATH/hotplug-error" "no way there"
exit 1
"""
SLOW_SCRIPT = """#!/bin/sh
echo "slow $1" >>/tmp/called
sleep 3
"""
# What a guest without devices is given, and what is said then: one line, and a status.
HELLO = ("<domain type='xen'><name>{0}</name><memory unit='MiB'>16</memory><vcpu>1</vcpu><os><type>linux</type><kernel>/var/lib/parvis/hello</kernel></os>"
         "<devices>{1}</devices></domain>")
NIC = "<interface type='bridge'><mac address='{}'/><source bridge='{}'/>{}</interface>"
MAC, OTHER = "00:16:3e:00:00:21", "00:16:3e:00:00:22"
WRONG = {
    "no-bridge": (NIC.format(MAC, "br9", ""), 1, r"there is no bridge 'br9'$"),
    "bridge-too-long": (NIC.format(MAC, "sixteen-letters-", ""), 4, r"<source>: 'sixteen-letters-' is not accepted; accepted: the name of a network interface: 1 to 15 "),
    "no-bridge-at-all": ("<interface type='bridge'/>", 4, r"<interface> lacks <source>"),
    "mac-twice": (NIC.format(MAC, "xenbr0", "") * 2, 4, r"<mac>: 00:16:3e:00:00:21 is given twice$"),
    "mac-of-another": (NIC.format(OTHER, "xenbr0", ""), 1, r"<interface>: 00:16:3e:00:00:22 is on bridge 'xenbr0' already: domain \d+ \(other\) has it$"),
    "no-mac": (NIC.format("00:16:3e:00:00", "xenbr0", ""), 4, r"mac.*00:16:3e:00:00"),
    "mac-of-a-group": (NIC.format("01:16:3e:00:00:21", "xenbr0", ""), 4, r"<mac>: 01:16:3e:00:00:21 is a group address$"),
    "mac-of-nobody": (NIC.format("00:00:00:00:00:00", "xenbr0", ""), 4, r"<mac>: 00:00:00:00:00:00 is no interface's address$"),
    "no-address": (NIC.format(MAC, "xenbr0", "<ip address='10.77.0.256'/>"), 4, r"<ip>: '10\.77\.0\.256' is no address"),
    "no-rate": (NIC.format(MAC, "xenbr0", "<bandwidth><outbound average='0'/></bandwidth>"), 4, r"<outbound>: average='0' KiB a second is not between 1 and"),
    "a-name-that-is-there": (NIC.format(MAC, "xenbr0", "<target dev='xenbr0'/>"), 1, r"<interface> vif\d+\.0: the control domain has an interface 'xenbr0' already$"),
    "script-not-there": (NIC.format(MAC, "xenbr0", "<script path='/root/none'/>"), 1, r"<interface>: script /root/none: No such file or directory$"),
    "script-that-is-none": (NIC.format(MAC, "xenbr0", "<script path='/root'/>"), 1, r"<interface>: script /root: Is a directory$"),
    "script-without-a-program": (NIC.format(MAC, "xenbr0", "<script path='/root/other.xml'/>"), 1, r"<interface> vif\d+\.0: script /root/other\.xml: Exec format error$"),
    "limit-without-a-number": (NIC.format(MAC, "xenbr0", "<bandwidth><outbound average='fast'/></bandwidth>"), 4, r"average.*fast"),
}


def inside(name, command, *patterns):
    """Runs a command in a Linux guest, which says these lines; the last match. (Its console shows first what it said before.)"""
    global commands
    commands += 1
    machine.send(f"pvctl console {name}")
    machine.expect(r"guest# ", 600)
    machine.send(f"echo begin{commands}; {command}; echo end{commands}")
    found = [machine.expect(pattern, 600) for pattern in (rf"^begin{commands}$", *patterns, rf"^end{commands}$")]
    machine.send("\x1d", end="")
    machine.prompt(60)
    return found[-2]


def free():
    return machine.told("info")["free_memory_kib"]


def nothing_left(by):
    """Neither domains nor back ends, ports of the bridge, nodes of the store or loop devices."""
    machine.check("n=0; while ls /sys/devices | grep -qE '^v(bd|if)-' && [ $n -lt 100 ]; do n=$((n+1)); usleep 100000; done; pvctl list | wc -l", r"^2$")
    for command in ("ls /sys/class/net/xenbr0/brif", "ls /sys/class/net | grep vif", "ls /sys/devices | grep -E '^v(bd|if)-'", "losetup -a",
                    "xenstore-ls /local/domain/0/backend 2>/dev/null | grep -E ' (vbd|vif|[0-9]+) ='", "xenstore-ls /local/domain | grep -E '^[1-9]'"):
        _, text = machine.shell(command)
        assert text == "", f"left {by}: `{command}`: {text}"


def by_itself():
    """The guest of /etc/parvis brings up its disk and its card; it, the control domain and the disk's file see the same. Who says on the bridge that
    it is a router is not believed."""
    machine.prompt()
    machine.settle()
    machine.check("chmod +x /root/vif-*")
    machine.check(f"sed -i s#/vmlinuz#/vmlinux# {SAMPLE}.*; sed \"s#</interface>#&{LIMITED}#\" {SAMPLE}.xml >/tmp/two.xml; ip -4 addr show dev xenbr0", rf"inet {CONTROL}/20")
    machine.check("cd /proc/sys/net/ipv6/conf/xenbr0; cat accept_ra autoconf accept_redirects ../../../ipv4/conf/xenbr0/accept_redirects; cd /", r"^0\n0\n0\n0$")
    machine.send("pvctl create /tmp/two.xml --console")
    machine.expect(r"^guest: xvda: 64 MiB, at /mnt/xvda$", 480)
    machine.expect(r"^guest: eth0: 10\.77\.\d+\.\d+/20$", 60)
    machine.expect(r"^guest: eth1: 10\.77\.\d+\.\d+/20$", 60)
    machine.send("\x1d", end="")
    machine.prompt()
    inside("debian-net", f"ping -c 2 {CONTROL}", r"^2 packets transmitted, 2 packets received")
    address = inside("debian-net", "ip -4 -o addr show dev eth0", r"inet (10\.[\d.]+)/").group(1)
    machine.check(f"ping -c 2 {address}", r"2 packets received")
    machine.check("n=0; until dumpleases -f /run/udhcpd.leases | grep -q :00:10 || [ $n -gt 30 ]; do n=$((n+1)); sleep 1; done; dumpleases -f /run/udhcpd.leases",
                  rf"00:16:3e:00:00:10 +{address} ")
    machine.check("old=$(pidof udhcpd); kill -KILL $old; n=0; until new=$(pidof udhcpd) && [ $new != $old ] || [ $n -gt 30 ]; do n=$((n+1)); sleep 1; done; [ $new ] && echo again",
                  r"^again$")
    inside("debian-net", "udhcpc -n -q -i eth0 -s /bin/true", rf"lease of {address} obtained")      # by the next one, as the first had it


def sent_is_received(times):
    """What is sent arrives, each way, with the checksum that it has here: a piece, and then that piece so many times."""
    send = f"for i in $(seq {times}); do cat /root/piece; done"
    total = hashlib.md5()
    for _ in range(times):
        total.update(SENT)
    machine.check("nc -l -p 5000 -e cat /root/piece & sleep 0")
    inside("debian-net", f"nc {CONTROL} 5000 </dev/null >/root/piece; ls -l /root/piece", rf" {len(SENT)} ")
    machine.check(f"nc -l -p 5000 -e sh -c '{send}' & nc -l -p 5001 -e md5sum & sleep 0")
    inside("debian-net", f"nc {CONTROL} 5000 </dev/null | md5sum", rf"^{total.hexdigest()} ")
    inside("debian-net", f"({send}) | nc {CONTROL} 5001; rm /root/piece", rf"^{total.hexdigest()} ")


def limits_act():
    """A guest sends no faster than its interface may, and without a limit it does."""
    machine.check("vif=$(ls /sys/class/net | grep 'vif.*1$'); { nc -ll -p 5002 -e cat >/dev/null & }")
    took = []
    for card in ("eth0", "eth1"):
        timed = inside("debian-net", f"ip route replace {CONTROL} dev {card}; a=$(cut -d ' ' -f 1 /proc/uptime); dd if=/dev/zero bs=64k count=24 2>/dev/null | "
                       f"nc {CONTROL} 5002 >/dev/null; echo $a $(cut -d ' ' -f 1 /proc/uptime)", r"^(\d+\.\d+) (\d+\.\d+)$")
        took.append(float(timed.group(2)) - float(timed.group(1)))
    sent = 24 * 64      # KiB; the first of it may go at once
    free_rate, limited_rate = (sent / seconds for seconds in took)
    assert limited_rate <= LIMIT * 1.2 and free_rate > 2 * limited_rate, f"{free_rate:.0f} KiB/s, with a limit of {LIMIT} {limited_rate:.0f} KiB/s"


def sending(port):
    """The guest sends, and the control domain sends to it, without an end; back when both have been at it for a while."""
    machine.check(f"{{ nc -l -p {port} -e sh -c 'cat /dev/zero & cat >/dev/null' >/dev/null 2>&1 & }}")
    inside("debian-net", f"(ip route del {CONTROL}; nc {CONTROL} {port} </dev/zero >/dev/null) 2>/dev/null & echo sends", r"^sends$")
    machine.check("cd /sys/class/net/vif*.0/statistics; until [ $(cat rx_bytes) -gt 2000000 ] && [ $(cat tx_bytes) -gt 2000000 ]; do usleep 100000; done; cd /")


def taken_away():
    """The back end of an interface goes in the midst of a transfer, and the guest lives on; with it goes all that there was of it."""
    sending(5003)
    machine.check("cd /sys/class/net; vif=$(ls -d vif*.0); id=${vif#vif}; cd /; xenstore-rm /local/domain/0/backend/vif/${id%.0}/0; n=0; "
                  "while [ -e /sys/class/net/$vif ] && [ $n -lt 300 ]; do n=$((n+1)); usleep 100000; done; ls /sys/class/net/xenbr0/brif | grep -c .", r"^1$")
    inside("debian-net", "echo $((6 * 7))", r"^42$")
    machine.check("pvctl destroy debian-net; killall nc cat 2>/dev/null; sleep 1")
    nothing_left("by a back end that was taken away")
    machine.check("tail -n 1 /tmp/called", r"^offline type_if=vif backend/vif/\d+/1 /root/vif-own xenbr0$")


def destroyed_in_the_midst():
    """A guest is destroyed in the midst of a transfer, both ways: nothing of it is left, memory neither."""
    before = free()
    machine.check(f"pvctl create {SAMPLE}.cfg", timeout=300)
    sending(5004)
    machine.check("pvctl destroy debian-net; killall nc cat 2>/dev/null; sleep 1")
    nothing_left("by a guest that was destroyed in a transfer")
    assert free() == before, f"free memory was {before} KiB, is {free()} KiB"


def a_script_acts():
    """The second interface's script was run (that packets pass by it limits_act() shows), and all entries are the control domain's alone to write."""
    machine.check("cat /tmp/called", r"^online type_if=vif backend/vif/\d+/1 /root/vif-own xenbr0$")
    machine.check("pvctl dumpxml debian-net", r"<script path='/root/vif-own'/>")
    _, text = machine.shell("xenstore-ls -fp /local/domain/0/backend | grep -v '(n0'")
    assert text == "", text


def a_script_fails():
    """One that fails is the reason, and leaves nothing."""
    status, text = machine.shell("pvctl create /root/bad-script.xml")
    assert status == 1 and text.strip().endswith(": script /root/vif-bad: no way there") and len(text.splitlines()) == 1, (status, text)
    machine.check("tail -n 2 /tmp/called", r"^bad online\nbad offline$")
    nothing_left("by a script that fails")


def a_script_alone():
    """Who waits for a script is killed: pvctl with "online", parvisd with "offline", which is run again then. All that there is goes."""
    machine.check("rm /tmp/called; pvctl create /root/slow.xml & sleep 1; kill -9 $!; wait; until [ $(pvctl list | wc -l) = 2 ]; do usleep 100000; done; "
                  "cat /tmp/called", r"^slow online\nslow offline$")
    nothing_left("by a pvctl that was killed")
    machine.check("rm /tmp/called; pvctl create /root/slow.xml; pvctl destroy slow & sleep 1; kill -9 $(pidof parvisd); wait $! && cat /tmp/called",
                  r"^slow online\nslow offline\nslow offline$")
    nothing_left("by a parvisd that was killed")


def what_is_wrong():
    """One line, a status, nothing left; the one whose address another one wanted has it still."""
    machine.check("pvctl create /root/other.xml")
    before, problems = free(), []
    for name, (_, wanted, said) in WRONG.items():
        status, text = machine.shell(f"pvctl create /root/{name}.xml")
        if status != wanted or len(text.splitlines()) != 1 or not re.search(said, text.strip()):
            problems.append(f"{name}: {status}: {text}")
    assert not problems, "\n".join(problems)
    assert free() == before
    machine.check("ls /sys/class/net/xenbr0/brif", r"^vif\d+\.0$")
    machine.check("pvctl destroy other")
    nothing_left("by what is wrong")


def arrives():
    """What is sent is received, each way."""
    sent_is_received(2)


def a_gigabyte_arrives():
    """A gigabyte, each way, is received as it was sent."""
    sent_is_received(1024 // PIECE)


def main():
    global machine
    files = {f"root/{name}.xml": HELLO.format(name, devices) for name, (devices, *_) in {"other": (NIC.format(OTHER, "xenbr0", ""),), **WRONG}.items()}
    with open(built("dom0/vmlinux"), "rb") as kernel:
        files["var/lib/parvis/vmlinux"] = kernel.read()     # unpacking it is others' test
    files |= {"root/piece": SENT, "root/vif-own": SCRIPT.encode(), "root/vif-bad": BAD_SCRIPT.encode(), "root/vif-slow": SLOW_SCRIPT.encode(),
              "root/bad-script.xml": HELLO.format("bad-script", NIC.format(MAC, "xenbr0", "<script path='/root/vif-bad'/>")),
              "root/slow.xml": HELLO.format("slow", NIC.format(MAC, "xenbr0", "<script path='/root/vif-slow'/>"))}
    with Machine.parvis("network-long" if LONG else "network", files=files, qemu=ICOUNT) as machine:
        run_tests(by_itself, *([a_gigabyte_arrives] if LONG else [arrives, a_script_acts, limits_act, taken_away, destroyed_in_the_midst, a_script_fails, a_script_alone, what_is_wrong]), machine.ends_well)


if __name__ == "__main__":
    main()
