# SPDX-License-Identifier: MIT
"""Disk and network of a guest, both served by its control domain: for kinds of guests that know of Xen, on both hypervisors.

The disk is 64 MiB of the control domain's memory, by way of a loop device, which pvctl makes itself and xl is given; the card is on its
bridge, where iperf3 listens. One CPU carries both domains: a figure is what guest, hypervisor and control domain execute together, of a
tick each, until it is done; so 10^9 by it is how often it is done in a second of the virtual clock.
"""
import rows

FILE = "/root/disk.img"
CONTROL, GUEST = "10.9.9.1", "10.9.9.2"
OF_PVCTL = (f'<disk type="file"><source file="{FILE}"/><target dev="xvda"/></disk>'
            '<interface type="bridge"><source bridge="xenbr0"/></interface>')
OF_XL = "disk=['phy:/dev/loop0,xvda,w']\nvif=['bridge=xenbr0']\n"


def serve(column):
    """The control domain has what a guest with devices wants of it."""
    m = column.machine
    m.check(f"dd if=/dev/zero of={FILE} bs=1M count=64 2>/dev/null && ip addr add {CONTROL}/24 dev xenbr0")
    if column.system == "parvis":
        m.check(f"sed 's#<devices>#<devices>{OF_PVCTL}#' {column.config()} >{column.config(with_devices=True)}")
    else:
        m.check("losetup /dev/loop0 " + FILE)
    m.check("! which iperf3 || iperf3 -s -D")


def transfers(column, name, options, mib, runs):
    """Each of so many transfers by iperf3; its server takes a moment between two."""
    for _ in range(runs):
        column.machine.check("sleep 1")
        yield rows.by_linux_ops(column, f"--time {name} 'iperf3 -c {CONTROL} {options} -n {mib}M >/dev/null'", 1, "io")["io." + name]


def per_mib(short, long):
    """What each long transfer takes beyond the short one, by MiB: connecting and ending are no part of it. Of what else is counted, what is rare
    may be more in the short one."""
    mib = rows.TRANSFERS[1] - rows.TRANSFERS[0]

    def beyond(row):
        events = {name: times - short["events"].get(name, 0) for name, times in row["events"].items()}
        assert row["median"] >= short["median"], f"{rows.TRANSFERS[1]} MiB took {row['median']} instructions, and {rows.TRANSFERS[0]} MiB {short['median']}"
        return {**rows.one(round((row["median"] - short["median"]) / mib), rows.UNIT),
                "events": {name: times / mib for name, times in events.items() if times > 0}}
    return rows.together([beyond(row) for row in long])


def network(column, runs):
    """A MiB each way by iperf3, where it is there."""
    if column.machine.shell("which iperf3")[0]:
        return {}
    column.machine.check(f"ip addr add {GUEST}/24 dev eth0; ip link set eth0 up; ping -c 1 {CONTROL}", "1 packets received")
    found = {}
    for name, options in rows.NETWORK.items():
        short, *long = (one for mib, times in zip(rows.TRANSFERS, (1, runs)) for one in transfers(column, name, options, mib, times))
        found["io." + name] = per_mib(short, long)
    return found


def measure(column, runs):
    """In a guest of its own, so that the other rows are of one without devices."""
    serve(column)
    column.create(with_devices=True)
    found = rows.by_linux_ops(column, " ".join(rows.DISK), runs, "io") | network(column, runs)
    column.leave()
    column.destroy()
    return found
