#!/usr/bin/env python3
"""The same samples and the same seeded queries go to a real Prometheus 2.42 and to a real `binnacle server`.

usage: differential.py [--queries N] [--seed N] [--begin SECONDS] [--query TEXT]

BINNACLE_DIFFERENTIAL_QUERIES and BINNACLE_DIFFERENTIAL_SEED say the same. Both must answer alike: labels, times, values,
errors and their types. Where Prometheus 3, whose language ours is, differs from 2.42, a rule below says so. Exit: 0 all
is alike, 1 something differs, 77 there is no Prometheus 2.
"""

import argparse
import collections
import http.client
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from differential_data import generate, write_requests
from differential_queries import Generator, Query
from remote_write import free_port, get, wait_until
from server_process import ServerProcess

START_SECONDS = 30
SHOWN = 10
SHOWN_CHARACTERS = 700
# Sums of floats depend on the order of addition, and Prometheus 3 compensates errors in more places than 2.42 (sum(),
# avg()): each of a few dozen additions may err by 1.1e-16 of the greatest number, and some functions amplify that.
RELATIVE = 1e-9
# A run with fewer answers that say something than this share would prove little.
WANTED_SHARE = 0.4

# What keeps Prometheus 2 and 3 from differing, or from being compared. The generator marks what a rule excludes.
AVOIDED = {
    "left_open": "3.0 leaves out the sample at the left end of a range, of a subquery and of the lookback (migration guide "
                 "of 3.0). No sample lies there: samples are at .003 s, queries at .500 s (@: .000, .700), ranges, steps "
                 "and offsets are whole seconds. A subquery's points lie at whole multiples of its step, hence its "
                 "ranges end in 250 ms.",
    "newline": "3.0: a regex' dot matches a newline. No label has one.",
    "le": "3.0 writes le as floats (\"1.0\") when it scrapes. Nothing is scraped.",
    "utf8": "3.0 takes any UTF-8 as a name. Names here are of the older kind.",
    "numbers": "3.x takes numbers for durations and durations for numbers. The generator writes each as 2.42 wants it.",
}
EXCLUDED = {
    "zero_point": "Where rate() and increase() cut the extrapolation at a counter's zero: 3.x first shortens a gap at the "
                  "range's begin to half an interval (extrapolatedRate, since 2.52), which matters for a counter near "
                  "zero that begins or has a gap. Only counters without gaps or far from zero are compared.",
    "rounded": "No difference of versions: after a rounding error a comparison, a rank or a reset may fall either way.",
    "tie": "topk and bottomk take either of two equal values. What is computed from the labels of their answer differs; an "
           "answer that is theirs alone is compared by its values.",
    "delayed_name": "Our engine drops __name__ at the end of the query (delayed name removal, a flag of 3.x), 2.42 at once: "
                    "what looks at __name__ in between sees another, and 2.42 refuses series that are the same but for the "
                    "name at once.",
    "atan2_name": "2.42 keeps __name__ where atan2 is computed.",
    "histogram_fraction": "2.42 computes it of native histograms only, 3.4 of classic ones too.",
}
SAME_LABELSET = "vector cannot contain metrics with the same labelset"
REWRITTEN = {
    "holt_winters": "3.0 calls it double_exponential_smoothing and has it behind a feature flag.",
}


