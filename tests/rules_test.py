#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that each rule of tests/style.py and tests/dead_code.py that reads C fires on what it is for, and on nothing else."""
import re
import sys

import c_braces
import c_rules
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
    raw = 'a; // bad\nb; /* http://fine */\nc; "//fine" \nd;\t\n'
    expect("comments", sorted(set(lines(c_rules.comments, raw, raw))), [1, 3, 4])


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


for test in [value for name, value in sorted(globals().items()) if name.startswith("test_")]:
    test()
print(f"{failures} rules do not what they are for")
sys.exit(1 if failures else 0)
