#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that each rule of tests/style.py, tests/rooms.py and tests/dead_code.py that reads C fires on what it is for, and on nothing else."""
import re
import sys

import c_braces
import c_rules
import model_labels
import rooms
import style
import tool_rooms
from c_source import blank, functions
from dead_code import Sources
from stale_words import Names

failures = 0


def expect(what, got, wanted):
    global failures
    if got != wanted:
        failures += 1
        print(f"{what}: {got}, not {wanted}")


def lines(rule, raw, *more):
    return [line for line, _ in rule(blank(raw), *more)]


def test_blank():
    expect("comments and texts are blank", blank('a /* " */ "b\\"/*" c\n\'"\' d'), 'a         "     " c\n\' \' d')


def test_functions():
    source = """
int plain(int a)
{
}
static inline bool one(const struct a *p,
                       int b)
{
}
void __printf(2, 3) attributed(int level, const char *fmt, ...);
struct domain *
wrapped(struct domain *d);
int (*pointer)(int a);
#define macro(x) call(x)
static const struct row rows[] = {
    ROW(a),
};
    call(1);
"""
    expect("functions", [(f.name, f.kind) for f in functions(blank(source))],
           [("plain", "definition"), ("one", "static"), ("attributed", "declaration"), ("wrapped", "declaration")])


def test_comments():
    raw = 'a; // bad\nb; /* http://fine */\nc; "//fine" \nd;\t\ne; /* torn\n*/\n/* whole\n*/ f(a /* one */, b);\n#define G 1 /* torn \\\n too */\n' \
          'int h =\n    1; /* torn */\n#define I \\\n    1 /* torn */\nint\nj(int a); /* torn */\nk(\n    l, /* a list */\n    m);\n'
    expect("comments", sorted(set(lines(c_rules.comments, raw, raw))), [1, 3, 4, 5, 9, 12, 14, 16])


def test_assertions():
    raw = """
    BUG_ON(n++ > 3);
    ASSERT(a = b);
    BUG_ON(!get_it(d));
    BUG_ON(a == b || c <= d || e != f || g >= h);
    ASSERT(is_it(d) && x->y);
    BUG_ON(
        --n);
#define BUG_ON(cond) a = cond
"""
    declared = "bool get_it(struct d *d);\nbool is_it(const struct d *d);\nint __must_check made(int n);\n"
    effects = set(c_rules.functions_with_effects(blank(declared)))
    expect("functions with effects", effects, {"get_it", "made"})
    expect("assertions", lines(c_rules.assertions, raw, effects), [2, 3, 4, 7])


def test_waits():
    raw = """
    while (READ_ONCE(c->running) == v)
        ;
    while (READ_ONCE(c->running) == v)
        machine_kick(c);
    for (i = 0; i < 10 && !(inb(port) & 1); i++)
        ;
    while (READ_ONCE(c->running) == v)
        cpu_relax();
    while (READ_ONCE(c->running) == v) {
        machine_kick(c);
        spin_wait();
    }
    while (READ_ONCE(c->running) == v)
        __builtin_ia32_pause();
    while (READ_ONCE(c->pending))
        cpu_do_pending();
    while (*p)
        p++;
    do {
        n = READ_ONCE(*p);
    } while (n != cmpxchg(p, n, n + 1));
    do {
        ;
    } while (READ_ONCE(*p));
"""
    expect("waits", lines(c_rules.waits, raw), [2, 4, 6, 14, 25])
    expect("waits for CPUs", sorted(lines(c_rules.waits, raw, True)), [2, 4, 6, 9, 14, 25])


def test_braces():
    raw = """
int f(int a)
{
    if (a) {
        b();
    }
    if (a)
        b();
    if (a) {
        b();
        c();
    } else {
        d();
    }
    if (a) {
        b();
        c();
    } else
        d();
    for (;;) {
        if (a)
            b();
    }
    while (a) {
        /* because */
        b();
    }
    switch (a) {
    case 1:
        b();
        break;
    default:
        if (a == 2) {
            b(x ? 1 : 2, (struct s){.a = 1});
        }
    }
    if (a) {
        b();
    } else if (c) {
        d();
    } else {
        e();
    }
    do {
        b();
    } while (a);
}
"""
    expect("braces", lines(c_braces.braces, raw, raw), [4, 15, 33, 37])
    right = c_braces.fixed(raw)
    expect("braces put right", lines(c_braces.braces, right, right), [])
    expect("and nothing else", re.sub(r"[{}\s]", "", right), re.sub(r"[{}\s]", "", raw))


