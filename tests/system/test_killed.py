#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs of the control domain that are ended, killed or stopped at a bad moment: one line that names the cause, the
right exit status, nothing left behind, and nobody hangs.

xenstored comes last: what it knew is lost with it, so the machine would have to be started again.
"""
import re

from machine import BY_INSTRUCTIONS, EPYC, Machine, run_tests

machine = None

# A disk, so that there is a loop device to be left; the first create says how long one takes.
FILES = {
    "t/disk.xml": """<domain type='xen'><name>disk</name><memory unit='MiB'>64</memory>
<os><type arch='x86_64' machine='xenpv'>linux</type><kernel>/var/lib/parvis/hello</kernel></os>
<on_reboot>restart</on_reboot>
<devices><disk type='file' device='disk'><source file='/root/disk.img'/><target dev='xvda' bus='xen'/></disk></devices>
</domain>
""",
    "t/interrupt": """#!/bin/bash
# ends creates of disk.xml at different moments: interrupt SIGNAL STEPS
start=${EPOCHREALTIME/./}
pvctl create --paused /t/disk.xml >/dev/null || exit 1
took=$((${EPOCHREALTIME/./} - start))
pvctl destroy disk
for i in $(seq 1 $2); do
    pvctl create --paused /t/disk.xml 2>>/tmp/said & p=$!
    usleep $((took * i / ($2 * 2)))
    kill -$1 $p; wait $p; echo "status $?"
    n=0; while pvctl list | grep -q disk && [ $n -lt 50 ]; do usleep 100000; n=$((n + 1)); done
    pvctl destroy disk 2>/dev/null && echo "was left or was whole"
done
""",
    "t/reboots": """#!/bin/bash
# reboots NAME STEPS: parvisd is killed at different moments between a guest's end and its new life
number() { pvctl list | awk -v name=$1 '$1 == name && $5 != "creating" {print $2}'; }
for i in $(seq 1 $2); do
    old=$(number $1); new=
    pvctl reboot $1; usleep $((i * 60000)); kill -9 $(pidof parvisd)
    n=0; while [ -z "$new" -o "$new" = "$old" ] && [ $n -lt 100 ]; do usleep 100000; n=$((n + 1)); new=$(number $1); done
    echo "$old lives again as $new"; ls /run/parvis/restart
done
""",
    "t/left": """#!/bin/bash
# what could be left
pvctl list | tail -n +3
cat /sys/block/loop*/loop/backing_file 2>/dev/null
ls /run/parvis/names /run/parvis/making /run/parvis/restart /run/parvis/domains /run/parvis/tmp | grep -v : | grep .
xenstore-ls /local/domain/0/backend 2>/dev/null | grep -E '^ [a-z]+ = ""$' | while read kind rest; do
    xenstore-list /local/domain/0/backend/$kind
