# SPDX-License-Identifier: MIT
"""A strict reader of Prometheus' text format, as node_exporter's textfile collector takes it: what that refuses is an error here too."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)?\}})? (-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|NaN|[+-]Inf)")


class Wrong(Exception):
    """This is not the format."""


def need(holds, text):
    if not holds:
        raise Wrong(text)


def labels_of(text):
    pairs = re.findall(LABEL, text or "")
    need(len({name for name, _ in pairs}) == len(pairs), f"a label twice: {text}")
    need(not any(name.startswith("__") for name, _ in pairs), f"a reserved label: {text}")
    return {name: value for name, value in pairs}


def read(text):
    """{(metric, labels as a sorted tuple): value}, {metric: type}."""
    need(text.endswith("\n"), "the last line has no end")
    series, types, helps, family, closed = {}, {}, {}, None, set()
    for line in text.splitlines():
        head = re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (.+)", line)
        if head:
            kind, name, rest = head.groups()
            table = helps if kind == "HELP" else types
            need(name not in table, f"{kind} of {name} twice")
            need(kind == "HELP" or rest in ("counter", "gauge"), f"type {rest}")
            table[name] = rest
            if name != family:
                need(name not in closed, f"{name} does not stand together")
                closed.add(family)
                family = name
            continue
        sample = SAMPLE.fullmatch(line)
        need(sample, f"no sample: {line!r}")
        name, value = sample.group(1), float(sample.groups()[-1])
        need(name == family, f"{name} stands among {family}")
        need(name in types and name in helps, f"{name} has no type or help")
        need((types[name] == "counter") == name.endswith("_total"), f"{name} is a {types[name]}")
        need(types[name] != "counter" or value >= 0, f"{line!r}: a counter below 0")
        key = name, tuple(sorted(labels_of(sample.group(2)).items()))
        need(key not in series, f"{line!r}: there already")
        series[key] = value
    return series, types
