# SPDX-License-Identifier: MIT
"""The columns: on what the same guest runs, how each is started, and how its shell and its toolstack are reached in turn.

Each has the same kernel and the same initramfs in a machine of its own, of one CPU. A guest's control domain does nothing meanwhile. There
is no column of Xen's HVM: it needs a device model (QEMU in the control domain), which Parvis's control domain has not, and it would be
Xen PVH with a BIOS in front, as far as these rows go.

Xen is there twice, as Debian configures it and with spec-ctrl=no, and so is Parvis's PV: as it chooses, which is no measure against
speculation on the emulated CPU, and with those that Xen says it takes there, retpolines and the filling of the return stack. Each of the two
is held against the like of Xen. What each measure costs that can be forced here is in columns of its own, of Linux's operations. Those that are left (IBRS, IBPB
and others) need MSRs that QEMU's emulation has not.
"""
import contextlib
import os
import sys

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("..", "../../system")]
import devices  # noqa: E402
import setup  # noqa: E402
from machine import PROMPT, Machine, base_args, built, control_config, with_files  # noqa: E402 (the harness lives with the system tests)
from measured import ICOUNT, XENS, XL, XL_BENCH, events, figures, guest_xml, ramdisk  # noqa: E402
from rows import NAMES  # noqa: E402
from test_speculation import HAVE  # noqa: E402

GUESTS_PROMPT = r"^guest# "
PANICS = r"(?:\(parvis\) \[[ .\d]+\] panic: |^\(XEN\) Panic on CPU \d+:\n\(XEN\) |Kernel panic - not syncing: )"
LEAVE = "\x1d"
VULNERABILITIES = "cd /sys/devices/system/cpu/vulnerabilities && grep -H . *; cd /root"
SHELL = ("#!/bin/sh\ncd /root\nexport HOME=/root TERM=dumb PATH=/usr/sbin:/usr/bin PS1='guest# '\n"
         "exec cttyhack sh -c 'stty rows 24 cols 200; echo at the shell: $(cut -d \" \" -f 1 /proc/uptime); exec sh'\n")
BENCH_XML = ("<domain type='xen'><name>{name}</name><memory unit='MiB'>32</memory><vcpu>2</vcpu><os>{type}<kernel>/root/bench</kernel><cmdline>{words}</cmdline></os>"
             "<on_poweroff>destroy</on_poweroff></domain>")
# The guests of pvguest's bench: the one that is measured, one that answers it, and one that is told of that by sed.
BENCHES = {"bench": "", "answer": "answer=1", "between": "PEER only=event_round_trip_domains"}
ANSWERS = r"^bench: domain \d+ answers domain \d+: (peer=\d+ port=\d+)\n"
TYPES = {"pv": "<type>linux</type>", "pvh": "<type machine='xenpvh'>xenpvh</type>", "hvm": "<type>hvm</type>"}


def files():
    """What the initramfs of the guest, and of its control domain, gets beside its own."""
    folder = built("bench/guest-files")
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    return {**found, "usr/bin/linux-ops": content("bench/linux-ops")}


def for_guest():
    return {**files(), "etc/console-shell": SHELL}


def content(path):
    with open(built(path), "rb") as file:
        return file.read()


