#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The way of a newcomer: firmware starts the disk image, and the control domain's shell appears.

What parvis.efi loads it says; what is missing it names, with the place where it looked. Nothing after the loader knows that
it was UEFI: stock guests are started from it by test_linux_guest, everything else is shown by the other tests, by direct start.
"""
import os
import subprocess

from machine import BUILD, ROOT, Machine, built, control_config, network_args, run_tests

IMAGE_SH = os.path.join(ROOT, "dom0-tools/dom0/image.sh")


def small_image(directory, name, config, *files):
    """An image with this parvis.cfg (None: without one) and these files; its path."""
    image = os.path.join(directory, name + ".img")
    cfg = os.path.join(directory, name + ".cfg")
    with open(cfg, "w", encoding="ascii") as out:
        out.write(config or "")
    subprocess.run([IMAGE_SH, image, built("parvis.efi"), cfg, *files], check=True)
    if config is None:
        subprocess.run(["mdel", "-i", image + "@@1M", "::/parvis.cfg"], check=True)
    return image


def reaches_the_shell():
    """The image starts on a machine of 512 MB, says what it loads, ends at the prompt, and a guest has room."""
    with Machine.uefi("uefi", mem="512", qemu=network_args()) as m:
        m.expect(r"parvis\.cfg", 120)
        m.expect(r"vmlinux", 60)
        m.expect(r"initramfs\.cpio\.gz", 60)
        m.expect(r"leaving the firmware.* com1", 60)
        m.prompt()
        m.check("cat /sys/hypervisor/type", r"^xen$")
        m.check("cat /sys/hypervisor/version/major /sys/hypervisor/version/minor", r"^4\n17$")
        m.check("pvctl create /etc/parvis/hello.xml && pvctl list", r"\bhello\b")
        m.check("until [ -e /run/parvis/started ]; do usleep 100000; done; [ -d /data/domains ] && [ -e /data/parvis.cfg ] && mount | grep vda1", r"^/dev/vda1 on /data type vfat .*\n/dev/vda1 on /etc/parvis/domains type vfat ")
        m.check("[ -e /var/lib/parvis/dump ] || echo no cores on it", r"^no cores on it$")
        m.check("ls /dev/disk/by-id", r"\A\Z") # its disk has no serial number
        m.check("pvctl dmesg | grep 'there is no operation' || echo none", r"^none$")  # Linux asks for UEFI's services in vain, and silently
        m.send("poweroff")
        assert m.wait() == 0


def goes_on_to_the_next_disk():
    """What is missing or wrong on a disk is said in one line that names it, and the firmware tries the next disk: no parvis.cfg, with the path;
    a kernel that it names and the disk has not; an unknown key, with the line's number. On the last disk a guest is the only domain: it
    runs, and the machine powers off when it ends. All CPUs leave the firmware."""
    config = "on_end = poweroff\n[domain hello]\nkernel = hello\nmemory = 16M\ncmdline = exit=poweroff\n"
    directory = Machine.scratch()
    images = [small_image(directory, "no-config", None), small_image(directory, "no-module", control_config()),
              small_image(directory, "bad-config", "console = com1\nbanana = 3\n"),
              small_image(directory, "guest", config, built("pvguest/hello"))]
    with Machine.uefi("uefi-disks", *images, mem="512", smp="4") as m:
        m.expect(r"parvis\.cfg.*(not found|missing)|(not found|missing|no ).*parvis\.cfg", 120)
        m.expect(r"vmlinux.*(not found|missing)|(not found|missing|no ).*vmlinux", 120)
        m.expect(r"parvis\.cfg:2.*banana|line 2.*banana", 120)
        m.expect(r"CPUs: 4$", 120)
        m.expect(r"start_info: magic \"xen-3\.0-x86_64\"", 120)
        assert m.wait() == 0


if __name__ == "__main__":
    os.makedirs(BUILD + "/tmp", exist_ok=True)
    run_tests(reaches_the_shell, goes_on_to_the_next_disk)
