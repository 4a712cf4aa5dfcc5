# SPDX-License-Identifier: MIT
"""The answer of a run in a few sentences, made of its figures: who takes fewer cycles than whom, how often, and how many."""
import verdict
import words

PV = "parvis-pv"
ASKED = ((PV, ("parvis-hvm", "parvis-pvh")), (PV, ("xen-pv",)), ("parvis-pv-as-xen", ("xen-pv",)), (PV, ("native",)))


def times(band):
    """A ratio of cycles with its range."""
    return f"{verdict.digits(band[1])} times as many ({verdict.digits(band[0])} to {verdict.digits(band[2])})"


def often(rows):
    """How many; which, where it is one or two."""
    return (f"{len(rows)} ({', '.join(verdict.short(name) for name in rows)})" if len(rows) < 3 else str(len(rows))) if rows else "none"


def sentence(run, one, others, constants):
    """One column against those of the others that are there; "" where there are none."""
    others = [other for other in others if other in run["columns"]]
    bands = [band for other in others for band in verdict.bands(run, one, other, constants).items()]
    if not bands:
        return ""
    rows = {says: [name for name, band in bands if verdict.says(band) == says] for says in verdict.SAYS}
    first, second = ("fewer", "less"), ("more", "more")
    if len(rows["more"]) > len(rows["less"]):
        first, second = second, first
    said = (f"{run['columns'][one]['title']} takes {first[0]} cycles than {' and '.join(run['columns'][other]['title'] for other in others)} in "
            f"{often(rows[first[1]])} of {len(bands)} comparisons, {second[0]} in {often(rows[second[1]])}; typically {times(verdict.middle([band for _, band in bands]))}")
    level = [f"{words.PLAIN.get(verdict.short(name), '')} ({verdict.short(name)})".lstrip() for name in dict.fromkeys(rows["even"]) if rows["even"].count(name) == len(others)]
    return said + (f", and about level for {', '.join(level)}." if level else ".")


def sentences(run, constants):
    return [said for one, others in ASKED if (said := sentence(run, one, others, constants))]
