"""Which series this project produces, and which an expression reads.

Names come from where they are made: the tables of docs/metrics.md and docs/engines.md (tests hold both to the code), the
calls in src/ and engine/ that make a metric, and what a running server has collected of this machine and of itself.
"""

import json
import pathlib
import re
import tempfile
import time
import shutil
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "server"))

AWAITED = pathlib.Path(__file__).parent / "awaited_series.txt"
SUFFIXES = ("_bucket", "_sum", "_count")
SETTLE_SECONDS = 30
# Written by rules, not collected.
OF_RULES = {"ALERTS", "ALERTS_FOR_STATE"}
KEYWORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "atan2",
            "inf", "nan", "start", "end", "fill", "fill_left", "fill_right", "anchored", "smoothed"}


def read_by(expr):
    """The names of the series that a PromQL expression selects."""
    rest = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`', '""', expr)
    named = set(re.findall(r'__name__\s*=\s*"([^"]*)"', expr))
    rest = re.sub(r"#[^\n]*", "", rest)
    rest = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", rest)
    rest = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", rest)
    rest = re.sub(r"\boffset\s+-?[0-9a-z]+", "", rest)
    for name, call in re.findall(r"(?<![\w.:])([a-zA-Z_:][\w:]*)(\s*\()?", rest):
        if not call and name.lower() not in KEYWORDS:
            named.add(name)
    # sum by (x) (y): the aggregation's name stands without its parenthesis once the grouping is gone.
    return named - {"sum", "avg", "min", "max", "count", "stddev", "stdvar", "topk", "bottomk", "quantile", "group",
                    "count_values", "limitk", "limit_ratio"}


def with_parts(name, kind):
    """A histogram's series; of a name that a collector completes itself, as much as is known."""
    return {name + suffix for suffix in SUFFIXES} if kind == "histogram" else {name}


def of_tables():
    found = set()
    for line in (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| `(\w+)` \| (\w+) \|", line)
        if row:
            found |= with_parts(*row.groups())
    for line in (ROOT / "docs" / "engines.md").read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| `(llm_\w+)` \| (gauge|counter|histogram) \|", line)
        if row:
            found |= with_parts(*row.groups())
        row = re.match(r"\| `(binnacle_engine_\w+)\{", line)
        if row:
            found.add(row.group(1))
    # Held to a real trainer by tests/train.
    for line in (ROOT / "docs" / "training.md").read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| `((?:moe|train)_\w+)(?:\{[\w,]+\})?` \| (gauge|counter|histogram) \|", line)
        if row:
            found |= with_parts(*row.groups())
    return found


def of_sources():
    """Names that stand in the call that makes or appends the metric."""
    call = re.compile(r'\b(?:[a-z_]*(?:counter|gauge)|append|add)\((?:\w+,\s*)?\s*"([A-Za-z_][A-Za-z0-9_]*)"')
    histogram = re.compile(r'\bhistogram\(\s*"([A-Za-z_][A-Za-z0-9_]*)"')
    found = set()
    for path in sorted([*(ROOT / "src").glob("**/*.[ch]*"), *(ROOT / "engine").glob("**/*.[ch]*")]):
        if not re.search(r"_(test|fuzz|bench|fixture)\.|/testing/|/test_", str(path)):
            text = path.read_text(encoding="utf-8")
            found |= set(call.findall(text))
            for name in histogram.findall(text):
                found |= with_parts(name, "histogram")
    return found


def of_server():
    from server_process import ServerProcess  # needs BINNACLE_BIN

    data = tempfile.mkdtemp(prefix="binnacle-series-")
    server = ServerProcess(data)
    try:
        end = time.monotonic() + SETTLE_SECONDS
        before, same = set(), 0
        while same < 4 and time.monotonic() < end:
            body = server.get("/api/v1/label/__name__/values")[2]
            now = set(json.loads(body)["data"])
            same = same + 1 if now and now == before else 0
            before = now
            time.sleep(1)
        return before
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)


def awaited():
    """{name: who will produce it}"""
    found = {}
    for line in AWAITED.read_text(encoding="utf-8").splitlines():
        line = line.split("#")[0].strip()
        if line:
            name, reason = line.split(None, 1)
            found[name] = reason
    return found


def problems(uses, produced, waiting):
    """What is wrong: `uses` are pairs of a place and the names that are read there."""
    wrong = []
    read = set()
    for place, names in uses:
        read |= names
        for name in sorted(names - produced - set(waiting) - OF_RULES):
            wrong.append(f"{place}: nothing here produces {name}; mend the name, or add it to {AWAITED.name} with who will")
    for name in sorted(waiting):
        if name in produced:
            wrong.append(f"{AWAITED.name}: {name} is produced now; take its line out")
        elif name not in read:
            wrong.append(f"{AWAITED.name}: nothing reads {name}; take its line out")
    return wrong
