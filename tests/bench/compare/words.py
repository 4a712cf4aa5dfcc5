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
PLAIN = {name: said for rows in FAMILIES.values() for name, said in rows.items()}
# {rows: what their figures need to be understood}.
NOTES = {
    ("clock_gettime",): "On Xen the kernel answers, by a system call, as there is no page with the clock that programs could read: Linux makes one only where Xen calls the TSC stable, "
                        "and Xen does so only when it is started with clocksource=tsc (here its clock is the HPET). Everywhere else programs read the clock by themselves.",
    ("nanosleep_1us",): "What is measured has the waiting in it, a tick each: Linux sleeps up to 50 microseconds longer than it is asked, and sets Xen's timer to no sooner than 100; hvm has a timer of its own. "
                        "The model has only what is executed meanwhile, also by the control domain and the scheduler when the CPU becomes idle.",
    ("fork_exec_exit", "vfork_exec_exit", "shell", "shell_loop"):
        "A program that starts executes CPUID 33 times, for its libc looks for what the CPU has. Fully virtualized each is an exit, which takes Xen thousands of instructions and Parvis hundreds.",
    ("hackbench",): "It wakes whom it likes: how often its processes switch depends on when each is woken, its spread is its own, and fully virtualized it can take fewer instructions than natively.",
}
# What the words of the reports mean.
GLOSSARY = {
    "Parvis": "the hypervisor that is measured here; Xen is the one that it is like.",
    "PV": "paravirtual: the guest's kernel knows of the hypervisor, runs without the CPU's privileges, and asks for what needs them.",
    "hvm, PVH": "fully virtualized: the CPU runs the guest's kernel with all privileges of a virtual CPU of its own; hvm has a PC's devices around it, PVH Xen's calls instead.",
    "exit, walk": "an exit is the CPU's change from a fully virtualized guest to the hypervisor; a walk is its look into page tables for an address that it does not remember.",
    "control domain": "the first guest, which creates the others and serves their disks and network cards.",
}
# The model's constants by plain names.
CONSTANTS = {
    "ipc": "instructions in a cycle", "syscall_pair": "a system call and its return", "exception_pair": "an exception and its return", "cr3": "a change of page tables",
    "cr4": "a flush of global pages", "invlpg": "a flush of one page", "vmrun": "an exit and its return", "cycles_of_a_miss": "a walk of page tables",
    "nested_factor": "how much longer a nested walk is", "small_pages": "whether the CPU splits large pages",
}


def notes(names):
    """[(rows, words)] of those of these rows that need them."""
    found = [([row for row in rows if row in names], said) for rows, said in NOTES.items()]
    return [(", ".join(rows), said) for rows, said in found if rows]


def families(names):
    """[(family, [(name, words)])] of rows' short names; one that is not known here is there with its name."""
    found = [(family, [(name, words) for name, words in rows.items() if name in names]) for family, rows in FAMILIES.items()]
    found.append((OTHER, [(name, name) for name in names if name not in PLAIN]))
    return [(family, rows) for family, rows in found if rows]
