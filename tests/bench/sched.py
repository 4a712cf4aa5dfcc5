#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who gets how much of the CPUs: shares by weight and cap, farmers, wake-up latency, noisy neighbours.

    sched.py [CPUS ...]        machines with so many CPUs each (1 2 4)
    sched.py --json FILE ...   the figures to a file as well

Every domain runs pvguest's `load`, which reads its own run-state times at the begin and the end of one window of system time. *Due* is
max-min fair by weight: CPUs are filled up in proportion to the weights, and nobody gets more than its vCPUs or its cap can use. What
is counted is CPU time: emulation has no caches, and what neighbours do to those is not seen here.

Time is counted in instructions (-icount shift=0,sleep=off): the same figures at each run, whatever else the host does. With several CPUs
QEMU runs them in turn, in one thread, and virtual time is the sum of what all execute: N CPUs are each an N-th as fast as one. `load` says
PAUSE every grain= nanoseconds while it computes, which gives the turn to the next CPU, so that they advance side by side. What this cannot
show: caches, contention for a line of memory, what an interrupt between CPUs takes on silicon.

Ends with 1 when a domain got other than its due by more than SHARE_LIMIT and a slice, a farmer got more than MORE_THAN_DUE beyond its due
or lacked more of it than SHARE_LIMIT, a well-behaved domain lost too much, one in a hundred wake-ups waited for longer than LATENCY_LIMIT, or a
stressor did nothing or a CPU idled while `pvctl list` was measured beside all stressors.
"""
import argparse
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from machine import Machine, built  # noqa: E402 (the harness lives with the system tests)

BEGIN_MS, WINDOW_MS = 1000, 2000
WEIGHTS_WINDOW_MS = 4000  # within which the lightest has some slices on each CPU
FARM_WINDOW_MS = 8000     # MORE_THAN_DUE of a farmer's half of it is four slices on each CPU
FLUSH_WINDOW_MS = 500     # emulation is slow at flushes
ICOUNT = ["-icount", "shift=0,sleep=off"]
FINE_GRAIN = 200          # for latencies: how long a CPU computes until it is the next one's turn, in nanoseconds
# What works on disks and cards, beside a control domain: sched_devices.py.
STRESSORS = ("spin", "forks", "events", "hypercalls", "flushes")
SHARE_LIMIT = 0.02        # of its due, and a slice: more or less than it is a fault
SLICE_MS = 10
MORE_THAN_DUE = 0.01      # of its due: what a farmer may get beyond it
LOSS_LIMIT = 0.05         # of its due: what a noisy neighbour may take from a well-behaved domain
LATENCY_LIMIT = 1000      # microseconds: a slice of those who compute is ten times that
IDLE_LIMIT = 0.001        # of the time that a CPU may idle while there are more who compute than CPUs
LINE = re.compile(r"LOAD name=(\S+) (.*)")


XML = """<domain type='xen'><name>{work}</name><memory unit='MiB'>16</memory><vcpu>{vcpus}</vcpu><os><type>linux</type>
<kernel>/root/load</kernel><cmdline>work={work} vcpus={vcpus} begin=3600000 end=7200000</cmdline></os></domain>"""


def of(cpus):
    return f"{cpus} CPU{'s' if cpus > 1 else ''}"


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


def window_of(title):
    """Milliseconds that are looked at."""
    longer_or_shorter = {"farmer": FARM_WINDOW_MS, "flushes": FLUSH_WINDOW_MS, "weights": WEIGHTS_WINDOW_MS}
    return next((ms for word, ms in longer_or_shorter.items() if word in title), WINDOW_MS)


def measure(title, domains, cpus):
    """{name: {key: figure}} of one window; tried again with a later one when the machine was slow to start."""
    begin, length = BEGIN_MS, window_of(title)
    while True:
        window = f"begin={begin} end={begin + length}"
        config = "on_end = poweroff\n" + "".join(d.section(window) for d in domains)
        name = f"sched-{title}-{cpus}".replace(" ", "-")
        with Machine.direct(name, config, {"load": built("pvguest/load")}, smp=cpus, mem="512",
                            accel="tcg,thread=single", qemu=ICOUNT) as m:
            m.wait(900)
            found = {n: dict((k, int(v)) for k, v in re.findall(r"(\w+)=(\d+)", rest)) for n, rest in LINE.findall(m.text)}
            if len(found) == len(domains):
                return found
            if "came too late" not in m.text or begin > 20000:
                raise SystemExit(f"{title}, {cpus} CPUs: not every domain gave its figures:\n{m.tail()}")
        begin *= 2


def shares(title, domains, cpus, results):
    """Prints the shares of these domains beside each other; returns {name: (due, got)} in CPUs."""
    figures, expected, out = measure(title, domains, cpus), due(domains, cpus), {}
    print(f"{title}, {of(cpus)}")
    print(f"  {'domain':14}{'vCPUs':>6}{'weight':>8}{'cap, %':>8}{'due, CPUs':>12}{'got, CPUs':>12}{'got / due':>12}")
    for d in domains:
        got = figures[d.name]["share"] / 1e6
        out[d.name] = (expected[d.name], got)
        print(f"  {d.name:14}{d.vcpus:6}{d.weight:8}{d.cap or '-':>8}{expected[d.name]:12.3f}{got:12.3f}{got / expected[d.name]:12.3f}", flush=True)
    results.append({"title": title, "cpus": cpus, "figures": figures, "due": expected})
    return out


def judge(title, got):
    """True: each has its due."""
    a_slice = SLICE_MS / window_of(title)
    wrong = [name for name, (fair, had) in got.items() if abs(had - fair) > SHARE_LIMIT * fair + a_slice]
    for name in wrong:
        print(f"  WRONG: {name} has not its due (limit {100 * SHARE_LIMIT:.0f} % and a slice)")
    return not wrong


def by_weight(cpus, results):
    """True: shares are as weights are."""
    sets = {"weights 1:2:4": (cpus, 2 * cpus, 4 * cpus), "weights 1:2:4, few vCPUs": (4 * cpus, 2 * cpus, max(cpus // 2, 1))}
    good = True
    for title, vcpus in sets.items():
        domains = [Domain(name, weight=128 << i, vcpus=vcpus[i]) for i, name in enumerate(("one", "two", "four"))]
        good &= judge(title, shares(title, domains, cpus, results))
    title = "one vCPU beside many"
    return good & judge(title, shares(title, [Domain("one"), Domain("many", vcpus=31)], cpus, results))


def by_cap(cpus, results):
    """True: a cap holds, and what it leaves is used."""
    domains = [Domain("capped", vcpus=cpus, cap=30 * cpus), Domain("free", vcpus=cpus)]
    return judge("a cap", shares("a cap", domains, cpus, results))


def farmers(cpus, results):
    """True: nobody farms more than its due, nor loses of it by short sleeps: that goes to the honest one."""
    good = True
    for title, run, sleep in (("leaves before the slice ends", 9500, 100), ("sleeps and wakes", 3000, 1000),
                              ("sleeps shortly, often", 300, 50)):
        title = "a farmer: " + title
        domains = [Domain("farmer", "duty", vcpus=cpus, run=run, sleep=sleep), Domain("honest", vcpus=cpus)]
        fair, got = shares(title, domains, cpus, results)["farmer"]
        # Its due is that of one who never sleeps: it wants more of the CPUs than that, and sleeps for less than a slice.
        most, least = fair * (1 + MORE_THAN_DUE), fair * (1 - SHARE_LIMIT)
        if not least <= got <= most:
            good = False
            print(f"  WRONG: the farmer got {got:.3f} CPUs; {least:.3f} to {most:.3f} are right")
    return good


def wake_up(cpus, results):
    """True: who sleeps most of the time does not wait for those who compute."""
    domains = [Domain("interactive", "latency", run=200, sleep=5000, grain=FINE_GRAIN)]
    domains += [Domain(f"busy{i}", grain=FINE_GRAIN) for i in range(8)]
    figures = measure("wake-up latency", domains, cpus)
    f = figures["interactive"]
    results.append({"title": "wake-up latency", "cpus": cpus, "figures": figures})
    print(f"wake-up latency beside 8 busy domains, {of(cpus)}: median {f['latency_median'] / 1000:.1f} us, p99 "
          f"{f['latency_p99'] / 1000:.1f} us, worst {f['latency_max'] / 1000:.1f} us of {f['turns']} wake-ups")
    if cpus > 1:
        print(f"  (1000 instructions of all CPUs together are a microsecond; some {cpus - 1} x {FINE_GRAIN} are others' turns in QEMU's round)")
    if f["latency_p99"] > 1000 * LATENCY_LIMIT:
        print(f"  WRONG: p99 is over {LATENCY_LIMIT} us")
        return False
    return True


def neighbours(cpus, results):
    """True: no stressor takes more than the limit."""
    good = True
    for work in STRESSORS:
        domains = [Domain("good", vcpus=cpus), Domain("noisy", work, vcpus=4 * cpus)]
        expected, got = shares(f"beside a neighbour: {work}", domains, cpus, results)["good"]
        loss = 1 - got / expected
        print(f"  loss of the well-behaved one: {100 * loss:.1f} % (limit {100 * LOSS_LIMIT:.0f} %){' WRONG' if loss > LOSS_LIMIT else ''}")
        good &= loss <= LOSS_LIMIT
    return good


def control_domain(cpus, results):
    """True: all stressors, each with more vCPUs than there are CPUs, compute while `pvctl list` is measured beside them, and no CPU idles."""
    with open(built("pvguest/load"), "rb") as load:
        files = {"root/load": load.read()}
    for work in STRESSORS:
        files[f"root/{work}.xml"] = XML.format(work=work, vcpus=2 * cpus)
    with Machine.parvis(f"sched-control-{cpus}", files=files, smp=cpus, accel="tcg,thread=single", qemu=ICOUNT) as m:
        m.prompt(1200)
        m.settle()
        quiet = list_ms(m)
        for work in STRESSORS:
            m.check(f"pvctl create /root/{work}.xml", timeout=600)
        before, idle_before = cpu_times(m), idle_times(m)
        beside = list_ms(m)
        m.check("sleep 2", timeout=600)
        after, idle_after = cpu_times(m), idle_times(m)
    print(f"`pvctl list` beside all stressors, {of(cpus)}: answers in {beside} ms, in {quiet} ms without them", flush=True)
    lazy = [work for work in STRESSORS if not before.get(work, 0) < after.get(work, 0)]
    if lazy:
        print(f"  WRONG: did not compute meanwhile: {' '.join(lazy)}")
    idle = [then - first for first, then in zip(idle_before, idle_after)]
    took = (sum(after.values()) - sum(before.values())) / cpus
    print(f"  meanwhile, of {took / 1e6:.0f} ms, each CPU idled for (ms): {' '.join(f'{ns / 1e6:.3f}' for ns in idle)}", flush=True)
    results.append({"title": "pvctl list", "cpus": cpus, "quiet_ms": quiet, "beside_ms": beside, "idle_ns": idle})
    if len(idle) != cpus or max(idle) > IDLE_LIMIT * took:
        print(f"  WRONG: a CPU idles beside {2 * cpus * len(STRESSORS)} vCPUs that compute (limit {100 * IDLE_LIMIT} %)")
        return False
    return not lazy


def cpu_times(machine):
    """{name: nanoseconds of CPU time so far}."""
    return {d["name"]: d["cpu_time_ns"] for d in machine.told("list", 600)}


def idle_times(machine):
    """Nanoseconds that each CPU has idled so far."""
    return [cpu["idle_time_ns"] for cpu in machine.told("info", 600)["cpu"]]


def list_ms(machine):
    """Milliseconds that `pvctl list` took, in virtual time: the median of five."""
    took = []
    for _ in range(5):
        machine.check("time pvctl list", timeout=600)
        minutes, seconds = re.findall(r"real\s+(\d+)m\s*([\d.]+)s", machine.text)[-1]
        took.append(round(1000 * (60 * int(minutes) + float(seconds))))
    return sorted(took)[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cpus", nargs="*", type=int, metavar="CPUS")
    parser.add_argument("--json", metavar="FILE")
    options, results, good = parser.parse_args(), [], True
    if min(options.cpus, default=1) < 1:
        parser.error("a machine has 1 CPU at least")
    for cpus in options.cpus or [1, 2, 4]:
        good &= by_weight(cpus, results)
        good &= by_cap(cpus, results)
        good &= farmers(cpus, results)
        good &= wake_up(cpus, results)
        good &= neighbours(cpus, results)
        good &= control_domain(cpus, results)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    print("all is within what is allowed" if good else "not all is within what is allowed: see WRONG above")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
