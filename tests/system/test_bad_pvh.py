#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guests of kind pvh that lend memory and do with it what they must not: to a paravirtual guest, and to the control domain.

While the borrower has their pages mapped they balloon them out and get others there, move them, spoil the grants, run them as code that
the borrower writes, die. Who borrows has its pages as they were, and gives them back; and when lenders and borrower are gone, in whatever
order, no page is missing. All are tests/guest/pvh-hostile.
"""
import booted
from machine import built, run_tests

machine, before = None, 0
GO_ON = ("gives-back", "moves", "ends-access", "runs", "holes", "flaps")
DIE = {"triple-fault": "rebooted|asked", "jump-to-hole": "crashed: .*0xd0000000", "powers-off": "powered off"}
LENDERS = (*GO_ON, "console", "waits", *DIE)      # in the order of their numbers
KEPT = ("waits", *DIE)
XML = """<domain type='xen'><name>NAME</name><memory unit='MiB'>8</memory><vcpu>1</vcpu>
<os><type{}</type><kernel>/root/hostile</kernel><cmdline>CMDLINE</cmdline></os>
<on_reboot>destroy</on_reboot><on_crash>destroy</on_crash></domain>"""
PV, PVH = XML.format(">linux"), XML.format(" machine='xenpvh'>xenpvh")


def free():
    return machine.told("info")["free_memory_kib"]


def create(name, kind, cmdline):
    """Its number."""
    said = machine.check(f"sed 's/NAME/{name}/; s/CMDLINE/{cmdline}/' /root/{kind}.xml >/tmp/{name}.xml && pvctl create --paused /tmp/{name}.xml",
                         rf"^{name}: domain (\d+)")
    return int(said[1])


def create_all(lenders):
    """The borrower, then the lenders, whose numbers follow its; the last of them are those whose pages are kept."""
    last = create("last", "pv", "first=1")
    destroy("last")
    assert create("borrower", "pv", f"first={last + 2} lenders={len(lenders)} keeps={len(KEPT)}") == last + 1
    for number, deed in enumerate(lenders, last + 2):
        assert create(deed, "pvh", f"do={deed} peer={last + 1}") == number
    # What the hypervisor says of those that crash does not come between what the tools say.
    machine.check(f"for name in borrower {' '.join(lenders)}; do pvctl unpause $name; done; sleep 3", "")


def destroy(name):
    machine.check(f"pvctl destroy {name}", "")


def on_console(name, keys, said):
    """What a guest says when these keys are typed."""
    machine.send(f"pvctl console {name}")
    machine.expect(rf"^(borrower|hostile): ({name} begins|works until it is ended)$", 60)
    machine.send(keys, end="")
    match = machine.expect(said, 60)
    machine.send("\x1d", end="")
    machine.prompt()
    return match


def asks(number, lenders):
    """The borrower's answer of this number: its turns, and for each lender how many pages it got and was refused."""
    said = on_console("borrower", "?", rf"^borrower: answer {number}: turns (\d+)((?: \d+/\d+)*)\n")
    return int(said[1]), dict(zip(lenders, ([int(n) for n in pair.split("/")] for pair in said[2].split()), strict=True))


def ended(name, how):
    machine.check(f"n=0; until pvctl dominfo {name} 2>&1 | grep -q 'last of this' || [ $n -gt 300 ]; do n=$((n+1)); usleep 100000; done; "
                  f"pvctl dominfo {name}", rf"no such domain \(the last of this name: {how}", status=3)


def do_their_deeds():
    """Each does what it must not, those that die of it too; the borrower goes on, and gets pages of all that have any."""
    for name, how in DIE.items():
        ended(name, how)
    for name in GO_ON:
        on_console(name, "", rf"^hostile: {name} has done it$")
    on_console("console", "hTESTX", "^hostile: console has done it$")
    on_console("waits", "", "^hostile: waits has done it$")
    turns, then = asks(1, LENDERS)
    later, now = asks(2, LENDERS)
    assert later > turns, "the borrower makes no more turns"
    for name in ("gives-back", "moves", "runs"):
        assert now[name][0] > then[name][0], (name, then, now)
    assert now["holes"][0] == then["holes"][0] and now["holes"][1] > then["holes"][1], (then, now)
    for name in KEPT:
        assert now[name][0] == 8, (name, now)


def prepare():
    """What is allocated once for all has been."""
    global before
    machine.prompt()
    machine.settle()
    create("waits", "pvh", "do=waits peer=0")
    destroy("waits")
    before = free()
    create_all(LENDERS)


def borrower_goes_first():
    """The borrower is destroyed, then those that lent to it: all comes back, to the page."""
    destroy("borrower")
    for name in (*GO_ON, "console", "waits"):
        destroy(name)
    assert free() == before, (free(), before)


def lenders_go_first():
    """The lenders are destroyed while their pages are mapped: what the borrower keeps is its until it is destroyed, then all comes back, to the page."""
    create_all(KEPT)
    on_console("waits", "", "^hostile: waits has done it$")
    for name, how in DIE.items():
        ended(name, how)
    destroy("waits")
    turns, now = asks(1, KEPT)
    assert all(got == 8 for got, _ in now.values()), now
    assert asks(2, KEPT)[0] > turns
    destroy("borrower")
    assert free() == before, (free(), before)


def main():
    global machine
    with open(built("tests/guest/pvh-hostile"), "rb") as hostile:
        files = {"root/hostile": hostile.read(), "root/pv.xml": PV, "root/pvh.xml": PVH}
    with booted.control_domain("bad-pvh", files) as machine:

        run_tests(prepare, do_their_deeds, borrower_goes_first, lenders_go_first, machine.ends_well)


if __name__ == "__main__":
    main()
