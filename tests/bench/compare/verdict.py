# SPDX-License-Identifier: MIT
"""What the reports show of a run, once for all of them: which rows there are, and what of each is measured, counted, modelled, and to be said."""
import collections
import math

import model

BASE = "native"
GROUPS = {"linux": "Operations of Linux (linux-ops), in instructions",
          "work": "Whole work, in instructions",
          "bench": "Operations of a kernel (pvguest's bench), in instructions",
         "life": "Life of a guest of 256 MiB, by the toolstack",
         "io": "Disk and network of a guest, served by its control domain: instructions of both domains and the hypervisor for 1 MiB (1m) or 4 KiB (4k)"}
MODELLED = ("linux", "work", "io")
EVEN = 0.1      # so far from 1 a whole band may be that is called about equal
SAYS = ("less", "even", None, "more")
EXTENTS = "Measured: instructions, the median of the runs, and from least to most where they differ by more than a hundredth."


def line_of(cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def table(head, lines):
    """As Markdown, in which a cell's own bar is behind a backslash."""
    yield line_of(head)
    yield "|" + "---|" * len(head)
    yield from map(line_of, lines)


def compared(run):
    """The run without the columns that are there for the price of a measure alone."""
    return {**run, "columns": {key: column for key, column in run["columns"].items() if not column["price"]}}


def rows(run, group):
    """Names of the rows of a group, in the order in which they were measured."""
    return list(dict.fromkeys(name for column in run["columns"].values() for name in column["rows"] if name.split(".", 1)[0] == group))


def modelled(run):
    """Names of the rows that the model is for: what applications do."""
    return [name for group in MODELLED for name in rows(run, group)]


def short(name):
    return name.split(".", 1)[1]


def row(run, key, name):
    return run["columns"].get(key, {}).get("rows", {}).get(name)


def number(amount):
    """To four digits, in groups of three."""
    if amount != 0 and amount < 10 and amount != int(amount):
        return f"{amount:.2f}"
    return f"{round(amount):,}"


def figure(measured):
    """A row's cell: the median, and the spread where there is one to speak of."""
    if measured is None:
        return "-"
    spread = measured["most"] - measured["least"]
    text = number(measured["median"])
    if spread * 100 > measured["median"]:
        text += f" ({number(measured['least'])} to {number(measured['most'])})"
    return text if measured["unit"] == "instructions" else f"{text} {measured['unit']}"


def cycles(run, key, name, constants):
    found = row(run, key, name)
    return model.cycles(found, run["columns"][key]["kind"], constants) if found else None


def ratio(run, key, name, constants, base=BASE):
    """The modelled ratio's band against the base; None where one of both is missing."""
    one, other = row(run, key, name), row(run, base, name)
    if not one or not other:
        return None
    return model.ratio(one, run["columns"][key]["kind"], other, run["columns"][base]["kind"], constants)


def says(band):
    """What a ratio's band allows to be said: "less", "more", "even" where it is about equal whatever the CPU, None where the CPU decides."""
    found = model.says(band)
    return "even" if found is None and 1 - EVEN <= band[0] and band[2] <= 1 + EVEN else found


def digits(value):
    """A ratio, to two or three digits."""
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio_text(band):
    """A ratio with its range, and the word for it where it does not say which is faster."""
    if band is None:
        return "-"
    word = {"even": "about equal: ", None: "undecided: "}.get(says(band), "")
    return f"{word}{digits(band[1])} ({digits(band[0])} to {digits(band[2])})"


def mean(run, key, group, base=BASE):
    """Instructions, times the base's, the geometric mean over a group's rows; None where there are none."""
    logs = [math.log(one["median"] / other["median"]) for name in rows(run, group)
            if (one := row(run, key, name)) and (other := row(run, base, name)) and one["median"] and other["median"]]
    return math.exp(sum(logs) / len(logs)) if logs else None


def bands(run, one, other, constants):
    """{row: band}, where there is one."""
    if one not in run["columns"] or other not in run["columns"]:
        return {}
    return {name: band for name in modelled(run) if (band := ratio(run, one, name, constants, other))}


def tally(run, one, other, constants):
    """{"less": rows in which `one` takes fewer cycles by the model than `other`, "even": ..., None: undecided, "more": ...}."""
    found = {what: [] for what in SAYS}
    for name, band in bands(run, one, other, constants).items():
        found[says(band)].append(short(name))
    return found


def middle(each):
    """The geometric mean of bands, end by end: so wide a band no CPU leaves. None where there are none."""
    each = list(each)
    return tuple(math.exp(sum(math.log(band[end]) for band in each) / len(each)) for end in range(3)) if each else None


def shares(run, key, constants):
    """{what: part of a row's typical cycles, the mean over the rows}; None where there is no row."""
    kind = run["columns"][key]["kind"]
    each = [found for name in modelled(run) if (one := row(run, key, name)) and (found := model.shares(one, kind, constants))]
    return {what: sum(found[what] for found in each) / len(each) for what in model.SHARES} if each else None


def deciders(run, one, other, constants):
    """[(constant, in so many rows)]: of rows that are undecided, the constant that moves the ratio most."""
    kinds = [run["columns"][key]["kind"] for key in (one, other) if key in run["columns"]]
    moved = [model.moves(row(run, one, name), kinds[0], row(run, other, name), kinds[1], constants)
             for name, band in bands(run, one, other, constants).items() if says(band) is None]
    return collections.Counter(moved).most_common()
