# SPDX-License-Identifier: MIT
"""The model: cycles of an operation on silicon, from instructions and events that were counted. It is not measured.

    cycles = instructions / IPC + sum of (events x cost) + walks x cycles of a walk

An exception or an interrupt has no opcode to be counted by. But whoever comes to ring 0, by SYSCALL, INT, exception or interrupt, leaves it
by SYSRET or IRET: there were as many pairs as SYSRETs and IRETs, and those that do not begin with a SYSCALL begin with an exception or the like.

What a CPU has to walk page tables for is counted too, by a TLB that is simulated (tlb.c), once with pages as large as kernels make them and once
with 4 KiB alone: a CPU's walks are between both. A walk is longer where pages are nested. Each of these has a low and a high end, and so
has each cost: an operation's cycles are a band. Two columns run on the same CPU: a ratio's band is that of all CPUs within the ends, the same one
for both columns, and wider by the spread of what was measured. Where it comes to within CLOSE of 1 nothing is known of who is faster.
"""
import itertools
import json
import math
import os
import sys

NESTED = ("hvm", "pvh")
ENDS = ("low", "typical", "high")
EVENTS = ("syscall_pair", "exception_pair", "cr3", "cr4", "invlpg", "vmrun")
CLOSE = 0.01    # what the same operation differs by from start to start of a machine
TLB = ("cycles_of_a_miss", "nested_factor", "small_pages")
PUBLISHED = os.path.join(os.path.dirname(os.path.realpath(__file__)), "constants.json")


class BadConstants(Exception):
    """This file of constants is not to be used; the text says why."""


def check_constant(name, constant, least):
    if not isinstance(constant, dict) or not str(constant.get("source") or "").strip() or not isinstance(constant["source"], str):
        raise BadConstants(f"{name} has no source")
    values = [constant.get(end) for end in ENDS]
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value < float("inf") for value in values):
        raise BadConstants(f"{name} has no low, typical and high of at least {least}")
    if values != sorted(values):
        raise BadConstants(f"{name}: low, typical and high are not in this order")


