#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the guest tests (tests/guest) on Parvis; with --long the same files on Debian's Xen, and hello, created by Xen's own toolstack.

Each guest test prints `TEST-RESULT: NAME success|skip|error|failure` as its last word; silence is an error. On Parvis each is the one
boot-time guest of a machine, hvm-* a fully virtualized one, which Xen has not without firmware: those that PVH_TOO names are of kind pvh as well; pvh-* are of that alone.
On Xen all run one after another in one machine, created by pvctl, whose interface to both is the same and which takes a third of xl's time;
those of kind pvh by xl. A test that fails on both is wrong about the ABI; one that fails on Parvis alone has found something.
"""
import itertools
import os
import re
import sys

from machine import BUILD, EPYC, MAX, Ended, Machine, Skipped, Timeout, built, run_tests

FOLDER = os.path.join(BUILD, "tests/guest")
RESULT = r"TEST-RESULT: (\S+) (\w+)\r?\n"    # the whole line: it may come in pieces
DOMAIN = ("<domain type='xen'><name>{name}</name><memory unit='MiB'>32</memory><vcpu>2</vcpu>"
          "<os><type>linux</type><kernel>/guest/{name}</kernel></os></domain>")
XL_HELLO = 'name="hello"\ntype="pv"\nmemory=16\nvcpus=1\nkernel="/var/lib/parvis/hello"\non_poweroff="destroy"\n'
XL_BENCH = 'name="bench"\ntype="pv"\nmemory=16\nvcpus=1\nkernel="/root/bench"\nextra="only=xen_version,console_io_64"\non_poweroff="destroy"\n'
XL_PVH = 'name="{0}"\ntype="pvh"\nmemory=32\nvcpus=2\nkernel="/guest/{0}"\nextra="nmi_waits=1"\n' + "".join(f'on_{end}="destroy"\n' for end in ("poweroff", "reboot", "crash"))


# Who may find that it can show nothing here: a boot-time guest has no store, on Xen it has one.
MAY_SKIP = {"xenstore", "devices"}
# Tests that show the same in a guest of kind pvh, here and on Xen: of those for a paravirtual guest, and of those for one that is told nothing of Xen.
PVH_TOO = ("clock", "evtchn", "sched", "smp-events", "ssbd", "time", "hvm-debug", "hvm-halt", "hvm-memory", "hvm-nmi", "hvm-smp", "hvm-user")
# What the others of the latter need, and Xen's guests of kind pvh have not.
OURS_ALONE = {
    "hvm-control": "reserved bits of control registers are #GP though QEMU does not check them: Xen ends the guest",
    "hvm-cpuid": "no leaf tells of a hypervisor, or of x2APIC; the local APIC's timer has deadlines",
    "hvm-lapic": "these registers and bits of the local APIC are there, and no others; all errors of its user are told",
    "hvm-msr": "these MSRs are there, and no others",
    "hvm-paging": "a UART, whose scratch register is the port that answers in every mode",
    "hvm-pic": "a pair of 8259A, a UART",
    "hvm-ports": "a UART, a pair of 8259A, the power-management timer, PCI's ports without PCI",
    "hvm-timer": "deadlines in the TSC; a second clock, the power-management timer",
    "hvm-window": "TPR holds back an interrupt of its own class: for Xen QEMU opens the window all the same, and the guest does not get on",
    "hvm-hostile": "test_bad_hvm.py runs that: deeds, one a run",
}
# What of those is not asked of Xen.
NOT_ON_XEN = {"hvm-halt": "now and then QEMU ends Xen's guest's HLT before the interrupt that is pending is taken"}
# What a test says of the machine, which it cannot judge itself.
SAYS = {"clock": r"clock: 2 vCPUs, time is stable"}
SAYS_ON_FOUR = {"smp-contexts": r"smp-contexts: 5 vCPUs on [2-4] CPUs"}


def names(kind=""):
    """The tests for a paravirtual guest, or those for one of this other kind alone."""
    every = sorted(os.listdir(FOLDER)) if os.path.isdir(FOLDER) else []
    mine = [name for name in every if (re.match("(hvm|pvh)-", name) or ("", ""))[1] == kind]
    return [name for name in mine if not name.endswith("-hostile")]     # test_bad_hvm.py, test_bad_pvh.py and resumed_at_its_iret() run those


def on_parvis(name, says=None, vcpus=2, log="", patience=120, **machine):
    with Machine.guest("guest-" + name + log, os.path.join(FOLDER, name), vcpus=vcpus, **machine) as m:
        if says:
            m.expect(says, patience)
        judge(m, name, patience)


def judge(m, name, patience=120):
    """The test's last word is success; or skip, of those that may."""
    result = m.expect(RESULT, patience)
    assert result.group(1) == name, m.tail()
    if result.group(2) == "skip" and name in MAY_SKIP:
        raise Skipped(re.search(r"^skip: (.*)$", m.text, re.MULTILINE)[1])
    assert result.group(2) == "success", m.tail()


