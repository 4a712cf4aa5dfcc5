#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Bad input to the toolstack: every mistake gets one line that names its cause, an exit status that is not 0, and leaves
nothing behind. Broken domain files, kernels that are none, memory that is not there, names that are taken or unknown.
"""
import gzip
import re
import sys

import booted
from machine import Machine, built, run_tests

machine = None
# two ROUNDS 'COMMAND' 'COMMAND': at once, the second a little later each time; what they say, and how each ends. No domain is left.
TWO = """#!/bin/bash
for i in $(seq 1 $1); do
    case "$2" in create*) ;; *) pvctl create /bad/good.xml >/dev/null || echo "cannot begin: $?";; esac
    timeout -s KILL 60 pvctl $2 >/dev/null & one=$!
    usleep $(((i - 1) * 15000))
    timeout -s KILL 60 pvctl $3 >/dev/null; two=$?
    wait $one; echo "ended $? $two"
    pvctl destroy bad 2>/dev/null; pvctl domid bad 2>/dev/null && echo "is left"
done
"""
# A domain's end or beginning, and what else may come at that moment.
AT_ONCE = [("destroy bad", other) for other in ("destroy bad", "pause bad", "unpause bad", "pin bad 0 0", "sched bad --weight 99", "mem-set bad 8M", "shutdown bad",
                                               "rename bad worse", "dumpxml bad", "dominfo bad", "attach-disk bad /bad/other xvdb", "attach-interface bad", "list", "stats")]
AT_ONCE += [("create /bad/good.xml", other) for other in ("destroy bad", "pause bad", "pin bad 0 0", "rename bad worse", "attach-disk bad /bad/other xvdb", "list", "shutdown bad")]
HELLO = """<domain type='xen'>
  <name>{name}</name>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='xenpv'>linux</type>
    <kernel>{kernel}</kernel>
  </os>
  <devices>
    <console type='pty'><target type='xen' port='0'/></console>
  </devices>
</domain>
"""


def xml(name="bad", memory="16", kernel="/var/lib/parvis/hello"):
    return HELLO.format(name=name, memory=memory, kernel=kernel)


def elf32(image):
    """The same file, calling itself 32-bit."""
    return image[:4] + b"\x01" + image[5:]


def without_notes(image):
    """The same file with its Xen notes' owner changed: an ELF kernel without notes."""
    return image.replace(b"Xen\0", b"Nex\0")


