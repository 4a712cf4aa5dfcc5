# SPDX-License-Identifier: MIT
"""For the tests: figures such as a run has, and constants whose ends meet."""
import model


def row(median, spread=0, **events):
    found = {"unit": "instructions", "least": median - spread, "median": median, "most": median + spread}
    return {**found, "events": {"instructions": median, **events}} if events else found


def column(title, system, kind, **found):
    return {"title": title, "system": system, "kind": kind, "price": "", "mitigations": {"guest": ["l1tf:Not affected", "spectre_v2:Mitigation: Retpolines; BHI: Not affected"]},
            "rows": {"linux." + name: each for name, each in found.items()}}


def canned():
    """Figures such as a run has."""
    columns = {
        "native": column("native", "native", "native", null_call=row(337, syscall=1, sysret=1), fork=row(150000, syscall=4, sysret=3, iret=10, cr3=4)),
        "parvis-pv": column("Parvis PV", "parvis", "pv", null_call=row(763, syscall=2, sysret=1, iret=1, cr3=2, walks=24, walks_4k=24),
                            fork=row(440000, 9000, syscall=400, sysret=200, iret=210, cr3=60, walks=2250, walks_4k=2778)),
        "parvis-hvm": column("Parvis hvm", "parvis", "hvm", null_call=row(337, syscall=1, sysret=1), fork=row(150100, syscall=4, sysret=3, iret=10, cr3=4)),
    }
    return {"schema": 3, "chosen": [], "commit": "0123456789ab", "machine": {"QEMU": "7.2", "kernel": "aa"}, "complete": True, "began": "2026-01-01 00:00",
            "took": 5, "columns": columns, "left_out": {"xen-pv": "no packages"}}


def flat(**of):
    """Constants whose ends meet: costs of these names, else 0; IPC 1."""
    def constant(value):
        return {"low": value, "typical": value, "high": value, "source": "a test"}
    return {"ipc": constant(1), "events": {name: constant(of.get(name, 0)) for name in model.EVENTS},
            "tlb": {name: constant(of.get(name, 1 if name == "nested_factor" else 0)) for name in model.TLB}}
