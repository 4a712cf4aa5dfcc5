# SPDX-License-Identifier: MIT
"""A run as Markdown: what it ran on, what was measured, what was counted, and, apart from these and named so, what is modelled."""
import answer
import measures
import model
import prices
import verdict
import words
from verdict import table

PAIRS = (("parvis-pv", "native"), ("parvis-pv", "parvis-hvm"), ("parvis-pv", "parvis-pvh"), ("parvis-pv", "xen-pv"), ("parvis-pv-as-xen", "xen-pv"),
         ("parvis-pv", "xen-pv-nospec"), ("parvis-pvh", "xen-pvh"), ("xen-pv", "xen-pvh"), ("parvis-hvm", "native"), ("parvis-pvh", "native"))


def titles(run):
    return [column["title"] for column in run["columns"].values()]


def versions(run):
    """What was compared, with what, and when, in a line."""
    xen = sorted({f"Xen {column.get('version', '')}".rstrip() for column in run["columns"].values() if column["system"] == "xen"})
    told = [f"{name} {run['machine'][name].removeprefix('QEMU emulator version ').split(' ')[0]}" for name in ("Linux", "QEMU") if name in run["machine"]]
    return "; ".join([f"Parvis, commit {run['commit']}", *xen, *told, f"{run['began']} UTC"]) + "."


def about(run):
    yield f"Commit {run['commit']}; begun {run['began']} (UTC), {run['took']:.0f} seconds" + ("." if run["complete"] else "; **cut off**.")
    yield ""
    yield from table(["the machine", ""], run["machine"].items())
    yield ""
    if run["left_out"]:
        yield from table(["left out", "why"], run["left_out"].items())
        yield ""
    for column in run["columns"].values():
        for who, lines in column["mitigations"].items():
            on = [line for line in lines if not line.endswith(":Not affected")]
            yield f"- {column['title']}, mitigations of {who}: {'; '.join(on) or 'none'}"
    yield ""


def measured(run):
    yield "## Measured"
    yield ""
    yield verdict.EXTENTS
    for group, title in verdict.GROUPS.items():
        names = verdict.rows(run, group)
        if not names:
            continue
        yield ""
        yield f"### {title}"
        yield ""
        yield from table(["row", *titles(run)], ([verdict.short(name), *(verdict.figure(verdict.row(run, key, name)) for key in run["columns"])]
                                                 for name in names))
    yield ""


def events(run):
    """For each row of Linux's, what its instructions were that cost more than one."""
    for what, title in (("events", "Counted: instructions that cost more than one on silicon, an operation (by a plugin of QEMU, alike in all columns)"),
                        ("counted", "Counted by Parvis, an operation (`pvctl stats --events`)")):
        lines = []
        for name in verdict.rows(run, "linux"):
            for key, column in run["columns"].items():
                found = verdict.row(run, key, name) or {}
                shown = [f"{event} {verdict.number(times)}" for event, times in found.get(what, {}).items() if times >= 0.05 and event != "instructions"]
                if shown:
                    lines.append([verdict.short(name), column["title"], ", ".join(shown)])
        if lines:
            yield f"## {title}"
            yield ""
            yield from table(["row", "column", "times"], lines)
            yield ""


def modelled(run, constants):
    yield "## Model, not measured"
    yield ""
    yield "Cycles = instructions / IPC + events x cost + walks of page tables x their cycles: typical (low to high)."
    yield ""
    names = verdict.modelled(run)
    lines = []
    for name in names:
        cells = []
        for key in run["columns"]:
            band = verdict.cycles(run, key, name, constants)
            cells.append(f"{verdict.number(band[1])} ({verdict.number(band[0])} to {verdict.number(band[2])})" if band else "-")
        lines.append([verdict.short(name), *cells])
    yield from table(["row", *titles(run)], lines)
    yield ""
    yield "Ratios on one and the same CPU, whichever it is within the constants' ends; below 1 the first one is faster. \"About equal\": within 10 percent on every CPU; \"undecided\": the band contains 1, or comes to within a hundredth of it."
    yield ""
    shown = [(one, other) for one, other in PAIRS if one in run["columns"] and other in run["columns"]]
    if shown:
        yield from table(["row", *(f"{run['columns'][one]['title']} / {run['columns'][other]['title']}" for one, other in shown)],
                         ([verdict.short(name), *(verdict.ratio_text(verdict.ratio(run, one, name, constants, other)) for one, other in shown)]
                          for name in names))
        yield ""
        yield from table(["", "fewer", "about equal", "undecided", "more", "geometric mean of the cycles"], (
            [f"{run['columns'][one]['title']} / {run['columns'][other]['title']}", *map(len, verdict.tally(run, one, other, constants).values()),
             answer.times(band) if (band := verdict.middle(verdict.bands(run, one, other, constants).values())) else "-"] for one, other in shown))
        yield ""
    yield from points(f"{rows}: {said}" for rows, said in words.notes([verdict.short(name) for name in names]))
    yield ""
    yield f"The constants. {constants['what']}" if constants.get("what") else "The constants:"
    yield ""
    every = {"ipc": constants["ipc"], **constants["events"], **constants["tlb"]}
    yield from table(["constant", "", "low", "typical", "high", "source"],
                     ([name, words.CONSTANTS[name], each["low"], each["typical"], each["high"], each["source"]] for name, each in every.items()))
    yield ""


LIMITS = (
    "Emulation has no caches, no branch predictor and no pipeline: an instruction is one tick, whatever it is. So columns that do few instructions and many exits look cheap in what is measured; "
    "the events say how many, the model what they may cost.",
    "The walks of page tables are those of a TLB that is simulated beside (tests/bench/compare/tlb.c); how long one takes, and how much of it a CPU hides, is the model's.",
    "Where a control domain serves a guest that is fully virtualized, its walks are taken as nested too, and are not.",
    "On several CPUs there is no virtual time worth showing, and there is none here.",
    "Xen counts no events of its own; the plugin's are the machine's, Xen's instructions among them.",
    "There is no column of Xen's HVM, which needs a device model that Parvis's control domain has not.")


def points(lines):
    return [f"- {line}" for line in lines]


def answered(run, constants):
    """The answer, and the measures against speculation that it holds with."""
    yield from points(answer.sentences(run, constants))
    yield ""
    yield "Cycles by the model, not measured; geometric means, and what they range over from CPU to CPU."
    yield ""


def of_measures(whole, run):
    """What is to be said of the measures against speculation: whether columns are alike in them, and what they cost."""
    return [said for said in (measures.alike(run), *measures.ABOUT, prices.sentence(whole)) if said]


def speculation(whole, run):
    yield "## Measures against speculation"
    yield ""
    yield from table(*measures.rows(run))
    yield ""
    yield from points(of_measures(whole, run))
    yield ""


def report(run, constants):
    main = verdict.compared(run)
    whose = model.others(constants)
    lines = ["# The comparison", "", versions(run), "", *([f"**{whose}**", ""] if whose else []), *answered(main, constants), *points(f"{word}: {said}" for word, said in words.GLOSSARY.items()), "",
             *speculation(run, main), *about(run), *measured(main), *prices.section(run), *events(main), *modelled(main, constants),
             "## What this cannot show", "", *points(LIMITS)]
    return "\n".join(lines) + "\n"