# What ends the domain that guest test syscall is in, and why; and of these, what ends the one that guest test bounce is in.
NO_STACK, NO_FRAME = r"the stack for it, at 0x\w+, cannot be written", r"iret: the frame at 0x\w+ cannot be read"
DEEDS = {"no-stack": NO_STACK, "no-stack-high": NO_STACK, "stack-of-the-hypervisor": NO_STACK, "read-only-stack": NO_STACK,
         "half-a-stack": NO_STACK, "stack-beyond-the-top": NO_STACK, "no-frame": NO_FRAME, "half-a-frame": NO_FRAME, "frame-beyond-the-top": NO_FRAME,
         "frame-of-the-hypervisor": NO_FRAME, "no-user-table": "iret: to user mode, which has no page table"}


def each_ends(program, ends):
    """One machine, in which each domain is this guest test with words of its own, {name: (words, how it crashes)}."""
    config = "on_end = halt\n" + "".join(f"[domain {name}]\nkernel = guest\nmemory = 8M\ncmdline = {words}\n" for name, (words, _) in ends.items())
    with Machine.direct(f"guest-{program}-ends", config, {"guest": os.path.join(FOLDER, program)}, mem="512") as m:
        for name, (_, how) in ends.items():
            m.seen = 0      # they come in any order
            m.expect(rf"\] {name} \(domain \d+\) crashed: {how}", 120)


def ends_of_system_calls():
    """Guest test syscall: a stack or a frame that is not there ends the domain, with the same words by the short way and the long one."""
    each_ends("syscall", {f"{deed}-{longer}": (f"do={deed} long={longer}", f".*{why}") for deed, why in DEEDS.items() for longer in (0, 1)})


def ends_of_exceptions():
    """Guest test bounce: a stack that is not there ends the domain, in user mode and in the kernel, with an error code and without, with
    the same words by the short way and the long one."""
    each_ends("bounce", {f"{deed}-{which}-{longer}": (f"do={deed} which={which} long={longer}", f"{('breakpoint', 'page fault')[which // 2]} .*{NO_STACK}")
                         for deed, why in DEEDS.items() if why == NO_STACK for which, longer in itertools.product(range(4), (0, 1))})


def flushed_without_cr4():
    """Guest tests of stale translations on a CPU of AMD's that says it is below another hypervisor: no page is global there."""
    for name in ("stale", "pagetable"):
        on_parvis(name, log="-below", says="TLB: flushed by CR3", cpu="qemu64,+rdrand,-cx16,tcg-cpuid=off")


def entry_on_intel():
    """Guest test entry on a CPU that has SYSENTER in 64-bit mode."""
    on_parvis("entry", cpu="Nehalem,-cx16")


def emul_with_umip():
    """Guest test emul on a CPU that hides its tables."""
    on_parvis("emul", says="this CPU has UMIP", cpu="qemu64,+rdrand,+umip,-cx16")


def clock_on_2():
    """Guest test clock with 4 vCPUs on 2 CPUs."""
    on_parvis("clock", says=r"clock: 4 vCPUs, time is stable", vcpus=4, smp=2, cmdline="moves=10")


def clock_on_4():
    """Guest test clock with 6 vCPUs on 4 CPUs, which QEMU runs in turn."""
    on_parvis("clock", says=r"clock: 6 vCPUs, time is stable", vcpus=6, smp=4, cmdline="moves=10")


# Without the leaf by which it says what it is.
NO_LEAF = "qemu64,+rdrand,-cx16,tcg-cpuid=off"


def clock_unknown():
    """Guest test clock where nothing says that the TSC is stable: guests are not told so, but see no less."""
    on_parvis("clock", says=r"clock: 4 vCPUs, time is not stable", vcpus=4, smp=2, cmdline="strict=1 moves=10", cpu=NO_LEAF)


def clock_by_config():
    """Guest test clock where parvis.cfg says that it is: so are they."""
    on_parvis("clock", says=r"clock: 4 vCPUs, time is stable", vcpus=4, cpu=NO_LEAF, extra="tsc = stable\n")


