#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Constants for the comparison's model, of what `calibrate` (or linux-calibrate, or bench with calibrate=1) said on a machine.

    constants_of.py [--out FILE] [--emulated] LOG...      (build/compare/constants.json)

A LOG is what a console said, or the file that was left; anything may stand between. What was measured more than once, the last counts.
Figures of an emulated CPU mean nothing, and are refused, unless somebody says that he knows (--emulated). docs/man/calibrate.1 has the way.

Measured in loops, with all in the caches, a cost is the least that it is: twice that is the most, which is an assumption. A walk is measured
where nothing goes on meanwhile, so its low end stays what it is. What such programs cannot tell, or what was not measured, keeps what the
published constants have; and an end that is known to be less than theirs is taken: a whole system call is no less than its SYSCALL and SYSRET.
"""
import argparse
import datetime
import json
import os
import re
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../compare"))
import model  # noqa: E402

BLOCK = re.compile(r"^CALIBRATION-BEGIN (linux|bench) (native|pv|nested) (\S+) (.+?)\s*$(.*?)^CALIBRATION-END\s*$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^(\w+) +(\d+(?:\.\d+)?)(?: (\d+(?:\.\d+)?) \d+(?:\.\d+)?)?\s*$", re.MULTILINE)
OF_BENCH = ("syscall_pair", "exception_pair", "cr3", "invlpg")


class BadLog(Exception):
    """Nothing of this can be made constants; the text says why."""


def blocks(text):
    """{(who, where): (day, CPU, {row: cycles})}: the median where there is one."""
    found = {}
    for who, where, day, cpu, rows in BLOCK.findall(text):
        ticks = {name: float(median or least) for name, least, median in ROW.findall(rows)}
        cycle = ticks.pop("million_loops", 0) / 1e6
        if not cycle:
            raise BadLog(f"{who} {where} has no million_loops, so its ticks are no cycles")
        found[who, where] = (day, cpu, {name: value / cycle for name, value in ticks.items()})
    if not found:
        raise BadLog("there is no CALIBRATION-BEGIN with its CALIBRATION-END")
    return found


def cpu_of(found, emulated):
    """Its name, and the day; one CPU for all blocks."""
    cpus = {cpu for _, cpu, _ in found.values()}
    if len(cpus) > 1:
        raise BadLog(f"these are of different CPUs: {', '.join(sorted(cpus))}")
    cpu = cpus.pop()
    if "QEMU" in cpu and not emulated:
        raise BadLog(f"{cpu} is emulated: its ticks say nothing of cycles")
    return cpu, max((day for day, _, _ in found.values() if day != "-"), default=datetime.date.today().isoformat())


def walk(rows):
    """What is spent on addresses, of a load from another page each time."""
    if "load_many_pages" not in rows or "load_close_many" not in rows:
        return None
    return max(rows["load_many_pages"] - rows["load_close_many"], 0)


def figures(low, typical, high, source):
    return {"low": round(low, 2), "typical": round(typical, 2), "high": round(high, 2), "source": source}


def constants(found, published, emulated=False):
    cpu, day = cpu_of(found, emulated)
    measured = f"measured on {cpu}, {day}"
    result = json.loads(json.dumps(published))
    events, tlb = result["events"], result["tlb"]
    for group in ({"ipc": result["ipc"]}, events, tlb):
        for constant in group.values():
            constant["source"] = "not measured here: " + constant["source"]
    bench = found.get(("bench", "nested"), (0, 0, {}))[2]
    linux = {where: rows for (who, where), (_, _, rows) in found.items() if who == "linux"}
    for name in OF_BENCH:
        if name in bench:
            events[name] = figures(bench[name], bench[name], 2 * bench[name], f"{measured}, in a loop, by bench; high: twice that, an assumption")
    if "exit" in bench:
        events["vmrun"] = figures(bench["exit"] / 2, bench["exit"], bench["exit"], f"{measured}, the cheapest hypercall of a fully virtualized guest, by bench: with "
                                  "what the hypervisor does in it, so that it is no more; low: half of it, an assumption")
    calls = [rows["system_call"] for where, rows in linux.items() if where != "pv" and "system_call" in rows]
    if calls and "syscall_pair" not in bench:
        ends = [min(events["syscall_pair"][end], min(calls)) for end in model.ENDS]
        events["syscall_pair"] = figures(*ends, f"at most a system call that is not there, {min(calls):.0f}, {measured}, by linux-calibrate; else {published['events']['syscall_pair']['source']}")
    flat = [cycles for where, rows in linux.items() if where != "nested" and (cycles := walk(rows))]
    nested = walk(linux.get("nested", {}))
    if flat:
        tlb["cycles_of_a_miss"] = figures(0, flat[-1], 2 * flat[-1], f"{measured}, where each load needs one and nothing goes on meanwhile, by linux-calibrate; low: a CPU that goes on; high: twice, an assumption")
        if nested:
            factor = max(nested / flat[-1], 1)
            tlb["nested_factor"] = figures(1, factor, max(factor, published["tlb"]["nested_factor"]["high"]), f"{measured}, {nested:.0f} against {flat[-1]:.0f} cycles, by linux-calibrate; the ends as published")
    result["what"] = f"Constants of one machine, {measured}; {published['what'][0].lower()}{published['what'][1:]}"
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="+", metavar="LOG")
    parser.add_argument("--out", default="build/compare/constants.json")
    parser.add_argument("--emulated", action="store_true", help="though its CPU is emulated, and its figures mean nothing")
    options = parser.parse_args()
    try:
        text = ""
        for log in options.logs:
            with open(log, encoding="utf-8", errors="replace", newline=None) as file:
                text += file.read() + "\n"
        result = constants(blocks(text), model.load(), options.emulated)
        os.makedirs(os.path.dirname(options.out) or ".", exist_ok=True)
        with open(options.out, "w", encoding="utf-8") as out:
            json.dump(result, out, indent=1)
            out.write("\n")
        model.load(options.out)
    except (BadLog, model.BadConstants, OSError) as why:
        raise SystemExit(f"constants_of.py: {why}") from None
    print(options.out)


if __name__ == "__main__":
    sys.exit(main())
