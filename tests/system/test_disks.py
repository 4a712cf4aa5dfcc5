#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Disks that come to a Linux guest while it runs, and leave it: what it writes is there in its next life and for the next guest; what is
there already, missing, in use, of odd size or on a full disk is said in one line; and nothing is left in the control domain, whoever
is destroyed in the middle of a transfer, whichever back end goes; a limit of a disk's rate holds. With --debian: Debian on a disk of its own,
which GRUB starts; its systemd waits 90 s for the console, which on a busy host are too few, but not by its own clock.
"""
import re
import sys

from machine import Machine, built, guest_disk_args, network_args, run_tests

machine = None
free_before = 0     # KiB, when no guest was there
LONG = "--long" in sys.argv
ICOUNT = ["-icount", "shift=0,sleep=off"]     # time is instructions: waiting takes none of this host's, and a busy host changes no rate
WRITES, READS, REQUESTS = 128, 1024, 20         # limits: KiB, KiB and requests a second
LIMITED = (f"<disk type='file'><source file='/img/slow.img'/><target dev='xvdh'/><iotune><write_bytes_sec>{WRITES << 10}</write_bytes_sec>"
           f"<read_iops_sec>{REQUESTS}</read_iops_sec></iotune></disk>"
           f"<disk type='block'><source dev='/dev/loop7'/><target dev='xvdi'/><iotune><read_bytes_sec>{READS << 10}</read_bytes_sec></iotune></disk>")
LIMITS = "cat /sys/fs/cgroup/blkio/blkio.throttle.*_device"
LEFT = LIMITS + """; losetup -a | grep -v block.img; ls /sys/bus/xen-backend/devices; xenstore-ls /local/domain/0/backend 2>/dev/null | grep -vE '^(qdisk|vbd|vif|console) = ""$'
xenstore-list /local/domain | grep -v '^0$'; ls /run/parvis/domains /run/parvis/names | grep -v : | grep .; true"""
FILES = {"t/left": LEFT,
         "t/images": """mkdir -p /img/dir /img/ro /img/full; cd /img
dd if=/dev/zero of=b.img bs=1M count=16 2>/dev/null; dd if=/dev/zero of=slow.img bs=1M count=8 2>/dev/null; : >empty.img
truncate -s 100 tiny.img; truncate -s 1000001 odd.img; truncate -s 4M block.img; losetup /dev/loop7 block.img
ln b.img hard.img; ln -s b.img soft.img
mount -t tmpfs -o size=8m tmpfs ro; dd if=/dev/zero of=ro/r.img bs=1M count=2 2>/dev/null; mount -o remount,ro ro
mount -t tmpfs -o size=2m tmpfs full; dd if=/dev/zero of=full/f.img bs=1 count=1 seek=8388607 2>/dev/null
"""}


def free():
    return machine.told("info")["free_memory_kib"]


def nothing_left(when):
    status, text = machine.shell("n=0; while [ -n \"$(sh /t/left)\" ] && [ $n -lt 100 ]; do usleep 100000; n=$((n + 1)); done; sh /t/left")
    assert text.strip() == "", f"left behind {when}:\n{text}"


def refused(command, pattern, status=1):
    got, text = machine.shell(command + " 2>&1")
    assert got == status and re.search(pattern, text) and text.count("\n") <= 1, f"`{command}` ended with {got}: {text}"


class Inside:
    """The shell of a guest, on its console, which says all that it has said before."""

    times = 0

    def __enter__(self):
        Inside.times += 1
        machine.send("pvctl console debian")
        machine.shells_prompt = r"^guest# "
        machine.send(f"echo here for the ${{n:-{Inside.times}}}")
        machine.expect(f"^here for the {Inside.times}$")
        machine.prompt()

    def __exit__(self, *exception):
        machine.shells_prompt = r"^parvis# "
        machine.send("\x1d", end="")
        machine.prompt()


def comes_and_goes():
    """A disk comes to a running guest, is formatted and written to, survives the guest's own reboot, and leaves when it is unmounted."""
    machine.prompt()
    machine.settle()
    machine.check(f"sed -i s#/vmlinuz#/vmlinux# /etc/parvis/debian.xml; sed \"s#</devices>#{LIMITED}&#\" /etc/parvis/debian.xml >/tmp/limited.xml; sh /t/images; "
                  "pvctl create /tmp/limited.xml")
    with Inside():
        machine.check("ls /dev/xvdb 2>&1", "No such file", status=1)
    machine.check("pvctl attach-disk debian /img/b.img xvdb; pvctl dumpxml debian", "<source file='/img/b.img'/>")
    refused("pvctl attach-disk debian /img/odd.img xvdb", "debian: it has a disk xvdb already")
    with Inside():
        machine.check("until [ -b /dev/xvdb ]; do usleep 100000; done; mke2fs /dev/xvdb >/dev/null && mount -t ext2 /dev/xvdb /mnt && "
                      "dd if=/dev/urandom of=/mnt/data bs=64k count=64 2>/dev/null && md5sum /mnt/data >/mnt/sum && umount /mnt && echo written", "^written$")
        machine.send("reboot -f")
        machine.expect("init reached", 240)
        machine.prompt()
        machine.check("until [ -b /dev/xvdb ]; do usleep 100000; done; umount /dev/xvdb 2>/dev/null; mount -t ext2 /dev/xvdb /mnt && md5sum -c /mnt/sum; umount /mnt", "data: OK")
    machine.check("kill -9 $(pidof parvisd); pvctl detach-disk debian xvdb; pvctl dumpxml debian | grep -c '<disk'; losetup -a", r"^2\n")
    with Inside():
        machine.check("[ -b /dev/xvdb ] || echo gone", "^gone$")
    refused("pvctl detach-disk debian xvdb", "debian: there is no disk xvdb; it has xvdh, xvdi")


