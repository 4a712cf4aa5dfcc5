# SPDX-License-Identifier: MIT
"""A run as a page that needs nothing from elsewhere. First who wins and how sure that is, then each row, then plots, then all the figures."""
import html
import os

import model
import prices
import report_md
import svg
import verdict
import words

HERE = os.path.dirname(os.path.abspath(__file__))
PV = "parvis-pv"
VERSUS = ((PV, "native"), (PV, "parvis-hvm"), (PV, "parvis-pvh"), (PV, "xen-pv"), ("parvis-pv-as-xen", "xen-pv"), (PV, "xen-pv-nospec"),
          ("parvis-pvh", "xen-pvh"))
IN_MATRIX = ("native", "parvis-hvm", "parvis-pvh", "xen-pv")
SAYS = {"less": "less", "more": "more", None: "open"}    # a verdict's class in page.css


def style():
    with open(os.path.join(HERE, "page.css"), encoding="utf-8") as file:
        return file.read()


def title(run, key):
    return run["columns"][key]["title"]


def esc(text):
    return html.escape(str(text))


# ---- who wins

def score(run, one, other, constants):
    """A bar in three parts, and the sentence that it is."""
    found = verdict.tally(run, one, other, constants)
    less, unknown, more = (len(found[says]) for says in ("less", None, "more"))
    if not less + unknown + more:
        return
    a, b = esc(title(run, one)), esc(title(run, other))
    parts = ((less, "less", f"{a} takes fewer cycles, on every CPU"), (unknown, "open", "not known, it depends on the CPU"),
             (more, "more", f"{a} takes more, on every CPU"))
    yield f"<div><b>{a}</b> against {b}</div><div class='bar'>"
    yield "".join(f'<span class="{kind}" style="flex:{count}" title="{says}: {count}">{count}</span>' for count, kind, says in parts if count)
    text = [f"{count} of {less + unknown + more} {says}" for count, says in ((less, "fewer"), (more, "more")) if count]
    if unknown:
        text.append(f"{unknown} not known" + (f" ({esc(', '.join(found[None]))})" if unknown <= 5 else ""))
    yield f"</div><p>{'; '.join(text)}.{instructions_too(run, one, other)}</p>"


def instructions_too(run, one, other):
    means = [(name, verdict.mean(run, one, group, other)) for group, name in (("linux", "operations"), ("work", "whole work"), ("io", "disk and network"))]
    told = [f"{mean:.2f} ({name})" for name, mean in means if mean]
    return f" Instructions, measured: times {', '.join(told)}." if told else ""


def where(run, constants):
    """What the model's typical cycles are made of, column by column."""
    found = {key: parts for key in (verdict.BASE, *shown(run)) if key in run["columns"] and (parts := verdict.shares(run, key, constants))}
    if found:
        yield "<p>Of what a column's typical cycles are, the mean of all rows, in parts of a hundred:</p>"
        yield from table(["", *model.SHARES], ([title(run, key), *(f"{100 * part:.0f}" for part in parts.values())] for key, parts in found.items()))


def cautions(run):
    """What of this run makes its verdicts less sure than they look."""
    if run["machine"].get("extent") == "quick":
        yield "<p><b>A quick run</b>: each row was had once, so that its spread is not known, and not in the bands; a whole run has it.</p>"
    if not run["complete"]:
        yield "<p><b>Cut off</b>: not all columns are there.</p>"


def answers(run, constants):
    for one, other in VERSUS:
        if one in run["columns"] and other in run["columns"]:
            yield from score(run, one, other, constants)


# ---- row by row

def cell(run, name, other, constants, axis):
    band = verdict.ratio(run, PV, name, constants, other)
    if band is None:
        return "<td><small>-</small></td>"
    says = model.says(band)
    text = f"<b>not known</b> <small>{band[0]:.2g} to {band[2]:.2g}</small>" if says is None else f"<b>{band[1]:.2f}</b> <small>{band[0]:.2f} to {band[2]:.2f}</small>"
    return f'<td class="{SAYS[says]}">{text}{bar(axis, band, says)}</td>'