def bad_files():
    """All files that the tests use, by the path in the control domain."""
    with open(built("pvguest/hello"), "rb") as kernel:
        hello = kernel.read()
    with open(built("dom0/vmlinuz"), "rb") as kernel:
        vmlinuz = kernel.read()
    kernels = {"empty": b"", "text": b"this is no kernel\n" * 100, "truncated": hello[:3000], "elf32": elf32(hello),
               "nonotes": without_notes(hello), "halfbz": vmlinuz[:len(vmlinuz) // 2],
               "bomb": gzip.compress(b"\x7fELF\x02" + bytes(64 << 20)), "garbledbz": vmlinuz[:0x8000] + bytes(0x4000) + vmlinuz[0xc000:]}
    files = {f"bad/{name}": content for name, content in kernels.items()}
    files.update({f"bad/{name}.xml": xml(kernel=f"/bad/{name}") for name in kernels})
    good = xml()
    files.update({
        "bad/two": TWO,
        "bad/missing.xml": xml(kernel="/bad/is-not-there"),
        "bad/directory.xml": xml(kernel="/bad"),
        "bad/small.xml": xml(memory="4", kernel="/var/lib/parvis/vmlinuz"),
        "bad/huge.xml": xml(memory="1000000"),
        "bad/broken.xml": good.replace("</name>", "<name>"),
        "bad/cut.xml": good[:len(good) // 2],
        "bad/nothing.xml": "",
        "bad/element.xml": good.replace("<vcpu>1</vcpu>", "<vcpu>1</vcpu><banana/>"),
        "bad/value.xml": good.replace("<vcpu>1<", "<vcpu>many<"),
        "bad/unit.xml": good.replace("'MiB'", "'stone'"),
        "bad/type.xml": good.replace("type='xen'", "type='kvm'", 1),
        "bad/noname.xml": good.replace("<name>bad</name>", ""),
        "bad/initrd.xml": xml(memory="4").replace("</kernel>", "</kernel><initrd>/var/lib/parvis/vmlinuz</initrd>"),
        "bad/good.cfg": "\n".join(('name = "bad"', "memory = 16", 'kernel = "/var/lib/parvis/hello"', "vnc = 1", "")),
        "bad/vcpu.cfg": "\n".join(('name = "bad"', "memory = 16", "vcpu = 1", 'kernel = "/bad"', 'on_crash = "explode"', "")),
        "bad/elsewhere.xml": good.replace("</devices>", "<graphics type='vnc'/><input type='mouse' bus='xen'/></devices>")
                                 .replace("<vcpu>", "<cpu mode='host-model'/><vcpu placement='auto'>"),
        "bad/passed.xml": good.replace("</devices>", "<hostdev mode='subsystem' type='pci'/></devices>"),
        "bad/good.xml": good.replace("<memory unit='MiB'>16<", "<memory unit='MiB'>\n  16\n  <")})
    disk = "<disk type='file'><source file='/bad/{}'/><target dev='xvda'/>{}</disk></devices>"
    for name, path, more in (("one", "disk", ""), ("two", "disk", ""), ("hard", "hard", "<readonly/>"), ("soft", "soft", ""),
                             ("other", "other", "")):
        files[f"bad/d-{name}.xml"] = xml(name).replace("</devices>", disk.format(path, more))
    files.update({"bad/disk": bytes(4096), "bad/other": bytes(4096)})
    return files


# what is created, and what the one line must name
CREATES = [
    ("/bad/empty.xml", r"(?i)empty"), ("/bad/text.xml", r"(?i)not a kernel|not.*ELF"), ("/bad/truncated.xml", r"(?i)truncated|beyond|ends"),
    ("/bad/elf32.xml", r"32-bit"), ("/bad/nonotes.xml", r"(?i)note"), ("/bad/halfbz.xml", r"(?i)truncated"),
    ("/bad/garbledbz.xml", r"(?i)/bad/garbledbz"), ("/bad/missing.xml", r"(?i)is-not-there.*no such file"),
    ("/bad/directory.xml", r"(?i)regular file|directory"), ("/bad/small.xml", r"vmlinuz.* 4096 KiB"), ("/bad/huge.xml", r"(?i)memory"),
    ("/bad/broken.xml", r"broken\.xml:\d+"), ("/bad/cut.xml", r"cut\.xml:\d+"), ("/bad/nothing.xml", r"(?i)nothing\.xml.*empty"),
    ("/bad/element.xml", r"element\.xml:4.*banana"), ("/bad/value.xml", r"value\.xml:4.*(vcpu|many)"),
    ("/bad/unit.xml", r"unit\.xml:3.*(unit|stone)"), ("/bad/type.xml", r"type\.xml:1.*(kvm|type)"),
    ("/bad/noname.xml", r"noname\.xml.*name"), ("/bad/no-such-file.xml", r"(?i)no-such-file\.xml.*no such file"),
    ("/bad/bomb.xml", r"/bad/bomb: .* \d{5} bytes unpacks to more than 16384 KiB"),
    ("/bad/passed.xml", r"passed\.xml:\d+: <hostdev>: no device"), ("/bad/vcpu.cfg", r"vcpu\.cfg:3: vcpu: unknown key; did you mean vcpus"),
    ("--strict /bad/good.cfg", r"good\.cfg:4: vnc: "),
    ("/bad/initrd.xml", r"vmlinuz: a file of \d+ bytes; no more than 4096 KiB fit"), ("", r"(?i)create"),
]
COMMANDS = [
    ("pvctl destroy nobody", r"nobody"), ("pvctl console nobody", r"nobody"), ("pvctl pause nobody", r"nobody"),
    ("pvctl unpause nobody", r"nobody"), ("pvctl shutdown nobody", r"nobody"), ("pvctl dominfo nobody", r"nobody"),
    ("pvctl dumpxml nobody", r"nobody"), ("pvctl destroy Domain-0", r"cannot destroy itself"),
    ("pvctl reboot Domain-0", r"cannot reboot itself"),
    ("pvctl fly", r"fly"), ("pvctl list --banana", r"banana"), ("pvctl help fly", r"fly"),
]


def refused(command, pattern):
    """One line that matches, and a status that is not 0."""
    status, text = machine.shell(command)
    lines = [line for line in text.splitlines() if line.strip()]
    assert status != 0, f"`{command}` was accepted:\n{text}"
    assert len(lines) <= 2, f"`{command}` took {len(lines)} lines:\n{text}"
    machine.check(f"{command} 2>&1", pattern, status=status)


def free():
    return machine.told("info")["free_memory_kib"]


def creates_are_refused():
    """Broken, truncated or unknown XML; kernels that are none; memory that is not there."""
    machine.prompt()
    machine.settle()
    machine.check("pvctl create /bad/good.xml && pvctl destroy bad", "")
    before = free()
    problems = []
    for path, pattern in CREATES:
        try:
            refused(f"pvctl create {path}", pattern)
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)
    assert free() == before, "memory was leaked by a create that failed"
    machine.check("pvctl list | wc -l", r"^2$")
    machine.check("xenstore-list /local/domain", r"^0$")


def files_of_others_are_taken():
    """libvirt's words beside what has a meaning, and xl's format, from a file and from standard input."""
    machine.check("pvctl create /bad/elsewhere.xml 2>&1 && pvctl dumpxml bad && pvctl destroy bad",
                  r"elsewhere\.xml:\d+: note: <cpu>: (.|\n)*note: <graphics>: (.|\n)*bad: domain \d+(.|\n)*<name>bad</name>")
    machine.check("pvctl create - 2>&1 < /bad/good.cfg && pvctl dumpxml bad && pvctl destroy bad",
                  r"standard input:4: note: vnc: (.|\n)*<kernel>/var/lib/parvis/hello</kernel>")
    machine.check("pvctl check /bad/good.xml /bad/good.cfg 2>/dev/null", r"good\.xml: bad, kind pv(.|\n)*good\.cfg: bad, kind pv")
    machine.check("pvctl check /bad/vcpu.cfg 2>&1", r"vcpu\.cfg:3: vcpu(.|\n)*vcpu\.cfg:5: on_crash: 'explode'", status=4)


def commands_are_refused():
    """Unknown domains, verbs, options; the control domain itself."""
    problems = []
    for command, pattern in COMMANDS:
        try:
            refused(command, pattern)
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


def names_are_unique():
    """A second domain of the same name is refused, and the first is unharmed."""
    machine.check("pvctl create /etc/parvis/hello.xml", "")
    refused("pvctl create /etc/parvis/hello.xml", r"hello.*(exists|taken|already)")
    machine.check("pvctl list | grep -c hello", r"^1$")


def two_at_once():
    """Two pvctl at one moment on one domain: each does its work or says in one line why not, and the domain is whole or gone."""
    machine.check("pvctl destroy hello")
    before, problems = free(), []
    _, text = machine.shell("bash /bad/two 4 'create /bad/good.xml' 'create /bad/good.xml' 2>&1", timeout=300)
    if sorted(re.findall(r"^ended (.*)$", text, re.MULTILINE)) not in [sorted(["0 1"] * n + ["1 0"] * (4 - n)) for n in range(5)]:
        problems.append(f"of two creates not one was made:\n{text}")
    for one, two in AT_ONCE:
        _, text = machine.shell(f"bash /bad/two 4 '{one}' '{two}' 2>&1", timeout=300)
        ends = re.findall(r"^ended ([0-6]) ([0-6])$", text, re.MULTILINE)
        said = [line for line in text.splitlines() if not line.startswith("ended ")]
        if len(ends) != 4 or len(said) > 8 or any(not line.startswith("pvctl: ") for line in said):
            problems.append(f"{one} and {two}:\n{text}")
        machine.shell("pvctl destroy worse")
    assert not problems, "\n".join(problems)
    machine.check("pvctl list | wc -l", r"^2$")
    machine.check("xenstore-list /local/domain", r"^0$")
    assert free() == before, f"{before - free()} KiB are missing"
    machine.check("pvctl create /etc/parvis/hello.xml")


def disks_have_one_writer():
    """A disk that a live domain may write is no other's, by none of its names; another disk is free to take."""
    machine.check("modprobe loop; ln /bad/disk /bad/hard; ln -s disk /bad/soft; pvctl create /bad/d-one.xml", "")
    for name in ("two", "hard", "soft"):
        refused(f"pvctl create /bad/d-{name}.xml", rf"{name}: <disk> 'xvda': /bad/\w+ is in use by domain \d+ \(one\)")
    machine.check("pvctl create /bad/d-other.xml && pvctl destroy other && pvctl destroy one && pvctl create /bad/d-two.xml", "")
    machine.check("pvctl destroy two", "")


def consoles_are_single():
    """While one console is attached, a second one is refused, naming the reason."""
    machine.check("(sleep 20 | pvctl console hello >/dev/null 2>&1) & usleep 500000; pvctl console hello </dev/null; echo status $?",
                  r"(?is)(attached|in use|busy|another).*status [1-9]")
    machine.check("pvctl destroy hello", "")


def main():
    global machine
    xen = "--xen" in sys.argv
    with (Machine.xen if xen else booted.control_domain)("bad-domains-xen" if xen else "bad-domains", files=bad_files()) as machine:
        run_tests(creates_are_refused, files_of_others_are_taken, commands_are_refused, names_are_unique, two_at_once, disks_have_one_writer, consoles_are_single, machine.ends_well)


if __name__ == "__main__":
    main()
