#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Direct start: what is missing or wrong in parvis.cfg or among the modules is said in one line that names it.

And the other way round: fifty guests and little memory do no harm.
"""
import re

import ending
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


def names_memory_that_is_not_there():
    """A control domain that wants more memory than there is: file, section, key and what is free; and that is no power-off."""
    modules = {"vmlinux": built("dom0/vmlinux"), "initramfs.cpio.gz": __file__}
    config = control_config("1024M", extra=f"debug_exit = {ending.DEBUG_EXIT_PORT}\n")
    with Machine.direct("direct-no-memory", config, modules, mem="256", qemu=DEBUG_EXIT) as m:
        m.expect(r"parvis\.cfg: control: memory = 1024M, but only \d+M are free", 30)
        assert m.wait() == ending.NOT_STARTED


def starts_fifty_guests():
    """Fifty sections are fifty guests, and the machine powers off when all have."""
    guests = "".join(f"[domain g{n}]\nkernel = hello\nmemory = 4M\ncmdline = exit=poweroff\n" for n in range(50))
    with Machine.direct("direct-fifty", "\ufeffon_end = poweroff\r\n" + guests, {"hello": built("pvguest/hello")}, mem="320") as m:
        assert m.wait(120) == 0
        ended = set(re.findall(r"g(\d+) \(domain \d+\) has ended: poweroff", m.text))
        assert len(ended) == 50, f"{len(ended)} of 50 guests powered off\n{m.tail()}"


def no_panic_passes():
    """A panic is no ordinary end, also where no port tells it: whoever waits for the machine hears of it."""
    with Machine.direct("direct-panic", HELLO.replace("debug_exit = 0xf4\n", ""), {"hello": built("pvguest/hello")}, mem="256",
                        cpu="qemu64,-cx16,-nx") as m:
        assert m.wait() == ending.PANICKED, m.tail()


def ends_without_tables():
    """A panic for want of the hypervisor's own tables, without which it cannot look for ACPI's: said once more at most, and it halts."""
    with Machine.direct("direct-no-tables", HELLO, {"hello": built("pvguest/hello"), "large": built("dom0/vmlinux"), "more": built("dom0/vmlinux")}, mem="64") as m:
        m.expect(r"panic: no memory left for the hypervisor's own tables", 30)
        m.expect(r"halted: this machine cannot be switched off", 30)
        assert m.text.count("panic: ") <= 2, m.tail()


if __name__ == "__main__":
    run_tests(names_the_missing_config, names_the_missing_module, names_the_bad_line, refuses_bad_kernels,
              names_memory_that_is_not_there, no_panic_passes, ends_without_tables, starts_fifty_guests)
