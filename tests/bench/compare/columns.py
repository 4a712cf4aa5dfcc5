# SPDX-License-Identifier: MIT
"""The columns: on what the same guest runs, how each is started, and how its shell and its toolstack are reached in turn.

Each has the same kernel and the same initramfs in a machine of its own, of one CPU. A guest's control domain does nothing meanwhile. There
is no column of Xen's HVM: it needs a device model (QEMU in the control domain), which Parvis's control domain has not, and it would be
Xen PVH with a BIOS in front, as far as these rows go.

Xen is there twice, as Debian configures it and with spec-ctrl=no, and so is Parvis's PV: measures against speculation cost some instructions at each entry,
and which of them a hypervisor chooses for the emulated CPU is not the same. With none on either side like is held against like.
"""
import contextlib
import os
import sys

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("..", "../../system")]
from machine import BUILD, PROMPT, Machine, base_args, built, control_config, with_files  # noqa: E402 (the harness lives with the system tests)
from measured import ICOUNT, XENS, XL, XL_BENCH, events, figures, guest_xml, ramdisk  # noqa: E402

GUESTS_PROMPT = r"^guest# "
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
    """What the guest's initramfs gets beside its own."""
    folder = built("bench/guest-files")
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    with open(built("bench/linux-ops"), "rb") as program:
        return {**found, "usr/bin/linux-ops": program.read(), "etc/console-shell": SHELL}


def content(path):
    with open(built(path), "rb") as file:
        return file.read()


class Column:
    """One of them. `machine` is there between the begin and the end of running()."""

    MEMORY_KIB = 256 * 1024     # a guest's, by XL and by the samples for pvctl

    def __init__(self, key, title, system, kind, options=""):
        self.key, self.title, self.system, self.kind, self.options = key, title, system, kind, options
        self.machine = None
        self.took = 0       # of what the plugin wrote, so many lines
        self.entered = 0    # times
        self.counts = os.path.join(BUILD, "bench", key + ".events")    # the plugin's

    def qemu(self):
        os.makedirs(os.path.dirname(self.counts), exist_ok=True)
        return [*ICOUNT, "-plugin", f"{built('bench/events_plugin.so')},out={self.counts}"]

    def for_control(self):
        """The same files for both toolstacks: the kernel is unpacked, so that creating a guest is not unpacking a kernel."""
        return {"root/ramdisk": ramdisk(files()), "root/vmlinux": content("dom0/vmlinux"),
                "usr/bin/linux-ops": content("bench/linux-ops"), "root/bench": content("pvguest/bench"),
                **{f"root/{name}.xml": BENCH_XML.format(name=name, type=TYPES.get(self.kind), words=words) for name, words in BENCHES.items()}}

    def start(self):
        name = "compare-" + self.key
        if self.system == "native":
            directory = Machine.scratch()
            initrd = with_files(directory, files(), built("dom0/guest-initramfs.cpio.gz"))
            return Machine(name, base_args(mem="256", extra=self.qemu()) + ["-kernel", built("dom0/vmlinuz"), "-initrd", initrd,
                                                                            "-append", "console=ttyS0,115200"], directory)
        if self.system == "parvis":
            return Machine.parvis(name, control_config(extra=self.options), files=self.for_control(), qemu=self.qemu())
        more = {f"root/{kind}.cfg": XL.format(kind=kind, vcpus=1, at_end="destroy") for kind in XENS}
        more |= {f"root/{name}-{kind}.cfg": XL_BENCH.format(name=name, kind=kind, words=words)
                 for kind in XENS for name, words in BENCHES.items()}
        more |= {**self.for_control()}
        return Machine.xen(name, files=more, xl=True, options=self.options, qemu=self.qemu())

    @contextlib.contextmanager
    def running(self):
        """The machine, at its control domain's prompt; native: at the guest's."""
        self.took = 0
        with self.start() as self.machine:
            if self.system == "native":
                self.machine.shells_prompt = GUESTS_PROMPT
                self.machine.prompt(600)
            else:
                self.machine.prompt(600)
                self.machine.settle()
            if self.system == "xen":
                self.machine.shell("xl-up")
            if self.system == "parvis":
                self.machine.check(guest_xml(self.kind, "guest", kernel="/root/vmlinux", initrd="/root/ramdisk"))
            yield self

    # ---- from the control domain: a guest, which has the console from then on

    def command(self, of_both):
        return {"parvis": "pvctl ", "xen": "xl "}[self.system] + of_both

    def create(self):
        """Starts the guest; its shell has the console."""
        if self.system == "native":
            return
        where = "/tmp/guest.xml" if self.system == "parvis" else f"/root/{self.kind}.cfg"
        self.machine.send(self.command("create " + ("--console " if self.system == "parvis" else "-c ") + where))
        self.machine.shells_prompt = GUESTS_PROMPT
        self.machine.prompt(900)

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


COLUMNS = [
    Column("native", "native", "native", "native"),
    Column("parvis-pv", "Parvis PV", "parvis", "pv"),
    Column("xen-pv", "Xen PV", "xen", "pv"),
    Column("parvis-hvm", "Parvis hvm", "parvis", "hvm"),
    Column("parvis-pvh", "Parvis PVH", "parvis", "pvh"),
    Column("xen-pvh", "Xen PVH", "xen", "pvh"),
    Column("parvis-pv-nospec", "Parvis PV, spec-ctrl = no", "parvis", "pv", "spec-ctrl = no\n"),
    Column("xen-pv-nospec", "Xen PV, spec-ctrl=no", "xen", "pv", "spec-ctrl=no"),
    Column("xen-pvh-nospec", "Xen PVH, spec-ctrl=no", "xen", "pvh", "spec-ctrl=no"),
]
