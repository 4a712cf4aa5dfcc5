# SPDX-License-Identifier: MIT
"""A run as a page that needs nothing from elsewhere. First the answer and how sure it is, then each row, then a plot, then all the figures."""
import os

import answer
import measures
import model
import page_plot
import page_rows
import prices
import report_md
import verdict
import words
from answer import PV
from page_text import esc, explained, folded, listed, table, title

HERE = os.path.dirname(os.path.abspath(__file__))
OTHERS = ("native", "parvis-hvm", "parvis-pvh", "xen-pv")
FIRST = tuple((PV, other) for other in OTHERS)
LIKE = (("parvis-pv-as-xen", "xen-pv"), (PV, "xen-pv-nospec"))      # with measures against speculation that are alike
SECOND = (("parvis-pvh", "xen-pvh"), ("xen-pv", "xen-pvh"), ("parvis-hvm", "native"), ("parvis-pvh", "native"))


def style():
    with open(os.path.join(HERE, "page.css"), encoding="utf-8") as file:
        return file.read()


# ---- who wins

def score(run, pair, constants):
    """A bar in four parts, what of it is not plain, the typical cycles, and the instructions."""
    one, other = pair
    found = verdict.tally(run, one, other, constants)
    whole = sum(map(len, found.values()))
    if not whole:
        return
    a, b = esc(title(run, one)), esc(title(run, other))
    what = {"less": f"{a} takes fewer cycles, on every CPU", "even": "about equal, on every CPU", None: "undecided, it depends on the CPU", "more": f"{a} takes more, on every CPU"}
    cycles = answer.times(verdict.middle(verdict.bands(run, one, other, constants).values()))
    yield f"<div><b>{a}</b> against {b}</div><div class='bar'>"
    yield "".join(f'<span class="{page_rows.KIND[says]}" style="flex:{len(names)}" title="{what[says]}: {len(names)}">{len(names)}</span>' for says, names in found.items() if names)
    yield f'</div><p><b>Cycles</b> <span class="tag">model</span> <b>{cycles}</b>{instructions_too(run, one, other)}<br>{"; ".join(counted(found, whole))}.</p>'


