# SPDX-License-Identifier: MIT
"""How a machine ended, as one number: what run.py exits with and what Machine.wait() returns.

Two witnesses. The hypervisor writes how things went to QEMU's debug-exit port, when parvis.cfg names it; QEMU then exits with twice
that number plus one. For all else QEMU's exit status is 0, but its control protocol (QMP) says the reason as an event: switched
off, reset, told to quit. A chardev of type `pipe` takes ordinary files: the one command that QMP wants first lies in NAME.in, and
the events are in NAME.out when QEMU is gone.
"""
import json
import os

POWERED_OFF = 0
FAILED = 1          # QEMU, or whoever calls it, did not get so far
CRASHED = 3         # port value 1 (enum stop_kind, hypervisor/include/port/machine.h)
PANICKED = 5        # 2
NOT_STARTED = 7     # 3
ASKED_REBOOT = 9    # 4
RESET = 11
QUIT = 130          # as a shell says of Ctrl-C

SENTENCES = {
    POWERED_OFF: "powered off",
    FAILED: "QEMU was not started: see above",
    CRASHED: "crashed: see above",
    PANICKED: "hypervisor panic: see above",
    NOT_STARTED: "could not be started: see above",
    ASKED_REBOOT: "asked for a reboot",
    RESET: "the machine was reset, and the hypervisor did not do it: a triple fault?",
    QUIT: "QEMU was told to quit",
}
REASONS = {"guest-shutdown": POWERED_OFF, "guest-reset": RESET, "host-qmp-quit": QUIT, "host-signal": 143, "host-ui": QUIT}
DEBUG_EXIT_PORT = "0xf4"
DEBUG_EXIT = ["-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT},iosize=4"]


def sentence(status):
    """The end in a few words."""
    return SENTENCES.get(status) or f"killed by signal {status - 128}"


def witness_args(directory, orders=()):
    """QEMU's arguments so that status() knows; the files lie in this directory. orders: (command, arguments) of QMP, which it carries out first."""
    with open(os.path.join(directory, "qmp.in"), "w", encoding="utf-8") as commands:
        for command, arguments in (("qmp_capabilities", {}), *orders):
            commands.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    with open(os.path.join(directory, "qmp.out"), "w", encoding="ascii"):
        pass
    return ["-chardev", f"pipe,id=qmp,path={directory}/qmp", "-mon", "chardev=qmp,mode=control"]


def has_happened(what, directory):
    """Whether QEMU has told of this event."""
    with open(os.path.join(directory, "qmp.out"), encoding="utf-8") as events:
        return f'"event": "{what}"' in events.read()


def reason(directory):
    """Why QEMU ended, in its words; "" when it did not say."""
    found = ""
    with open(os.path.join(directory, "qmp.out"), encoding="utf-8") as events:
        for line in events:
            event = json.loads(line)
            if event.get("event") == "SHUTDOWN":
                found = event["data"]["reason"]
    return found


def status(returncode, directory):
    """The number for a QEMU that exited with `returncode` (negative: by a signal)."""
    if returncode < 0:
        return 128 - returncode
    if returncode:
        return returncode
    return REASONS.get(reason(directory), FAILED)
