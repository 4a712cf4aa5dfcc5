#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who gets how much of the CPUs: shares by weight and cap, farmers, wake-up latency, noisy neighbours.

    sched.py [CPUS ...]        machines with so many CPUs each (1 2 4)
    sched.py --json FILE ...   the figures to a file as well

Every domain runs pvguest's `load`, which reads its own run-state times at the begin and the end of one window of system time. *Due* is
max-min fair by weight: CPUs are filled up in proportion to the weights, and nobody gets more than its vCPUs or its cap can use. What
is counted is CPU time: emulation has no caches, and what neighbours do to those is not seen here.

With one CPU virtual time is counted in instructions (-icount shift=0,sleep=off): the same figures at each run. With several, QEMU has
a thread for each and time is the host's: shares are ratios of it, latencies say more of the host than of the scheduler and are shown
for one CPU alone.
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import Machine, built, control_config  # noqa: E402 (the harness lives with the system tests)

BEGIN_MS, WINDOW_MS = 1500, 4000
FLUSH_WINDOW_MS = 1000    # emulation is slow at flushes
FOREVER = "begin=1 end=100000000"
MORE_THAN_DUE = 0.01      # of the machine: what farmers may get beyond their due
SHARE_LIMIT = 0.02        # of its due: how far a share may be from it, on one CPU, where the figures are exact
LOSS_LIMIT = 0.05         # of its due: what a noisy neighbour may take from a well-behaved domain
LINE = re.compile(r"LOAD name=(\S+) (.*)")


class Domain:
    def __init__(self, name, work="spin", vcpus=1, weight=256, cap=0, uses=1.0, **options):
        self.name, self.vcpus, self.weight, self.cap = name, vcpus, weight, cap
        self.most = min(vcpus * uses, cap / 100 if cap else vcpus)   # CPUs that it can use
        self.options = {"name": name, "work": work, "vcpus": vcpus, **options}

    def section(self, window):
        options = " ".join(f"{key}={value}" for key, value in self.options.items())
        return (f"[domain {self.name}]\nkernel = load\nmemory = 8M\nvcpus = {self.vcpus}\nweight = {self.weight}\n"
                f"cap = {self.cap}\ncmdline = {options} {window}\n")


def due(domains, cpus):
    """{name: CPUs}: filled up by weight until the CPUs are used up or everybody has what it can use."""
    got = {d.name: 0.0 for d in domains}
    left, open_ = float(cpus), list(domains)
    while left > 1e-9 and open_:
        level = min(left / sum(d.weight for d in open_), min((d.most - got[d.name]) / d.weight for d in open_))
        for d in open_:
            got[d.name] += level * d.weight
        left -= level * sum(d.weight for d in open_)
        open_ = [d for d in open_ if d.most - got[d.name] > 1e-9]
    return got


def accel(cpus):
    """How QEMU runs a machine with so many CPUs."""
    return {"qemu": ["-icount", "shift=0,sleep=off"]} if cpus == 1 else {"accel": "tcg,thread=multi"}


def measure(title, domains, cpus):
    """{name: {key: figure}} of one window; tried again with a later one when the machine was slow to start."""
    begin, length = BEGIN_MS, FLUSH_WINDOW_MS if "flushes" in title else WINDOW_MS
    while True:
        window = f"begin={begin} end={begin + length}"
        config = "on_end = poweroff\n" + "".join(d.section(window) for d in domains)
        name = f"sched-{title}-{cpus}".replace(" ", "-")
        with Machine.direct(name, config, {"load": built("pvguest/load")}, smp=cpus, mem="512", **accel(cpus)) as m:
            m.wait(600)
            found = {n: dict((k, int(v)) for k, v in re.findall(r"(\w+)=(\d+)", rest)) for n, rest in LINE.findall(m.text)}
            if len(found) == len(domains):
                return found
            if "came too late" not in m.text or begin > 20000:
                raise SystemExit(f"{title}, {cpus} CPUs: not every domain gave its figures:\n{m.tail()}")
        begin *= 2


def shares(title, domains, cpus, results):
    """Prints the shares of these domains beside each other; returns {name: (due, got)} in CPUs."""
    figures, expected, out = measure(title, domains, cpus), due(domains, cpus), {}
    print(f"{title}, {cpus} CPU{'s' if cpus > 1 else ''}")
    print(f"  {'domain':14}{'vCPUs':>6}{'weight':>8}{'cap':>6}{'due, CPUs':>12}{'got':>9}{'got / due':>11}")
    for d in domains:
        got = figures[d.name]["share"] / 1e6
        out[d.name] = (expected[d.name], got)
        print(f"  {d.name:14}{d.vcpus:6}{d.weight:8}{d.cap or '-':>6}{expected[d.name]:12.3f}{got:9.3f}{got / expected[d.name]:11.3f}")
    results.append({"title": title, "cpus": cpus, "figures": figures, "due": expected})
    return out


