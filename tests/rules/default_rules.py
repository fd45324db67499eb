#!/usr/bin/env python3
"""The default rules as data, and docs/alerts-default.md, which is written from them.

usage: python3 tests/rules/default_rules.py > docs/alerts-default.md
"""

import pathlib
import re
import sys

import yaml

from produced_series import ROOT, awaited, read_by

RULES = ROOT / "packaging" / "rules"
RUNBOOKS = ROOT / "docs" / "runbooks"
INTRO = """# Default alerts

The rules of `packaging/rules/` are inside the binary and on by default; `rules.default_rules: false` switches them off. To
change one, switch them off, copy its file and name the copy in `rules.files`. Each has a unit test
(`packaging/rules/tests/`) and a page that says what to do (`runbook_url`, relative to this repository). This file is
written by `tests/rules/default_rules.py` from the rules; a test holds it to them.

An alert that waits for a part has nothing to read until that part is there, and is quiet.
"""


def alerts():
    """(file name, group name, rule) of every alert."""
    for path in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    yield path.name, group["name"], rule


def recorded():
    return {rule["record"] for path in RULES.glob("*.yml")
            for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
            for rule in group["rules"] if "record" in rule}


def queries_of_runbook(text):
    """The queries of the section "Look at": `- words: `QUERY``."""
    part = text.split("## Look at", 1)[-1].split("\n## ", 1)[0]
    return re.findall(r"^- [^`]*: `([^`]+)`$", part, re.MULTILINE)


def uses():
    """(place, names of series) of every rule and runbook."""
    for file, _, rule in alerts():
        yield f"{file}: {rule['alert']}", read_by(rule["expr"])
    for path in sorted(RUNBOOKS.glob("*.md")):
        for query in queries_of_runbook(path.read_text(encoding="utf-8")):
            yield path.name, read_by(query)


def document():
    waiting = awaited()
    lines = [INTRO]
    by_file = {}
    for file, _, rule in alerts():
        by_file.setdefault(file, []).append(rule)
    for file, rules in by_file.items():
        lines.append(f"## {file}\n\n| alert | severity | after | says | waits for |\n|---|---|---|---|---|")
        for rule in rules:
            parts = sorted({waiting[name] for name in read_by(rule["expr"]) if name in waiting})
            lines.append(f"| [{rule['alert']}](runbooks/{rule['alert']}.md) | {rule['labels']['severity']} | "
                         f"{rule.get('for', 'at once')} | {rule['annotations']['summary']} | {', '.join(parts)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(document())
