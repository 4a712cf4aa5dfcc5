#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reports of a run: report.md and report.html beside its run.json.

    report.py [RUN] [--constants FILE]      (build/compare/run.json, the published constants)
"""
import argparse
import os
import sys

import model
import report_html
import report_md
import store


def paths(run):
    """Where the reports of the run in this file are."""
    base = os.path.join(os.path.dirname(run), "report")
    return base + ".md", base + ".html"


def make(path, constants):
    try:
        run, constants = store.load(path), model.load(constants)
    except (store.BadRun, model.BadConstants) as why:
        raise SystemExit(f"report.py: {why}") from None
    for each, report in zip(paths(path), (report_md.report, report_html.report)):
        with open(each, "w", encoding="utf-8") as out:
            out.write(report(run, constants))
        print(each)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default="build/compare/run.json")
    parser.add_argument("--constants", default=model.PUBLISHED)
    options = parser.parse_args()
    make(options.run, options.constants)


if __name__ == "__main__":
    sys.exit(main())
