# SPDX-License-Identifier: MIT
"""Input that is there before anybody reads the serial line, held back until somebody does.

A pipe has its commands at once. What a serial line takes before it is set up is lost, as setting it up empties it: one byte, or, while
firmware has the line, as much as the firmware cares to read. So the machine's input is a pipe of ours, and what stands on our own input goes
there from the moment on when the hypervisor has the line. It says so itself, by its first words. What the line says is seen by way of QEMU's
log of it, in a FIFO: the line's own output is untouched.
"""
import contextlib
import os
import re
import threading

# Whoever starts the hypervisor by QEMU's -kernel, its words are the first; else they come behind these ones of the loader's.
BY_ITSELF = re.compile(rb"\S")
BEHIND_FIRMWARE = re.compile(rb"what follows is on the serial port[^\n]*\n\s*\S")

# Firmware that starts nothing may go on saying so for as long as the machine runs: of what was said before only so much is looked at again.
KEPT = 4096


def line_args(directory):
    """QEMU's first serial line, on its standard input and output."""
    path = os.path.join(directory, "said")
    os.mkfifo(path)
    return ["-chardev", f"stdio,id=console,logfile={path.replace(',', ',,')}", "-serial", "chardev:console"]


def copy(line):
    """Our input to the machine's, to its end."""
    with contextlib.suppress(BrokenPipeError), line:     # the machine has ended
        while data := os.read(0, 4096):
            line.write(data)
            line.flush()


def follow(said, line, sign):
    """Reads what the line says, and begins to copy when it is the hypervisor that speaks."""
    text = b""
    while data := os.read(said, 65536):
        if line and sign.search(text := text[-KEPT:] + data):
            threading.Thread(target=copy, args=(line,), daemon=True).start()
            line = None


def hold(directory, line, sign):
    """For a machine that was started with line_args(); line: its standard input, a pipe."""
    said = os.open(os.path.join(directory, "said"), os.O_RDWR)     # for writing too: it never ends
    threading.Thread(target=follow, args=(said, line, sign), daemon=True).start()
