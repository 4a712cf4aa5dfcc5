# SPDX-License-Identifier: MIT
"""A QEMU machine whose serial console a program reads and writes: the one harness of all system tests.

    with Machine.parvis() as m:                     # or .uefi(), .xen(), .guest(kernel); see their comments
        m.prompt()                                  # the control domain's shell is there
        status, text = m.shell("pvctl list")
        m.send("poweroff")
        assert m.wait() == 0

All that the serial port said goes to build/logs/NAME.serial. Every wait has a limit, multiplied by PARVIS_TIMEOUT_SCALE
(default 1) for slow machines; a limit that passes raises Timeout with the end of the output. Nothing here asserts how
long something took.

The reference machine is q35 under software emulation. ACCEL=kvm in the environment is for people, not for tests.
"""
import atexit
import ctypes
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time

import ending
import scratch
from ending import DEBUG_EXIT, DEBUG_EXIT_PORT

# Relative, for QEMU's options end at commas, some at blanks, and the tree may lie where it likes.
ROOT = os.path.relpath(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.normpath(os.path.join(ROOT, "build"))
if set(BUILD) & set(" ,"):
    raise SystemExit(f"QEMU's options cannot hold {BUILD}/: start this in the root of the tree")
try:
    SCALE = float(os.environ.get("PARVIS_TIMEOUT_SCALE", "1"))
    if not 0 < SCALE < float("inf"):
        raise ValueError(f"{SCALE} is no scale")
except ValueError as wrong:
    raise SystemExit(f"PARVIS_TIMEOUT_SCALE: {wrong}") from None
PROMPT = r"^parvis# "
END_OF_LINE = re.compile(r"(?<!\\)\$")
ERASED = re.compile(r".*\x1b\[K")    # of a line, as by progress that is shown no more
PANIC = re.compile(r"\(parvis\) \[[ .\d]+\] (panic: |.* in the hypervisor, error code )")
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd"


class Timeout(Exception):
    """What was waited for did not come."""


class Skipped(Exception):
    """This machine cannot show it; the text says why."""


class Ended(Exception):
    """QEMU ended while something was waited for."""


def built(path):
    """A file under build/; says which make target makes it when it is not there."""
    full = os.path.join(BUILD, path)
    if not os.path.exists(full):
        maker = "hv DEBUG=1" if path.startswith("debug/") else full
        raise SystemExit(f"{full} is missing: `make {maker}` makes it, and `make check` all")
    return full


def initramfs_of(toolstack):
    """The control domain's, with another toolstack beside ours."""
    return f"initramfs-{toolstack}.cpio.gz" if toolstack else "initramfs.cpio.gz"


CONTROL_MEMORY = "1024M"


def control_config(memory=CONTROL_MEMORY, cmdline="console=hvc0", extra=""):
    """parvis.cfg of a machine with the control domain; memory "": what fits."""
    return (f"{extra}[control]\nkernel = vmlinux\nramdisk = initramfs.cpio.gz\n"
            f"cmdline = {cmdline}\n" + (f"memory = {memory}\n" if memory else ""))


def guest_config(memory="32M", cmdline="", ramdisk="", vcpus=1, extra="", kind="pv", affinity=""):
    """parvis.cfg of a machine with one boot-time guest, which ends when the guest does."""
    text = f"{extra}on_end = poweroff\ndebug_exit = {DEBUG_EXIT_PORT}\n[domain guest]\nkernel = guest\nkind = {kind}\n"
    text += f"memory = {memory}\nvcpus = {vcpus}\n"
    if ramdisk:
        text += "ramdisk = ramdisk\n"
    if affinity:
        text += f"affinity = {affinity}\n"
    return text + (f"cmdline = {cmdline}\n" if cmdline else "")


# Without cmpxchg16b: QEMU 7.2 leaves garbage in RFLAGS after it (TF and DF among them), which corrupts the lists of new kernels,
# without a hypervisor too. With rdrand: a kernel that has no random numbers waits for them. With npt, beside the SVM that this model
# has: full virtualization needs both.
NO_CX16 = ",-cx16"
DEFAULT_CPU = "qemu64,+rdrand,+npt" + NO_CX16
# Parvis needs no more than a long-mode CPU, and what newer ones have does no harm: some tests have a model of their own.
QEMU64, MAX, EPYC, SKYLAKE, NEHALEM = (model + NO_CX16 for model in ("qemu64", "max", "EPYC", "Skylake-Client", "Nehalem"))


def accelerator(smp):
    """How QEMU emulates so many CPUs: more than this host has to itself take turns in one thread, as threads would wait for each other."""
    return os.environ.get("ACCEL") or ("tcg,thread=single" if int(str(smp).split(",", 1)[0]) > 2 else "tcg")


# Fully virtualized guests on several CPUs. Where those are threads, QEMU's first CPU cannot run such guests: whatever another one does
# to its floating-point unit can undo what VMRUN and #VMEXIT did there (docs/architecture.md). So they leave it out unless they are told.
BY_TURNS = {"smp": 2, "accel": "tcg,thread=single", "affinity": "all"}
AT_ONCE = {"smp": 3, "accel": "tcg,thread=multi"}
# Time is instructions, of 2 ns each: what waits in the machine takes none of this host's time, and no host is too slow for what does not wait.
BY_INSTRUCTIONS = ["-icount", "shift=1,sleep=off"]


def base_args(smp="1", mem="2048", cpu=DEFAULT_CPU, accel=None, reboot=False, extra=()):
    """The QEMU command without what it boots. Unless `reboot`, QEMU ends when the machine resets."""
    return ["qemu-system-x86_64", "-M", "q35", "-accel", accel or accelerator(smp),
            "-cpu", cpu, "-smp", str(smp), "-m", str(mem), "-display", "none", "-monitor", "none",
            "-nic", "none", *([] if reboot else ["-no-reboot"]), *extra]


def network_args():
    """A virtio network card on QEMU's user network (10.0.2.2 is the host side)."""
    return ["-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0,romfile="]


def disk_args(path):
    """A virtio disk."""
    return ["-drive", f"file={path},format=raw,if=none,id=d0", "-device", "virtio-blk-pci,drive=d0,romfile="]


GUEST_DISK = os.path.join(BUILD, "guest-disk.img")     # `make guest-disk` makes it


def named_disk_args(path, serial, more=""):
    """A disk that the control domain knows by its serial number; more: of QEMU's options, after a comma."""
    path = path.replace(",", ",,")
    return ["-drive", f"file={path},format=raw,if=none,id={serial}{more}", "-device", f"virtio-blk-pci,drive={serial},serial={serial},romfile="]


def guest_disk_args(path, more=""):
    """A disk for a guest."""
    return named_disk_args(path, "guest", more)


def data_disk_args(path):
    """The disk that keeps the control domain's definitions."""
    return named_disk_args(path, "parvis-data")


def multiboot_modules(directory, config, modules):
    """Puts parvis.cfg and links to the modules (name: path) into a directory; the argument of -initrd."""
    with open(os.path.join(directory, "parvis.cfg"), "w", encoding="utf-8", errors="surrogateescape", newline="") as out:
        out.write(config)
    names = ["parvis.cfg"]
    for name, path in modules.items():
        os.symlink(os.path.abspath(path), os.path.join(directory, name))
        names.append(name)
    return ",".join(os.path.join(directory, name) for name in names)


def newc(files):
    """A cpio archive (newc) of files: {"etc/name": content}, with the directories above them."""
    entries = {}
    for path, content in files.items():
        parts = path.strip("/").split("/")
        for depth in range(1, len(parts)):
            entries.setdefault("/".join(parts[:depth]), (0o040755, b""))
        data = content.encode() if isinstance(content, str) else content
        entries["/".join(parts)] = (0o100755, data)
    out = b""
    for number, (path, (mode, data)) in enumerate([*entries.items(), ("TRAILER!!!", (0, b""))]):
        fields = [number + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path) + 1, 0]
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + path.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return out + b"\0" * (-len(out) % 512)