def bar(axis, band, says):
    """The band on the matrix's axis, with 1 marked; the middle is drawn where it says something."""
    x = [axis.at(value) for value in band]
    inside = [f'<line class="one" x1="{axis.at(1):.1f}%" x2="{axis.at(1):.1f}%" y1="0" y2="8"/>',
              f'<rect class="band" x="{x[0]:.1f}%" y="1" width="{max(x[2] - x[0], 1):.1f}%" height="6" rx="2"/>']
    if says is not None:
        inside.append(f'<circle cx="{x[1]:.1f}%" cy="4" r="3"/>')
    return svg.picture(8, f"{band[0]:.2f} to {band[2]:.2f}", inside)


def matrix(run, constants):
    others = [key for key in IN_MATRIX if key in run["columns"]]
    names = verdict.modelled(run)
    bands = {(name, key): band for name in names for key in others if PV in run["columns"] and (band := verdict.ratio(run, PV, name, constants, key))}
    if not bands:
        return
    axis = svg.Axis([value for band in bands.values() for value in band], (0.1, 20))
    yield '<div class="scroll"><table class="verdicts"><tr><th></th>' + "".join(f"<th>against {esc(title(run, key))}</th>" for key in others) + "</tr>"
    for family, rows in words.families([verdict.short(name) for name in names]):
        yield f'<tr class="family"><th colspan="{len(others) + 1}">{esc(family)}</th></tr>'
        for short, what in rows:
            name = next(name for name in names if verdict.short(name) == short)
            yield f"<tr><th>{esc(what)} <code>{esc(short)}</code></th>" + "".join(cell(run, name, key, constants, axis) for key in others) + "</tr>"
    yield "</table></div>"


def hangs_on(run, constants):
    """What a reader would have to know of the CPU to decide the rows that are not known."""
    lines = []
    for other in IN_MATRIX:
        counts = verdict.deciders(run, PV, other, constants)
        if counts:
            lines.append(f"<li>against {esc(title(run, other))}: " + ", ".join(f"<code>{esc(name)}</code> in {times}" for name, times in counts) + "</li>")
    if lines:
        yield "<p>What is not known hangs most on these constants (in so many rows); where a machine is at hand, they can be measured there:</p><ul>" + "".join(lines) + "</ul>"


# ---- plots of what was measured

def kind_class(column):
    kind = "pv" if column["kind"] == "pv" else "full"
    return f"{column['system']}-{kind}" if column["system"] in ("parvis", "xen") else "other"


def shown(run):
    """Columns in plots: the same with other measures against speculation are in the tables."""
    return [key for key in run["columns"] if key != verdict.BASE and not key.endswith(("nospec", "as-xen"))]


def square(column):
    return column["kind"] == "pvh"


def key_of_columns(run):
    for key in shown(run):
        column = run["columns"][key]
        sign = "".join(svg.mark(svg.Axis([1]), (1, 1, 1), 7, kind_class(column), column["title"], square(column)))
        yield f'<span class="columns"><svg>{sign}</svg> <span>{esc(column["title"])}</span></span> '


def measured_plot(run, group):
    """Instructions against native's of the same run; two lines a row: paravirtual above, fully virtualized below."""
    base = {name: found["median"] for name in verdict.rows(run, group) if (found := verdict.row(run, verdict.BASE, name)) and found["median"]}
    marks = {}
    for name, native in base.items():
        marks[verdict.short(name)] = [(run["columns"][key], tuple(found[end] / native for end in ("least", "median", "most")))
                                      for key in shown(run) if (found := verdict.row(run, key, name))]
    values = [value for found in marks.values() for _, band in found for value in band]
    if not values:
        return
    axis = svg.Axis(values)
    yield f'<div class="rows"><div><small>instructions, times native</small></div><div class="pic">{svg.ruler(axis)}</div>'
    for family, rows in words.families(list(marks)):
        yield f"<h3>{esc(family)}</h3>"
        for short, what in rows:
            inside = list(svg.lines(axis, 28))
            for column, band in marks[short]:
                says = f"{what}, {column['title']}: {band[1]:.2f}" + (f" ({band[0]:.2f} to {band[2]:.2f})" if band[0] != band[2] else "")
                inside += svg.mark(axis, band, 8 if column["kind"] == "pv" else 20, kind_class(column), says, square(column))
            yield f'<div>{esc(what)}</div><div class="pic">{svg.picture(28, what, inside)}</div>'
    yield "</div>"


