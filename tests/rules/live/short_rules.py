"""The shipped rules with their waiting times taken out, so that a test sees them fire; what waits for a part to come."""

import pathlib

import yaml

import default_rules
from produced_series import awaited, read_by

INTERVAL = "1s"


def write_short_rules(folder):
    """Copies of packaging/rules with `for: 1s` where they wait; expressions and thresholds stay."""
    for path in sorted(default_rules.RULES.glob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for group in content["groups"]:
            group["interval"] = INTERVAL
            for rule in group["rules"]:
                if "for" in rule:
                    rule["for"] = "1s"
        pathlib.Path(folder, path.name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def names():
    return {rule["alert"] for _, _, rule in default_rules.alerts()}


def waiting():
    """{alert: who will produce what it reads}. When the producer is there, its lines leave awaited_series.txt (a test
    sees to that), and the alert has to be made to fire here."""
    parts = awaited()
    return {rule["alert"]: sorted({parts[name] for name in read_by(rule["expr"]) if name in parts})
            for _, _, rule in default_rules.alerts() if read_by(rule["expr"]) & parts.keys()}
