# SPDX-License-Identifier: MIT
"""One column, from the start of its machine to its last row: what is done there in which order."""
import re

import rows


def one(value, unit):
    """A figure that was had once."""
    return {"unit": unit, "least": value, "median": value, "most": value}


def by_linux_ops(column, arguments, runs, group):
    """{row: figures} of what linux-ops answers in the shell that has the console."""
    status, text = column.machine.shell(f"/usr/bin/linux-ops --runs {runs} {arguments}", 3000)
    lines, found = column.new_counts(), {}
    for number, (name, (figures, times)) in enumerate(rows.measured(text).items()):
        found[f"{group}.{name}"] = {**figures, "events": rows.events_of(lines[number * runs:(number + 1) * runs], times)}
    if status or len(lines) != len(found) * runs:
        raise AssertionError(f"linux-ops {arguments} ended with {status}, and the plugin saw {len(lines)} runs of {len(found)} operations:\n{text}")
    return found


def works(column, runs):
    found = {}
    for name, command in rows.WORK.items():
        if name == "hackbench" and column.machine.shell("which hackbench")[0]:
            continue
        quoted = command.replace("'", "'\\''")
        found |= by_linux_ops(column, f"--time {name} '{quoted}'", runs, "work")
    return found


def counted(column, operation):
    """{event: times an operation}, by the hypervisor: what two runs count beyond one, for what a program takes to start and end is no part."""
    each = []
    for runs in (1, 3):
        before = column.counted()
        text = column.machine.shell(f"/usr/bin/linux-ops --runs {runs} {operation}", 600)[1]
        after = column.counted()
        each.append({name: count - before.get(name, 0) for name, count in after.items()})
    column.new_counts()
    times = 2 * rows.measured(text)[operation][1]
    return {name: round((count - each[0].get(name, 0)) / times, 4) for name, count in each[1].items() if count > each[0].get(name, 0)}


def of(each, unit):
    return {"unit": unit, "least": min(each), "median": sorted(each)[len(each) // 2], "most": max(each)}


def life(column, runs):
    """Creating and destroying a guest that is not let run, in ticks of the machine, in which nothing else happens; and the hypervisor's memory
    that goes with it beside its own."""
    where = "/tmp/guest.xml" if column.system == "parvis" else f"/root/{column.kind}.cfg"
    paused = {"parvis": "--paused", "xen": "-p"}[column.system]
    ticks, memory = {"create": [], "destroy": []}, []
    for _ in range(runs):
        free = column.free_kib()
        for name, verb in (("create", f"create {paused} {where}"), ("destroy", "destroy " + column.name())):
            status, text = column.machine.shell(f"/usr/bin/linux-ops --runs 1 --time {name} '{column.command(verb)} >/dev/null 2>&1'", 600)
            assert status == 0, f"{verb}: {text}"
            ticks[name].append(rows.measured(text)[name][0]["least"])
            if name == "create":
                memory.append(max(free - column.free_kib() - column.MEMORY_KIB, 0))
    column.new_counts()
    return {**{f"life.{name}": of(each, rows.UNIT) for name, each in ticks.items()}, "life.memory_beside": of(memory, "KiB")}


def measure(column, quick):
    """(rows, mitigations) of a column. A quick run has each operation once, and not what the hypervisor counts of each."""
    runs = 1 if quick else rows.RUNS
    with column.running():
        column.create()
        m = column.machine
        found = {"life.boot_to_shell": one(float(re.findall(r"at the shell: ([\d.]+)", m.text)[-1]), "s")}
        found |= by_linux_ops(column, " ".join(rows.LINUX), runs, "linux")
        found |= works(column, runs)
        told = column.mitigations()
        if column.system == "parvis" and not quick:
            for name in rows.LINUX:
                found["linux." + name]["counted"] = counted(column, name)
        if column.system != "native":
            column.leave()
            m.check(column.command("destroy " + column.name()), timeout=600)
            found |= life(column, runs)
            if column.kind != "hvm":    # which has no hypercalls, and this program nothing else
                found |= {"bench." + name: one(value, rows.UNIT) for name, value in column.bench().items()}
        return found, told
