#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The guest author's loop, `make run GUEST=path`: the guest's console is standard output, what the hypervisor refuses is shown, the
last line and build/run.status say how it ended (make's own exit status is 0 or 2). Bad kernels are refused with one line that
names the cause.
"""
import atexit
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import time
from unittest import mock

import ending
import run as runner
from machine import BUILD, ROOT, SCALE, Machine, base_args, built, run_tests
from test_bad_domains import elf32, without_notes
from test_harness import ends, is_there

HAS_THE_IMAGE = """
import machine, run, sys
machine.BUILD = sys.argv[1]
run.our_image()
print("has it", flush=True)
sys.stdin.read()
"""


def environment():
    return {key: value for key, value in os.environ.items() if not key.startswith(("GUEST", "KIND", "MAKE", "MFLAGS"))}


def ended(command, exit_status, **settings):
    """(the number in build/run.status, output) of a command, with these settings in the environment; its exit status is what is said of that number."""
    done = subprocess.run(command, cwd=ROOT, env={**environment(), **settings}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120 * SCALE, check=False)
    with open(os.path.join(BUILD, "run.status"), encoding="ascii") as number:
        status = int(number.read())
    text = done.stdout.decode("latin-1").replace("\r", "")
    assert done.returncode == exit_status(status), text[-3000:]
    assert f"{ending.sentence(status)} (status {status})" in text, text[-3000:]
    return status, text


def make_run(guest, **settings):
    """Of `make run GUEST=...`; make is content when, and only when, the number is 0."""
    words = [f"{key}={value}" for key, value in settings.items()]
    return ended(["make", "--no-print-directory", "run", f"GUEST={guest}", *words], lambda status: 2 if status else 0)


def run(guest, **settings):
    """Of what make runs when it has found that nothing is to be built."""
    return ended([sys.executable, "tests/system/run.py"], lambda status: status, GUEST=guest, **settings)


def tutorial():
    """The text of docs/tutorial.md, and its three listings."""
    with open(os.path.join(ROOT, "docs/tutorial.md"), encoding="utf-8") as page:
        text = page.read()
    return text, *re.findall(r"^```\w*\n(.*?)^```$", text, re.M | re.S)


def tiny_guest(without=r"\Z"):
    """The tutorial's first guest, made as the page says, without the lines that match."""
    text, nasm, lds, _ = tutorial()
    nasm, left_out = re.subn(rf"^ *(?:{without}).*\n?", "", nasm, flags=re.M)
    assert left_out, without
    directory = Machine.scratch()
    for name, content in (("tiny.asm", nasm), ("tiny.lds", lds)):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as out:
            out.write(content)
    for command in re.findall(r"^    ((?:nasm|ld) .*)$", text, re.M):
        subprocess.run(command.split(), cwd=directory, stderr=subprocess.DEVNULL, check=True)
    return os.path.join(directory, "tiny")


def tutorial_holds():
    """Both guests of docs/tutorial.md, made as the page says, greet, power off, and make is content."""
    text, _, _, program = tutorial()
    with open(os.path.join(ROOT, "pvguest/apps/tutorial/main.c"), encoding="utf-8") as source:
        assert re.sub(r"\A(/\*.*?\*/\n)+", "", source.read(), flags=re.S) == program, "docs/tutorial.md shows another pvguest/apps/tutorial/main.c"
    status, said = make_run(tiny_guest())
    assert status == ending.POWERED_OFF and "hello from 40 lines" in said, said[-3000:]
    status, said = make_run("build/pvguest/tutorial")
    shown = re.search(r"make run GUEST=build/pvguest/tutorial\n\n((?:^    .*\n)+)", text, re.M)[1]
    wanted = "\n".join(re.escape(line.strip()).replace(r"0x\.\.\.", "0x[0-9a-f]+") for line in shown.splitlines())
    assert status == ending.POWERED_OFF and re.search(wanted, said), said[-3000:]


def tutorials_mistakes_are_told():
    """What docs/tutorial.md says happens to its first guest without one or the other of its lines is so."""
    shutdown = r"mov edi, 2|lea rsi|call hypercalls \+ 29"
    for without, wanted, words in (("note [14],", ending.POWERED_OFF, "hello from"), ("note 2,", ending.CRASHED, "(exception 3,"),
                                   ("note 3,", ending.NOT_STARTED, "VIRT_BASE"), ('dd 4, 8, 5|db "Xen", 0, "xen', ending.NOT_STARTED, "XEN_VERSION"),
                                   (shutdown, ending.CRASHED, "(exception 6,"), (shutdown + "|ud2", ending.CRASHED, "(exception 14,")):
        status, said = run(tiny_guest(without))
        assert status == wanted and words in said, (without, said[-3000:])


def other_ends_are_told():
    """hello greets and crashes, with the registers shown, or asks for a reboot."""
    status, text = make_run("build/pvguest/hello", GUEST_CMDLINE="exit=crash")
    assert status == ending.CRASHED and "xen-3.0-x86_64" in text and "crash" in text.lower(), text[-3000:]
    status, text = make_run("build/pvguest/hello", GUEST_CMDLINE=os.fsdecode(b"exit=reboot \xe9"))    # no UTF-8: bytes like others
    assert status == ending.ASKED_REBOOT, text[-3000:]


def panics_are_told():
    """A CPU that lacks what the hypervisor needs is named, with where that was found, and the run ends as a panic of the hypervisor."""
    status, text = run("build/pvguest/hello", CPU="qemu64,-cx16,-nx")
    assert status == ending.PANICKED and "panic: this CPU has no NX" in text and "detect_features+" in text, text[-3000:]


def misbehaviour_is_failure():
    """A jump to nowhere and a fault without a stack end the run with failure, after the guest's own line."""
    for name in ("nowhere", "triple"):
        status, text = run(f"build/bad-guests/{name}")
        assert status == ending.CRASHED and f"{name}: " in text, text[-3000:]


def kernels_are_unpacked_to_what_fits():
    """A bzImage is unpacked for a guest with room for it, and for the control domain; for a small guest it is refused."""
    status, text = run(built("dom0/vmlinuz"), GUEST_MEM="16M")
    assert status == ending.FAILED and "unpacks to more than 16384 KiB; no more fits" in text, text[-3000:]
    assert "not unpacked; the domain has 16M (GUEST_MEM=)" in text, text[-3000:]
    directory = Machine.scratch()
    os.environ["DOM0_KERNEL"] = built("dom0/vmlinuz")
    try:
        with open(runner.control_files(directory)["vmlinux"], "rb") as kernel:
            assert kernel.read(4) == b"\x7fELF"
    finally:
        del os.environ["DOM0_KERNEL"]


def direct_start_takes_the_images_configuration():
    """FIRMWARE=direct starts what dom0-tools/dom0/parvis.cfg says, as the image does."""
    directory = Machine.scratch()
    runner.direct_args(directory)
    with open(os.path.join(directory, "parvis.cfg"), "rb") as ours, open(runner.DOM0 + "parvis.cfg", "rb") as images:
        assert ours.read() == images.read()


def bad_kernels_are_named():
    """Missing, empty, truncated, 32-bit, note-less kernels and text: failure, and the cause is said."""
    directory = Machine.scratch()
    with open(built("pvguest/hello"), "rb") as kernel:
        hello = kernel.read()
    cases = {"missing": (None, "No such file"), "empty": (b"", "too few"), "text": (b"no kernel\n" * 500, "ELF"),
             "truncated": (hello[:3000], "guest"), "elf32": (elf32(hello), "32-bit"),
             "nonotes": (without_notes(hello), "note")}
    for name, (content, word) in cases.items():
        path = os.path.join(directory, name)
        if content is not None:
            with open(path, "wb") as out:
                out.write(content)
        status, text = (run if content else make_run)(path)
        wanted = ending.FAILED if content is None else ending.NOT_STARTED
        assert status == wanted and word in text, f"{name}: status {status}, no '{word}' in:\n{text[-2000:]}"
        assert "calls on CPU" not in text, f"{name}: a mistake of the user's shows a backtrace:\n{text[-2000:]}"


def explains_itself():
    """run.py takes no arguments: it says what it goes by, and starts nothing."""
    for argument, status, words in (("--help", 0, "GUEST_CMDLINE"), ("build/pvguest/hello", 2, "environment variables")):
        done = subprocess.run([sys.executable, "tests/system/run.py", argument], cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60 * SCALE, check=False)
        assert done.returncode == status and words in done.stdout + done.stderr, done
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run([sys.executable, "tests/system/run.py", "--help"], cwd=ROOT, stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    assert done.returncode == -signal.SIGPIPE and not done.stderr, done


def wrong_settings_are_named():
    """What cannot be right in a variable of run.py's, or is not there, is said in a line, and the end is a failure; a closed input is empty."""
    nothing = "No such file or directory"
    cases = [({"SMP": "abc"}, "SMP=abc: must be a number"), ({"SMP": "0"}, "SMP=0: must be a number"),
             ({"PARVIS_TIMEOUT_SCALE": "nan"}, "PARVIS_TIMEOUT_SCALE: nan is no scale"),
             ({"PARVIS_TIMEOUT_SCALE": "twice"}, "PARVIS_TIMEOUT_SCALE: could not convert"),
             ({"QEMU_EXTRA": "-name '"}, "QEMU_EXTRA=-name ': No closing quotation"), ({"MEM": "lots"}, "MEM=lots: must be a number of MB"),
             ({"MEM": "3"}, "MEM=3: the machine starts with 4 MB or more"), ({"MEM": "size=1e3"}, "MEM=size=1e3: must be"),
             ({"GUEST": "", "MEM": "261119K"}, "MEM=261119K: the machine starts with 256 MB or more"),
             ({"GUEST": "", "MEM": "0.2g", "FIRMWARE": "direct"}, "MEM=0.2g: the machine starts with"),
             ({"GUEST": "/nonexistent"}, f"guest kernel /nonexistent: {nothing}"), ({"GUEST": BUILD}, f"guest kernel {BUILD}: Is a directory"),
             ({"GUEST_RAMDISK": "/nonexistent"}, f"guest ramdisk /nonexistent: {nothing}"),
             ({"GUEST_RAMDISK": BUILD}, f"guest ramdisk {BUILD}: Is a directory"), ({"PATH": "/nonexistent"}, f"qemu-system-x86_64: {nothing}"),
             *(({name: "x"}, f"{name}=x: is for the control domain") for name in ("FIRMWARE", "NETWORK", "DOM0_KERNEL", "DOM0_MODULES", "GUEST_DISK", "DATA_DISK")),
             *(({"GUEST": "", name: "x"}, f"{name}=x: is for a guest alone")
               for name in ("GUEST_MEM", "GUEST_CMDLINE", "GUEST_RAMDISK", "GUEST_VCPUS", "KIND")),
             *(({"GUEST_VCPUS": n}, f"GUEST_VCPUS={n}: must be a number from 1 to 64") for n in ("0", "65", "all", "2 ")),
             *(({"GUEST_MEM": m}, f"GUEST_MEM={m}: must be a number with K, M or G behind it") for m in ("0M", "32", "32m", "lots")),
             ({"KIND": "hvmm"}, "KIND=hvmm: must be pv, hvm or pvh"),
             ({"GUEST": "", "FIRMWARE": "bios"}, "FIRMWARE=bios: must be uefi or direct"),
             ({"GUEST": "", "NETWORK": "tap", "FIRMWARE": "direct"}, "NETWORK=tap: must be user or none"),
             ({"GUEST": "", "DATA_DISK": "none here.img", "FIRMWARE": "direct"}, "DATA_DISK=none here.img: `mkfs.vfat -C 'none here.img' 65536` makes it"),
             ({"GUEST": "", "DOM0_KERNEL": "/nonexistent"}, f"DOM0_KERNEL /nonexistent: {nothing}"),
             ({"GUEST": "", "DOM0_MODULES": "/nonexistent"}, "DOM0_MODULES=/nonexistent: must be some kernel's folder"),
             ({"GUEST": "", "DOM0_KERNEL": built("dom0/vmlinux"), "PATH": "/nonexistent"}, "the disk image could not be made")]
    for settings, words in cases:
        done = subprocess.run([sys.executable, "tests/system/run.py"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**environment(), "GUEST": built("pvguest/hello"), **settings}, timeout=60 * SCALE, check=False)
        assert done.returncode == ending.FAILED and words in done.stderr and "Traceback" not in done.stderr, done
    several = {"SMP": "zz", "MEM": "lots", "NETWORK": "tap", "TOOLSTACK": "xll", "GUEST_DISK": "nope", "DATA_DISK": "nope", "FIRMWARE": "bios",
               "QEMU_EXTRA": "'", "GUEST_CMDLINE": "x", "DOM0_KERNEL": "nope", "DOM0_MODULES": "nope"}
    for_guest = {"GUEST": "nope", "KIND": "x", "GUEST_VCPUS": "0", "GUEST_RAMDISK": "nope", "SMP": "0"}
    os.makedirs(BUILD, exist_ok=True)
    with open(os.path.join(BUILD, "build.lock"), "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)    # whoever would build now has to wait
        for target, settings in (("run", several), ("debug", {**several, "FIRMWARE": ""}), ("run", for_guest)):
            done = subprocess.run(["make", target, *(f"{name}={word}" for name, word in settings.items())], cwd=ROOT, stdin=subprocess.DEVNULL,
                                  env=environment(), capture_output=True, text=True, timeout=60 * SCALE, check=False)
            said = [line for line in done.stderr.splitlines() if line.startswith("parvis: ")]
            assert done.returncode == 2 and not done.stdout and "(status 1)" in said.pop(), done
            assert len(said) == sum(map(bool, settings.values())), done
            assert all(any(word and name.lower().rsplit("_", 1)[-1] in line.lower() for line in said) for name, word in settings.items() if word), done
    done = subprocess.run(["make", "-n", "run", "SMPP=2", "GUEST_CMDLINE=a b=c"], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "*** SMPP: `make run` knows SMP MEM" in done.stderr and not done.stdout, done
    done = subprocess.run(["sh", "-c", "exec python3 tests/system/run.py <&-"], cwd=ROOT, capture_output=True, timeout=60 * SCALE, check=False,
                          env={**environment(), "GUEST": built("pvguest/tutorial")})
    assert done.returncode == ending.POWERED_OFF, done


def until_hello_is_ready(process):
    """From here on the guest takes commands."""
    assert any(b"hello is ready" in line for line in process.stdout), "hello has ended"


def the_end_of_the_input_is_no_end():
    """Commands may come by a pipe, before anybody reads them: the machine does them all, from the first letter on, though the pipe ends
    behind them, and that it waits for a `poweroff` is said."""
    with subprocess.Popen([sys.executable, "tests/system/run.py"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**environment(), "GUEST": "build/pvguest/hello"}) as process:
        process.stdin.write(b"date\n")
        process.stdin.flush()
        assert b"its end does not end the machine: `poweroff` in it does" in process.stderr.readline()
        until_hello_is_ready(process)
        process.stdin.write(b"poweroff\n")
        process.stdin.close()
        said = process.stdout.read()
    assert process.returncode == ending.POWERED_OFF and b"unknown" not in said and re.search(rb"^date: \d", said, re.MULTILINE), said


def one_word_makes_it_fully_virtualized():
    """KIND=hvm and KIND=pvh of a stock kernel, with no more said than its ramdisk: memory that it can live in, its console, power-off."""
    for kind in ("hvm", "pvh"):
        with subprocess.Popen([sys.executable, "tests/system/run.py"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env={**environment(), "KIND": kind, "GUEST": "build/dom0/vmlinuz",
                                   "GUEST_RAMDISK": "build/dom0/guest-initramfs.cpio.gz"}) as process:
            assert any(b"guest: init reached" in line for line in process.stdout), "it has ended"
            said, _ = process.communicate(b"poweroff\n", timeout=120 * SCALE)
        assert process.returncode == ending.POWERED_OFF, said


def hello_says_what_it_is():
    """hello as each kind: it tells only what is there, and as hvm, where it can ask nobody, that it wants another kind."""
    pv_alone = ("start_info: magic", "page tables: ")
    for kind in ("pv", "pvh"):
        status, text = run("build/pvguest/hello", KIND=kind, GUEST_CMDLINE="exit=poweroff")
        assert status == ending.POWERED_OFF and f"kind: {kind}\n" in text and "hello is ready" in text, text[-3000:]
        assert [line in text for line in pv_alone] == [kind == "pv"] * 2, text[-3000:]
    status, text = run("build/pvguest/hello", KIND="hvm")
    assert status == ending.POWERED_OFF and "start it as pv or as pvh" in text and "rip" not in text, text[-3000:]


def the_image_has_one_machine():
    """A second machine from build/parvis.img is refused in a line, as long as the first one is there; by direct start there may be several.
    It is a build/ of its own, in which nobody runs a machine meanwhile."""
    build = Machine.scratch()
    for name in ("parvis.img", "parvis.bin", "dom0"):
        os.symlink(os.path.abspath(built(name)), os.path.join(build, name))
    first = subprocess.Popen([sys.executable, "-c", HAS_THE_IMAGE, build], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env={**os.environ, "PYTHONPATH": os.path.join(ROOT, "tests/system")})
    with first, mock.patch.object(runner.machine, "BUILD", build):
        assert first.stdout.readline() == b"has it\n"
        runner.direct_args(Machine.scratch())
        try:
            raise AssertionError(f"{runner.our_image()} was given to two")
        except SystemExit as refused:
            assert "another `make run` of this tree runs" in str(refused), refused
    with mock.patch.object(runner.machine, "BUILD", build):
        assert runner.our_image() == os.path.join(build, "parvis.img")


def one_builds_at_a_time():
    """Who would build while another make does in the same tree says that it waits, and goes on when that one has ended."""
    with open(os.path.join(BUILD, "build.lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen(["make", "--no-print-directory", "run", "GUEST=build/pvguest/hello", "GUEST_CMDLINE=exit=poweroff"], cwd=ROOT,
                                  env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        atexit.register(second.kill)
        assert second.stdout.readline() == b"parvis: another make builds in this tree: waiting for it\n"
    said, _ = second.communicate(timeout=120 * SCALE)
    assert second.returncode == 0 and b"hello is ready" in said, said[-3000:]


def quitting_is_not_success():
    """Ctrl-A x at a terminal, and a signal to run.py, which takes QEMU along."""
    for end, wanted in ((b"\x01x", ending.QUIT), (signal.SIGTERM, 128 + signal.SIGTERM)):
        ours, theirs = pty.openpty()
        with subprocess.Popen([sys.executable, "tests/system/run.py"], cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE,
                              env={**environment(), "GUEST": "build/pvguest/hello"}) as process:
            until_hello_is_ready(process)
            if isinstance(end, bytes):
                os.write(ours, end)
            else:
                process.send_signal(end)
            status = process.wait(30 * SCALE)
            assert not process.stdout.read().endswith(b"x"), "QEMU is still there"
        os.close(ours)
        os.close(theirs)
        assert status == wanted, f"status {status}, not {wanted}"


def machine_of(command, **streams):
    """(`make run GUEST=hello` by this command, the process of its QEMU)."""
    told = os.path.abspath(os.path.join(Machine.scratch(), "pid"))
    made = subprocess.Popen([*command, "GUEST=build/pvguest/hello", f"QEMU_EXTRA=-pidfile '{told}'"], cwd=ROOT, env=environment(), **streams)
    atexit.register(made.kill)
    patience = time.monotonic() + 60 * SCALE
    while not os.path.exists(told) or not os.path.getsize(told):
        assert time.monotonic() < patience and made.poll() is None, "there is no machine"
        time.sleep(0.1)
    with open(told, encoding="ascii") as pid:
        return made, int(pid.read())


def ends_with_its_terminal_and_with_make():
    """A machine ends when its terminal is gone, though that is told only to make, as the session's leader; unless SIGHUP is ignored, as nohup
    asks; and when make is killed."""
    make = ["make", "--no-print-directory", "run"]
    terminal = ["setsid", "--ctty"]
    for before, survives in ((terminal, False), (["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", *terminal], True)):
        ours, theirs = pty.openpty()
        made, qemu = machine_of([*before, *make], stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        os.close(ours)
        if survives:
            time.sleep(1)
            assert is_there(qemu), "nohup did not help"
            os.kill(qemu, signal.SIGKILL)
        ends(qemu)
        made.wait(60 * SCALE)
    made, qemu = machine_of(make, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with made:
        made.kill()
        ends(qemu)


def a_reset_is_no_poweroff():
    """A machine that resets itself, as a triple fault makes it, is told apart from one that switches itself off."""
    code = b"\x0f\x01\x1d" + struct.pack("<I", 0x200040) + b"\xcc"    # lidt [zeros]; int3
    magic, flags = 0x1badb002, 0x10003
    header = struct.pack("<8I", magic, flags, -(magic + flags) & 0xffffffff, 0x200000, 0x200000, 0, 0, 0x200020)
    directory = Machine.scratch()
    kernel = os.path.join(directory, "reset")
    with open(kernel, "wb") as out:
        out.write((header + code).ljust(0x50, b"\0"))
    with Machine("reset", [*base_args(mem="64"), "-kernel", kernel], directory) as m:
        assert m.wait() == ending.RESET


def stock_kernel_boots_alone():
    """Debian's kernel as the one boot-time guest: reaches its init and powers off; what it was refused is shown, but for hypercalls of Xen's that it goes without."""
    status, text = run(built("dom0/vmlinuz"), GUEST_RAMDISK=built("dom0/guest-initramfs.cpio.gz"), GUEST_MEM="256M",
                       GUEST_CMDLINE="console=hvc0 shutdown=now", MEM="512")
    assert "guest: init reached" in text, text[-3000:]
    assert re.search(r"d1v0: RDMSR \w+ is not offered", text), text[-3000:]
    assert "there is no hypercall" not in text, text[-3000:]
    assert status == ending.POWERED_OFF, f"status {status}:\n{text[-3000:]}"


if __name__ == "__main__":
    run_tests(tutorial_holds, tutorials_mistakes_are_told, other_ends_are_told, panics_are_told, misbehaviour_is_failure,
              kernels_are_unpacked_to_what_fits, direct_start_takes_the_images_configuration, bad_kernels_are_named, explains_itself,
              wrong_settings_are_named, the_end_of_the_input_is_no_end, one_word_makes_it_fully_virtualized, hello_says_what_it_is, the_image_has_one_machine,
              one_builds_at_a_time, quitting_is_not_success, ends_with_its_terminal_and_with_make, a_reset_is_no_poweroff, stock_kernel_boots_alone)
