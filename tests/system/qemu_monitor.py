# SPDX-License-Identifier: MIT
"""QEMU's monitor, for tests that look at the machine from outside or press its buttons, and its way in for debuggers, for those that stop
single CPUs."""
import json
import os
import re
import socket
import time

from machine import SCALE


def args(directory):
    """What QEMU needs to be told for the monitor, and a debugger, of a machine whose files are in this directory."""
    return ["-qmp", f"unix:{os.path.join(directory, 'qmp')},server=on,wait=off",
            "-chardev", f"socket,id=gdb,path={os.path.join(directory, 'gdb')},server=on,wait=off", "-gdb", "chardev:gdb"]


def connected(path):
    """To a socket of QEMU's, which may only just have been started. What is waited for there comes in a minute, or the test fails."""
    end = time.monotonic() + 10
    while True:
        try:
            stream = socket.socket(socket.AF_UNIX)
            stream.connect(path)
            stream.settimeout(60 * SCALE)
            return stream
        except (FileNotFoundError, ConnectionRefusedError):
            stream.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


class Monitor:
    """A connection: ask(command) gives what the command prints."""

    def __init__(self, directory):
        self.socket = connected(os.path.join(directory, "qmp"))
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


class Debugger:
    """A connection as gdb has it, by its remote protocol: stops the machine, and lets go on whom it names."""

    def __init__(self, directory):
        self.socket = connected(os.path.join(directory, "gdb"))
        self.send("qSupported:multiprocess+")
        self.send("?")
        self.until(b"$T05thread")

    def send(self, packet):
        data = packet.encode()
        self.socket.sendall(b"$%s#%02x" % (data, sum(data) % 256))

    def until(self, answer):
        """Takes in what QEMU says until this comes."""
        text = b""
        while answer not in text:
            more = self.socket.recv(4096)
            assert more, f"QEMU has ended, and did not say {answer} but {text}"
            self.socket.sendall(b"+" * more.count(b"$"))
            text += more
        return text

    def go_on(self, *cpus):
        """These CPUs go on, the others stand still; none named: all do."""
        self.send("vCont" + ("".join(f";c:p1.{cpu + 1:x}" for cpu in cpus) or ";c"))

    def break_at(self, *addresses):
        """Who comes there stops, and all with him."""
        for address in addresses:
            self.send(f"Z0,{address:x},1")
            self.until(b"$OK")

    def goes_through(self, address):
        """Nobody stops there any more."""
        self.send(f"z0,{address:x},1")
        self.until(b"$OK")

    def rip(self):
        """Of the CPU that has stopped: the 17th of its registers of 64 bits."""
        self.send("g")
        return int.from_bytes(bytes.fromhex(re.search(rb"\$([0-9a-f]{272})", self.until(b"#"))[1].decode()[256:]), "little")

    def run_to(self, cpu, address):
        """That CPU alone goes on, until it comes to this address."""
        self.break_at(address)
        self.go_on(cpu)
        self.until(b"$T05thread")
        self.goes_through(address)

    def stop(self):
        self.socket.sendall(b"\x03")
        self.until(b"$T02")