def test_stale_words():
    texts = {
        "a.c": "/* old() was here, f() is; see b/c.c, d.c and e.c. */\nint f(void); /* g() */\n",
        "docs/a.md": "Run `x/gone.py`, then f() and\nold(), in tests/guest/NAME/main.c.\n",
    }
    names = Names(texts, ["a.c", "q/b/c.c", "d.c", "docs/a.md"])
    expect("stale words", [(path, line) for path in texts for line, _ in names.problems(path, texts[path])],
           [("a.c", 1), ("a.c", 1), ("a.c", 2), ("docs/a.md", 2), ("docs/a.md", 1)])


def test_dead():
    texts = {
        "hypervisor/core/a.h": "int used(int a);\nint dead(int a);\nint nowhere(int a);\nint tested(void);\n"
                               "int do_pasted(void);\nint from_asm(void);\nvoid in_asm(void);\n"
                               "static inline int idle(void)\n{\n}\n",
        "hypervisor/core/a.c": "int used(int a)\n{\n}\n/* dead */\nint dead(int a)\n{\n    used(1);\n}\n"
                               "int tested(void)\n{\n}\nint do_pasted(void)\n{\n}\nint from_asm(void)\n{\n    in_asm();\n}\n"
                               "#define CALL(name) do_##name()\n    CALL(pasted);\n",
        "hypervisor/x86/e.asm": "extern from_asm, dead\nin_asm:\n    call from_asm ; dead\n",
        "tests/unit/t.c": "int main(void)\n{\n    tested();\n}\n",
    }
    expect("dead functions", sorted(text for _, _, text in Sources(texts).problems()),
           ["nothing calls dead()", "nothing calls idle()", "nowhere() is declared and nowhere defined", "tests alone call tested()"])


def complaints(rule, path, source):
    """Lines of which the rule complains when the source stands at that path."""
    style.problems.clear()
    rule(path, source.split("\n"))
    return [int(problem.split(":")[1]) for problem in style.problems]


def test_writers():
    source = """
    char *p = map_frame(mfn);
    uint64_t *e = frame_map + 8;
    rc = guest_write(at, &v, 8);
    rc = guest_write_zeros(at, 8);
    uint64_t *t = (uint64_t *)read_frame(mfn);
    *(uint64_t *)(table_entry(pg, 3)) = 0;
    uint64_t *u = (uint64_t *)(uintptr_t)entry;
    const uint64_t *c = (const uint64_t *)read_frame(mfn);
    rc = copy_to_guest(at, &v, 8);
    void *q = map_guest_frame(d, mfn);
    rc = write_elsewhere(at, &v, 8) | guest_copy(at, from, 8);
"""
    for path in ("hypervisor/core/grant/a.c", "hypervisor/pv/a.c", "hypervisor/x86/a.c"):
        expect("who writes to guests", complaints(style.check_writers, path, source), [2, 3, 4, 5, 6, 7, 8, 12])
    expect("the one writer of entries", complaints(style.check_writers, "hypervisor/pv/set_pte.h", source), [2, 3, 4, 5, 12])
    expect("others are free", complaints(style.check_writers, "tests/host/a.c", source), [])
    wrong = []
    for path in style.MAPS_TO_WRITE | style.COPIES_OUT:
        with open(path, encoding="utf-8") as text:
            if not re.search(r"\b(map_frame|frame_map|guest_write|guest_copy)", text.read()):
                wrong.append(path)
    expect("who may write and does not", wrong, [])


def test_includes():
    source = "#include <stdio.h>\n#include <pv/mm.h>\n#include <hvm/npt.h>\n#include <core/base/log.h>\n#include <port/machine.h>\n#include <xen/xen.h>\n"
    for path, wanted in (("hypervisor/core/base/a.c", [1]), ("hypervisor/include/hv/a.h", [1]), ("hypervisor/pv/a.c", [1]),
                         ("hypervisor/x86/a.c", [1]), ("hypervisor/loader/a.c", [1, 2, 3, 4, 5]), ("dom0-tools/lib/a.c", [2, 3, 4, 5]),
                         ("include/xen/a.h", [1, 2, 3, 4, 5]), ("tests/unit/a.c", [])):
        expect(f"includes of {path}", complaints(style.check_includes, path, source), wanted)
    expect("twice", complaints(style.check_includes, "tests/unit/a.c", '#include "a.h"\n#include "b_rows.h"\n' * 2), [3])