def load(path=PUBLISHED):
    try:
        with open(path, encoding="utf-8") as file:
            constants = json.load(file)
        check(constants)
    except OSError as error:
        raise BadConstants(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadConstants(f"{path} is no JSON: {error}") from None
    except BadConstants as error:
        raise BadConstants(f"{path}: {error}") from None
    return constants if os.path.realpath(path) == PUBLISHED else {**constants, "file": path}


def others(constants):
    """Whose they are, where they are not the published ones: by the beginning of what the file says of itself, and its name."""
    if "file" not in constants:
        return ""
    title = str(constants.get("what") or "").split(";")[0].rstrip(".")
    return f"The cycles are with other constants than the published ones: {title + ', ' if title else ''}{constants['file']}."


def check(constants):
    if not isinstance(constants, dict):
        raise BadConstants("no object")
    check_constant("ipc", constants.get("ipc"), 0.01)
    for group, names in (("events", EVENTS), ("tlb", TLB)):
        found = constants.get(group)
        if not isinstance(found, dict) or set(found) != set(names):
            raise BadConstants(f"{group} has not exactly {', '.join(names)}")
        for name in names:
            check_constant(name, found[name], 1 if name == "nested_factor" else 0)


def pairs(events):
    """What the model has a cost for, of what the plugin counted."""
    left = events.get("sysret", 0) + events.get("iret", 0)
    calls = min(events.get("syscall", 0), left)
    return {"syscall_pair": calls, "exception_pair": left - calls, **{name: events.get(name, 0) for name in EVENTS[2:]}}


def executed(row):
    """Instructions, without waiting where the plugin was there to tell; None where the unit is another."""
    if row["unit"] != "instructions":
        return None
    return row.get("events", {}).get("instructions")


def walks(events):
    """(with pages as large as they are made, how many more with small ones alone)."""
    few = events.get("walks", 0)
    return few, max(events.get("walks_4k", 0) - few, 0)


def terms(row, kind):
    """The cycles as a sum: [(amount, [constants that multiply it])]; None where there is nothing to go by."""
    count = executed(row)
    if count is None:
        return None
    few, more = walks(row["events"])
    walk = ["cycles_of_a_miss"] + (["nested_factor"] if kind in NESTED else [])
    found = [(count, ["cpi"]), (few, walk), (more, ["small_pages", *walk])]
    return found + [(times, [name]) for name, times in pairs(row["events"]).items() if times]


def bounds(constants):
    """{constant: (low, typical, high)} as they are in terms(); cycles of an instruction for the IPC."""
    found = {name: tuple(each[end] for end in ENDS) for group in ("events", "tlb") for name, each in constants[group].items()}
    return {**found, "cpi": tuple(1 / constants["ipc"][end] for end in reversed(ENDS))}


def value(found, of):
    """The sum, with these values of the constants."""
    total = 0.0
    for amount, names in found:
        product = amount
        for name in names:
            product *= of[name]
        total += product
    return total


def cycles(row, kind, constants):
    """(low, typical, high); None where there is nothing to go by."""
    found = terms(row, kind)
    if found is None:
        return None
    ends = bounds(constants)
    return tuple(value(found, {name: ends[name][i] for name in ends}) for i in range(3))


SHARES = {"instructions": ("cpi",), "changes of ring": ("syscall_pair", "exception_pair"), "flushes": ("cr3", "cr4", "invlpg"),
          "walks": ("cycles_of_a_miss",), "exits": ("vmrun",)}


def shares(row, kind, constants):
    """{what: part of the typical cycles}; None where there is nothing to go by."""
    found = terms(row, kind)
    if found is None:
        return None
    typical = {name: limits[1] for name, limits in bounds(constants).items()}
    whole = value(found, typical)
    return {what: value([term for term in found if set(term[1]) & set(of)], typical) / whole for what, of in SHARES.items()}


def corners(found, ends):
    """Each way to put each constant that occurs at one of its ends."""
    names = sorted({name for _, factors in found for name in factors})
    for at in itertools.product(*(sorted({ends[name][0], ends[name][2]}) for name in names)):
        yield dict(zip(names, at))


def part(row, end):
    """How far the least or the most of what was measured is from the median."""
    return row[end] / row["median"] if row["median"] and row[end] else 1


def ratio(row, kind, other, other_kind, constants):
    """(low, typical, high) of row / other on one and the same CPU, whichever it is; None where there is nothing to go by. Either sum is a
    straight line in each constant alone, their ratio then goes one way in it: the extremes are where all constants are at ends."""
    one, two = terms(row, kind), terms(other, other_kind)
    if one is None or two is None:
        return None
    ends = bounds(constants)
    typical = {name: limits[1] for name, limits in ends.items()}
    all_of_them = [value(one, at) / value(two, at) for at in corners(one + two, ends)]
    return (min(all_of_them) * part(row, "least") / part(other, "most"), value(one, typical) / value(two, typical),
            max(all_of_them) * part(row, "most") / part(other, "least"))


def moves(row, kind, other, other_kind, constants):
    """The constant, by its name in the file, that moves the ratio most from its one end to its other, the others being typical."""
    one, two = terms(row, kind), terms(other, other_kind)
    ends = bounds(constants)
    typical = {name: limits[1] for name, limits in ends.items()}

    def span(name):
        at = [value(one, {**typical, name: ends[name][end]}) / value(two, {**typical, name: ends[name][end]}) for end in (0, 2)]
        return abs(math.log(at[0] / at[1]))
    most = max(ends, key=span)
    return "ipc" if most == "cpi" else most


def says(band):
    """What a ratio's band allows to be said: "less", "more", or None when it contains 1, or nearly so."""
    if band is None or band[0] <= 1 + CLOSE and band[2] >= 1 - CLOSE:
        return None
    return "less" if band[2] < 1 else "more"


def main():
    """model.py FILE: whether this is a file of constants."""
    try:
        load(*sys.argv[1:])
    except BadConstants as why:
        raise SystemExit(f"model.py: {why}") from None


if __name__ == "__main__":
    sys.exit(main())