def counted(found, whole):
    """How many rows of each verdict; by their names where these are few, and not the rule."""
    for says, word in (("less", "fewer"), ("more", "more"), ("even", "about equal"), (None, "undecided")):
        names = found[says]
        if names:
            yield f"{len(names)} of {whole} {word}" + (f" ({esc(', '.join(names))})" if len(names) <= min(5, whole // 2) else "")


def instructions_too(run, one, other):
    means = [(name, verdict.mean(run, one, group, other)) for group, name in (("linux", "operations"), ("work", "whole work"), ("io", "disk and network"))]
    told = [f"{mean:.2f} times ({name})" for name, mean in means if mean]
    return f'<br>Instructions <span class="tag">measured</span> {", ".join(told)}' if told else ""


def scores(run, pairs, constants):
    inside = [line for pair in pairs for line in score(run, pair, constants)]
    if inside:
        yield from ('<div class="score">', *inside, "</div>")


def where(run, constants):
    """What the model's typical cycles are made of, column by column."""
    found = {key: parts for key in (verdict.BASE, *page_plot.shown(run)) if key in run["columns"] and (parts := verdict.shares(run, key, constants))}
    if found:
        yield "<p>What a column's typical cycles go to, the mean of all rows:</p>"
        yield from table(["", *model.SHARES], ([title(run, key), *(f"{100 * part:.0f} %" for part in parts.values())] for key, parts in found.items()))


def cautions(run):
    """What of this run makes its verdicts less sure than they look."""
    if run["machine"].get("extent") == "quick":
        yield "<p><b>A quick run</b>: each row was had once, so that its spread is not known, and not in the ranges; a whole run has it.</p>"
    if not run["complete"]:
        yield "<p><b>Cut off</b>: not all columns are there.</p>"


def hangs_on(run, constants):
    """What a reader would have to know of the CPU to decide the rows that are undecided."""
    lines = []
    for other in OTHERS:
        counts = verdict.deciders(run, PV, other, constants)
        if counts:
            lines.append(f"against {title(run, other)}: " + ", ".join(f"{words.CONSTANTS[name]} ({name}) in {times}" for name, times in counts))
    if lines:
        yield "<p>What is undecided hangs most on these constants (in so many rows); where a machine is at hand, they can be measured there:</p>" + listed(lines)


def speculation(whole, run):
    """Which measures each column took, whether that is alike, and what they cost."""
    yield from table(*measures.rows(run), "figures words")
    yield listed(report_md.of_measures(whole, run))


def plot(run):
    inside = list(page_plot.plot(run))
    if inside:
        spread = "" if run["machine"].get("extent") == "quick" else ", a band the spread of the runs"
        yield '<h2>Instructions <span class="tag">measured</span></h2>'
        yield (f"<p>Times native; a mark is the median{spread}. Exits of the fully virtualized are one instruction each here, and a thousand cycles and more on silicon: "
               "the model has them, this plot has not.</p>")
        yield from ('<p class="key">', *page_plot.key_of_columns(run), "</p>", *inside)


INTRO = """<p>The same Linux does the same things without a hypervisor (native), as a paravirtual guest (PV) and as a fully virtualized one (hvm, PVH),
on Parvis and on Xen, each alone on one emulated CPU.</p>
<p><span class="tag">measured</span> are instructions, exact to about one percent. <span class="tag">counted</span> is what costs a CPU more than an instruction: changes of ring, exits, walks of page tables.
<span class="tag">model</span> are cycles, <b>not measured</b>: both together, with costs ({costs}), each from its least to its most.</p>"""
SURE = """<p class="key"><span class="less">fewer cycles</span><span class="more">more cycles</span> so on <b>every</b> CPU whose costs are between the model's least and most, the same CPU for both sides.
<span class="even">about equal</span> within 10 percent, on every one of them. <span class="open">undecided</span> some of these CPUs one way, some the other.</p>
<p>Below each bar are geometric means over the rows; of cycles with typical costs, and from least to most.</p>"""
ROWS = """<p>Cycles as a ratio, with typical costs and from least to most; below 1 the first one is faster. The scale is logarithmic; an arrow says that a bar goes on.</p>"""


def of_costs(constants):
    """Whose they are: of one machine, where it was measured there (constants_of.py), or published ones."""
    what = constants.get("what", "")
    return what.split(";")[0][0].lower() + what.split(";")[0][1:] if what.startswith("Constants of one machine") else "from published measurements"


def report(run, constants):
    whole, run = run, verdict.compared(run)
    whose = model.others(constants)
    second = list(page_rows.matrix(run, SECOND, constants))
    notes = words.notes([verdict.short(name) for name in verdict.modelled(run)])
    parts = ["<!DOCTYPE html>", '<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
             f"<title>Paravirtual or fully virtualized: Parvis {esc(run['commit'])}</title><style>{style()}</style>",
             "<h1>Paravirtual or fully virtualized?</h1>", f'<p class="soft">{esc(report_md.versions(run))}</p>',
             *([f"<p><b>{esc(whose)}</b></p>"] if whose else []),
             *(f'<p class="answer">{esc(said)}</p>' for said in answer.sentences(run, constants)), '<p class="soft">Cycles by the model; geometric means, and what they range over from CPU to CPU.</p>',
             INTRO.format(costs=esc(of_costs(constants))), explained(words.GLOSSARY.items()),
             '<h2>Who takes fewer cycles <span class="tag">model</span></h2>', SURE, *cautions(run), *scores(run, FIRST, constants),
             *headed("Measures against speculation as alike as they can be had", scores(run, LIKE, constants)), *headed("Other pairs", scores(run, SECOND, constants)),
             *where(run, constants),
             "<h2>Measures against speculation</h2>", *speculation(whole, run),
             f'<h2>{esc(title(run, PV)) if PV in run["columns"] else "Paravirtual"}, row by row <span class="tag">model</span></h2>', ROWS,
             *page_rows.matrix(run, FIRST, constants), *hangs_on(run, constants),
             *(["<p>* What is behind some of these figures:</p>", explained(notes)] if notes else []),
             *(["<details><summary>Other pairs, row by row</summary>", *second, "</details>"] if second else []),
             *plot(run),
             "<h2>What this cannot show</h2>", listed(report_md.LIMITS),
             "<h2>All the figures</h2>", folded("What it ran on, and what each column says of its measures against speculation", report_md.about(whole)),
             folded("Measured", report_md.measured(run)), folded("The price of measures against speculation", prices.section(whole)), folded("Counted", report_md.events(run)),
             folded("Model: cycles, ratios, and the constants with their sources", report_md.modelled(run, constants)), "</html>"]
    return "\n".join(part for part in parts if part) + "\n"


def headed(head, lines):
    inside = list(lines)
    return [f"<h3>{esc(head)}</h3>", *inside] if inside else []
