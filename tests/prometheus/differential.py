#!/usr/bin/env python3
"""The same samples and the same seeded queries go to a real Prometheus 2.42 and to a real `binnacle server`.

usage: differential.py [--queries N] [--seed N] [--begin SECONDS] [--query TEXT]

BINNACLE_DIFFERENTIAL_QUERIES and BINNACLE_DIFFERENTIAL_SEED say the same. Both must answer alike: labels, times,
values, errors and their types. Where Prometheus 3, whose language ours is, differs from 2.42, differential_rules.py has
a rule. Exit: 0 all is alike, 1 something differs, 77 there is no Prometheus 2.
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
from differential_rules import EXCLUDED, REFUSED, REWRITTEN, WORDS
from peers import free_port, get, wait_until
from server_process import ServerProcess

START_SECONDS = 30
SHOWN = 10
SHOWN_CHARACTERS = 700
# Sums of floats depend on the order of addition, and Prometheus 3 compensates errors in more places than 2.42 (sum(),
# avg()): each of a few dozen additions may err by 1.1e-16 of the greatest number, and some functions amplify that.
RELATIVE = 1e-9
# Deviations of times, which are 1.8e9 and may differ by some seconds, have but 6 digits.
# What has no sum of rounded numbers in it: the last bit of a division or a power.
EXACT = 1e-15
# A run with fewer answers that say something than this share would prove little.
WANTED_SHARE = 0.4
# Every one of WORDS has been in some answer by this number of queries.
ALL_WORDS_BY = 5000


class Setting:
    """Both servers with the same samples."""

    def __init__(self, folder, prometheus):
        self.folder = folder
        self.ports = {"theirs": free_port()}
        data = os.path.join(folder, "ours")
        os.makedirs(data)
        self.ours = ServerProcess(data, config="collect: {host: {enabled: false}}\nquery: {experimental: true}\n"
                                  "server: {rate_limit: {api: 0}}\n"
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
        wait_until("Prometheus is ready", lambda: get(f"http://127.0.0.1:{self.ports['theirs']}/-/ready"),
                   START_SECONDS)

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
        status, body = self.post(name, path, urllib.parse.urlencode(arguments),
                                 {"Content-Type": "application/x-www-form-urlencoded"})
        return status, json.loads(body)

    def end(self):
        self.ours.stop()
        self.process.kill()
        self.process.wait(timeout=20)


def key_of(metric):
    return "{" + ", ".join(f'{name}="{metric[name]}"' for name in sorted(metric)) + "}"


class Answer:
    """What the two have in common once order is no matter."""

    def __init__(self, status, answer):
        self.error = "" if status == 200 else f"{status} {answer.get('errorType')}"
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

    def show(self, key=None, at=None):
        if self.error:
            return f"{self.error}: {self.message}"
        if key is not None:
            points = [point for point in self.series.get(key, []) if at in (None, point[0])]
            return f"{self.type} {len(self.series)} series; {key} {json.dumps(points)}"
        return f"{self.type} {json.dumps(self.result)}"


def near(one, other, greatest):
    """Equal but for rounding. `greatest`: of what may have cancelled out; 0 where nothing has been rounded twice."""
    if one != one or other != other:
        return one != one and other != other
    if greatest == 0:
        return one == other or abs(one - other) <= EXACT * max(abs(one), abs(other))
    return one == other or abs(one - other) <= RELATIVE * max(abs(one), abs(other), min(greatest, 1e300))


def all_near(ones, others, greatest):
    return len(ones) == len(others) and all(near(one, other, greatest) for one, other in zip(ones, others))


def difference(query, wanted, found):
    """None, or (what differs, the series where it does, the time)"""
    if wanted.error or found.error:
        return None if wanted.error == found.error else ("error", None, None)
    if wanted.type != found.type:
        return "type", None, None
    greatest = 0 if query.exact else max(wanted.greatest, found.greatest, 1e-3)
    if re.search(r"\bstd(dev|var)", query.text) and re.search(r"\btime(stamp)?\(", query.text):
        greatest = 1000 * max(greatest, 1)
    if query.kind.startswith("sort") and wanted.type == "vector" and not all_near(
            wanted.in_order(), found.in_order(), greatest):
        return "order", None, None
    for key in sorted(wanted.series.keys() | found.series.keys()):
        if key not in wanted.series or key not in found.series:
            return "labels", key, None
        if [at for at, _ in wanted.series[key]] != [at for at, _ in found.series[key]]:
            return "times", key, None
        if wanted.type == "string":
            if wanted.result != found.result:
                return "text", key, None
            continue
        for (at, one), (_, other) in zip(wanted.series[key], found.series[key]):
            if not near(float(one), float(other), greatest):
                return "value", key, at
    return None


def refused_by_rule(query, wanted, found):
    """The rule by which one alone refuses the query."""
    for name, (who, message, mark) in REFUSED.items():
        refuses, answers = (wanted, found) if who == "theirs" else (found, wanted)
        if message in refuses.message and not answers.error and (mark is None or mark in query.marks):
            return name
    return None


def same_but_for_ties(wanted, found):
    ones, others = wanted.values_by_time(), found.values_by_time()
    return ones.keys() == others.keys() and all(all_near(ones[at], others[at], 0) for at in ones)


class Comparison:
    def __init__(self, setting, pool):
        self.setting, self.pool = setting, pool
        self.asked, self.empty, self.errors = 0, 0, 0
        self.by_rule = collections.Counter()
        self.answered = collections.Counter()  # with series: by the functions, aggregations and operators of the query
        self.differences = []

    def check(self, query):
        excluded = sorted(query.marks & EXCLUDED.keys())
        if excluded:
            self.by_rule[excluded[0]] += 1
            return
        for mark in query.marks & REWRITTEN.keys():
            self.by_rule[mark] += 1
        self.asked += 1
        for_us = re.sub(r"\bholt_winters\b", "double_exponential_smoothing", query.text)
        ours = self.pool.submit(self.setting.ask, "ours", for_us, query.steps)
        wanted, found = Answer(*self.setting.ask("theirs", query.text, query.steps)), Answer(*ours.result())
        self.errors += bool(wanted.error)
        self.empty += not wanted.error and not wanted.series
        if wanted.series and not wanted.error:
            self.answered.update(set(re.findall(r"[a-z_0-9]+", query.text)))
        problem = difference(query, wanted, found)
        refused = wanted.error or found.error
        if problem and not refused and query.kind == "topk" and same_but_for_ties(wanted, found):
            self.by_rule["tie"] += 1
        elif problem and (rule := refused_by_rule(query, wanted, found)):
            self.by_rule[rule] += 1
        elif problem:
            self.differences.append((problem, query, wanted, found))

    def report(self, args, seconds):
        full = self.asked - self.empty - self.errors
        print(f"--seed {args.seed} --begin {args.begin}: {self.asked} queries asked of both in {seconds:.0f} s, "
              f"{full} answers with series ({100 * full / max(1, self.asked):.0f} %), {self.empty} empty, "
              f"{self.errors} errors; "
              f"{len(self.differences)} differ")
        print("not compared, or in another way, by rule: "
              + (", ".join(f"{name} {count}" for name, count in self.by_rule.most_common()) or "none"))
        for (what, key, at), query, wanted, found in self.differences[:SHOWN]:
            print(f"  {what}: {query.text}\n    start, end, step: {query.steps}\n"
                  f"    Prometheus: {wanted.show(key, at)[:SHOWN_CHARACTERS]}\n"
                  f"    ours:       {found.show(key, at)[:SHOWN_CHARACTERS]}")
        never = [word for word in WORDS if not self.answered[word]]
        if never:
            print("in no answer with series: " + " ".join(never))
        enough = full >= WANTED_SHARE * self.asked
        if not enough:
            print("too few answers with series to tell anything")
        return 0 if enough and not self.differences and not (never and self.asked >= ALL_WORDS_BY) else 1


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
    parser.add_argument("--queries", type=int, default=int(os.environ.get("BINNACLE_DIFFERENTIAL_QUERIES", "5000")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("BINNACLE_DIFFERENTIAL_SEED", "1")))
    # No fixed time: we refuse samples older than a month. The same again within that month with the same --begin.
    parser.add_argument("--begin", type=int, default=int(time.time()) // 3600 * 3600 - 4 * 3600)
    parser.add_argument("--query", help="asked instead of generated ones, as an instant and as a range query")
    args = parser.parse_args()
    prometheus = shutil.which("prometheus")
    version = subprocess.run([prometheus, "--version"], capture_output=True, text=True,
                             check=False).stdout if prometheus else ""
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