def moves_at_will():
    """Guest test smp-moves as control domain on a CPU with AVX: its vCPUs pin themselves to one CPU after another, and ask for each other's context."""
    config = "[control]\nkernel = guest\nmemory = 32M\nvcpus = 2\ncmdline = moves=50\n"
    with Machine.direct("guest-smp-moves-control", config, {"guest": os.path.join(FOLDER, "smp-moves")}, mem="256", smp=2, cpu=MAX) as m:
        m.expect(r"smp-moves: 2 vCPUs, AVX", 120)
        judge(m, "smp-moves")


def resumed_at_its_iret():
    """Guest test resumed-hostile: a guest that has ended at its iret is resumed, by a control domain that is the same program."""
    config = "[control]\nkernel = guest\nmemory = 32M\n[domain guest]\nkernel = guest\nmemory = 32M\n"
    with Machine.direct("guest-resumed", config, {"guest": os.path.join(FOLDER, "resumed-hostile")}, mem="256") as m:
        m.expect(r"crashed: .*" + DEEDS["no-user-table"], 60)
        judge(m, "resumed-hostile")


def load_waits_for_nobody():
    """A load whose vCPUs wait for a domain that there is not, and one for a vCPU, end at their time; no turn was made."""
    config = "on_end = poweroff\n"
    for work, end in (("grants", 1100), ("ping", 1200)):
        config += f"[domain {work}]\nkernel = load\nmemory = 8M\ncmdline = work={work} peer=9 begin=1000 end={end}\n"
    with Machine.direct("load-alone", config, {"load": built("pvguest/load")}, mem="256") as m:
        ended = {m.expect(r"LOAD name=load work=(\S+) .*turns=0\n", 120)[1] for _ in range(2)}   # in any order: they share a CPU
        assert ended == {"grants", "ping"}, ended
        assert m.wait() == 0, m.tail()


def hello_on_xen(m):
    """The same hello that runs on Parvis runs, byte for byte, as a guest that Xen's own toolstack creates: it greets, answers its console,
    and shuts down on request. What pvguest and Parvis agree about is Xen's ABI and not an agreement between the two."""
    m.shell("xl-up")
    m.send("xl create -c /root/hello.cfg")
    m.expect(r"start_info: magic \"xen-3\.0-x86_64\"", 60)
    m.expect(r"hello> ", 60)
    m.send("echo the same binary")
    m.expect(r"^the same binary$", 30)
    m.send("\x1d", end="")
    m.expect(r"parvis# ", 30)
    m.check("xl shutdown -w hello; xl list", r"Domain-0")
    m.check("xl list | grep -c hello", r"^0$", status=1)


def bench_on_xen(m):
    """A guest may not write to Xen's console: bench gives no figure for what was refused."""
    m.check("xl create -c /root/bench.cfg", r"^xen_version +\d+\n(.*\n)*console_io_64 +unavailable\n")


def on_xen():
    """The same guest tests, hello and bench succeed on Debian's Xen."""
    files = {"root/hello.cfg": XL_HELLO, "root/bench.cfg": XL_BENCH}
    pvh_too = [name for name in PVH_TOO if name not in NOT_ON_XEN]
    with open(built("pvguest/bench"), "rb") as program:
        files["root/bench"] = program.read()
    for name in {*names(), *pvh_too}:
        with open(os.path.join(FOLDER, name), "rb") as program:
            files["guest/" + name] = program.read()
        files[f"guest/{name}.xml"] = DOMAIN.format(name=name)
        files[f"guest/{name}.cfg"] = XL_PVH.format(name)
    with Machine.xen("guests-on-xen", files=files, xl=True) as m:
        m.prompt()
        problems = [one_on_xen(m, name, "pvctl create --console /guest/{}.xml", "pvctl destroy {}") for name in names()]
        hello_on_xen(m)
        bench_on_xen(m)
        problems += [one_on_xen(m, name, "xl create -c /guest/{}.cfg", "xl destroy {}") for name in pvh_too]
    assert not any(problems), "\n".join(filter(None, problems))


def one_on_xen(m, name, create, destroy):
    """Runs a test by these commands; what is wrong, or None."""
    try:
        m.send(create.format(name))
        result = m.expect(rf"TEST-RESULT: {name} (\w+)\r?\n", 120).group(1)
        problem = None if result in ("success", "skip") else f"{name}: {result}\n{m.tail(15)}"
        m.expect(r"parvis# ", 60)
    except (Timeout, Ended) as error:
        problem = f"{name}: {error}"
        m.send("\x1d")
        m.shell(destroy.format(name))
    return problem


