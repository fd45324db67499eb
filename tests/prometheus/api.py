#!/usr/bin/env python3
"""Prometheus' own tools and a real Prometheus ask a real `binnacle server` by Prometheus' HTTP API.

usage: api.py [--seconds N]

One Prometheus scrapes itself every second and remote-writes to us what it finds; then the same questions are asked of
both: what is asked about the past must be answered alike, everything else in the same shape. promtool asks us, and a
second Prometheus without data of its own reads ours by remote read. Exit: 0 all is well, 1 it is not, 77 a program is
missing.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from peers import free_port, get, wait_until
from server_process import ServerProcess

START_SECONDS = 30
CATCH_UP_SECONDS = 30

WRITER_CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- {{job_name: prometheus, static_configs: [{{targets: ["127.0.0.1:{writer}"]}}]}}
remote_write:
- url: http://127.0.0.1:{ours}/api/v1/write
  queue_config: {{batch_send_deadline: 200ms}}
"""
READER_CONFIG = """
remote_read:
- url: http://127.0.0.1:{ours}/api/v1/read
  read_recent: true
"""

# Series that our server has none of its own of. Asked about the past, at the time in {at}, both must say the same. Prometheus 3 leaves out the sample at a range's
# left end where Prometheus 2 takes it, so ranges have no sample there: scrapes are not at whole seconds.
SAME = [
    "query?query=go_threads&time={at}",
    "query?query=prometheus_http_requests_total&time={at}",
    "query?query=count(%7Bjob%3D%22prometheus%22%7D)&time={at}",
    "query?query=sum%20by(handler)(rate(prometheus_http_requests_total%5B5s%5D))&time={at}",
    "query?query=topk(3,prometheus_http_request_duration_seconds_bucket)&time={at}",
    "query?query=histogram_quantile(0.9,rate(prometheus_http_request_duration_seconds_bucket%5B5s%5D))&time={at}",
    "query?query=go_goroutines%5B5s%5D&time={at}",
    "query?query=1%2B1&time={at}",
    "query?query=%22text%22&time={at}",
    "query?query=time()&time={at}",
    "query?query=absent(nothing%7Ba%3D%22b%22%7D)&time={at}",
    "query?query=nothing&time={at}",
    "query_range?query=go_goroutines&start={from_}&end={at}&step=1",
    "query_range?query=rate(go_memstats_alloc_bytes_total%5B5s%5D)&start={from_}&end={at}&step=0.5",
    "query_range?query=go_memstats_sys_bytes/1e6&start={from_}&end={at}&step=2s",
    "query_range?query=max_over_time(go_goroutines%5B3500ms:1s%5D)&start={from_}&end={at}&step=1",
    "query_range?query=vector(1)&start={from_}&end={at}&step=1",
    "labels?match%5B%5D=%7Bjob%3D%22prometheus%22%7D&start={from_}&end={at}",
    "labels?match%5B%5D=go_threads&start={from_}&end={at}",
    "label/job/values?match%5B%5D=go_threads",
    "label/__name__/values?match%5B%5D=%7Bjob%3D%22prometheus%22%7D&start={from_}&end={at}",
    "series?match%5B%5D=go_threads&match%5B%5D=go_goroutines&start={from_}&end={at}",
    "query?query=go_threads%7B&time={at}",
    "query_range?query=go_threads&start=2&end=1&step=1",
    "query_range?query=go_threads&start=1&end=2&step=0",
    "query_range?query=go_threads&start=1&end=100000&step=1",
    "query_range?query=go_threads%5B5s%5D&start=1&end=2&step=1",
    "query?query=go_threads&time=x",
    "series",
    "format_query?query=sum(rate(go_threads%5B5m%5D))by(job)",
    "rules",
    "alerts",
    "alertmanagers",
    "query_exemplars?query=go_threads&start={from_}&end={at}",
]
# Of these only the shape is looked at: which names an object has, and what kind each value is.
SAME_SHAPE = [
    "status/buildinfo",
    "status/runtimeinfo",
    "status/config",
    "status/walreplay",
    "query?query=go_threads&time={at}&stats=true",
]
# Prometheus 2.42 words these in another way than Prometheus 3, or has them not at all.
OTHER_WORDS = {"query?query=go_threads%7B&time={at}", "query_range?query=go_threads&start=1&end=100000&step=1",
               "query_range?query=go_threads%5B5s%5D&start=1&end=2&step=1", "query?query=go_threads&time=x"}
# What status/runtimeinfo has since Prometheus 2.42.
NEW_NAMES = {"GOMEMLIMIT", "hostname", "samplesRead", "serverTime"}