def took(command):
    """Seconds of the guest's clock."""
    found = machine.check(f"a=$(cut -d ' ' -f 1 /proc/uptime); {command} 2>/dev/null; echo $a $(cut -d ' ' -f 1 /proc/uptime)", r"^(\d+\.\d+) (\d+\.\d+)$")
    return float(found.group(2)) - float(found.group(1))


def keeps_to_its_limits():
    """A guest reads and writes no faster than its disks may, in its second life as in its first; what has no limit is fast. One that is
    destroyed while it waits for its limit goes at once."""
    global free_before
    machine.check("pvctl dumpxml debian", f"<write_bytes_sec>{WRITES << 10}</write_bytes_sec>")
    machine.check(LIMITS + " | cut -d ' ' -f 2 | sort -n | tr '\\n' ' '", f"^{REQUESTS} {WRITES << 10} {READS << 10} $")
    with Inside():
        seconds = [took("until [ -b /dev/xvdi ] && [ -b /dev/xvdh ]; do usleep 100000; done; dd if=/dev/zero of=/dev/xvdh bs=64k count=8 oflag=direct"),
                   took("dd if=/dev/xvdh of=/dev/null bs=4k count=40 iflag=direct"), took("dd if=/dev/xvdi of=/dev/null bs=64k count=32 iflag=direct"),
                   took("dd if=/dev/zero of=/dev/xvdi bs=64k count=32 oflag=direct")]
        machine.check("dd if=/dev/zero of=/dev/xvdh bs=1M count=8 >/dev/null 2>&1 & usleep 100000; (sync &); usleep 300000; echo writes", "^writes$")
    done = 512, 40, 2048
    assert all(amount <= limit * 1.2 * time for amount, limit, time in zip(done, (WRITES, REQUESTS, READS), seconds)), f"{seconds}"
    assert 2048 > 2 * READS * seconds[3], f"{seconds}"
    machine.check("pvctl destroy debian")
    nothing_left("when a guest was destroyed that waited for its limit")
    free_before = free()