def test_core():
    source = "a = v->arch.xcr0;\nb = d->arch;\nif (x & PTE_RW)\nif (pg->type_info & PGT_l1_page_table)\npv_map(d);\nPGT_writable_page;\n"
    expect("words of a kind in core", complaints(style.check_core, "hypervisor/core/life/a.c", source), [1, 2, 3, 4, 5])
    expect("and elsewhere", complaints(style.check_core, "hypervisor/pv/a.c", source), [])


def test_log():
    source = 'log_debug("d%u", d->domain_id);\nlog_guest(d, "it");\nlog_warning("x");\nlog_info("at the start");\n'
    expect("lines that guests cause", complaints(style.check_log, "hypervisor/pv/a.c", source), [1, 3])
    expect("and that the control domain does", complaints(style.check_log, "hypervisor/core/control/a.c", source), [])


def test_results():
    source = "int a(int b,\n      struct error *e);\nint __must_check c(struct error *e);\nint d(const struct error *e);\nint reap_wait(struct error *e);\n" \
             "void f(struct error *e);\nint g(struct error *e);\n"
    expect("results of tools", complaints(style.check_results, "dom0-tools/lib/a.h", source), [1, 7])
    expect("results of others", complaints(style.check_results, "dom0-tools/lib/a.c", source), [])


def test_rooms():
    files = {
        "hypervisor/core/base/low.h": "void low(void);\n",
        "hypervisor/core/base/low.c": "#include <core/life/top.h>\nvoid low(void)\n{\n    high();\n}\n",
        "hypervisor/core/life/top.h": "void high(void);\n",
        "hypervisor/core/life/high.c": "#include <core/base/low.h>\nint shown;\nvoid high(void)\n{\n    low();\n}\n",
        "hypervisor/core/frame/own.c": "static void high(void)\n{\n}\nvoid own(void)\n{\n    high(); /* shown */\n}\n",
        "hypervisor/core/event/bare.c": "extern int shown;\nint bare(void)\n{\n    return shown;\n}\n",
        "hypervisor/core/attic/x.c": "int x;\n",
    }
    found = []
    rooms.check({path: text.splitlines() for path, text in files.items()}, lambda path, line, text: found.append((path.split("/")[2], line)))
    expect("arrows that point up", sorted(found), [("attic", 1), ("base", 1), ("base", 4), ("event", 1)])
    code = rooms.lines_of_code({"hypervisor/core/base/a.c": ["/* a", " * b */", "", "int c; // d", 'char *e = "/* f";'],
                                "hypervisor/x86/a.asm": ["; a", "nop ; b", ""], "tests/a.c": ["int g;"]})
    expect("lines of code", dict(code), {"core/base": 2, "x86": 1})
    for more in range(2):
        style.problems.clear()
        style.check_size({"core/base": rooms.MOST_LINES, "x86": more})
        expect(f"{more} more than there may be", len(style.problems), more)
        style.problems.clear()
        style.check_size({"x86": rooms.MOST_LINES, "hvm": rooms.MOST_LINES_OF["hvm"] + more})
        expect(f"{more} more than there may be in hvm", len(style.problems), more)
    told = " ".join(f"{most:,}" for most in (rooms.MOST_LINES, *rooms.MOST_LINES_OF.values()))
    for text, wrong in ((told, 0), (told.replace(f"{rooms.MOST_LINES:,}", "12"), 1)):
        style.problems.clear()
        style.check_size_told("a page", text)
        expect(f"limits told as {text}", len(style.problems), wrong)