def fair(out, cpus):
    """Whether each got what it was due; with several CPUs the host has its hand in it."""
    wrong = [name for name, (expected, got) in out.items() if cpus == 1 and abs(got - expected) > SHARE_LIMIT * expected]
    for name in wrong:
        print(f"  {name} is more than {100 * SHARE_LIMIT:.0f} % from its due")
    return not wrong


def by_weight(cpus, results):
    """True: shares are as weights are."""
    sets = {"weights 1:2:4": (cpus, 2 * cpus, 4 * cpus), "weights 1:2:4, few vCPUs": (4 * cpus, 2 * cpus, max(cpus // 2, 1))}
    good = True
    for title, vcpus in sets.items():
        domains = [Domain(name, weight=128 << i, vcpus=vcpus[i]) for i, name in enumerate(("one", "two", "four"))]
        good &= fair(shares(title, domains, cpus, results), cpus)
    return good & fair(shares("one vCPU beside many", [Domain("one"), Domain("many", vcpus=31)], cpus, results), cpus)


def by_cap(cpus, results):
    """True: a cap holds, and what it leaves is used."""
    domains = [Domain("capped", vcpus=cpus, cap=30 * cpus), Domain("free", vcpus=cpus)]
    return fair(shares("a cap", domains, cpus, results), cpus)


def farmers(cpus, results):
    """True: nobody farms more than its due."""
    good = True
    for title, run, sleep in (("leaves before the slice ends", 9500, 100), ("sleeps and wakes", 3000, 1000),
                              ("sleeps shortly, often", 300, 50)):
        domains = [Domain("farmer", "duty", vcpus=cpus, run=run, sleep=sleep), Domain("honest", vcpus=cpus)]
        _, got = shares(title, domains, cpus, results)["farmer"]
        # Its due cannot be more than that of one who never sleeps.
        if got > cpus / 2 + MORE_THAN_DUE * cpus:
            good = False
            print(f"  the farmer got {got:.3f} CPUs; at most {cpus / 2 + MORE_THAN_DUE * cpus:.3f} are right")
    return good


def wake_up(cpus, results):
    domains = [Domain("interactive", "latency", uses=0.02, run=200, sleep=10000)]
    domains += [Domain(f"busy{i}") for i in range(8)]
    figures = measure("wake-up latency", domains, cpus)
    f = figures["interactive"]
    results.append({"title": "wake-up latency", "cpus": cpus, "figures": figures})
    print(f"wake-up latency beside 8 busy domains, {cpus} CPU: median {f['latency_median'] / 1000:.1f} us, p99 "
          f"{f['latency_p99'] / 1000:.1f} us, worst {f['latency_max'] / 1000:.1f} us of {f['turns']} wake-ups")


def neighbours(cpus, results):
    """True: no stressor takes more than the limit."""
    good = True
    for work in ("spin", "forks", "events", "hypercalls", "flushes"):
        domains = [Domain("good", vcpus=cpus), Domain("noisy", work, vcpus=4 * cpus)]
        expected, got = shares(f"beside a neighbour: {work}", domains, cpus, results)["good"]
        loss = 1 - got / expected
        if loss > LOSS_LIMIT:
            good = False
        print(f"  loss of the well-behaved one: {100 * loss:.1f} % (limit {100 * LOSS_LIMIT:.0f} %)")
    return good


def control_domain(cpus):
    """`pvctl list` beside all stressors at once."""
    config = control_config(memory="512M")
    for work in ("spin", "forks", "events", "hypercalls", "flushes"):
        config += Domain(work, work, vcpus=4 * cpus).section(FOREVER)
    smp = {"accel": "tcg,thread=multi"} if cpus > 1 else {}
    with Machine.parvis(f"sched-control-{cpus}", config=config, smp=cpus, **smp) as m:
        m.prompt(1200)
        m.check("time pvctl list", r"flushes", timeout=300)
        took = m.text[m.text.rfind("real"):].split("\n")[0]
        print(f"`pvctl list` beside all stressors, {cpus} CPUs: answered ({took})")
        m.send("poweroff")
        m.wait(600)


def main():
    arguments, results, good = sys.argv[1:], [], True
    to = None
    if "--json" in arguments:
        at = arguments.index("--json")
        to = arguments[at + 1]
        del arguments[at:at + 2]
    for cpus in [int(a) for a in arguments] or [1, 2, 4]:
        good &= by_weight(cpus, results)
        good &= by_cap(cpus, results)
        good &= farmers(cpus, results)
        if cpus == 1:
            wake_up(cpus, results)
        good &= neighbours(cpus, results)
        control_domain(cpus)
    if to:
        with open(to, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
