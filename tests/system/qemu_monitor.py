# SPDX-License-Identifier: MIT
"""QEMU's monitor, for tests that look at the machine from outside or press its buttons."""
import json
import os
import socket


def args(directory):
    """What QEMU needs to be told for the monitor of a machine whose files are in this directory."""
    return ["-qmp", f"unix:{os.path.join(directory, 'qmp')},server=on,wait=off"]


class Monitor:
    """A connection: ask(command) gives what the command prints."""

    def __init__(self, directory):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.path.join(directory, "qmp"))
        self.stream = self.socket.makefile("rw")
        self.stream.readline()
        self.execute("qmp_capabilities")

    def send(self, command, **arguments):
        """Waits for no answer: what ends the machine may not be answered."""
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()

    def execute(self, command, **arguments):
        self.send(command, **arguments)
        while True:
            answer = json.loads(self.stream.readline())
            if "event" not in answer:
                return answer["return"]

    def ask(self, command):
        return self.execute("human-monitor-command", **{"command-line": command})