class Setting:
    """Both servers with the same samples."""

    def __init__(self, folder, prometheus):
        self.folder = folder
        self.ports = {"theirs": free_port()}
        data = os.path.join(folder, "ours")
        os.makedirs(data)
        self.ours = ServerProcess(data, config="collect: {host: {enabled: false}}\nquery: {experimental: true}\n"
                                  "storage: {late_limit: 30d}\n")
        self.ports["ours"] = self.ours.port
        config = os.path.join(folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("global: {evaluation_interval: 1m}\n")
        with open(os.path.join(folder, "prometheus.log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([
                prometheus, f"--config.file={config}", f"--storage.tsdb.path={folder}/theirs",
                "--web.enable-remote-write-receiver",
                f"--web.listen-address=127.0.0.1:{self.ports['theirs']}"], stdout=log, stderr=log)
        self.connections = {}

    def wait_until_ready(self):
        wait_until("Prometheus is ready", lambda: get(f"http://127.0.0.1:{self.ports['theirs']}/-/ready"), START_SECONDS)

    def post(self, name, path, body, headers):
        """(status, body), on a connection that is kept."""
        if name not in self.connections:
            self.connections[name] = http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=60)
        connection = self.connections[name]
        connection.request("POST", path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def write(self, body):
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
                   "X-Prometheus-Remote-Write-Version": "0.1.0"}
        for name in self.ports:
            status, text = self.post(name, "/api/v1/write", body, headers)
            if status // 100 != 2:
                raise RuntimeError(f"{name} takes no samples: {status} {text[:500]}")

    def ask(self, name, text, steps):
        start, end, step = (f"{at / 1000:.3f}" for at in steps)
        arguments, path = {"query": text, "time": start}, "/api/v1/query"
        if steps[2]:
            arguments, path = {"query": text, "start": start, "end": end, "step": step}, "/api/v1/query_range"
        return json.loads(self.post(name, path, urllib.parse.urlencode(arguments),
                                    {"Content-Type": "application/x-www-form-urlencoded"})[1])

    def end(self):
        self.ours.stop()
        self.process.kill()
        self.process.wait(timeout=20)


def key_of(metric):
    return "{" + ", ".join(f'{name}="{metric[name]}"' for name in sorted(metric)) + "}"


class Answer:
    """What the two have in common once order is no matter."""

    def __init__(self, answer):
        self.error = answer.get("errorType", "")
        self.message = answer.get("error", "")
        data = answer.get("data") or {}
        self.type, self.result = data.get("resultType", ""), data.get("result", [])
        self.series = {}
        if self.type in ("scalar", "string"):
            self.series[""] = [self.result]
        elif self.type in ("vector", "matrix"):
            for one in self.result:
                key = key_of(one["metric"])
                if key in self.series:
                    self.error = f"twice in the answer: {key}"
                self.series[key] = one["values"] if "values" in one else [one["value"]]
        points = (text for points in self.series.values() for _, text in points) if self.type != "string" else ()
        finite = [abs(value) for value in map(float, points) if math.isfinite(value)]
        self.greatest = max(finite, default=0)

    def values_by_time(self):
        """What is left to compare where labels are not: {time: values in order}"""
        found = collections.defaultdict(list)
        for points in self.series.values():
            for at, text in points:
                found[at].append(float(text))
        return {at: sorted(values, key=lambda value: (value != value, value)) for at, values in found.items()}

    def in_order(self):
        return [float(one["value"][1]) for one in self.result]

    def show(self, key=None):
        if self.error:
            return f"{self.error}: {self.message}"
        if key is not None:
            return f"{self.type} {len(self.series)} series; {key} {json.dumps(self.series.get(key))}"
        return f"{self.type} {json.dumps(self.result)}"


def near(one, other, greatest):
    """Equal but for rounding. `greatest`: what may have cancelled out is no greater than the greatest of the answer."""
    if one != one or other != other:
        return one != one and other != other
    return one == other or abs(one - other) <= RELATIVE * max(abs(one), abs(other), min(greatest, 1e300), 1e-3)


def all_near(ones, others, greatest):
    return len(ones) == len(others) and all(near(one, other, greatest) for one, other in zip(ones, others))


def difference(query, wanted, found):
    """None, or (what differs, the series where it does)"""
    if wanted.error or found.error:
        return None if wanted.error == found.error else ("error", None)
    if wanted.type != found.type:
        return "type", None
    greatest = max(wanted.greatest, found.greatest)
    if query.kind.startswith("sort") and wanted.type == "vector" and not all_near(
            wanted.in_order(), found.in_order(), greatest):
        return "order", None
    for key in sorted(wanted.series.keys() | found.series.keys()):
        if key not in wanted.series or key not in found.series:
            return "labels", key
        if [at for at, _ in wanted.series[key]] != [at for at, _ in found.series[key]]:
            return "times", key
        if wanted.type == "string":
            if wanted.result != found.result:
                return "text", key
            continue
        for (_, one), (_, other) in zip(wanted.series[key], found.series[key]):
            if not near(float(one), float(other), greatest):
                return "value", key
    return None