def with_files(directory, files, initramfs=None):
    """The control domain's initramfs with more files: a third archive behind the two."""
    initramfs = initramfs or built("dom0/initramfs.cpio.gz")
    if not files:
        return initramfs
    path = os.path.join(directory, "initramfs-with-files")
    with open(path, "wb") as out, open(initramfs, "rb") as first:
        shutil.copyfileobj(first, out)
        out.write(b"\0" * (-out.tell() % 512))     # the kernel wants an archive at a multiple of 4
        out.write(newc(files))
    return path


def json_in(text):
    """What a command tells in JSON, and that is all it may say; the kernel and the hypervisor say things on the same console, which may
    come anywhere: each begins with its time, and ends with its line."""
    try:
        return json.loads(re.sub(r"(\(parvis\) )?\[ *\d+\.\d{6}\] .*\n", "", text))
    except ValueError as error:
        raise AssertionError(f"this is no JSON, {error}:\n{text}") from error


ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def end_in_order(number, _):
    """Of a signal: this program ends like others do, by way of all that tidies up, which another signal does not interrupt."""
    for end in ENDS:
        signal.signal(end, signal.SIG_IGN)
    sys.exit(128 + number)


def signals_end_in_order():
    """Unless one is ignored, as nohup asks."""
    for end in ENDS:
        if signal.getsignal(end) != signal.SIG_IGN:
            signal.signal(end, end_in_order)


