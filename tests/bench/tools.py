#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long the toolstack's commands take, in virtual milliseconds, with few and with many domains; xl on Xen beside it.

-icount shift=1,sleep=off: an instruction is two nanoseconds, and waits take none, so the figures say what the whole machine executed
from the command's fork to its end: the command, xenstored, parvisd, the control domain's kernel, the hypervisor. `pvctl` is beyond what
`pvctl --version` takes in the same run, as starting any program costs that; `xl` is the whole time. Each is the median of several.

Rows with a number are beside so many domains of 8 MB, paused, on a machine that has idled. The kernel of a Linux guest is a bzImage; the first time it is unpacked.
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import Machine, built  # noqa: E402 (the harness lives with the system tests)
from measured import say  # noqa: E402

ICOUNT = ["-icount", "shift=1,sleep=off"]
BESIDE = (0, 50, 200)
XL_BESIDE = (0, 50)         # each of its domains is a process of its own in the control domain
AT_ONCE = 40
MEMORY = 4096
IDLE = "sleep 5"            # what CPUs do ahead while they have nothing else to do (clearing memory) is done then
XL = r'name="%s"\ntype="pv"\nmemory=8\nkernel="/var/lib/parvis/hello"\n'
ONE = ("sed \"s/<name>hello/<name>NAME/; s/>16</>8</\" /etc/parvis/hello.xml >/tmp/NAME.xml", "pvctl create --paused /tmp/NAME.xml", "pvctl destroy NAME")
XL_ONE = (f"printf '{XL}' NAME >/tmp/NAME.cfg", "xl create -p /tmp/NAME.cfg", "xl destroy NAME")


def ms(machine, command):
    """Of one command, which must succeed."""
    return int(machine.check(f"elapsed {command} >/dev/null", r"^elapsed (\d+) us$", timeout=1200).group(1)) / 1000


def median(machine, commands):
    return sorted(ms(machine, command) for command in commands)[1]


def verbs(machine, tool, one, beside):
    """{verb: milliseconds} beside so many domains; makes those that are missing."""
    write, create, destroy = one
    names = [f"b{n}" for n in range(beside)]
    loop = "; ".join((write, create, "true")).replace("NAME", "b$n")
    machine.check(f"for n in $(seq 0 {beside - 1}); do [ -e /tmp/made-b$n ] && continue; {loop} >/dev/null && : >/tmp/made-b$n; done", timeout=3600)
    assert len(machine.shell(f"{tool} list")[1].splitlines()) == len(names) + 2, f"not all of {beside} were created"
    for n in range(3):
        machine.check(write.replace("NAME", f"m{n}"))
    machine.check(IDLE)
    return {"list": median(machine, [f"{tool} list"] * 3),
            "create, 8 MB": median(machine, [create.replace("NAME", f"m{n}") for n in range(3)]),
            "destroy, 8 MB": median(machine, [destroy.replace("NAME", f"m{n}") for n in range(3)])}


def at_once(machine):
    """So many creates one after another, and all at once; the guests run."""
    write, create, destroy = ONE
    create = create.replace("--paused ", "")
    machine.check(f"for n in $(seq {AT_ONCE}); do {write.replace('NAME', 'w$n')}; done")
    for title, then in (("in a row", ";"), ("at once", "&")):
        command = f"for n in $(seq {AT_ONCE}); do {create.replace('NAME', 'w$n')} {then} done; wait"
        yield f"{AT_ONCE} creates {title}", ms(machine, f"sh -c '{command}'")
        machine.check("pvctl list | grep -c ' w[0-9]\\|^w[0-9]'", rf"^{AT_ONCE}$")
        machine.check(f"for n in $(seq {AT_ONCE}); do {destroy.replace('NAME', 'w$n')}; done", timeout=600)


def linux(machine):
    """256 MB from a bzImage, twice: the second time it is unpacked already."""
    machine.check("rm -f /run/parvis/kernels/*; sed 's/<name>debian/<name>linux/' /etc/parvis/debian.xml >/tmp/linux.xml")
    for title in ("first time", "again"):
        yield f"create, Linux of 256 MB, {title}", ms(machine, "pvctl create --paused /tmp/linux.xml")
        yield f"destroy, Linux of 256 MB, {title}", ms(machine, "pvctl destroy linux")


def on_parvis(files):
    with Machine.parvis("bench-tools", files=files, qemu=ICOUNT, mem=MEMORY) as m:
        m.prompt(600)
        m.settle()
        nothing = median(m, ["pvctl --version"] * 3)
        figures = {"pvctl --version (in none of the others)": nothing}
        for rows in (linux(m), at_once(m)):
            for title, value in rows:
                say(title)
                figures[title] = value - nothing
        for beside in BESIDE:
            say(f"pvctl beside {beside} domains")
            for verb, value in verbs(m, "pvctl", ONE, beside).items():
                figures[f"{verb}, beside {beside}"] = value - nothing
    return figures


def on_xen(files):
    with Machine.xen("bench-tools-xen", files=files, xl=True, qemu=ICOUNT, mem=MEMORY) as m:
        m.prompt(600)
        m.settle()
        m.shell("xl-up")
        figures = {}
        for beside in XL_BESIDE:
            say(f"xl on Xen beside {beside} domains")
            for verb, value in verbs(m, "xl", XL_ONE, beside).items():
                figures[f"{verb}, beside {beside}"] = value
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="the figures as JSON too")
    parser.add_argument("--no-xen", action="store_true", help="leave out xl, which takes most of the time")
    args = parser.parse_args()
    with open(built("bench/elapsed"), "rb") as program:
        files = {"usr/bin/elapsed": program.read()}
    columns = {"pvctl": on_parvis(files)}
    if not args.no_xen and os.path.exists("build/reference/xen.elf"):
        columns["xl on Xen"] = on_xen(files)
    print(f"{'milliseconds of virtual time':46}" + "".join(f"{system:>12}" for system in columns))
    for name in columns["pvctl"]:
        print(f"  {name:44}" + "".join(f"{column[name]:>12.1f}" if name in column else f"{'-':>12}" for column in columns.values()))
    if args.json:
        with open(args.json, "w", encoding="ascii") as out:
            json.dump(columns, out, indent=1)


if __name__ == "__main__":
    main()