class Setting:
    """Our server, the Prometheus that writes to it and the one that reads from it."""

    def __init__(self, folder, prometheus):
        self.folder, self.prometheus = folder, prometheus
        self.ports = {name: free_port() for name in ("ours", "writer", "reader")}
        self.processes = []
        data = os.path.join(folder, "ours")
        os.makedirs(data)
        self.ours = ServerProcess(data, listen=f"127.0.0.1:{self.ports['ours']}",
                                  config="collect: {host: {enabled: false}}\nrules: {default_rules: false}\n")

    def start(self, name, config):
        path = os.path.join(self.folder, name + ".yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config.format(**self.ports))
        with open(os.path.join(self.folder, name + ".log"), "w", encoding="utf-8") as log:
            self.processes.append(subprocess.Popen(
                [self.prometheus, f"--config.file={path}", f"--storage.tsdb.path={self.folder}/{name}",
                 f"--web.listen-address=127.0.0.1:{self.ports[name]}"], stdout=log, stderr=log))
        wait_until(name + " is ready", lambda: get(self.url(name, "/-/ready")), START_SECONDS)

    def url(self, name, path=""):
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def end(self):
        self.ours.stop()
        for process in self.processes:
            process.kill()
            process.wait(timeout=20)


def ask(url):
    """(status, the answer as JSON)"""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        text = error.read()
        return error.code, json.loads(text) if text.startswith(b"{") else text.decode()


def shape(value):
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items() if name not in NEW_NAMES}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def in_order(answer):
    """Where Prometheus promises no order, one is made."""
    data = answer.get("data") if isinstance(answer, dict) else None
    if isinstance(data, dict) and data.get("resultType") in ("vector", "matrix"):
        data["result"].sort(key=lambda series: json.dumps(series["metric"], sort_keys=True))
        data["result"] = [rounded(series) for series in data["result"]]
    if isinstance(data, list):
        data.sort(key=lambda one: json.dumps(one, sort_keys=True))
    return answer


def rounded(series):
    """Sums may be added up in another order."""
    def point(at, text):
        return [at, f"{float(text):.12g}"]
    return {name: point(*value) if name == "value" else [point(*one) for one in value] if name == "values" else value
            for name, value in series.items()}


def answers_alike(setting, at):
    problems = []
    for path in SAME + SAME_SHAPE:
        target = "/api/v1/" + path.format(at=at, from_=at - 8)
        (wanted_status, wanted), (status, found) = ask(setting.url("writer", target)), ask(setting.url("ours", target))
        wanted, found = in_order(wanted), in_order(found)
        if path in SAME_SHAPE or path in OTHER_WORDS:
            wanted, found = shape(wanted), shape(found)
        if status != wanted_status or found != wanted:
            problems.append(f"{target}\n    Prometheus: {wanted_status} {json.dumps(wanted)[:1000]}\n"
                            f"    ours:       {status} {json.dumps(found)[:1000]}")
    return problems


def promtool_is_content(setting, promtool, at):
    calls = [
        (["instant", "--time", str(at), setting.url("ours"), "go_threads"], "go_threads{"),
        (["range", "--start", str(at - 5), "--end", str(at), "--step", "1s", setting.url("ours"), "go_goroutines"],
         "go_goroutines{"),
        (["series", "--match", "go_threads", setting.url("ours")], "job=\"prometheus\""),
        (["labels", setting.url("ours"), "job"], "prometheus"),
    ]
    problems = []
    for args, wanted in calls:
        done = subprocess.run([promtool, "query", *args], capture_output=True, text=True, timeout=60)
        if done.returncode != 0 or wanted not in done.stdout:
            problems.append(f"promtool query {args}: {done.returncode} {done.stdout[:300]} {done.stderr[:300]}")
    return problems


def remote_read_is_whole(setting, at):
    """A Prometheus without data reads ours: every sample must arrive."""
    query = urllib.parse.urlencode({"query": '{job="prometheus"}[8s]', "time": at})
    wanted = in_order(ask(setting.url("writer", "/api/v1/query?" + query))[1])["data"]["result"]
    found = in_order(ask(setting.url("reader", "/api/v1/query?" + query))[1])["data"]["result"]
    samples = sum(len(series["values"]) for series in found)
    print(f"remote read: {len(found)} series, {samples} samples")
    if len(wanted) > 100 and found == wanted:
        return []
    different = [one["metric"] for one, other in zip(wanted, found) if one != other]
    return [f"remote read: {len(wanted)} series wanted, {len(found)} found; different: {different[:3]}"]


def federates_alike(setting):
    """The newest samples differ from moment to moment; which series there are does not."""
    def series(name):
        text = get(setting.url(name, "/federate?match%5B%5D=go_goroutines&match%5B%5D=go_threads"))
        return sorted(line if line.startswith("#") else line.rsplit(" ", 2)[0] for line in text.splitlines())
    wanted, found = series("writer"), series("ours")
    return [] if found == wanted and found else [f"/federate: {wanted} wanted, {found} found"]


def check(setting, promtool, seconds):
    time.sleep(seconds)
    at = int(time.time()) - 2
    newest = f"/api/v1/query?query=timestamp(go_threads)&time={at + 2}"

    def caught_up():
        result = ask(setting.url("ours", newest))[1]["data"]["result"]
        return result and float(result[0]["value"][1]) > at
    wait_until("what Prometheus writes has come", caught_up, CATCH_UP_SECONDS)
    problems = answers_alike(setting, at)
    problems += promtool_is_content(setting, promtool, at)
    problems += remote_read_is_whole(setting, at)
    problems += federates_alike(setting)
    print(f"{len(SAME) + len(SAME_SHAPE)} calls asked of both, {len(problems)} problems")
    for problem in problems:
        print("  " + problem)
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=15)
    args = parser.parse_args()
    prometheus, promtool = shutil.which("prometheus"), shutil.which("promtool")
    if prometheus is None or promtool is None:
        print("skipped: apt-get install prometheus")
        return 77
    # An interrupted run takes its programs with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="binnacle-api-") as folder:
        setting = Setting(folder, prometheus)
        try:
            setting.start("writer", WRITER_CONFIG)
            setting.start("reader", READER_CONFIG)
            return check(setting, promtool, args.seconds)
        finally:
            setting.end()


if __name__ == "__main__":
    sys.exit(main())