def is_there_for_the_next():
    """What the first guest wrote the next one reads, by another name of the file; an interface comes and goes."""
    machine.check("echo 7:3 4096 >/sys/fs/cgroup/blkio/blkio.throttle.read_bps_device; pvctl create /etc/parvis/debian.xml && pvctl attach-disk debian -r /img/hard.img xvdc --json", '"readonly": true')
    machine.check("pvctl attach-interface debian --mac 00:16:3e:00:00:07; ls /sys/class/net/xenbr0/brif", "interface 0, 00:16:3e:00:00:07\n(.|\n)*vif")
    with Inside():
        machine.check("until [ -b /dev/xvdc ]; do usleep 100000; done; umount /dev/xvdc 2>/dev/null; mount -t ext2 -o ro /dev/xvdc /mnt && md5sum -c /mnt/sum", "data: OK")
        machine.check("until ip link | grep -q 00:16:3e:00:00:07; do usleep 100000; done; echo link", "^link$")
        machine.check("dd if=/dev/zero of=/dev/xvdc bs=4k count=1 2>&1", "(?i)permitted|read-only|denied", status=1)
    machine.check("pvctl network-detach debian 00:16:3e:00:00:07; ls /sys/class/net/xenbr0/brif | grep -c vif", "^0$", status=1)
    machine.check("pvctl detach-disk debian xvdc && pvctl dumpxml debian | grep -cE '<disk|<interface'", "^0$", status=1)


def mounted_images():
    """What the control domain has mounted itself is no guest's, unless both only read it."""
    machine.check("mount -o loop /img/b.img /mnt")
    for source in ("/img/hard.img", "/img/soft.img", "-r /img/b.img", "$(losetup -a | grep /b.img | cut -d : -f 1)"):
        refused(f"pvctl attach-disk debian {source} xvdd", "is in use in the control domain itself: it is mounted there")
    machine.check("umount /mnt; mount -o loop,ro /img/b.img /mnt")
    refused("pvctl attach-disk debian /img/hard.img xvdd", "is in use in the control domain itself: it is mounted there")
    machine.check("pvctl attach-disk debian -r /img/hard.img xvdd && pvctl detach-disk debian xvdd; umount /mnt")


def bad_images():
    """Each is refused in one line, by whatever path; what is odd or on a full disk works as far as it can."""
    refused("pvctl attach-disk debian /img/none.img xvdd", "/img/none.img: No such file")
    refused("pvctl attach-disk debian /img/empty.img xvdd", "/img/empty.img: ")
    refused("pvctl attach-disk debian /img/tiny.img xvdd", "/img/tiny.img: ")
    refused("pvctl attach-disk debian /img/dir xvdd", "/img/dir: Is a directory")
    refused("pvctl attach-disk debian /dev/null xvdd", "/dev/null: ")
    refused("pvctl attach-disk debian /img/ro/r.img xvdd", "Read-only file system")
    refused("pvctl attach-disk debian /img/b.img nonsense", "target 'nonsense' is not accepted", 2)
    refused("pvctl attach-disk debian format=qcow2,vdev=xvdd,target=/img/b.img", "images are raw", 2)
    mounted_images()
    machine.check("pvctl attach-disk debian /img/b.img xvdd")
    for name in ("hard", "soft"):
        refused(f"pvctl attach-disk debian /img/{name}.img xvde", rf"{name}.img is in use by domain \d+ \(debian\)")
    refused("pvctl attach-disk debian /img/b.img xvde", r"<disk> 'xvde': /img/b.img is 'xvd[bd]' too, and may be written; both need <readonly/>")
    refused("pvctl attach-disk debian $(losetup -a | grep /b.img | cut -d : -f 1) xvde", r"is in use by domain \d+ \(debian\)")
    machine.check("pvctl attach-disk debian -r /img/ro/r.img xvde; pvctl attach-disk debian /img/odd.img xvdf; pvctl attach-disk debian /img/full/f.img xvdg")
    with Inside():
        machine.check("until [ -b /dev/xvdg ]; do usleep 100000; done; cat /sys/block/xvdf/size", "^1953$")
        machine.check("dd if=/dev/zero of=/dev/xvdg bs=1M count=8 conv=fsync 2>&1", "(?i)no space|error", status=1)
        machine.check("mount -t ext2 /dev/xvdd /mnt && ls /mnt", "data")
    machine.check("for d in xvdd xvde xvdf xvdg; do pvctl detach-disk debian $d || echo kept $d; done; losetup -a | wc -l", "^1$")


