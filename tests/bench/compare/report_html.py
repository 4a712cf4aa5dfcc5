# SPDX-License-Identifier: MIT
"""A run as a page that needs nothing from elsewhere: what to take from it first, then plots, then all the figures."""
import html

import report_md
import svg
import verdict

STYLE = """body{font:15px/1.45 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}
h1,h2{line-height:1.2}table{border-collapse:collapse;font-size:13px;margin:.6em 0;display:block;overflow-x:auto}td,th{border:1px solid #ccc;padding:.15em .5em}
td{text-align:right}td:first-child,th{text-align:left}td.text{text-align:left}svg{width:100%;font:11px system-ui,sans-serif}
.grid{stroke:#ddd}.one{stroke:#000;stroke-width:1.5}.key span{display:inline-block;margin-right:1.2em}
.key b{display:inline-block;width:.9em;height:.9em;margin-right:.35em;vertical-align:-.1em}
.model{background:#fff7e6;border-left:4px solid #e08214;padding:.1em 1em}.measured{border-left:4px solid #1b7837;padding:.1em 1em}"""
VERSUS = (("parvis-pv", "native"), ("parvis-pv", "parvis-hvm"), ("parvis-pv", "parvis-pvh"), ("parvis-pv", "xen-pv"), ("parvis-pv-nospec", "xen-pv-nospec"))


def table(head, lines):
    yield "<table><tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>"
    for line in lines:
        yield "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in line) + "</tr>"
    yield "</table>"


def key_of_colours(run, keys):
    shown = "".join(f'<span><b style="background:{svg.colour(key)}"></b>{html.escape(run["columns"][key]["title"])}</span>' for key in keys)
    return f'<p class="key">{shown}</p>'


def listed(names):
    return ", ".join(names) if names else "none"


def summary(run, constants):
    """Where paravirtual wins, where it loses, where nobody knows: for each it is held against."""
    for one, other in VERSUS:
        if one not in run["columns"] or other not in run["columns"]:
            continue
        found = verdict.tally(run, one, other, constants)
        a, b = (run["columns"][key]["title"] for key in (one, other))
        yield f"<h3>{html.escape(a)} against {html.escape(b)}</h3><ul>"
        yield f"<li><b>{html.escape(a)} takes less, whatever the constants are</b> ({len(found['less'])}): {html.escape(listed(found['less']))}</li>"
        yield f"<li><b>{html.escape(b)} takes less, whatever they are</b> ({len(found['more'])}): {html.escape(listed(found['more']))}</li>"
        yield f"<li>not known, it depends on the CPU ({len(found[None])}): {html.escape(listed(found[None]))}</li></ul>"


def in_short(run):
    """Of each column one figure a group, measured."""
    lines = [[column["title"], *(f"{mean:.2f}" if (mean := verdict.mean(run, key, group)) else "-" for group in ("linux", "work"))]
             for key, column in run["columns"].items()]
    return table(["instructions, times native (geometric mean)", "operations of Linux", "whole work"], lines)


def measured_plot(run, group):
    """Instructions against native's of the same run."""
    rows = []
    for name in verdict.rows(run, group):
        base = verdict.row(run, verdict.BASE, name)
        if not base or not base["median"]:
            continue
        marks = []
        for key, column in run["columns"].items():
            found = verdict.row(run, key, name)
            if found and key != verdict.BASE:
                marks.append((key, column["title"], tuple(found[end] / base["median"] for end in ("least", "median", "most"))))
        rows.append((verdict.short(name), marks))
    return svg.bands(rows, "instructions, times native")


def modelled_plot(run, group, constants):
    rows = []
    for name in verdict.rows(run, group):
        marks = [(key, run["columns"][key]["title"], band) for key in run["columns"]
                 if key != verdict.BASE and not key.endswith("nospec") and (band := verdict.ratio(run, key, name, constants))]
        if marks:
            rows.append((verdict.short(name), marks))
    return svg.bands(rows, "model, not measured: cycles, times native")


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
            out.append(f"<h{level}>{html.escape(line.lstrip('# '))}</h{level}>")
        elif line:
            out.append(f"<p>{html.escape(line)}</p>")
    return "\n".join(out)


def report(run, constants):
    keys = [key for key in run["columns"] if key != verdict.BASE]
    groups = ("linux", "work")
    parts = ["<!DOCTYPE html>", '<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
             f"<title>Parvis: the comparison, {html.escape(run['commit'])}</title><style>{STYLE}</style>", "<h1>Paravirtual and fully virtualized: the comparison</h1>",
             "<p>The same Linux does the same on bare (emulated) hardware, as a guest of Parvis, and of Xen. Green: what was measured, in instructions. "
             "Orange: what a model makes of it, in cycles, <b>not measured</b>; it says which is faster only where that is so whatever its constants are.</p>",
             '<div class="measured"><h2>In short (measured)</h2>', *in_short(run), "</div>",
             '<div class="model"><h2>What to take from it (model, not measured)</h2>', *summary(run, constants), "</div>",
             '<div class="measured"><h2>Measured: instructions, times native</h2><p>Left of the line at 1: fewer than native. A band is the spread of the runs. '
             "An exit from a fully virtualized guest is one instruction here, and a thousand cycles and more on silicon: see the model.</p>",
             key_of_colours(run, keys), *(measured_plot(run, group) for group in groups), "</div>",
             '<div class="model"><h2>Model, not measured: cycles, times native</h2><p>The dot: with typical constants. The band: every CPU within their ends, '
             "the same one for both. A band across the line at 1: not known.</p>",
             key_of_colours(run, [key for key in keys if not key.endswith("nospec")]), *(modelled_plot(run, group, constants) for group in groups), "</div>",
             "<h2>What it ran on</h2>", from_markdown(report_md.about(run)), from_markdown(report_md.measured(run)), from_markdown(report_md.events(run)),
             '<div class="model">', from_markdown(report_md.modelled(run, constants)), "</div>", from_markdown(report_md.LIMITS.split("\n")), "</html>"]
    return "\n".join(part for part in parts if part) + "\n"
