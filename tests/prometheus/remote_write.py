#!/usr/bin/env python3
"""A real Prometheus writes to a real `binnacle server` that goes away now and then.

usage: remote_write.py [--seconds N] [--no-restarts]

Prometheus scrapes node_exporter and itself every second and remote-writes what it finds. Our server is ended by
SIGTERM and by SIGKILL in turn meanwhile. In the end every sample of Prometheus' own database must be in ours, with the
same bits, and nothing else. Exit: 0 it is so, 1 it is not, 77 a program is missing.
"""

import argparse
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

from peers import free_port, get, wait_until
from server_process import ServerProcess

START_SECONDS = 30
UP_SECONDS = 7
DOWN_SECONDS = 2
CATCH_UP_SECONDS = 60
SELECTOR = '{job=~"node|prometheus"}'
SHOWN = 10

PROMETHEUS_CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- {{job_name: node, static_configs: [{{targets: ["127.0.0.1:{exporter}"]}}]}}
- {{job_name: prometheus, static_configs: [{{targets: ["127.0.0.1:{own}"]}}]}}
remote_write:
- url: http://127.0.0.1:{ours}/api/v1/write
  queue_config: {{batch_send_deadline: 500ms, min_backoff: 100ms, max_backoff: 1s}}
"""


def bits(text):
    """A sample value as its 64 bits; every NaN is one."""
    value = float(text)
    return "NaN" if value != value else struct.pack(">d", value)


class Setting:
    """The three programs, their ports and their data below one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = {name: free_port() for name in ("exporter", "own", "ours")}
        self.processes = []
        self.ours = None

    def start(self, prometheus, exporter):
        self.start_ours()
        self.run("exporter", [exporter, f"--web.listen-address=127.0.0.1:{self.ports['exporter']}"])
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(PROMETHEUS_CONFIG.format(**self.ports))
        self.run("prometheus", [
            prometheus, f"--config.file={config}", f"--storage.tsdb.path={self.folder}/prometheus",
            f"--web.listen-address=127.0.0.1:{self.ports['own']}"])
        wait_until("Prometheus is ready", lambda: get(self.url("own", "/-/ready")), START_SECONDS)

    def run(self, name, command):
        with open(os.path.join(self.folder, name + ".log"), "w", encoding="utf-8") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def start_ours(self):
        data = os.path.join(self.folder, "ours")
        os.makedirs(data, exist_ok=True)
        self.ours = ServerProcess(data, listen=f"127.0.0.1:{self.ports['ours']}",
                                  config="collect: {host: {enabled: false}}\n")

    def url(self, name, path):
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def end(self):
        if self.ours is not None:
            self.ours.stop()
        for process in self.processes:
            # At SIGTERM Prometheus would first wait a minute for us to take the rest.
            process.kill()
            process.wait(timeout=20)


def restart_now_and_then(setting, seconds, restarts):
    """Runs for that long; returns how often our server was ended by which signal."""
    ends = {"SIGTERM": 0, "SIGKILL": 0}
    deadline = time.monotonic() + seconds
    while time.monotonic() + UP_SECONDS < deadline:
        time.sleep(UP_SECONDS)
        if not restarts:
            continue
        if ends["SIGTERM"] <= ends["SIGKILL"]:
            setting.ours.stop()
            ends["SIGTERM"] += 1
        else:
            setting.ours.kill()
            ends["SIGKILL"] += 1
        setting.ours = None
        time.sleep(DOWN_SECONDS)
        setting.start_ours()
    time.sleep(max(0, deadline - time.monotonic()))
    return ends


def key_of(metric):
    return tuple(sorted(metric.items()))


def theirs(setting, start, end):
    """{labels: {milliseconds: bits}} of Prometheus' own database, after `start`, up to `end`."""
    query = urllib.parse.urlencode({"query": f"{SELECTOR}[{end - start}s]", "time": end})
    answer = json.loads(get(setting.url("own", "/api/v1/query?" + query)))
    return {key_of(series["metric"]): {round(at * 1000): bits(text) for at, text in series["values"]}
            for series in answer["data"]["result"]}


def ours(setting, start, end):
    """The same of our server. Stale markers are left out, as a range selector leaves them out."""
    query = urllib.parse.urlencode({"match[]": SELECTOR, "start": start, "end": end})
    found = {}
    for line in get(setting.url("ours", "/api/binnacle/v1/export?" + query)).splitlines():
        series = json.loads(line)
        samples = {at: bits(value) for at, value in zip(series["timestamps"], series["values"]) if value is not None}
        if samples:
            found[key_of(series["metric"])] = samples
    return found


def name_of(key):
    return "{" + ", ".join(f'{name}="{value}"' for name, value in key) + "}"


def differences(wanted, found):
    """Lines, one for each series that is not the same on both sides."""
    problems = []
    for key in sorted(wanted.keys() | found.keys()):
        want, have = wanted.get(key, {}), found.get(key, {})
        lost = sorted(want.keys() - have.keys())
        extra = sorted(have.keys() - want.keys())
        other = sorted(at for at in want.keys() & have.keys() if want[at] != have[at])
        if lost or extra or other:
            problems.append(f"{name_of(key)}: of {len(want)} samples {len(lost)} lost {lost[:3]}, {len(extra)} too many "
                            f"{extra[:3]}, {len(other)} with another value {other[:3]}")
    return problems


def caught_up(setting, start, end):
    """What still differs once Prometheus has had time to send what it held back."""
    wanted = theirs(setting, start, end)
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while True:
        problems = differences(wanted, ours(setting, start, end))
        if not problems or time.monotonic() > deadline:
            return wanted, problems
        time.sleep(1)


def dropped_by_prometheus(setting):
    """What Prometheus itself says of samples that it gave up."""
    lines = get(setting.url("own", "/metrics")).splitlines()
    return [line for line in lines
            if re.match(r"prometheus_remote_storage_(samples|metadata)_(failed|dropped)_total\{", line)
            and not line.endswith(" 0")]


def check(setting, seconds, restarts):
    # Of the first scrapes some are older than the queue that sends them.
    start = int(time.time()) + 2
    ends = restart_now_and_then(setting, seconds, restarts)
    end = int(time.time()) - 1
    wanted, problems = caught_up(setting, start, end)
    samples = sum(len(series) for series in wanted.values())
    print(f"{len(wanted)} series, {samples} samples over {end - start} s; our server was ended "
          f"{ends['SIGTERM']} times by SIGTERM and {ends['SIGKILL']} times by SIGKILL; "
          f"{len(problems)} series differ")
    for problem in problems[:SHOWN]:
        print("  " + problem)
    for line in dropped_by_prometheus(setting):
        print("  Prometheus says: " + line)
    enough = samples > 100 * (end - start)
    if not enough:
        print("too few samples to tell anything")
    return 0 if enough and not problems else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--no-restarts", action="store_true")
    args = parser.parse_args()
    prometheus = shutil.which("prometheus")
    exporter = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")
    if prometheus is None or exporter is None:
        print("skipped: apt-get install prometheus prometheus-node-exporter")
        return 77
    # An interrupted run takes its programs with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="binnacle-prometheus-") as folder:
        setting = Setting(folder)
        try:
            setting.start(prometheus, exporter)
            return check(setting, args.seconds, not args.no_restarts)
        finally:
            setting.end()


if __name__ == "__main__":
    sys.exit(main())