done
xenstore-list /local/domain | grep -v '^0$'
true
"""}


def nothing_left(of):
    status, text = machine.shell("sleep 1; sh /t/left")
    assert text.strip() == "", f"left behind {of}:\n{text}"


def free():
    return machine.told("info")["free_memory_kib"]


def reboots():
    """`reboot` in the control domain starts the machine again; all that follows is in its second life."""
    machine.prompt()
    before = machine.check("cat /proc/sys/kernel/random/boot_id", r"^\S+$").group()
    machine.send("reboot")
    machine.expect(r"control is domain 0", 120)
    machine.prompt()
    assert before not in machine.shell("cat /proc/sys/kernel/random/boot_id")[1]


def interrupted_creates():
    """A create that is ended by TERM, HUP or KILL leaves neither memory nor loop device nor name."""
    machine.settle()
    machine.check("dd if=/dev/zero of=/root/disk.img bs=1M count=1 2>/dev/null; chmod +x /t/*; "
                  "pvctl create /t/disk.xml && pvctl destroy disk")
    before = free()
    for signal, number in (("TERM", 143), ("HUP", 129), ("KILL", 137)):
        status, text = machine.shell(f"/t/interrupt {signal} 4", timeout=240)
        assert len(re.findall(rf"^status (?:{number}|0)$", text, re.MULTILINE)) == 4, text
        assert f"status {number}" in text, f"no create was interrupted by {signal}:\n{text}"
        nothing_left(f"by a create that was ended by {signal}")
    assert before - free() <= 64, f"free memory was {before} KiB, is {free()} KiB"
    machine.check("cat /tmp/said", r"^pvctl: disk: interrupted by SIGTERM$")


def parvisd_is_started_again():
    """parvisd ended or killed: it is there again, has the consoles that live, and a create waits for it."""
    machine.check("pvctl create /etc/parvis/hello.xml")
    machine.check("p=$(pidof parvisd); kill $p; while [ -e /proc/$p ]; do usleep 50000; done; cat /run/parvis/console/hello.log",
                  "start_info: magic")
    machine.send("pvctl console hello")
    machine.expect(r"start_info: magic", 60)   # told to end, it keeps what was said
    machine.send("\x1d", end="")
    machine.expect(r"parvis# ", 30)
    machine.check("kill -9 $(pidof parvisd); pvctl create /t/disk.xml && pvctl destroy disk", r"disk: domain")
    machine.send("pvctl console hello")
    machine.send("echo still here")
    machine.expect(r"^still here$", 60)
    machine.send("\x1d", end="")
    machine.expect(r"parvis# ", 30)
    machine.check("pvctl destroy hello")
    nothing_left("by a parvisd that was killed")


def consoles_give_the_terminal_back():
    """A console that is ended by a signal leaves the terminal as it was. (sh: bash would put it right by itself.)"""
    machine.check("pvctl create /etc/parvis/hello.xml")
    for signal in ("TERM", "HUP"):
        machine.check("sh -c 'was=$(stty -g); (until stty -F /dev/hvc0 -a | grep -q -e -icanon; do usleep 100000; done; "
                      f"kill -{signal} $(pidof pvctl)) & pvctl console hello >/dev/null 2>&1; is=$(stty -g); stty $was; "
                      "[ \"$was\" = \"$is\" ] && echo the same'", r"^the same$")
    machine.check("pvctl destroy hello")


def reboots_with_a_killed_parvisd():
    """parvisd killed between the end of a guest that reboots and its new life: the next one gives it that life."""
    machine.check("pvctl create /etc/parvis/hello.xml; sleep 1")
    status, text = machine.shell("/t/reboots hello 5", timeout=240)
    assert len({*re.findall(r"again as (\d+)$", text, re.MULTILINE)}) == 5, text + machine.shell("cat /run/parvis/parvisd.log; pvctl list; ls /run/parvis/*")[1]
    machine.check("pvctl list | grep -c hello", r"^1$")
    machine.check("pvctl destroy hello")
    nothing_left("by reboots with a killed parvisd")


def full_disk():
    """/run without room: a create says so, a guest that reboots lives on, and the log has it. Nobody needs room in /."""
    machine.check("dd if=/dev/zero of=/full bs=64k 2>&1; pvctl create /t/disk.xml && pvctl destroy disk; rm /full",
                  r"(?s)No space left.*disk: domain")
    machine.check("pvctl create /etc/parvis/hello.xml; dd if=/dev/zero of=/run/full bs=1k count=4 2>/dev/null; sleep 2; "
                  "mount -o remount,size=$(df -k /run | awk 'END {print $3}')k /run")
    machine.check("pvctl create /t/disk.xml 2>&1", r"disk: keeping its configuration.*: No space left on device$", status=1)
    machine.check("pvctl reboot --wait hello 2>&1; tail -n 3 /run/parvis/parvisd.log",
                  r"(?s)hello: rebooted.*hello: domain \d+.*parvisd: hello .*rebooted: restart")
    machine.check("pvctl list", r"hello")
    machine.check("mount -o remount,size=50% /run; rm /run/full; pvctl destroy hello")
    nothing_left("when the disk was full")


def dead_store():
    """xenstored stopped, then killed: no command hangs, each says why, and what needs no store works."""
    machine.check("pvctl create /etc/parvis/hello.xml")
    for signal, why in ("STOP", r"does not answer in time \(it runs"), ("KILL", r"has ended \(it cannot be started again"):
        machine.check(f"kill -{signal} $(pidof xenstored); sleep 1; timeout -s KILL 30 pvctl list", r"hello")
        _, text = machine.shell("for verb in 'shutdown hello' 'create --paused /t/disk.xml'; do "
                                "(timeout -s KILL 60 pvctl $verb 2>&1; echo status $?) & done; wait", timeout=240)
        assert len(re.findall(rf"^pvctl: .*xenstored {why}", text, re.MULTILINE)) == 2 and text.count("status 5") == 2, text
        machine.check("timeout -s KILL 30 pvctl list", r"hello")
    machine.check("n=0; until grep -q 'xenstored has ended' /run/parvis/parvisd.log || [ $n -gt 50 ]; do usleep 100000; "
                  "n=$((n+1)); done; cat /run/parvis/parvisd.log", "xenstored has ended")
    machine.check("timeout -s KILL 60 pvctl destroy hello 2>&1", r"hello: xenstored has ended: domain \d+ is destroyed",
                  status=5)
    machine.check("pvctl list | grep -c -e hello -e disk", r"^0$", status=1)


def main():
    global machine
    with Machine.parvis("killed", cpu=EPYC, files=FILES, hypervisor="debug/parvis.bin", reboot=True, qemu=BY_INSTRUCTIONS) as machine:
        run_tests(reboots, interrupted_creates, parvisd_is_started_again, reboots_with_a_killed_parvisd,
                  consoles_give_the_terminal_back, full_disk, dead_store)


if __name__ == "__main__":
    main()
