# SPDX-License-Identifier: MIT
"""The page's tables of verdicts: a row an operation, a column a pair, in each field the ratio of cycles as a number and as a bar."""
import svg
import verdict
import words
from page_text import esc, title

KIND = {"less": "less", "more": "more", "even": "even", None: "open"}    # a verdict's class in page.css
WORD = {"even": "about equal", None: "undecided"}
ENDS = (0.1, 10)        # of the scale; what is beyond has an arrow
TICKS = (0.1, 0.5, 1, 2, 10)


def scale():
    return svg.Axis(ENDS, ENDS)


def ruler(axis):
    """The scale's numbers; where it is narrow the page leaves out those that stand too near."""
    return svg.picture(14, "scale", [f'<text class="{"unit" if tick == 1 else "minor" if tick in (0.5, 2) else ""}" x="{axis.at(tick):.1f}%" y="11" '
                                     f'text-anchor="middle">{tick:g}</text>' for tick in TICKS])


def bar(axis, band):
    """The band on the scale, with 1 marked; its middle; an arrow where it goes on."""
    x = [axis.at(value) for value in band]
    inside = [f'<line class="{"one" if tick == 1 else "tick"}" x1="{axis.at(tick):.1f}%" x2="{axis.at(tick):.1f}%" y1="0" y2="8"/>' for tick in TICKS]
    inside += [f'<rect class="band" x="{x[0]:.1f}%" y="1" width="{max(x[2] - x[0], 1):.1f}%" height="6" rx="2"/>',
               f'<circle cx="{x[1]:.1f}%" cy="4" r="3"/>']
    inside += [f'<svg x="{at}" overflow="visible"><polygon points="{points}"/></svg>'
               for cut, at, points in ((band[0] < axis.low, "0%", "0,0 -6,4 0,8"), (band[2] > axis.high, "100%", "0,0 6,4 0,8")) if cut]
    return svg.picture(8, f"{verdict.digits(band[0])} to {verdict.digits(band[2])}", inside)


def field(band, axis):
    if band is None:
        return "<td><small>-</small></td>"
    says = verdict.says(band)
    word = f" <small>{WORD[says]}</small>" if says in WORD else ""
    return f'<td class="{KIND[says]}"><b>{verdict.digits(band[1])}</b> <small>{verdict.digits(band[0])} to {verdict.digits(band[2])}</small>{word}{bar(axis, band)}</td>'


def head(run, pair, alone):
    """A pair's name; where all have the same first one, the other one's."""
    one, other = (esc(title(run, key)) for key in pair)
    return f"against {other}" if alone else f"{one} against {other}"


def matrix(run, pairs, constants):
    """The pairs that are there; in each family of rows their names and the scale again."""
    bands = {pair: found for pair in pairs if (found := verdict.bands(run, *pair, constants))}
    if not bands:
        return
    axis, alone = scale(), len({one for one, _ in bands}) == 1
    heads = "".join(f"<th>{head(run, pair, alone)}{ruler(axis)}</th>" for pair in bands)
    names = {verdict.short(name): name for name in verdict.modelled(run)}
    yield '<div class="scroll"><table class="verdicts">'
    for family, rows in words.families(list(names)):
        yield f'<tr class="family"><th>{esc(family)}</th>{heads}</tr>'
        for short, what in rows:
            star = " *" if words.notes([short]) else ""
            yield (f"<tr><th>{esc(what)} <code>{esc(short)}{star}</code></th>" +
                   "".join(field(found.get(names[short]), axis) for found in bands.values()) + "</tr>")
    yield "</table></div>"
