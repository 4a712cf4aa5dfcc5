#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What bash offers behind `pvctl ...`: verbs, options, domains, files. bash itself runs the completion, with pvctl as it was built and a
state directory of two domains, of which one has ended, and a folder of definitions, in which a file is called like a command."""
import os
import subprocess
import sys
import tempfile

COMPLETION = "dom0-tools/pvctl/pvctl.bash-completion"
CASES = [                                       # (words, the last one is being typed; what is offered, or part of it; not offered)
    ("dumpx", {"dumpxml"}, {"list"}),
    ("mem-", {"mem-set", "mem-max"}, {"create"}),
    ("", {"create", "--version"}, {"web"}),
    ("create --", {"--console", "--name", "--help"}, {"--all"}),
    ("create --name ", set(), {"web"}),         # a new name is nobody's
    ("create docs/man/pv", {"docs/man/pvctl.1"}, set()),
    ("suspend --a", {"--all"}, set()),          # virsh's name for it
    ("suspend ", {"web"}, {"old", "Domain-0"}),
    ("destroy web ", {"web"}, {"old"}),         # any number of them
    ("console ", {"web", "old"}, {"Domain-0"}),
    ("sched --weight ", set(), {"web"}),        # a number
    ("sched --weight 5 ", {"web", "Domain-0"}, set()),
    ("sched -w ", set(), {"web"}),
    ("attach-interface --mac 00:16:3e:00:00:01 ", {"web"}, {"old"}),      # a value is no argument
    ("attach-interface --mac = 00:16:3e:00:00:01 ", {"web"}, {"old"}),    # bash's three words of one with =
    ("attach-interface -m 00:16:3e:00:00:01 ", {"web"}, {"old"}),
    ("attach-interface --mac = ", set(), {"web"}),
    ("top -r docs/man/pv", {"docs/man/pvctl.1"}, set()),
    ("top --record = docs/man/pv", {"docs/man/pvctl.1"}, set()),
    ("top --record =", {"docs"}, {"="}),
    ("pin w", {"web"}, set()),
    ("pin web ", {"all"}, {"web"}),
    ("pin web 0 a", {"all"}, set()),
    ("help re", {"reboot", "restore"}, {"web"}),
    ("block-attach ", {"web"}, {"old", "Domain-0"}),
    ("attach-disk web docs/man/pv", {"docs/man/pvctl.1"}, set()),
    ("start ", {"db"}, {"web"}),
    ("dmesg ", set(), {"web"}),
    ("frobnicate ", set(), {"web"}),
]


def offered(words, environment):
    typed = ["pvctl", *words.split(" ")]
    script = f"source {COMPLETION}; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _pvctl; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    run = subprocess.run(["bash", "-c", script, "-", *typed], capture_output=True, text=True, check=True, env=environment)
    if run.stderr:
        raise AssertionError(f"`pvctl {words}`: {run.stderr}")
    return set(run.stdout.split())


def main():
    problems = []
    with tempfile.TemporaryDirectory() as state:
        trap = os.path.join(state, "run")
        for folder, name in (("names", "web"), ("ended", "old"), ("domains", "db.xml"), ("domains", "$(touch $COMPLETION_TRAP).xml")):
            os.makedirs(os.path.join(state, folder), exist_ok=True)
            with open(os.path.join(state, folder, name), "w", encoding="utf-8"):
                pass
        environment = {**os.environ, "PARVIS_RUN": state, "PARVIS_DOMAINS": os.path.join(state, "domains"), "COMPLETION_TRAP": trap,
                       "PATH": os.path.abspath("build/dom0-tools") + ":" + os.environ["PATH"]}
        for words, wanted, unwanted in CASES:
            have = offered(words, environment)
            if wanted - have or unwanted & have or (not wanted and have):
                problems.append(f"`pvctl {words}` offers {sorted(have)}")
        if os.path.exists(trap):
            problems.append("the name of a file was run as a command")
    print("\n".join(problems))
    print(f"{len(CASES)} completions, {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
