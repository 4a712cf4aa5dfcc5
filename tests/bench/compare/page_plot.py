# SPDX-License-Identifier: MIT
"""The page's plot of what was measured: instructions, times native, one scale for all rows; each column has a line of its own in a row, so that
no mark hides another."""
import svg
import verdict
import words
from page_text import esc

LINE = 9        # pixels a column
GROUPS = ("linux", "work")


def kind_class(column):
    kind = "pv" if column["kind"] == "pv" else "full"
    return f"{column['system']}-{kind}" if column["system"] in ("parvis", "xen") else "other"


def shown(run):
    """Columns in plots: the same with other measures against speculation are in the tables. Paravirtual ones first."""
    found = [key for key in run["columns"] if key != verdict.BASE and not key.endswith(("nospec", "as-xen"))]
    return sorted(found, key=lambda key: run["columns"][key]["kind"] != "pv")


def square(column):
    return column["kind"] == "pvh"


def key_of_columns(run):
    for key in shown(run):
        column = run["columns"][key]
        sign = "".join(svg.mark(svg.Axis([1]), (1, 1, 1), 7, kind_class(column), column["title"], square(column)))
        yield f'<span class="columns"><svg>{sign}</svg> <span>{esc(column["title"])}</span></span> '


def times_native(run, key, name):
    """(least, median, most) against native's median; None where one of both is missing."""
    base, found = verdict.row(run, verdict.BASE, name), verdict.row(run, key, name)
    return tuple(found[end] / base["median"] for end in ("least", "median", "most")) if found and base and base["median"] else None


def marks(axis, line, what, found):
    for number, (column, band) in enumerate(found):
        says = f"{what}, {column['title']}: {band[1]:.2f}" + (f" ({band[0]:.2f} to {band[2]:.2f})" if band[0] != band[2] else "")
        yield from svg.mark(axis, band, LINE * number + line, kind_class(column), says, square(column))


def plot(run):
    names = {verdict.short(name): name for group in GROUPS for name in verdict.rows(run, group)}
    found = {short: [(run["columns"][key], band) for key in shown(run) if (band := times_native(run, key, name))] for short, name in names.items()}
    values = [value for each in found.values() for _, band in each for value in band]
    if not values:
        return
    axis, height = svg.Axis(values), LINE * len(shown(run)) + 8
    yield '<div class="rows">'
    for family, rows in words.families([short for short, each in found.items() if each]):
        yield f'<h3>{esc(family)}</h3><div><small>instructions, times native</small></div><div class="pic">{svg.ruler(axis)}</div>'
        for short, what in rows:
            inside = [*svg.lines(axis, height), *marks(axis, LINE // 2 + 4, what, found[short])]
            yield f'<div>{esc(what)}</div><div class="pic">{svg.picture(height, what, inside)}</div>'
    yield "</div>"
