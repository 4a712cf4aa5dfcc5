# SPDX-License-Identifier: MIT
"""The rows: what is done in a guest, by linux-ops, and how its answer and the plugin's are read.

A row's name is GROUP.NAME. linux.*: an operation of linux-ops. work.*: a command, whole. bench.*: pvguest's bench. life.*: what the
toolstack does. io.*: a disk and a network card of a guest, served by its control domain. Each row says its unit.
"""
import re

RUNS = 3
OP = re.compile(r"^op (\S+) (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)
LINUX = ("null_call", "clock_gettime", "read_1", "write_1", "signal", "file_create_delete", "nanosleep_1us", "mmap_touch_munmap",
         "mmap_touch_munmap_alone", "mmap_touch_munmap_256", "page_fault", "mprotect_pair", "protection_fault", "mmap_file_64", "fork_exit",
         "fork_copy_64", "fork_exec_exit", "vfork_exec_exit", "shell", "thread_create_join", "pipe_round_trip", "switch_2p_0k", "switch_2p_64k",
         "switch_16p_0k", "switch_16p_64k", "udp_round_trip", "tcp_round_trip")
# What the guest's initramfs has: busybox, its modules; the rest in build/bench/guest-files.
WORK = {
    "shell_loop": "i=0; while [ $i -lt 40 ]; do /bin/true; env true; i=$((i+1)); done",
    "tar_gzip": "tar c /usr/lib/modules | gzip -1 >/dev/null",
    "find": "for i in 1 2 3 4 5 6; do find /usr -type f; done >/dev/null",
    "small_programs": "i=0; while [ $i -lt 15 ]; do seq 300 | sed s/1/one/ | awk '{ n += length($0) } END { print n }' >/tmp/$i.o; i=$((i+1)); done; "
                      "cat /tmp/*.o | sort | uniq -c | md5sum >/tmp/all",
    "hackbench": "hackbench -p -g 1 -l 30 >/dev/null",
}
# 1m: of a MiB; 4k: of 4 KiB.
DISK = ("disk_read_1m", "disk_write_1m", "disk_read_4k", "disk_write_4k")
NETWORK = {"net_send_1m": "", "net_receive_1m": "-R"}    # options of iperf3
TRANSFERS = (8, 40)     # MiB, of its short transfer and its long ones
LIFE = ("boot_to_shell", "create", "first_line", "destroy", "memory_beside")
UNIT = "instructions"
NAMES = {"linux": LINUX, "work": tuple(WORK), "bench": (), "life": LIFE, "io": (*DISK, *NETWORK)}    # bench's are the program's


def unknown(chosen):
    """What of these is neither a group, nor a row by its name or by both."""
    known = {*NAMES, *(name for names in NAMES.values() for name in names), *(f"{group}.{name}" for group, names in NAMES.items() for name in names)}
    return [each for each in chosen if each not in known and not each.startswith("bench.")]


class Choice:
    """The rows that are measured, of a column that has those of these groups: all of them, or those that were chosen."""

    def __init__(self, names=(), groups=tuple(NAMES)):
        self.names, self.groups = set(names), groups

    def has(self, row):
        """A row, GROUP.NAME."""
        group, _, name = row.partition(".")
        return group in self.groups and (not self.names or not self.names.isdisjoint({group, name, row}))

    def some_of(self, group):
        return group in self.groups and (not self.names or any(self.has(f"{group}.{name}") for name in ("", *NAMES[group])) or
                                         any(name.startswith(group + ".") for name in self.names))


def one(value, unit):
    """A figure that was had once."""
    return of([value], unit)


def of(each, unit):
    return {"unit": unit, "least": min(each), "median": sorted(each)[len(each) // 2], "most": max(each)}


def measured(text):
    """{name: (figures, times)} of the lines of linux-ops."""
    return {name: ({"unit": UNIT, "least": int(least), "median": int(median), "most": int(most)}, int(times))
            for name, least, median, most, times in OP.findall(text)}


def events_of(lines, times):
    """{name: times an operation} of the plugin's lines, one a run."""
    total = {}
    for line in lines:
        for name, _, count in (pair.partition("=") for pair in line.split()):
            total[name] = total.get(name, 0) + int(count)
    return {name: round(count / (times * len(lines)), 4) for name, count in total.items() if count}


def together(each):
    """One row of several, of a run each."""
    names = dict.fromkeys(name for row in each for name in row["events"])
    return {**of([row["median"] for row in each], each[0]["unit"]),
            "events": {name: round(sum(row["events"].get(name, 0) for row in each) / len(each), 4) for name in names}}


def by_linux_ops(column, arguments, runs, group):
    """{row: figures} of what linux-ops answers in the shell that has the console."""
    status, text = column.machine.shell(f"/usr/bin/linux-ops --runs {runs} {arguments}", 3000)
    lines, found = column.new_counts(), {}
    for number, (name, (figures, times)) in enumerate(measured(text).items()):
        found[f"{group}.{name}"] = {**figures, "events": events_of(lines[number * runs:(number + 1) * runs], times)}
    if status or len(lines) != len(found) * runs:
        raise AssertionError(f"linux-ops {arguments} ended with {status}, and the plugin saw {len(lines)} runs of {len(found)} operations:\n{text}")
    return found
