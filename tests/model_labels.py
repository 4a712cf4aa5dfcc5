# SPDX-License-Identifier: MIT
"""Holds the models of tests/models against the code: each step of a model names the place in the code that it stands for.

The comment `model: FUNCTION.STEP`, in a model and in that function of the hypervisor, says that the two are the same step. Each label
of a model is in the code, once, in the function that it names; each of the code is in a model; and within a function the model
has its steps in the code's order. So who changes an order in the code is sent to the model, and runs it again.
"""
import re

from c_source import blank, functions, line_of

LABEL = re.compile(r"\bmodel: (\w+)\.(\w+)")


def in_code(texts):
    """({label: its place in the code}, problems as (path, line, words))."""
    places, problems = {}, []
    for path, text in texts.items():
        if not (path.startswith("hypervisor/") and path.endswith((".c", ".h")) and "model: " in text):
            continue
        heads = [f for f in functions(blank(text)) if f.kind != "declaration"]
        for found in LABEL.finditer(text):
            label, line = f"{found[1]}.{found[2]}", line_of(text, found.start())
            around = [f.name for f in heads if f.at < found.start()]
            if not around or around[-1] != found[1]:
                problems.append((path, line, f"the step {label} stands in {around[-1] if around else 'no function'}"))
            if label in places:
                problems.append((path, line, f"the step {label} stands in {places[label][0]} too"))
            places[label] = (path, line)
    return places, problems


def problems(texts):
    """texts: {path: text} of all sources. (path, line, words) of each step that is not in both, or out of its order."""
    places, wrong = in_code(texts)
    modelled = set()
    for path, text in texts.items():
        if not path.endswith(".pml"):
            continue
        last = {}
        for found in LABEL.finditer(text):
            label, line = f"{found[1]}.{found[2]}", line_of(text, found.start())
            modelled.add(label)
            if label not in places:
                wrong.append((path, line, f"the code has no step {label}"))
            elif places[label][1] < last.get(found[1], 0):
                wrong.append((path, line, f"the step {label} comes earlier in {places[label][0]}"))
            else:
                last[found[1]] = places[label][1]
    return wrong + [(*places[label], f"no model has the step {label}") for label in places if label not in modelled]
