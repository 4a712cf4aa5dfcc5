#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reports of a run: report.md and report.html beside its run.json.

    report.py [RUN] [--constants FILE]
"""
import argparse
import os
import sys

import model
import report_html
import report_md
import store


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    print(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default="build/compare/run.json")
    parser.add_argument("--constants", default=os.path.join(model.HERE, "constants.json"))
    options = parser.parse_args()
    try:
        run, constants = store.load(options.run), model.load(options.constants)
    except (store.BadRun, model.BadConstants) as why:
        raise SystemExit(f"report.py: {why}") from None
    base = os.path.join(os.path.dirname(options.run), "report")
    write(base + ".md", report_md.report(run, constants))
    write(base + ".html", report_html.report(run, constants))


if __name__ == "__main__":
    sys.exit(main())