def real_threads():
    """Guest tests smp-tables and smp-copies on two CPUs that truly run at the same time."""
    for name in ("smp-tables", "smp-copies"):
        on_parvis(name, log="-threads", smp=2, accel="tcg,thread=multi")


def each_is_known():
    """Of each guest test for full virtualization it is said whether it is for Xen's guests of kind pvh too, and else why not."""
    both = {name for name in PVH_TOO if name.startswith("hvm-")}
    assert not both & set(OURS_ALONE) and both | set(OURS_ALONE) == {name for name in os.listdir(FOLDER) if name.startswith("hvm-")}


def hvm_tests():
    for name in names("hvm"):
        def one(name=name):
            on_parvis(name, vcpus=1, kind="hvm", memory="8M")
        one.__doc__ = f"Guest test {name} in a fully virtualized guest."
        yield one


def pvh_tests():
    for name in (*PVH_TOO, *names("pvh")):
        def one(name=name):
            on_parvis(name, log="-pvh", kind="pvh")
        one.__doc__ = f"Guest test {name} in a guest of kind pvh, of the same binary."
        yield one


def pvh_hello():
    """hello as a guest of kind pvh: it greets over the console's ring, and answers."""
    with Machine.guest("guest-hello-pvh", built("pvguest/hello"), kind="pvh") as m:
        m.expect(r"console kind: shared ring", 60)
        m.expect(r"hello> ", 60)
        m.send("echo I was started by PVH")
        m.expect(r"^I was started by PVH$", 60)


def hvm_with_more_features():
    """Guest tests hvm-cpuid and hvm-control on CPUs that have more: XSAVE, AVX, SMEP, SMAP; and in a debug build."""
    for name, cpu in (("hvm-cpuid", EPYC), ("hvm-cpuid", MAX), ("hvm-control", EPYC), ("hvm-control", MAX)):
        on_parvis(name, vcpus=1, log="-" + cpu.split(",")[0], kind="hvm", memory="8M", cpu=cpu, hypervisor="debug/parvis.bin")


def hvm_with_more_cpus():
    """Guest test hvm-smp with two vCPUs on one CPU, four on two, of kinds hvm and pvh."""
    for kind, vcpus, smp in (("hvm", 2, 1), ("hvm", 4, 2), ("pvh", 2, 1), ("pvh", 4, 2)):
        on_parvis("hvm-smp", says=rf"hvm-smp: {vcpus} vCPUs$", vcpus=vcpus, log=f"-{kind}-{vcpus}", kind=kind, memory="16M", smp=smp, accel="tcg,thread=single")


def hvm_with_the_most_vcpus():
    """Guest test hvm-smp with 64 vCPUs on two CPUs, by a clock that counts instructions."""
    on_parvis("hvm-smp", says=r"hvm-smp: 64 vCPUs$", vcpus=64, log="-hvm-64", kind="hvm", memory="16M", smp=2, accel="tcg,thread=single",
              qemu=("-icount", "shift=0,sleep=off"), patience=600)


def tests():
    for name in names():
        def one(name=name):
            on_parvis(name, SAYS.get(name))
        one.__doc__ = f"Guest test {name} on Parvis."
        yield one
    for name in filter(lambda name: name.startswith("smp"), names()):
        def on_four(name=name):
            on_parvis(name, SAYS_ON_FOUR.get(name), vcpus=6, smp=4, cmdline="moves=10")
        on_four.__doc__ = f"Guest test {name} with six vCPUs on four CPUs."
        yield on_four

        def in_debug(name=name):
            on_parvis(name, vcpus=4, smp=4, hypervisor="debug/parvis.bin")
        in_debug.__doc__ = f"Guest test {name} with four vCPUs on four CPUs, in a debug build, which asserts the order of locks."
        yield in_debug


if __name__ == "__main__":
    if not names():
        print("no guest test is built (build/tests/guest is empty): run `make guests`")
        sys.exit(1)
    own = (*tests(), each_is_known, *hvm_tests(), *pvh_tests(), pvh_hello, hvm_with_more_features, hvm_with_more_cpus, ends_of_system_calls, ends_of_exceptions, flushed_without_cr4, entry_on_intel, emul_with_umip, clock_on_2, clock_on_4, clock_unknown, clock_by_config, real_threads, moves_at_will, resumed_at_its_iret,
           load_waits_for_nobody)
    run_tests(*((hvm_with_the_most_vcpus, on_xen) if "--long" in sys.argv else own))
