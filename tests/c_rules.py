# SPDX-License-Identifier: MIT
"""Rules for single C sources that need more than a line to see. Each yields (line, text) for a source as c_source.blank() leaves it."""
import re

from c_source import calls, closing, functions, line_of

CHANGES = re.compile(r"\+\+|--|(?<![=!<>])=(?!=)|<<=|>>=")
VOLATILE_READ = re.compile(r"\b(READ_ONCE|__atomic_load_n|atomic_read|in[bwl]|rdtsc|clock_now|clock_ticks)\b")
WAITS_FOR_CPUS = re.compile(r"\bspin_wait\b")
WAITS = re.compile(r"\b(cpu_relax|spin_wait|sched_yield|sched_block|halt|safe_halt)\b")


# Code that went to a second line because of the comment behind it.
TORN = re.compile(r"^(?:#define \w+ +\\|[ \t]*\S[^\n]*=|[ \t]*\S[^\n]*\((?=.*\n[^\n]*; /)|[a-z][a-z_0-9 *]*)\n"
                  r"(?=[^\n]*\S */\*[^\n]*\*/$)([^\n]*)", re.MULTILINE)


def comments(text, raw):
    for found in TORN.finditer(raw):
        if found.group(1).lstrip()[:2] != "/*" and len(re.sub(r"\s+", " ", re.sub(r"/\*.*", "", found.group()))) < 100:
            yield raw.count("\n", 0, found.start(1)) + 1, "a comment that tears code apart stands above it"
    for number, (line, full) in enumerate(zip(text.split("\n"), raw.split("\n")), 1):
        if line.strip() and re.search(r"/\*((?!\*/).)*$", full[len(line.rstrip()):]):
            yield number, "a comment behind code ends on its line, or stands above"
        if "//" in line:
            yield number, "a comment is /* between these */"
        if full != full.rstrip():
            yield number, "blanks at the end"


def functions_with_effects(text):
    """Names of functions that a header or source declares and that change what they are given, or whose result must be looked at."""
    for f in functions(text):
        pointers = [p for p in f.parameters.split(",") if "*" in p]
        if "__must_check" in f.head or any("const" not in p.split("*")[0] for p in pointers):
            yield f.name


def assertions(text, with_effects=frozenset()):
    """What a BUG_ON or ASSERT says must be true whether or not it is there to say so."""
    for at, name, argument in calls(text, ("ASSERT", "BUG_ON", "static_assert", "_Static_assert")):
        called = set(re.findall(r"\b(\w+)\s*\(", argument)) & with_effects
        if CHANGES.search(argument) or called:
            yield line_of(text, at), f"{name} has a side effect{': ' + ', '.join(sorted(called)) if called else ''}"


def _body(text, at):
    """(text of the statement that begins behind `at`)."""
    start = at + len(text[at:]) - len(text[at:].lstrip())
    if text[start:start + 1] == "{":
        return text[start:closing(text, start) + 1]
    return text[start:text.find(";", start) + 1]


def waits(text, for_cpus=False):
    """A loop that reads again and again what another CPU or a device changes, and does nothing else, lets the CPU rest. for_cpus: whom it
    waits for may wait for this CPU, so that every turn is spin_wait()."""
    ends = WAITS_FOR_CPUS if for_cpus else WAITS
    for found in re.finditer(r"\bcpu_relax\s*\(", text) if for_cpus else ():
        yield line_of(text, found.start()), "who waits for another CPU calls spin_wait(); for a device: WAITS_FOR_DEVICES in tests/style.py"
    for found in re.finditer(r"\b(while|for)\s*\(", text):
        end = closing(text, found.end() - 1)
        condition = text[found.end():end]
        if found.group(1) == "for" and ";" in condition:
            condition = condition.split(";")[1]
        if re.match(r"\s*;", text[end + 1:]) and text[:found.start()].rstrip().endswith("}"):
            body = text[text.rfind("do {", 0, found.start()):found.start()]    # do { } while ();
        else:
            body = _body(text, end + 1)
        works = [name for name in re.findall(r"\b(\w+)\s*\(", body)
                 if not re.search(r"kick|notify|^(__builtin_ia32_pause|if|while|for|switch|return|READ_ONCE|in[bwl])$", name)]
        if VOLATILE_READ.search(condition) and not ends.search(body) and not works and not CHANGES.search(body):
            yield line_of(text, found.start()), "a loop that waits calls spin_wait() or cpu_relax()"