class Column:
    """One of them. `machine` is there between the begin and the end of running()."""

    MEMORY_KIB = setup.GUEST_MEM * 1024     # a guest's, by XL and by the samples for pvctl

    def __init__(self, key, title, system, kind, options="", price=""):
        self.key, self.title, self.system, self.kind, self.options, self.price = key, title, system, kind, options, price
        self.groups = ("linux",) if price else tuple(NAMES)     # of rows; `make bench-measures` has prices of a kernel's operations
        self.machine = None
        self.version = ""   # what Xen says of itself
        self.took = 0       # of what the plugin wrote, so many lines
        self.entered = 0    # times
        self.counts = ""    # where the plugin writes

    def qemu(self):
        self.counts = os.path.join(Machine.scratch(), "events")
        return [*ICOUNT, "-plugin", f"{built('bench/events_plugin.so')},out={self.counts}"]

    def for_control(self):
        """The same files for both toolstacks: the kernel is unpacked, so that creating a guest is not unpacking a kernel."""
        return {**files(), "root/ramdisk": ramdisk(for_guest(), setup.KERNEL), "root/vmlinux": content(setup.KERNEL + "/vmlinux"),
                "root/bench": content("pvguest/bench"),
                **{f"root/{name}.xml": BENCH_XML.format(name=name, type=TYPES.get(self.kind), words=words) for name, words in BENCHES.items()}}

    def start(self):
        name = "compare-" + self.key
        if self.system == "native":
            directory = Machine.scratch()
            initrd = with_files(directory, for_guest(), built(setup.KERNEL + "/guest-initramfs.cpio.gz"))
            return Machine(name, base_args(mem=str(setup.GUEST_MEM), cpu=setup.CPU, extra=self.qemu()) + [
                "-kernel", built(setup.KERNEL + "/vmlinuz"), "-initrd", initrd, "-append", "console=ttyS0,115200"], directory)
        base = {"files": self.for_control(), "qemu": self.qemu(), "cpu": setup.CPU, "mem": setup.MEM}
        if self.system == "parvis":
            return Machine.parvis(name, control_config(extra=self.options), **base)
        more = {f"root/{kind}.cfg": XL.format(kind=kind, vcpus=1, at_end="destroy") for kind in XENS}
        more |= {f"root/{kind}-devices.cfg": more[f"root/{kind}.cfg"] + devices.OF_XL for kind in XENS}
        more |= {f"root/{name}-{kind}.cfg": XL_BENCH.format(name=name, kind=kind, words=words)
                 for kind in XENS for name, words in BENCHES.items()}
        base["files"] |= more
        return Machine.xen(name, xl=True, options=self.options, **base)

    @contextlib.contextmanager
    def running(self):
        """The machine, at its control domain's prompt; native: at the guest's."""
        self.took = 0
        with self.start() as self.machine:
            self.machine.shells_prompt = GUESTS_PROMPT if self.system == "native" else PROMPT
            self.first_prompt()
            if self.system != "native":
                self.machine.settle()
            if self.system == "xen":
                self.machine.shell("xl-up")
                self.version = self.machine.check("xl info", r"^xen_version +: (\S+)").group(1)
            if self.system == "parvis":
                self.machine.check(guest_xml(self.kind, "guest", kernel="/root/vmlinux", initrd="/root/ramdisk"))
            yield self

    def first_prompt(self):
        """Waits for it, unless somebody panics, after which nothing might happen any more."""
        prompt = self.machine.expect(rf"({self.machine.shells_prompt})|{PANICS}(.*)\n", 600)
        if not prompt.group(1):
            raise AssertionError("it does not start: " + prompt.group(2))

    # ---- from the control domain: a guest, which has the console from then on

    def command(self, of_both):
        return {"parvis": "pvctl ", "xen": "xl "}[self.system] + of_both

    def config(self, with_devices=False):
        more = "-devices" if with_devices else ""
        return f"/tmp/guest{more}.xml" if self.system == "parvis" else f"/root/{self.kind}{more}.cfg"

    def create_on_console(self, with_devices=False):
        return self.command("create " + ("--console " if self.system == "parvis" else "-c ") + self.config(with_devices))

    def create(self, with_devices=False):
        """Starts the guest; its shell has the console."""
        if self.system == "native":
            return
        m = self.machine
        begin = len(m.text)
        m.send(self.create_on_console(with_devices))
        prompt = m.expect(rf"({GUESTS_PROMPT})|{PROMPT}", 900)
        if not prompt.group(1):
            echo, *said = m.text[begin:prompt.start()].strip().splitlines()
            errors = [line for line in said if "error" in line]     # of xl's, which says more
            raise AssertionError("no guest came up: " + "\n".join(errors or said or [echo]))
        m.shells_prompt = GUESTS_PROMPT

    def destroy(self):
        self.machine.check(self.command("destroy " + self.name()), timeout=600)

    def name(self):
        return "guest" if self.system == "parvis" else self.kind

    def create_bench(self, name):
        """The command for one of BENCHES, whose console the terminal becomes."""
        return self.command(f"create --console /root/{name}.xml" if self.system == "parvis" else f"create -c /root/{name}-{self.kind}.cfg")

    def bench(self):
        """{operation: instructions} of pvguest's bench, in a guest of this kind; between two domains, in two."""
        found = figures(self.machine.shell(self.create_bench("bench"), 600)[1])
        self.machine.send(self.create_bench("answer"))
        peer = self.machine.expect(ANSWERS, 120)[1]
        self.leave()
        self.machine.check(f"sed -i 's/PEER/{peer}/' /root/between*")
        found |= figures(self.machine.shell(self.create_bench("between"), 600)[1])
        self.machine.check(self.command("destroy answer"), timeout=600)
        return found

    def leave(self):
        """Back to the control domain's shell; xl says nothing when it leaves a console, so that the prompt stands behind what the guest said."""
        self.machine.send(LEAVE, end="")
        self.machine.shells_prompt = PROMPT
        self.machine.send("")
        self.machine.prompt(120)

    def enter(self):
        """To the guest's shell: what its console said before may come once more, what it has not been asked yet cannot."""
        self.machine.send(self.command("console " + self.name()))
        self.entered += 1
        self.machine.send(f"echo entered $(({self.entered} * 7))")
        self.machine.expect(rf"^entered {self.entered * 7}\n", 120)
        self.machine.shells_prompt = GUESTS_PROMPT
        self.machine.prompt(120)

    # ---- what it tells

    def new_counts(self):
        """The lines that the plugin has written since this was asked last: one a run."""
        with open(self.counts, encoding="ascii") as file:
            lines = file.read().splitlines()
        self.took, begin = len(lines), self.took
        return lines[begin:]

    def counted(self):
        """{event: how often, until now}, of what the hypervisor counts of the guest."""
        self.leave()
        now = events(self.machine, "guest")
        self.enter()
        return now

    def free_kib(self):
        """Memory that no domain has; xl tells whole MiB."""
        if self.system == "parvis":
            return self.machine.told("info")["free_memory_kib"]
        return 1024 * int(self.machine.check("xl info", r"^free_memory +: (\d+)").group(1))

    def mitigations(self):
        """{who: [line]}: the guest's kernel, at whose shell this is, and the hypervisor below it."""
        told = {"guest": self.machine.shell(VULNERABILITIES)[1].split("\n")}
        if self.system == "parvis":
            self.leave()
            told["Parvis"] = self.machine.shell("pvctl info | grep -E '^(affected by|still open|mitigations)'")[1].split("\n")
            self.enter()
        if self.system == "xen":
            self.leave()
            told["Xen"] = self.machine.shell("xl dmesg | grep -A 12 'Speculative mitigation' | grep '(XEN)   '")[1].split("\n")
            self.enter()
        return {who: [line.strip() for line in lines if line.strip()] for who, lines in told.items()}


# What can be forced on the emulated CPU, and all of it.
PRICES = {**{name: name for name in HAVE}, "all": ",".join(HAVE)}
COLUMNS = [
    Column("native", "native", "native", "native"),
    Column("parvis-pv", "Parvis PV", "parvis", "pv"),
    Column("xen-pv", "Xen PV", "xen", "pv"),
    Column("parvis-hvm", "Parvis hvm", "parvis", "hvm"),
    Column("parvis-pvh", "Parvis PVH", "parvis", "pvh"),
    Column("xen-pvh", "Xen PVH", "xen", "pvh"),
    Column("parvis-pv-as-xen", "Parvis PV, measures as Xen's", "parvis", "pv", "spec-ctrl = no,retpoline,rsb\n"),
    Column("xen-pv-nospec", "Xen PV, spec-ctrl=no", "xen", "pv", "spec-ctrl=no"),
    Column("xen-pvh-nospec", "Xen PVH, spec-ctrl=no", "xen", "pvh", "spec-ctrl=no"),
    *(Column("price-" + key, "Parvis PV, " + key, "parvis", "pv", f"spec-ctrl = no,{words}\n", price=key) for key, words in PRICES.items()),
]