def start(args, end=signal.SIGKILL, **streams):
    """QEMU, or another program, which does not outlive this one: it gets this signal then, even where this one is killed (SIGKILL)."""
    return subprocess.Popen(args, preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, end), **streams)


class Machine:
    """One running QEMU."""

    def __init__(self, name, args, directory=None, orders=()):
        """orders: for QEMU, as soon as it is there (ending.py)."""
        os.makedirs(os.path.join(BUILD, "logs"), exist_ok=True)
        self.directory = directory = directory or self.scratch()
        args = args + ending.witness_args(directory, orders)
        self.text = ""              # everything the serial port said
        self.seen = 0               # how much of it was consumed by expect()
        self.shells_prompt = PROMPT     # of the shell on the console
        self.start = time.monotonic()
        self.log = open(os.path.join(BUILD, "logs", name + ".serial"), "wb")
        self.log.write((" ".join(args) + "\n").encode())
        self.process = start([*args, "-serial", "stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        atexit.register(self.close)

    # ---- what to boot

    @staticmethod
    def scratch():
        """A new directory, which is there until this program ends: its tests succeed or fail, or a signal ends it (scratch.py)."""
        signals_end_in_order()
        directory = scratch.new(os.path.join(BUILD, "tmp"))
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        return directory

    @classmethod
    def direct(cls, name, config, modules, hypervisor="parvis.bin", qemu=(), directory=None, **base):
        """Parvis by direct start, with this parvis.cfg (None: without one) and these modules."""
        directory = directory or cls.scratch()
        initrd = multiboot_modules(directory, config or "", modules)
        if config is None:
            initrd = ",".join(initrd.split(",")[1:])
        args = base_args(extra=qemu, **base) + ["-kernel", built(hypervisor)]
        return cls(name, args + (["-initrd", initrd] if initrd else []), directory)

    @classmethod
    def parvis(cls, name, config=None, files=None, kernel="dom0", toolstack="", **more):
        """Parvis by direct start with the control domain; `files` (path: content) are added to its initramfs; kernel: the
        folder of build/ that has it, and an initramfs with its modules; toolstack: whose tools are there beside ours."""
        directory = cls.scratch()
        initramfs = with_files(directory, files, built(f"{kernel}/{initramfs_of(toolstack)}"))
        modules = {"vmlinux": built(kernel + "/vmlinux"), "initramfs.cpio.gz": initramfs}
        return cls.direct(name, config or control_config(), modules, directory=directory, **more)

    @classmethod
    def guest(cls, name, kernel, memory="32M", cmdline="", ramdisk="", vcpus=1, extra="", kind="pv", affinity="", qemu=(), mem="256", **base):
        """Parvis by direct start with one boot-time guest; QEMU's exit status tells how the guest ended."""
        modules = {"guest": kernel, **({"ramdisk": ramdisk} if ramdisk else {})}
        return cls.direct(name, guest_config(memory, cmdline, ramdisk, vcpus, extra, kind, affinity), modules,
                          qemu=[*DEBUG_EXIT, *qemu], mem=mem, **base)

    @classmethod
    def uefi(cls, name, *images, qemu=(), **base):
        """Disk images that UEFI firmware starts one after another, until one goes on; none: ours. They are not written to."""
        directory = cls.scratch()
        shutil.copy(OVMF_VARS, directory + "/vars.fd")
        args = base_args(extra=qemu, **base) + [
            "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF}",
            "-drive", f"if=pflash,format=raw,unit=1,file={directory}/vars.fd"]
        for number, image in enumerate(images or [built("parvis.img")], 1):
            args += ["-drive", f"file={image},format=raw,if=none,id=boot{number},snapshot=on",
                     "-device", f"virtio-blk-pci,drive=boot{number},bootindex={number}"]
        return cls(name, args, directory)

    @classmethod
    def xen(cls, name, files=None, dom0_memory="1024M", cmdline="", options="", qemu=(), xl=False, **base):
        """Debian's Xen with the same control domain; with xl its own toolstack is there too (start it: `xl-up`)."""
        directory = cls.scratch()
        initrd = with_files(directory, files, built("reference/initramfs.cpio.gz") if xl else None)
        args = base_args(extra=qemu, **base) + [
            "-kernel", built("reference/xen.elf"),
            "-initrd", f"{built('dom0/vmlinux')} console=hvc0 {cmdline},{initrd}",
            "-append", f"console=com1 com1=115200,8n1 dom0_mem={dom0_memory},max:{dom0_memory} {options}"]
        return cls(name, args, directory)

    @classmethod
    def native(cls, name, cmdline="", qemu=(), **base):
        """The control domain's kernel and initramfs without a hypervisor, for comparison."""
        args = base_args(extra=qemu, **base) + [
            "-kernel", built("dom0/vmlinuz"), "-initrd", built("dom0/initramfs.cpio.gz"),
            "-append", f"console=ttyS0,115200 {cmdline}"]
        return cls(name, args)

    # ---- talking to it

    def read(self, seconds):
        """Takes in what the serial port says, waiting at most so long; False when QEMU ended."""
        if not select.select([self.process.stdout], [], [], max(seconds, 0))[0]:
            return True
        data = os.read(self.process.stdout.fileno(), 65536)
        self.log.write(data)
        self.log.flush()
        self.text += data.decode("latin-1").replace("\r", "")
        return bool(data)

    def expect(self, pattern, timeout=120):
        """Waits until the output since the last expect() matches; consumes it; returns the match. `$` is the end of a line that has come to
        its end: a part of one may be less than half of a number."""
        deadline = time.monotonic() + timeout * SCALE
        regex, of_lines = re.compile(pattern, re.MULTILINE), END_OF_LINE.search(pattern)
        alive = True
        while True:
            match = regex.search(self.text, self.seen)
            if match and not (of_lines and alive and match.end() == len(self.text) and not match.group().endswith("\n")):
                self.seen = match.end()
                return match
            if not alive:
                raise Ended(f"QEMU ended before /{pattern}/; the end of its output:\n{self.tail()}")
            left = deadline - time.monotonic()
            if left <= 0:
                raise Timeout(f"no /{pattern}/ within {timeout * SCALE:.0f} s; the output since:\n{self.tail()}")
            alive = self.read(min(left, 5))

    def tail(self, lines=30):
        return "\n".join("    " + line for line in self.text.splitlines()[-lines:])

    def send(self, line, end="\n"):
        """Types a line, no faster than it is echoed: real serial ports lose what nobody takes in time (Xen's ring: 128)."""
        data = (line + end).encode("latin-1")
        for begin in range(0, len(data), 48):
            piece, before = data[begin:begin + 48], len(self.text)
            try:
                self.process.stdin.write(piece)
                self.process.stdin.flush()
            except BrokenPipeError as error:
                raise Ended(f"QEMU has ended; the end of its output:\n{self.tail()}") from error
            patience = time.monotonic() + 1
            while begin + 48 < len(data) and len(self.text) < before + len(piece) and time.monotonic() < patience:
                if not self.read(0.2):
                    return

    def prompt(self, timeout=240):
        """Waits for the shell, the control domain's unless somebody said otherwise."""
        self.expect(self.shells_prompt, timeout)
        return time.monotonic() - self.start

    def shell(self, command, timeout=120):
        """Runs a command in the shell; (exit status, what it printed)."""
        self.send(f'echo "@@"begin; {command}; echo "@@end" $?')
        self.expect(r"^@@begin\n", timeout)
        begin = self.seen
        end = self.expect(r"@@end (\d+)\n", timeout)
        self.expect(self.shells_prompt, timeout)
        return int(end.group(1)), ERASED.sub("", self.text[begin:end.start()])

    def check(self, command, pattern="", status=0, timeout=120):
        """Runs a command that must end with this status and print something that matches."""
        got, text = self.shell(command, timeout)
        assert got == status, f"`{command}` ended with {got}, not {status}; it said:\n{text}"
        match = re.search(pattern, text, re.MULTILINE)
        assert match, f"`{command}` said nothing like /{pattern}/ but:\n{text}"
        return match

    def told(self, verb, timeout=120):
        """What `pvctl VERB --json` tells."""
        status, text = self.shell(f"pvctl {verb} --json", timeout)
        assert status == 0, text
        return json_in(text)

    def settle(self):
        """Waits until the control domain's drivers are loaded: from then on it takes nothing by itself."""
        self.check("until [ -e /run/devices-ready ]; do usleep 100000; done; sleep 1; echo ready", "^ready$")

    def is_content(self):
        """The domain of the shell computes, and its kernel has found no fault."""
        self.check("awk 'BEGIN { printf \"%.3f\\n\", 22 / 7 }'", r"^3\.143$")
        status, text = self.shell(r"dmesg | grep -E 'WARNING: CPU|BUG:|Oops|general protection|Call Trace'")
        assert status == 1, text

    def ends_well(self):
        """At its end the control domain computes, its kernel has found no fault, and poweroff ends the machine."""
        self.is_content()
        self.send("poweroff")
        assert self.wait() == 0

    def wait(self, timeout=60):
        """Waits until QEMU ends; how it did: 0 is switched off, the others are in ending.py."""
        deadline = time.monotonic() + timeout * SCALE
        while self.read(min(5, deadline - time.monotonic())):
            if time.monotonic() > deadline:
                raise Timeout(f"QEMU did not end within {timeout * SCALE:.0f} s:\n{self.tail()}")
        how = ending.status(self.process.wait(10), self.directory)
        # Where parvis.cfg names no port for it, a panic switches the machine off like any other end.
        return ending.PANICKED if how == ending.POWERED_OFF and PANIC.search(self.text) else how

    def close(self):
        """Ends QEMU, and takes away its directory; the log stays. Who does not call it has it called when the program ends."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def run_tests(*functions):
    """Runs the test functions of a program one after another; each says in its first comment what it shows."""
    failed = 0
    for function in functions:
        title = (function.__doc__ or function.__name__).strip().splitlines()[0]
        try:
            function()
            print(f"ok: {title}", flush=True)
        except Skipped as why:
            print(f"skipped: {title} {why}", flush=True)
        except Exception as error:  # whatever a test runs into is its failure, and the next one is tried
            failed += 1
            print(f"FAILED: {title}\n{type(error).__name__}: {error}", flush=True)
    raise SystemExit(1 if failed else 0)
