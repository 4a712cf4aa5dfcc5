# SPDX-License-Identifier: MIT
"""The rows: what is done in a guest, by linux-ops, and how its answer and the plugin's are read.

A row's name is GROUP.NAME. linux.*: an operation of linux-ops. work.*: a command, whole. bench.*: pvguest's bench. life.*: what the
toolstack does. Each row says its unit.
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
UNIT = "instructions"


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