# ---- all the figures

def table(head, lines):
    yield '<div class="scroll"><table class="figures"><tr>' + "".join(f"<th>{esc(cell)}</th>" for cell in head) + "</tr>"
    for line in lines:
        yield "<tr>" + "".join(f'<td{" class=text" if len(str(cell)) > 60 else ""}>{esc(cell)}</td>' for cell in line) + "</tr>"
    yield "</table></div>"


def from_markdown(lines):
    """The tables and headings of report_md.py, as HTML."""
    out, head, body = [], None, []
    for line in [*lines, ""]:
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if head is None:
                head = cells
            elif set("".join(cells)) - {"-"}:
                body.append(cells)
            continue
        if head is not None:
            out += table(head, body)
            head, body = None, []
        if line.startswith("#"):
            level = len(line) - len(line.lstrip("#")) + 1
            out.append(f"<h{level}>{esc(line.lstrip('# '))}</h{level}>")
        elif line:
            out.append(f"<p>{esc(line.replace('**', '').replace('`', ''))}</p>")
    return "\n".join(out)


def folded(summary, lines):
    content = from_markdown(lines)
    return f"<details><summary>{esc(summary)}</summary>{content}</details>" if content else ""


INTRO = """<p>The same Linux does the same things without a hypervisor (native), as a paravirtual guest (PV) and as a fully virtualized one (hvm; PVH, without a BIOS's machine),
on Parvis and on Xen, each alone on one emulated CPU.</p>
<p><span class="tag">measured</span> are instructions, exact to about a hundredth. <span class="tag">counted</span> is what costs a CPU more than an instruction: changes of ring, exits, walks of page tables.
<span class="tag">model</span> are cycles, <b>not measured</b>: both together, with costs from published measurements, each from its least to its most.</p>"""
SURE = """<p class="key"><span class="less">fewer cycles</span><span class="more">more cycles</span> so on <b>every</b> CPU whose costs are between the model's least and most, the same CPU for both sides.
<span class="open">not known</span> some of these CPUs one way, some the other: then there is no ratio.</p>"""


def report(run, constants):
    whole, run = run, verdict.compared(run)
    parts = ["<!DOCTYPE html>", '<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
             f"<title>Paravirtual or fully virtualized: Parvis {esc(run['commit'])}</title><style>{style()}</style>",
             "<h1>Paravirtual or fully virtualized?</h1>", INTRO,
             '<h2>Who takes fewer cycles <span class="tag">model</span></h2>', SURE, *cautions(run), '<div class="score">', *answers(run, constants), "</div>", *where(run, constants),
             f'<h2>{esc(title(run, PV)) if PV in run["columns"] else "Paravirtual"}, row by row <span class="tag">model</span></h2>',
             "<p>Cycles as a ratio, with typical costs and from least to most; below 1 paravirtual is faster. The line in each field is 1.</p>",
             *matrix(run, constants), *hangs_on(run, constants),
             '<h2>Instructions <span class="tag">measured</span></h2>',
             "<p>Times native; a mark is the median, a band the spread of the runs. Above in each row paravirtual guests, below fully virtualized ones, whose exits are one instruction each "
             "here and a thousand cycles and more on silicon: the model has them, this plot has not.</p>",
             '<p class="key">', *key_of_columns(run), "</p>", *measured_plot(run, "linux"), *measured_plot(run, "work"),
             "<h2>What this cannot show</h2>", from_markdown(report_md.LIMITS.split("\n")[2:]),
             "<h2>All the figures</h2>", folded("What it ran on, and the measures against speculation of each column", report_md.about(whole)),
             folded("Measured", report_md.measured(run)), folded("The price of measures against speculation", prices.section(whole)), folded("Counted", report_md.events(run)),
             folded("Model: cycles, ratios, and the constants with their sources", report_md.modelled(run, constants)), "</html>"]
    return "\n".join(part for part in parts if part) + "\n"