def same_but_for_ties(wanted, found):
    ones, others = wanted.values_by_time(), found.values_by_time()
    return ones.keys() == others.keys() and all(all_near(ones[at], others[at], 0) for at in ones)


class Comparison:
    def __init__(self, setting, pool):
        self.setting, self.pool = setting, pool
        self.asked, self.empty, self.errors = 0, 0, 0
        self.by_rule = collections.Counter()
        self.differences = []

    def check(self, query):
        excluded = sorted(query.marks & EXCLUDED.keys())
        if excluded:
            self.by_rule[excluded[0]] += 1
            return
        for mark in query.marks & REWRITTEN.keys():
            self.by_rule[mark] += 1
        self.asked += 1
        ours = self.pool.submit(self.setting.ask, "ours", re.sub(r"\bholt_winters\b", "double_exponential_smoothing",
                                                                 query.text), query.steps)
        wanted, found = Answer(self.setting.ask("theirs", query.text, query.steps)), Answer(ours.result())
        self.errors += bool(wanted.error)
        self.empty += not wanted.error and not wanted.series
        problem = difference(query, wanted, found)
        if problem and query.kind == "topk" and not wanted.error and not found.error and same_but_for_ties(wanted, found):
            self.by_rule["tie"] += 1
        elif problem and SAME_LABELSET in wanted.message and not found.error:
            self.by_rule["delayed_name"] += 1
        elif problem:
            self.differences.append((problem, query, wanted, found))

    def report(self, args, seconds):
        full = self.asked - self.empty - self.errors
        print(f"--seed {args.seed} --begin {args.begin}: {self.asked} queries asked of both in {seconds:.0f} s, {full} answers with series "
              f"({100 * full / max(1, self.asked):.0f} %), {self.empty} empty, {self.errors} errors; "
              f"{len(self.differences)} differ")
        print("not compared, or in another way, by rule: "
              + (", ".join(f"{name} {count}" for name, count in self.by_rule.most_common()) or "none"))
        for (what, key), query, wanted, found in self.differences[:SHOWN]:
            print(f"  {what}: {query.text}\n    start, end, step: {query.steps}\n"
                  f"    Prometheus: {wanted.show(key)[:SHOWN_CHARACTERS]}\n"
                  f"    ours:       {found.show(key)[:SHOWN_CHARACTERS]}")
        enough = full >= WANTED_SHARE * self.asked
        if not enough:
            print("too few answers with series to tell anything")
        return 0 if enough and not self.differences else 1


def run(setting, args):
    setting.wait_until_ready()
    for body in write_requests(generate(args.seed), args.begin * 1000):
        setting.write(body)
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        comparison = Comparison(setting, pool)
        if args.query:
            start = args.begin * 1000 + 3_600_500
            comparison.check(Query(args.query, "", set(), (start, start, 0)))
            comparison.check(Query(args.query, "", set(), (start, start + 3_600_000, 60_000)))
        else:
            generator = Generator(random.Random(args.seed), args.begin * 1000)
            while comparison.asked < args.queries:
                comparison.check(generator.query())
        return comparison.report(args, time.monotonic() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=int(os.environ.get("BINNACLE_DIFFERENTIAL_QUERIES", "2000")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("BINNACLE_DIFFERENTIAL_SEED", "1")))
    # No fixed time: we refuse samples older than a month. The same again within that month with the same --begin.
    parser.add_argument("--begin", type=int, default=int(time.time()) // 3600 * 3600 - 4 * 3600)
    parser.add_argument("--query", help="asked instead of generated ones, as an instant and as a range query")
    args = parser.parse_args()
    prometheus = shutil.which("prometheus")
    version = subprocess.run([prometheus, "--version"], capture_output=True, text=True, check=False).stdout if prometheus else ""
    if "version 2." not in version:
        print("skipped: apt-get install prometheus (2.42; the rules are about version 2)")
        return 77
    # An interrupted run takes its programs with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="binnacle-differential-") as folder:
        setting = Setting(folder, prometheus)
        try:
            return run(setting, args)
        finally:
            setting.end()


if __name__ == "__main__":
    sys.exit(main())
