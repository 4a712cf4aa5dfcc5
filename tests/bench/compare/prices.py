# SPDX-License-Identifier: MIT
"""What each measure against speculation costs: a paravirtual guest of Parvis with it alone, against the same without any, as Markdown."""
import verdict

BASE = "parvis-pv"      # which chooses none on the emulated CPU; its mitigations say so


def cell(one, base):
    """The difference, and the part of the base that it is; none where it is within what the two were seen to differ by themselves."""
    if one is None:
        return "-"
    if one["least"] <= base["most"] and base["least"] <= one["most"]:
        return "0"
    more = one["median"] - base["median"]
    return f"{'+' if more > 0 else '-'}{verdict.number(abs(more))} ({100 * more / base['median']:+.1f} %)" if base["median"] else "-"


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