def in_the_middle():
    """A guest destroyed while it writes, one whose back end goes, one whose disk is taken while it is mounted: nothing is left."""
    ways = ("pvctl destroy debian", "echo $(ls /sys/bus/xen-backend/devices | grep vbd) >/sys/bus/xen-backend/drivers/vbd/unbind; pvctl destroy debian",
            "pvctl detach-disk debian xvdb --force; pvctl destroy debian")
    for what in ways if LONG else ways[:1]:
        machine.check(f"{'' if what == ways[0] else 'pvctl create /etc/parvis/debian.xml && '}pvctl attach-disk debian /img/b.img xvdb")
        with Inside():
            machine.check("until [ -b /dev/xvdb ]; do usleep 100000; done; (while dd if=/dev/zero of=/dev/xvdb bs=1M count=16 conv=fsync; do :; done) "
                          ">/dev/null 2>&1 & usleep 300000; echo writes", "^writes$")
        machine.check(what)
        nothing_left(f"by `{what}` while the guest wrote")
    assert free_before - free() <= 64, f"free memory was {free_before} KiB, is {free()} KiB"


def log_in():
    """As root, who has no password; to a shell that tells a terminal nothing."""
    machine.expect("debian login: ", 600)
    machine.send("root")
    machine.expect("root@debian:~# ")
    machine.send("exec sh")
    machine.shells_prompt = r"^(\x1b\[\?2004l)?# "
    machine.prompt()


def has_its_own_debian():
    """GRUB in the guest reads the disk's menu and starts Debian's kernel, compressed as it is; the network is there; what was written
    survives the guest's reboot, and its end."""
    machine.prompt()
    machine.settle()
    machine.send("pvctl create /etc/parvis/debian-disk.xml --console")
    log_in()
    machine.check("uname -r; systemctl is-active systemd-networkd; findmnt -no SOURCE /", "amd64\n.*active\n.*/dev/xvda")
    machine.check("n=0; until ping -c 1 10.0.2.2 >/dev/null || [ $n -gt 60 ]; do sleep 1; n=$((n + 1)); done; ip -4 addr", "inet 10\\.0\\.2\\.")
    machine.check("echo I was here >/kept; sync; echo written", "^written")
    machine.send("reboot")
    log_in()
    machine.check("cat /kept", "^I was here")
    machine.send("poweroff")
    machine.shells_prompt = "^parvis# "
    machine.prompt()
    nothing_left("when Debian had switched off")
    machine.check("mount -o ro /dev/disk/by-id/virtio-guest /mnt && cat /mnt/kept; umount /mnt", "^I was here$")


def with_guests():
    global machine
    with open(built("dom0/vmlinux"), "rb") as kernel:
        files = {**FILES, "var/lib/parvis/vmlinux": kernel.read()}      # unpacking it is others' test
    with Machine.parvis("disks", files=files, qemu=ICOUNT) as machine:
        run_tests(comes_and_goes, keeps_to_its_limits, is_there_for_the_next, bad_images, in_the_middle, machine.ends_well)


def with_debian():
    global machine
    disk = guest_disk_args(built("guest-disk.img"), ",snapshot=on")
    with Machine.parvis("guest-disk", files=FILES, qemu=[*disk, *network_args(), *ICOUNT]) as machine:
        run_tests(has_its_own_debian, machine.ends_well)


def main():
    (with_debian if "--debian" in sys.argv else with_guests)()


if __name__ == "__main__":
    main()
