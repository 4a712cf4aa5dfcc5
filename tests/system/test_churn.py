#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guests that use what there is come and go: afterwards the hypervisor's free memory is what it was, to the page. (What domains leave
elsewhere: test_soak.py.) Of some the vCPUs had each other's contexts. On 4 CPUs others storm meanwhile: with events, address spaces,
tables that vCPUs share and a page that is a table and memory by turns, flushes, hypercalls, their vCPUs; and of two that borrow from each
other one is destroyed, again and again: more often with --long. All that storm have caps, as QEMU runs the CPUs by turns.
"""
import sys
import time

from machine import SCALE, SKYLAKE, Machine, built, run_tests

machine = None
answers = {}     # so many has each load given
LOAD = """<domain type='xen'><name>NAME</name><memory unit='MiB'>8</memory><vcpu>VCPUS</vcpu>
<os><type>linux</type><kernel>/root/load</kernel><cmdline>vcpus=VCPUS end=0 OPTIONS</cmdline></os>
<cputune><global_quota>QUOTA</global_quota></cputune><on_crash>preserve</on_crash></domain>"""
CONTEXTS = """<domain type='xen'><name>contexts</name><memory unit='MiB'>32</memory><vcpu>4</vcpu>
<os><type>linux</type><kernel>/root/contexts</kernel></os></domain>"""
STORMS = {"events": 4, "forks": 4, "tables": 4, "vcpus": 4, "flushes": 2, "hypercalls": 2}   # works of a load: on so many vCPUs
ROUNDS = 64 if "--long" in sys.argv else 4      # 64: so many guests that of each one 32 bytes, the smallest object, are a page
CONTEXTS_ROUNDS = 3


def free():
    return machine.told("info")["free_memory_kib"]


def missing_nothing(before, guests):
    """As much memory is free as was before so many guests came and went."""
    after = free()
    assert after == before, (f"{before - after} KiB of memory are missing after {guests} guests: {before} KiB were free before, "
                             f"{after} KiB are now; there are:\n{machine.shell('pvctl list')[1]}")


def leaves_nothing_of_contexts():
    """A guest whose vCPUs have each other's contexts (tests/guest/smp-contexts) ends as it is; memory is the same."""
    machine.prompt()
    machine.settle()
    machine.check("pvctl create /etc/parvis/hello.xml && pvctl destroy hello")      # what is allocated once for all has been
    before = free()
    for _ in range(CONTEXTS_ROUNDS):
        machine.send("pvctl create --console /root/contexts.xml")
        assert machine.expect(r"TEST-RESULT: smp-contexts (\w+)\r?\n").group(1) == "success", machine.tail()
        machine.prompt()
    missing_nothing(before, CONTEXTS_ROUNDS)


def make(name, vcpus, quota, options):
    """Creates a guest that is a load; its number."""
    said = machine.check(f"sed 's/NAME/{name}/; s/VCPUS/{vcpus}/g; s/QUOTA/{quota}/; s/OPTIONS/{options}/' /root/load.xml "
                         f">/tmp/{name}.xml && pvctl create /tmp/{name}.xml", rf"^{name}: domain (\d+)$")
    return int(said.group(1))


def goes_on(name, before):
    """Each vCPU of a load makes more turns than it had made before: it is asked on its console; those that it has made now."""
    machine.send(f"pvctl console {name}")
    machine.expect(r"^load: works until it is ended$")
    deadline = time.monotonic() + 120 * SCALE
    while True:
        machine.send("?", end="")
        answers[name] = answers.get(name, 0) + 1
        said = machine.expect(rf"^load: answer {answers[name]}: turns( .*)\n|^\[{name}: .*\]$").group(1)
        if not said:
            machine.send("\x15")     # the shell got the key
            raise AssertionError(f"{name} has ended:\n{machine.tail()}")
        turns = [int(number) for number in said.split()]
        if all(now > then for now, then in zip(turns, before, strict=True)):
            break
        assert time.monotonic() < deadline, f"a vCPU of {name} makes no more turns: {before}, then {turns}"
    machine.send("\x1d", end="")
    machine.prompt()
    return turns


def destroy(name):
    """Destroys a guest that has not ended by itself."""
    machine.check(f"pvctl dominfo {name} && pvctl destroy {name}", r"^state +(running|runnable|blocked)$")


def leaves_nothing_of_storms():
    """Domains that map each other's pages are destroyed, while others storm with all there is; memory is the same."""
    before = free()
    for name, vcpus in STORMS.items():
        last = make(name, vcpus, 10000, f"work={name}")
    turns = {name: goes_on(name, [0] * vcpus) for name, vcpus in STORMS.items()}
    for i in range(ROUNDS):
        one, two = f"one{i}", f"two{i}"
        make(one, 2, 40000, f"work=grants peer={last + 2}")
        last = make(two, 2, 40000, f"work=grants peer={last + 1}")
        for name in (one, two):
            goes_on(name, [0, 0])
        for name in (one, two) if i % 2 else (two, one):
            destroy(name)
    for name in STORMS:
        goes_on(name, turns[name])
    for name in STORMS:
        destroy(name)
    missing_nothing(before, len(STORMS) + 2 * ROUNDS)


def main():
    global machine
    xen = "--xen" in sys.argv
    with open(built("pvguest/load"), "rb") as load, open(built("tests/guest/smp-contexts"), "rb") as contexts:
        programs = {"root/load": load.read(), "root/contexts": contexts.read()}
    files = {**programs, "root/load.xml": LOAD, "root/contexts.xml": CONTEXTS}
    with (Machine.xen if xen else Machine.parvis)("churn-xen" if xen else "churn", cpu=SKYLAKE, files=files,
                                                  smp=1 if xen else 4) as machine:
        run_tests(leaves_nothing_of_contexts, *([] if xen else [leaves_nothing_of_storms]), machine.ends_well)


if __name__ == "__main__":
    main()
