#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Direct start: what is missing or wrong in parvis.cfg or among the modules is said in one line that names it.

And the other way round: several CPUs that stay parked, little memory, the second serial port, and a reboot do no harm.
"""
from machine import DEBUG_EXIT, Machine, built, control_config, run_tests

HELLO = "on_end = poweroff\ndebug_exit = 0xf4\n[domain hello]\nkernel = hello\nmemory = 16M\ncmdline = exit=poweroff\n"


def says(name, config, modules, pattern):
    with Machine.direct(name, config, modules, mem="256", qemu=DEBUG_EXIT) as m:
        m.expect(pattern, 30)


def names_the_missing_config():
    """No parvis.cfg among the modules: one line says so."""
    says("direct-no-config", None, {"hello": built("pvguest/hello")}, r"parvis\.cfg.*(not found|missing)|no .*parvis\.cfg")


def names_the_missing_module():
    """A kernel that is not among the modules is named."""
    says("direct-no-module", HELLO, {"other": built("pvguest/hello")}, r"hello.*(not found|missing)|no .*hello")


def names_the_bad_line():
    """An unknown key, a bad number, a key twice: the line is named."""
    modules = {"hello": built("pvguest/hello")}
    says("direct-bad-key", "banana = 3\n" + HELLO, modules, r"(:1|line 1).*banana")
    says("direct-bad-memory", HELLO.replace("16M", "16Q"), modules, r"(:5|line 5).*(memory|16Q)")
    says("direct-empty", "", modules, r"parvis\.cfg")


def refuses_bad_kernels():
    """An empty kernel, text instead of a kernel, and one that is larger than its memory: each is named."""
    with open("/dev/null", "rb"):
        says("direct-empty-kernel", HELLO, {"hello": "/dev/null"}, r"hello.*")
    says("direct-text-kernel", HELLO, {"hello": __file__}, r"hello.*(ELF|kernel)")
    says("direct-large-kernel", control_config("16M"),
         {"vmlinux": built("dom0/vmlinux"), "initramfs.cpio.gz": __file__}, r"MiB|memory")


def ignores_other_cpus():
    """With four CPUs the boot CPU alone runs domains, and all is well."""
    with Machine.direct("direct-smp", HELLO, {"hello": built("pvguest/hello")}, mem="256", smp="4", qemu=DEBUG_EXIT) as m:
        m.expect(r"start_info: magic", 30)
        assert m.wait() == 0


def reboots():
    """`reboot` in the control domain starts the machine again."""
    with Machine.parvis("reboot", reboot=True) as m:
        m.prompt()
        m.send("reboot")
        m.expect(r"control is domain 0", 60)
        m.prompt()
        m.check("uptime", r"up 0 min")
        m.send("poweroff")
        assert m.wait() == 0


if __name__ == "__main__":
    run_tests(names_the_missing_config, names_the_missing_module, names_the_bad_line, refuses_bad_kernels,
              ignores_other_cpus, reboots)
