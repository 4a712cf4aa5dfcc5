# SPDX-License-Identifier: MIT
"""Plots as SVG text: a line for each row, with a mark or a band for each column, on a logarithmic axis."""
import html
import math

COLOURS = {"native": "#555555", "parvis-pv": "#1b7837", "parvis-pv-nospec": "#7fbf7b", "parvis-hvm": "#762a83", "parvis-pvh": "#9970ab",
           "xen-pv": "#b35806", "xen-pvh": "#e08214", "xen-pv-nospec": "#f1a340", "xen-pvh-nospec": "#fdb863"}
OTHER = "#0571b0"
LEFT, WIDTH, RIGHT, TOP = 200, 620, 20, 30


def colour(key):
    return COLOURS.get(key, OTHER)


def ticks(low, high):
    """1, 2, 5, 10, ... within."""
    found = [step * 10 ** power for power in range(-3, 13) for step in (1, 2, 5)]
    return [tick for tick in found if low <= tick * 1.0001 and tick <= high * 1.0001]


def position(value, low, high):
    value = min(max(value, low), high)
    return LEFT + WIDTH * (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))


def text(x, y, what, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(what)}</text>'


def bands(rows, title, unit="times native"):
    """rows: [(name, [(key, column's title, (low, typical, high))])]; low and high may be the same, and then there is a mark alone. 1 has a line."""
    values = [value for _, marks in rows for _, _, band in marks for value in band]
    if not values:
        return ""
    low, high = min([*values, 0.9]) * 0.95, max([*values, 1.1]) * 1.05
    pitch = 9
    heights = [max(len(marks), 1) * pitch + 8 for _, marks in rows]
    height = TOP + sum(heights) + 10
    out = [f'<svg viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" role="img" aria-label="{html.escape(title)}">']
    for tick in ticks(low, high):
        x = position(tick, low, high)
        out.append(f'<line class="{"one" if tick == 1 else "grid"}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{height - 6}"/>')
        out.append(text(x, TOP - 12, f"{tick:g}", "middle"))
    out.append(text(4, TOP - 12, unit))
    y = TOP
    for (name, marks), tall in zip(rows, heights):
        out.append(text(LEFT - 8, y + tall / 2 + 2, name, "end"))
        for number, (key, column, band) in enumerate(marks):
            at = y + 6 + number * pitch
            x0, x, x1 = (position(value, low, high) for value in band)
            says = f"{name}, {column}: {band[1]:.2f}" + (f" ({band[0]:.2f} to {band[2]:.2f})" if band[0] != band[2] else "")
            out.append(f'<g fill="{colour(key)}"><title>{html.escape(says)}</title>')
            if band[0] != band[2]:
                out.append(f'<rect opacity="0.35" x="{x0:.1f}" y="{at - 3:.1f}" width="{max(x1 - x0, 1):.1f}" height="6"/>')
            out.append(f'<circle cx="{x:.1f}" cy="{at:.1f}" r="3"/></g>')
        y += tall
    return "\n".join([*out, "</svg>"])
