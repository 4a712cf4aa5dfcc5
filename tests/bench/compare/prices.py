# SPDX-License-Identifier: MIT
"""What each measure against speculation costs: a paravirtual guest of Parvis with it alone, against the same without any, as Markdown."""
import math

import verdict

BASE = "parvis-pv"      # which chooses none on the emulated CPU; its mitigations say so


def within(one, base):
    """Whether the two differ by no more than each by itself."""
    return one["least"] <= base["most"] and base["least"] <= one["most"]


def cell(one, base):
    """The difference, and the part of the base that it is; none where it is within what the two were seen to differ by themselves."""
    if one is None:
        return "-"
    if within(one, base):
        return "0"
    more = one["median"] - base["median"]
    return f"{'+' if more > 0 else '-'}{verdict.number(abs(more))} ({100 * more / base['median']:+.1f} %)" if base["median"] else "-"


def mean(run, key):
    """Instructions of Linux's operations, times those without any, the geometric mean; None where there are none."""
    pairs = [(verdict.row(run, key, name), verdict.row(run, BASE, name)) for name in verdict.rows(run, "linux")]
    logs = [0 if within(one, base) else math.log(one["median"] / base["median"]) for one, base in pairs if one and base and one["median"] and base["median"]]
    return math.exp(sum(logs) / len(logs)) if logs else None


def sentence(run):
    """What each costs in the mean, and all of them; "" where no price was taken."""
    means = [(column["price"], mean(run, key)) for key, column in run["columns"].items() if column["price"]]
    told = ", ".join(f"{name} {100 * (found - 1):+.1f} %" for name, found in means if found)
    return f"Forced alone on Parvis PV they cost so many instructions of Linux's operations, by the geometric mean: {told}. Each row's are in the table of prices." if told else ""


def section(run):
    columns = {key: column for key, column in run["columns"].items() if column["price"]}
    if not columns or BASE not in run["columns"]:
        return
    yield "## Measured: the price of measures against speculation"
    yield ""
    yield ("Instructions of Parvis PV with one measure forced (`spec-ctrl = no,NAME`) beyond those without any. What a measure does to a real CPU's pipeline and caches "
           "(a flush of CR3, VERW, a return stack that mispredicts) is not in them. QEMU's emulation has none of the MSRs of IBRS, IBPB, BHI_DIS_S, SSBD.")
    yield ""
    yield from verdict.table(["row", "none", *(column["price"] for column in columns.values())],
                             ([verdict.short(name), verdict.figure(base), *(cell(verdict.row(run, key, name), base) for key in columns)]
                              for name in verdict.rows(run, "linux") if (base := verdict.row(run, BASE, name))))
    yield ""
