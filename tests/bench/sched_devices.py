#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a neighbour takes from a well-behaved domain by its disk and its network card, on Parvis and on Xen.

    sched_devices.py [COLUMN ...]      parvis-pv, xen-pv: both

On one CPU are the control domain, a Linux that works on its disk or its card without an end, and pvguest's `load`, which computes for a
window of virtual time and says how much of the CPU it had. All three have the same weight. A neighbour that only computes leaves it a half;
one whose requests the control domain computes for has two domains of three at work for it, and the well-behaved one is due a third at least.
The machine, the control domain and the guests are the same on both hypervisors; time is counted in instructions, as in sched.py.

Ends with 1 where it got less than its third on Parvis, beyond what sched.py allows, or a neighbour did nothing.
"""
import os
import re
import sys

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("compare", "../system")]
import columns  # noqa: E402
import devices  # noqa: E402
from machine import PROMPT, Timeout, built  # noqa: E402 (the harness lives with the system tests)
from measured import ICOUNT, say  # noqa: E402
from sched import LINE, LOSS_LIMIT  # noqa: E402

BEGIN_MS, WINDOW_MS = 500, 2000
VICTIM = f"name=good from_start=1 begin={BEGIN_MS} end={BEGIN_MS + WINDOW_MS}"
OF_PVCTL = (f"<domain type='xen'><name>good</name><memory unit='MiB'>16</memory><vcpu>1</vcpu><os><type>linux</type><kernel>/root/load</kernel>"
            f"<cmdline>{VICTIM}</cmdline></os><on_poweroff>destroy</on_poweroff></domain>")
OF_XL = f'name="good"\nmemory=16\nvcpus=1\ntsc_mode="native"\nkernel="/root/load"\nextra="{VICTIM}"\non_poweroff="destroy"\n'
SEND, RECEIVE = 5101, 5102
# What the neighbour does again and again, and where the control domain counts what came of it, in which unit.
CARD = "cat /sys/class/net/vif*.0/statistics/{}"
STRESSORS = {
    "nothing": ("sleep 1", None, 0),
    "computing": (":", None, 0),
    "reading its disk": ("dd if=/dev/xvda of=/dev/null bs=128k iflag=direct", "awk '{ print $3 }' /sys/block/loop0/stat", 512),
    "writing its disk": ("dd if=/dev/zero of=/dev/xvda bs=128k oflag=direct", "awk '{ print $7 }' /sys/block/loop0/stat", 512),
    "sending": (f"nc {devices.CONTROL} {SEND} </dev/zero", CARD.format("rx_bytes"), 1),
    "receiving": (f"nc {devices.CONTROL} {RECEIVE} </dev/null", CARD.format("tx_bytes"), 1),
}
FAIR = 1 / 3


class Column(columns.Column):
    """A machine of the comparison, without what counts events there, and with the well-behaved domain in its control domain."""

    def qemu(self):
        return ICOUNT

    def for_control(self):
        with open(built("pvguest/load"), "rb") as load:
            return {**super().for_control(), "root/load": load.read(), "root/good.xml": OF_PVCTL, "root/good.cfg": OF_XL}

    def leave(self):
        """As there; a key may be lost where the CPU is busy, and is pressed again then."""
        self.machine.shells_prompt = PROMPT
        for patience in (20, 20, 120):
            self.machine.send(columns.LEAVE, end="")
            self.machine.send("")
            try:
                self.machine.prompt(patience)
                return
            except Timeout as late:
                last = late
        raise last

    def counted_bytes(self, stressor):
        """What the neighbour has moved until now."""
        _, count, unit = STRESSORS[stressor]
        return int(self.machine.check(count, r"^\s*(\d+)$").group(1)) * unit if count else 0

    def uptime(self):
        return float(self.machine.check("cut -d ' ' -f 1 /proc/uptime", r"^(\d+\.\d+)$").group(1))

    def share_beside(self, stressor):
        """(the part of the CPU that the well-behaved domain had, MiB that the neighbour moved a second, from before its start until after its end)."""
        self.enter()
        self.machine.check(f"(while :; do {STRESSORS[stressor][0]}; done) >/dev/null 2>&1 & echo $! >/tmp/stressor")
        self.leave()
        before, since = self.counted_bytes(stressor), self.uptime()
        create = "create --console /root/good.xml" if self.system == "parvis" else "create -c /root/good.cfg"
        _, text = self.machine.shell(self.command(create), 1800)
        moved = (self.counted_bytes(stressor) - before) / (self.uptime() - since)
        found = dict(LINE.findall(text)).get("good")
        assert found, text
        self.enter()
        self.machine.check("kill $(cat /tmp/stressor); killall dd nc 2>/dev/null; sleep 1", status=0)
        self.leave()
        return int(re.search(r"share=(\d+)", found).group(1)) / 1e6, moved / (1 << 20)


def measure(column):
    """{stressor: (share, MiB)}."""
    with column.running():
        m = column.machine
        devices.serve(column)
        m.check(f"nc -ll -p {SEND} -e sh -c 'exec cat >/dev/null' >/dev/null 2>&1 &  nc -ll -p {RECEIVE} -e cat /dev/zero >/dev/null 2>&1 & sleep 0")
        column.create(with_devices=True)
        m.check(f"ip addr add {devices.GUEST}/24 dev eth0; ip link set eth0 up; ping -c 1 {devices.CONTROL}", "1 packets received")
        column.leave()
        found = {}
        for stressor in STRESSORS:
            say(f"{column.title}: beside a neighbour {stressor}")
            found[stressor] = column.share_beside(stressor)
        return found


def main():
    known = {"parvis-pv": ("Parvis PV", "parvis"), "xen-pv": ("Xen PV", "xen")}
    wanted = sys.argv[1:] or list(known)
    if any(key not in known for key in wanted):
        raise SystemExit(f"sched_devices.py: knows {', '.join(known)}")
    found = {key: measure(Column(key, *known[key], "pv")) for key in wanted}
    print("what the well-behaved domain had of the CPU, and MiB that the neighbour moved a second, from before it was made until it was gone")
    good = True
    for stressor in STRESSORS:
        cells = [f"{title} {found[key][stressor][0]:.3f} {found[key][stressor][1]:5.0f}" for key, (title, _) in known.items() if key in found]
        ratio = f"; ratio {found['parvis-pv'][stressor][0] / found['xen-pv'][stressor][0]:.2f}" if len(found) == 2 else ""
        print(f"  {stressor:18} " + "  ".join(f"{cell:24}" for cell in cells) + ratio, flush=True)
        share, moved = found.get("parvis-pv", {}).get(stressor, (1, 1))
        if share < FAIR * (1 - LOSS_LIMIT) or (STRESSORS[stressor][1] and moved < 0.1):
            good = False
            print(f"    WRONG: it is due {FAIR:.3f} at least, and the neighbour works")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
