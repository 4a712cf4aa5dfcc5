#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The way of a newcomer: firmware starts the disk image, and the control domain's shell appears.

What parvis.efi loads it says; what is missing it names, with the place where it looked. Nothing after the loader knows that
it was UEFI: everything else is shown by the other tests, by direct start.
"""
import os
import shutil
import subprocess

from machine import BUILD, ROOT, Machine, built, control_config, network_args, run_tests

IMAGE_SH = os.path.join(ROOT, "dom0-tools/dom0/image.sh")


def small_image(config, *files):
    """An image with this parvis.cfg (None: without one) and these files; its path."""
    directory = Machine.scratch()
    image = os.path.join(directory, "test.img")
    cfg = os.path.join(directory, "parvis.cfg")
    with open(cfg, "w", encoding="ascii") as out:
        out.write(config or "")
    subprocess.run([IMAGE_SH, image, built("parvis.efi"), cfg, *files], check=True)
    if config is None:
        subprocess.run(["mdel", "-i", image + "@@1M", "::/parvis.cfg"], check=True)
    return image


def says(name, config, pattern, *files):
    """The machine started from such an image says something that matches."""
    image = small_image(config, *files)
    try:
        with Machine.uefi(name, image, mem="512") as m:
            m.expect(pattern, 120)
    finally:
        shutil.rmtree(os.path.dirname(image))


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
        m.send("poweroff")
        assert m.wait() == 0


def does_the_main_job():
    """Under UEFI too: the network, a small guest and a stock kernel with their consoles, their ends."""
    with Machine.uefi("uefi-guests", qemu=network_args()) as m:
        m.prompt()
        m.settle()
        m.check("n=0; until ip route | grep -q default; do n=$((n+1)); [ $n -gt 150 ] && break; usleep 200000; done; "
                "ping -c 2 10.0.2.2", r"2 packets received")
        m.send("pvctl create /etc/parvis/hello.xml --console")
        m.expect(r"hello> ", 60)
        m.send("echo I am here")
        m.expect(r"^I am here$", 30)
        m.send("\x1d", end="")
        m.expect(r"parvis# ", 30)
        m.send("pvctl create /etc/parvis/debian.xml --console")
        m.expect(r"guest# ", 240)
        m.send("uname -r")
        m.expect(r"-amd64$", 30)
        m.send("\x1d", end="")
        m.expect(r"parvis# ", 30)
        m.check("pvctl shutdown --wait --timeout 0 debian && pvctl destroy hello && pvctl list | wc -l", r"^2$", timeout=240)
        m.send("poweroff")
        assert m.wait() == 0


def boots_a_guest_alone():
    """A parvis.cfg with a boot-time guest only: the guest runs, and the machine powers off when it ends. All CPUs leave the firmware."""
    config = "on_end = poweroff\n[domain hello]\nkernel = hello\nmemory = 16M\ncmdline = exit=poweroff\n"
    image = small_image(config, built("pvguest/hello"))
    try:
        with Machine.uefi("uefi-guest", image, mem="512", smp="4") as m:
            m.expect(r"CPUs: 4$", 120)
            m.expect(r"start_info: magic \"xen-3\.0-x86_64\"", 120)
            assert m.wait() == 0
    finally:
        shutil.rmtree(os.path.dirname(image))


def names_the_missing_config():
    """Without parvis.cfg, one line says so, with the path."""
    says("uefi-no-config", None, r"parvis\.cfg.*(not found|missing)|(not found|missing|no ).*parvis\.cfg")


def names_the_missing_module():
    """A kernel that parvis.cfg names and the disk has not: one line names the file."""
    says("uefi-no-module", control_config(), r"vmlinux.*(not found|missing)|(not found|missing|no ).*vmlinux")


def names_the_bad_line():
    """A parvis.cfg with an unknown key: the line number and the key are named."""
    says("uefi-bad-config", "console = com1\nbanana = 3\n", r"parvis\.cfg:2.*banana|line 2.*banana")


if __name__ == "__main__":
    os.makedirs(BUILD + "/tmp", exist_ok=True)
    run_tests(reaches_the_shell, does_the_main_job, boots_a_guest_alone, names_the_missing_config,
              names_the_missing_module, names_the_bad_line)
