#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The control domain is stock Debian Linux, and finds everything that it expects of a machine.

One machine with a virtio disk, a virtio network card and a clock set to a known date. The same functions run with `--xen`
on Debian's Xen: what fails there too is the test's fault.
"""
import functools
import http.server
import os
import re
import socket
import subprocess
import sys
import threading

from machine import SCALE, Machine, built, disk_args, network_args, run_tests

DATE = "2031-02-03"
on_xen = "--xen" in sys.argv
machine = None
scratch = Machine.scratch()
disk = os.path.join(scratch, "disk.img")


def make_disk():
    """A FAT disk with one file."""
    hello = os.path.join(scratch, "hello.txt")
    with open(hello, "w", encoding="ascii") as out:
        out.write("written by the host\n")
    subprocess.run(["mkfs.vfat", "-C", disk, "16384"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["mcopy", "-i", disk, hello, "::/hello.txt"], check=True)


def reaches_the_shell():
    """The shell is there, the kernel is Debian's, and it runs on a hypervisor of version 4.17."""
    machine.prompt()
    machine.check("uname -r", r"-amd64$")
    machine.check("cat /sys/hypervisor/type", r"^xen$")
    machine.check("cat /sys/hypervisor/version/major /sys/hypervisor/version/minor", r"^4\n17$")
    machine.check("cat /proc/xen/capabilities", r"control_d")


def greets():
    """Who logs in reads what to type first; a terminal that answers is asked for its size, again and again."""
    for hint in ("pvctl create --console /etc/parvis/hello.xml", "pvctl help", "poweroff"):
        assert f"\n  {hint} " in machine.text, machine.tail()
    machine.check("stty size", r"^24 80$")     # nobody has answered
    for _ in range(10):                         # the shell waits a second for each answer: on a slow machine it may miss one
        machine.send(". /etc/profile")
        machine.expect(r"\x1b\[6n")
        machine.send("\x1b[40;132R", end="")
        if machine.expect(r"\x1b\[6n|^parvis# ").group() != "parvis# ":
            machine.send("\x1b[41;133R", end="")    # before each prompt again, as long as it answers
            machine.expect(r"parvis# ")
        machine.send("PROMPT_COMMAND=")             # a late answer is no command
        machine.prompt()
        if "41 133" in machine.shell("stty size")[1]:
            return
    raise AssertionError("the terminal's answer was not taken")


def completion_completes():
    """The tab key after `pvctl` offers verbs and domains, and prints no error."""
    machine.send("pvctl dumpx\t --help; echo completed $?", end="\n")
    text = machine.expect(r"(?s).*completed \d").group()
    assert re.search(r"dumpxml +--help", text) and "No such file" not in text, text
    machine.prompt()


def daemon_ends_when_told():
    """SIGTERM ends parvisd without an abort, and another takes its place."""
    machine.check("cat <(echo fd)", r"^fd$")
    machine.check("p=$(pidof parvisd); kill -TERM $p; n=0; while [ -d /proc/$p ] && [ $n -lt 100 ]; do usleep 100000; n=$((n+1)); done; "
                  "[ -d /proc/$p ] || echo ended; grep pthread_cancel /run/parvis/parvisd.log; true", r"\Aended\n\Z")
    machine.check("n=0; until pidof parvisd >/dev/null || [ $n -gt 100 ]; do usleep 100000; n=$((n+1)); done; pvctl list", r"Domain-0")


