"""The shipped rules with their waiting times taken out, so that a test sees them fire; what waits for a part to come. For
rules that compare hours with now, also hours of a few seconds."""

import pathlib
import re

import yaml

import default_rules
from produced_series import awaited, read_by

INTERVAL = "1s"
# What watches trainers and the own engine's experts: live_training_test.py makes these fire, live_test.py all others.
OF_TRAINING = {"ActiveExpertsFew", "ExpertCacheHitsLow", "InferenceConcurrencyHigh", "MoeExpertUseUneven",
               "MoeRouterUnbalanced", "TrainingLossNotFalling", "TrainingStalled", "TrainingStepSlow",
               "TrainingThroughputLow", "TrainingValidationLossRising"}
MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000, "y": 365 * 86_400_000}
# What a duration may stand in or behind, and what hides it. A duration is one only within brackets and behind `offset`.
TOKEN = re.compile(r"""(?P<hidden>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\#[^\n]*)|(?P<open>\[)|(?P<close>\])|"""
                   r"""(?P<offset>\boffset\b)|(?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![\w.]))|(?P<space>\s+|-)|(?P<other>\w+|.)""")


def milliseconds(duration):
    return sum(int(number) * MS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwy])", duration))


def scaled(expr, hour_ms, least_ms):
    """The expression with its ranges and offsets shortened as an hour to `hour_ms`; no range to less than `least_ms`."""
    out, in_range, after_offset = [], False, False
    for token in TOKEN.finditer(expr):
        kind, text = token.lastgroup, token.group()
        if kind == "duration" and (in_range or after_offset):
            short = round(milliseconds(text) * hour_ms / MS["h"])
            if in_range and short < least_ms:
                raise ValueError(f"[{text}] would be {short} ms, too short for samples each {least_ms / 3} ms: {expr}")
            text = f"{short}ms"
        in_range = (in_range or kind == "open") and kind != "close"
        after_offset = kind == "offset" or (after_offset and kind == "space")
        out.append(text)
    return "".join(out)


def write_short_rules(folder, only=None, change=lambda expr: expr):
    """Copies of packaging/rules with `for: 1s` where they wait; expressions and thresholds stay but for what `change` makes
    of them. `only`: the names of those to write."""
    for path in sorted(default_rules.RULES.glob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for group in content["groups"]:
            group["interval"] = INTERVAL
            group["rules"] = [rule for rule in group["rules"] if only is None or rule.get("alert") in only]
            for rule in group["rules"]:
                rule["expr"] = change(rule["expr"])
                if "for" in rule:
                    rule["for"] = "1s"
        content["groups"] = [group for group in content["groups"] if group["rules"]]
        if content["groups"]:
            pathlib.Path(folder, path.name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def names():
    return {rule["alert"] for _, _, rule in default_rules.alerts()}


def waiting():
    """{alert: who will produce what it reads}. When the producer is there, its lines leave awaited_series.txt (a test
    sees to that), and the alert has to be made to fire here."""
    parts = awaited()
    return {rule["alert"]: sorted({parts[name] for name in read_by(rule["expr"]) if name in parts})
            for _, _, rule in default_rules.alerts() if read_by(rule["expr"]) & parts.keys()}
