# SPDX-License-Identifier: MIT
"""Plots as SVG, a picture a row: their widths are parts of a hundred, so that they fit a narrow window without their text shrinking; what
they look like, in the light and in the dark, is page.css's."""
import html
import math


class Axis:
    """Logarithmic; the values are ratios, so 1 has a place on it."""

    def __init__(self, values, limits=(0.02, 1000)):
        inside = [min(max(value, limits[0]), limits[1]) for value in values]
        self.low, self.high = min([*inside, 0.9]) * 0.93, max([*inside, 1.1]) * 1.07

    def at(self, value):
        """In parts of a hundred; what is beyond an end is at it."""
        value = min(max(value, self.low), self.high)
        return 100 * (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))

    def ticks(self):
        """1, 2, 5, 10, ... within; not nearer to each other than text needs."""
        found = [step * 10 ** power for power in range(-3, 4) for step in (1, 2, 5)]
        found = [tick for tick in found if self.low <= tick <= self.high]
        return found if len(found) < 9 else [tick for tick in found if f"{tick:e}"[0] == "1"]


def lines(axis, height):
    for tick in axis.ticks():
        yield f'<line class="{"one" if tick == 1 else "grid"}" x1="{axis.at(tick):.1f}%" x2="{axis.at(tick):.1f}%" y1="0" y2="{height}"/>'


def picture(height, says, inside):
    return f'<svg width="100%" height="{height}" role="img" aria-label="{html.escape(says)}">' + "".join(inside) + "</svg>"


def ruler(axis):
    """The axis's numbers."""
    return picture(16, "axis", [f'<text class="{"unit" if tick == 1 else ""}" x="{axis.at(tick):.1f}%" y="12" text-anchor="middle">{tick:g}</text>'
                                for tick in axis.ticks()])


def mark(axis, band, y, kind, says, square=False):
    """A band with its middle; where the ends are the same there is the middle alone."""
    x = [axis.at(value) for value in band]
    yield f'<g class="{kind}"><title>{html.escape(says)}</title>'
    if band[0] != band[2]:
        yield f'<rect class="band" x="{x[0]:.1f}%" y="{y - 3}" width="{max(x[2] - x[0], 0.5):.1f}%" height="6" rx="2"/>'
    if square:
        yield f'<svg x="{x[1]:.1f}%" y="{y}" overflow="visible"><rect x="-4" y="-4" width="8" height="8"/></svg></g>'
    else:
        yield f'<circle cx="{x[1]:.1f}%" cy="{y}" r="4"/></g>'