def has_a_second_terminal():
    """Where the machine has a second serial line there is another shell on it, at the same time."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60 * SCALE)
        line.connect(os.path.join(scratch, "line"))
        line.sendall(b"\r")         # the shell begins when somebody is there
        text = b""
        while b"parvis# " not in text:
            text += line.recv(4096)
        line.sendall(b"echo $((40 + 2)) on $(tty)\n")
        while b"42 on /dev/ttyS1" not in text:
            text += line.recv(4096)
    machine.check("echo still here", r"^still here$")


def has_the_xen_devices():
    """xenstored, unmodified, answers; /dev/xen/* are there; modules are loaded."""
    machine.check("ls -1 /dev/xen", r"(?s)evtchn.*gntalloc.*gntdev.*privcmd.*xenbus")
    machine.check("xenstore-write /test/a 1 && xenstore-read /test/a && xenstore-rm /test", r"^1$")
    machine.check("lsmod", r"^xen_gntdev")
    machine.check("ps", r"xenstored")


def sees_its_pci_devices():
    """PCI is scanned, and the devices have drivers and interrupts."""
    machine.check("n=0; until grep -q virtio /proc/interrupts; do n=$((n+1)); [ $n -gt 100 ] && break; usleep 100000; done; "
                  "ls /sys/bus/pci/devices | wc -l", r"^\d{1,2}$")
    machine.check("grep virtio /proc/interrupts", r"xen-pirq")


def disk_works():
    """A virtio disk mounts, whatever is on it, is read and written, and the host finds what was written."""
    machine.check("n=0; until [ -b /dev/vda ]; do n=$((n+1)); [ $n -gt 100 ] && break; usleep 100000; done; "
                  "mount /dev/vda /mnt && cat /mnt/hello.txt",
                  r"written by the host")
    machine.check("dd if=/dev/urandom of=/mnt/random bs=64k count=32 2>/dev/null; sync; md5sum </mnt/random >/mnt/sum; "
                  "umount /mnt; echo done", r"^done$")
    back = subprocess.run(["mtype", "-i", disk, "::/sum"], check=True, capture_output=True, text=True).stdout
    machine.check("mount /dev/vda /mnt && md5sum </mnt/random; umount /mnt", back.split()[0])


def network_works():
    """The card gets an address by DHCP, pings the gateway, and fetches a page from the host."""
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 100000 + b"\nend of page\n")

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    machine.check("n=0; until ip route | grep -q default; do n=$((n+1)); [ $n -gt 150 ] && break; usleep 200000; done; ip route",
                  r"default via 10\.0\.2\.2")
    machine.check("cat /sys/class/net/xenbr0/bridge/forward_delay", r"^0$")
    machine.check("ping -c 3 10.0.2.2", r"3 packets received")
    machine.check(f"wget -q -O - http://10.0.2.2:{server.server_port}/ | tail -n 1", r"^end of page$")
    server.shutdown()


def time_is_right():
    """The wall clock is the machine's clock, and time passes at the same rate for sleep, date and uptime."""
    machine.check("date -u +%Y-%m-%d", DATE)
    machine.check("cat /sys/devices/system/clocksource/clocksource0/current_clocksource", r"^(xen|tsc)$")
    match = machine.check("a=$(cut -d. -f1 /proc/uptime); b=$(date +%s); sleep 5; "
                          "c=$(cut -d. -f1 /proc/uptime); d=$(date +%s); echo $((c-a)) $((d-b))", r"^(\d+) (\d+)$")
    up, wall = int(match.group(1)), int(match.group(2))
    assert up >= 4 and abs(up - wall) <= 2, f"sleep 5 took {up} s of uptime and {wall} s of the clock"


def user_programs_run():
    """Processes fork, fault, signal and use floating point: the paths of a paravirtual kernel's daily work."""
    machine.check("i=0; while [ $i -lt 50 ]; do /usr/bin/env true; i=$((i+1)); done; echo $i", r"^50$")
    machine.check("awk 'BEGIN { for (i = 1; i < 200000; i++) s += 1 / i; printf \"%.4f\\n\", s }'", r"^12\.7833$")
    machine.check("sh -c 'kill -SEGV $$'; echo $?", r"^139$")
    machine.check("dd if=/dev/zero of=/tmp/big bs=1M count=100 2>/dev/null && rm /tmp/big && echo ok", r"^ok$")


def kernel_is_content():
    """The kernel found no fault: no warning with a trace, no bug, no lockup."""
    status, text = machine.shell(r"dmesg | grep -E 'WARNING: CPU|BUG:|Oops|general protection|Call Trace|lockup|rcu.*stall'")
    assert status == 1, text


def poweroff_powers_off():
    """poweroff ends the machine."""
    machine.send("poweroff")
    assert machine.wait() == 0


def main():
    global machine
    make_disk()
    start = functools.partial(Machine.xen, "control-domain-xen") if on_xen else \
        functools.partial(Machine.parvis, "control-domain")
    second_line = ["-chardev", f"socket,id=line,path={scratch}/line,server=on,wait=off", "-device", "isa-serial,index=1,chardev=line"]
    with start(qemu=[*disk_args(disk), *network_args(), *second_line, "-rtc", f"base={DATE}T04:05:06"]) as machine:
        run_tests(reaches_the_shell, greets, completion_completes, daemon_ends_when_told, has_a_second_terminal, has_the_xen_devices,
                  sees_its_pci_devices, disk_works, network_works,
                  time_is_right, user_programs_run, kernel_is_content, poweroff_powers_off)


if __name__ == "__main__":
    built("dom0/vmlinux")
    main()