def test_outer_rooms():
    kind = ["void pv_thing(void)", "{", "    base_thing();", "    port_thing();", "}", "static const struct {", "} ops[] = {", "};"]
    files = {
        "hypervisor/include/port/p.h": ["void port_thing(void);"],
        "hypervisor/core/base/a.c": ["#include <pv/b.h>", "void base_thing(void)", "{", "    port_thing();", "    machine_thing(v->ops);", "}"],
        "hypervisor/core/life/l.c": ["void life_thing(void)", "{", "}"],
        "hypervisor/pv/b.c": kind,
        "hypervisor/pv/b.h": ["int b;"],
        "hypervisor/pv/cpu/c.asm": ["global from_cpu", "extern machine_thing ; pv_thing"],
        "hypervisor/x86/m.c": ["void machine_thing(void)", "{", "    base_thing();", "    life_thing();", "}", "void port_thing(void)", "{", "}"],
        "hypervisor/x86/n.asm": ["extern pv_thing", "    call from_cpu ; pv_thing"],
        "hypervisor/lib/s.c": ["#include <core/base/a.h>", "int x = arch.pv.flags; /* pv */"],
    }
    found = []
    rooms.check(files, lambda path, line, text: found.append(f"{path[11:]}:{line} {text}"))
    expect("arrows", sorted(found), [
        "core/base/a.c:1 includes pv/b.h: core may not use pv",
        "core/base/a.c:5 uses machine_thing: core may not use x86",
        "lib/s.c:2 lib knows no kind of guest",
        "x86/m.c:4 uses life_thing: x86 may not use core",
        "x86/n.asm:1 uses pv_thing: x86 may not use pv",
        "x86/n.asm:1 x86 knows no kind of guest",
        "x86/n.asm:2 uses from_cpu: x86 may not use pv/cpu"])


def test_exits():
    files = {f"hypervisor/hvm/{name}.c": [] for name in rooms.EXITS[1:]}
    files["hypervisor/hvm/msr.c"] = ["bool hvm_rdmsr(void)", "{", "    return hvm_skip() || hvm_halt();", "}"]
    files["hypervisor/hvm/instruction.c"] = ["bool hvm_skip(void)", "{", "    return outside();", "}"]
    files["hypervisor/hvm/exit.c"] = ["bool hvm_halt(void)", "{", "    return hvm_rdmsr();", "}"]
    files["hypervisor/hvm/ports.c"] = ["bool outside(void)", "{", "    return hvm_halt();", "}"]
    found = []
    rooms.check(files, lambda path, line, text: found.append(f"{path}:{line} {text}"))
    expect("order of exits", sorted(found), [
        "hypervisor/hvm/msr.c:3 uses hvm_halt, which stands above it (tests/rooms.py)",
        f"tests/rooms.py:1 there is no hypervisor/hvm/{rooms.EXITS[0]}.c"])


def test_tool_rooms():
    files = {
        "dom0-tools/lib/low.h": [], "dom0-tools/lib/low.c": ['#include "low.h"', '#include "verb.h"'],
        "dom0-tools/pvctl/verb.h": [], "dom0-tools/pvctl/verb.c": ['#include "low.h"', '#include "client.h"'],
        "dom0-tools/parvisd/client.h": ['#include "console.h"'], "dom0-tools/parvisd/console.h": ['#include "tty.h"'],
        "dom0-tools/parvisd/tty.h": ['#include "console.h"'], "dom0-tools/parvisd/policy.h": ['#include "low.h"'],
        "dom0-tools/parvisd/client.c": ['#include "client.h"', '#include "low.h"', '#include "policy.h"'], "dom0-tools/parvisd/odd.c": [],
    }
    found = []
    tool_rooms.check(files, lambda path, line, text: found.append((path, line)))
    expect("rooms of the tools", sorted(found), [("dom0-tools/lib/low.c", 2), ("dom0-tools/parvisd/client.c", 3), ("dom0-tools/parvisd/odd.c", 1),
                                                 ("dom0-tools/pvctl/verb.c", 2)])


def test_model_labels():
    texts = {
        "hypervisor/core/base/a.c": "int f(void)\n{\n    a(); /* model: f.one */\n    b(); /* model: f.two */\n    c(); /* model: f.odd */\n}\n"
                                    "int g(void)\n{\n    d(); /* model: f.three */\n}\n",
        "tests/models/a.pml": "/* model: f.one */\n/* model: f.two */\n/* model: f.three */\n",
        "tests/models/b.pml": "/* model: f.two */\n/* model: f.one */\n/* model: f.none */\n",
    }
    expect("steps of models", sorted(f"{path[-5:]}:{line} {words}" for path, line, words in model_labels.problems(texts)), [
        "b.pml:2 the step f.one comes earlier in hypervisor/core/base/a.c",
        "b.pml:3 the code has no step f.none",
        "e/a.c:5 no model has the step f.odd",
        "e/a.c:9 the step f.three stands in g"])


for test in [value for name, value in sorted(globals().items()) if name.startswith("test_")]:
    test()
print(f"{failures} rules do not what they are for")
sys.exit(1 if failures else 0)
