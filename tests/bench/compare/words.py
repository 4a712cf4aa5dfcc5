# SPDX-License-Identifier: MIT
"""What rows are, for who has not read their programs: in families, each row in a few words."""
FAMILIES = {
    "System calls, signals, files": {
        "null_call": "a system call that does nothing",
        "clock_gettime": "read the clock",
        "read_1": "read a byte",
        "write_1": "write a byte",
        "signal": "a signal to itself, handled",
        "file_create_delete": "create and delete a file",
        "nanosleep_1us": "sleep for a microsecond"},
    "Memory": {
        "mmap_touch_munmap": "map a page, touch it, unmap it",
        "mmap_touch_munmap_alone": "the same, with page tables of its own",
        "mmap_touch_munmap_256": "the same, with 256 pages",
        "page_fault": "first touch of a page",
        "mprotect_pair": "protect a page, and back",
        "protection_fault": "a write that is forbidden, mended by the program",
        "mmap_file_64": "map 64 pages of a file, read, unmap"},
    "Processes and threads": {
        "fork_exit": "fork, exit, wait",
        "fork_copy_64": "the same, 64 pages copied on write",
        "fork_exec_exit": "fork, execute a program, exit",
        "vfork_exec_exit": "the same by vfork",
        "shell": "a shell that starts a program",
        "thread_create_join": "create a thread, join it"},
    "Switches and messages": {
        "pipe_round_trip": "a byte to another process and back",
        "switch_2p_0k": "switch, 2 processes",
        "switch_2p_64k": "switch, 2 processes with 64 KiB each",
        "switch_16p_0k": "switch, 16 processes",
        "switch_16p_64k": "switch, 16 processes with 64 KiB each",
        "udp_round_trip": "UDP to another process and back",
        "tcp_round_trip": "TCP to another process and back"},
    "Whole work": {
        "shell_loop": "80 programs, from a shell's loop",
        "tar_gzip": "tar and gzip of the kernel's modules",
        "find": "find in all files, 6 times",
        "small_programs": "pipelines of small programs",
        "hackbench": "many processes that send to each other"},
    "Disk and network, served by the control domain": {
        "disk_read_1m": "read 1 MiB from the disk",
        "disk_write_1m": "write 1 MiB to the disk",
        "disk_read_4k": "read 4 KiB from the disk",
        "disk_write_4k": "write 4 KiB to the disk",
        "net_send_1m": "send 1 MiB by TCP",
        "net_receive_1m": "receive 1 MiB by TCP"},
}
OTHER = "Others"


def families(names):
    """[(family, [(name, words)])] of rows' short names; one that is not known here is there with its name."""
    known = {name for rows in FAMILIES.values() for name in rows}
    found = [(family, [(name, words) for name, words in rows.items() if name in names]) for family, rows in FAMILIES.items()]
    found.append((OTHER, [(name, name) for name in names if name not in known]))
    return [(family, rows) for family, rows in found if rows]
