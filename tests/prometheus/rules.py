#!/usr/bin/env python3
"""The same rules and the same samples go to a real Prometheus 2.42 and to a real `binnacle server`, each with an
Alertmanager that only listens; then our server is killed while an alert is pending.

usage: rules.py

Compared are the series that the rules write, /api/v1/rules, /api/v1/alerts and what the Alertmanagers are told. Groups
are evaluated every second, each server at an offset of its own, so that times may differ by a little over a second.
Exit: 0 all is alike, 1 something differs, 77 there is no Prometheus.
"""

import calendar
import collections
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from differential_data import write_requests
from peers import free_port, get, get_json, wait_until
from server_process import ServerProcess

START_SECONDS = 30
RUN_SECONDS = 22
WRITE_SECONDS = 0.25
RESEND_SECONDS = 3
APART_SECONDS = 1.6  # an interval, and a busy machine

# When the signal of a case is 1, in seconds after the begin.
CASES = {"short": (2, 5), "long": (2, 14), "kept": (2, 8), "other": (0, 0)}

RULES = """
groups:
- name: timeline
  interval: 1s
  rules:
  - {record: "signal:doubled", expr: signal * 2, labels: {kind: recorded}}
  - {record: "signal:same", expr: signal, labels: {case: one}}
  - alert: Long
    expr: signal{case=~"long|short"} == 1
    for: 5s
    labels: {severity: page, about: '{{ $labels.case }}'}
    annotations: {summary: '{{ $labels.case }} is {{ $value }} at {{ $externalLabels.dc }}'}
  - alert: Kept
    expr: signal{case="kept"} == 1
    keep_firing_for: 5s
    annotations: {count: '{{ with query "count(signal)" }}{{ . | first | value }}{{ end }}'}
- name: few
  interval: 1s
  limit: 2
  rules:
  - {alert: Many, expr: signal}
"""
CONFIG = """
global: {{evaluation_interval: 1s, external_labels: {{dc: lab}}}}
rule_files: [{rules}]
alerting:
  alert_relabel_configs:
  - {{source_labels: [alertname], target_label: seen}}
  alertmanagers:
  - static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
PENDING_RULES = """
groups:
- name: pending
  interval: 1s
  rules:
  - {alert: Slow, expr: vector(1), for: 10m}
  - {alert: Quick, expr: vector(1), for: 2s}
"""


class Listener:
    """An Alertmanager that remembers what it is told, and when."""

    def __init__(self):
        told = self.told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told.extend((time.time(), self.path, alert) for alert in json.loads(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Both:
    def __init__(self, folder, prometheus):
        self.listeners = {name: Listener() for name in ("theirs", "ours")}
        rules = os.path.join(folder, "rules.yml")
        with open(rules, "w", encoding="utf-8") as file:
            file.write(RULES)
        self.configs = {}
        for name, listener in self.listeners.items():
            self.configs[name] = os.path.join(folder, name + ".yml")
            with open(self.configs[name], "w", encoding="utf-8") as file:
                file.write(CONFIG.format(rules=rules, port=listener.port))
        port = free_port()
        self.log = open(os.path.join(folder, "prometheus.log"), "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [prometheus, f"--config.file={self.configs['theirs']}", f"--web.listen-address=127.0.0.1:{port}",
             f"--storage.tsdb.path={os.path.join(folder, 'theirs')}", "--web.enable-remote-write-receiver",
             f"--rules.alert.resend-delay={RESEND_SECONDS}s"], stdout=self.log, stderr=self.log)
        data = os.path.join(folder, "ours")
        os.makedirs(data)
        self.ours = ServerProcess(data, "--prometheus-config", self.configs["ours"],
                                  config="collect: {host: {enabled: false}}\n"
                                  f"rules: {{default_rules: false, resend_delay: {RESEND_SECONDS}s}}\n")
        self.urls = {"theirs": f"http://127.0.0.1:{port}", "ours": f"http://127.0.0.1:{self.ours.port}"}
        wait_until("Prometheus serves", lambda: get(self.urls["theirs"] + "/-/ready"), START_SECONDS)

    def write(self, values):
        at = int(time.time() * 1000)
        series = [({"__name__": "signal", "case": case}, [(0, value)]) for case, value in values.items()]
        for body in write_requests(series, at):
            for url in self.urls.values():
                request = urllib.request.Request(url + "/api/v1/write", data=body, headers={
                    "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
                    "X-Prometheus-Remote-Write-Version": "0.1.0"})
                urllib.request.urlopen(request, timeout=20).read()

    def ask(self, name, path):
        return get_json(self.urls[name] + "/api/v1/" + path)["data"]

    def evaluations(self, name):
        groups = self.ask(name, "rules")["groups"]
        return groups and all(not group["lastEvaluation"].startswith("0001") for group in groups)

    def end(self):
        self.ours.stop()
        self.process.kill()
        self.process.wait(timeout=20)
        self.log.close()


def seconds_of(text):
    whole, fraction = re.fullmatch(r"(\d+-\d+-\d+T\d+:\d+:\d+)(\.\d+)?Z", text).groups()
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(fraction or 0)


def key_of(labels):
    return "{" + ", ".join(f'{name}="{labels[name]}"' for name in sorted(labels)) + "}"


def shape_of(value, name=""):
    """Without what is of one run: times, durations, values."""
    if isinstance(value, dict):
        return {key: shape_of(part, key) for key, part in value.items()}
    if isinstance(value, list):
        return sorted((shape_of(part) for part in value), key=lambda part: json.dumps(part, sort_keys=True))
    if name in ("evaluationTime", "lastEvaluation", "activeAt", "keepFiringSince"):
        return type(value).__name__
    if name == "lastError":  # ours names the series, too
        return value.split(" (")[0]
    return value


class Comparison:
    def __init__(self):
        self.problems = []

    def same(self, what, theirs, ours):
        if theirs != ours:
            self.problems.append(f"{what}:\n  theirs {json.dumps(theirs, sort_keys=True)}\n"
                                 f"  ours   {json.dumps(ours, sort_keys=True)}")

    def near(self, what, theirs, ours, apart=APART_SECONDS):
        if abs(theirs - ours) > apart:
            self.problems.append(f"{what}: theirs {theirs:.3f}, ours {ours:.3f}")


def compare_series(both, check):
    found = {}
    for name in both.urls:
        found[name] = {}
        for metric in ("ALERTS", "ALERTS_FOR_STATE", "signal:doubled", "signal:same"):
            query = urllib.parse.quote(f'{{__name__="{metric}"}}[5m]')
            for one in both.ask(name, f"query?query={query}")["result"]:
                found[name][key_of(one["metric"])] = one["values"]
    check.same("series of rules", sorted(found["theirs"]), sorted(found["ours"]))
    for key, theirs in found["theirs"].items():
        ours = found["ours"].get(key)
        if ours is None:
            continue
        # A recording rule of Prometheus writes from its first evaluation on, whenever that was.
        if key.find("ALERTS") >= 0:
            check.near(f"begin of {key}", theirs[0][0], ours[0][0])
        check.near(f"end of {key}", theirs[-1][0], ours[-1][0])
        if "ALERTS_FOR_STATE" in key:
            check.near(f"value of {key}", float(theirs[-1][1]), float(ours[-1][1]), 2)


def told_of(listener):
    """{alert: [(arrival, alert)]}, as the server's own address is the only thing that differs."""
    found = collections.defaultdict(list)
    for at, path, alert in listener.told:
        assert path == "/api/v2/alerts", path
        found[key_of(alert["labels"])].append((at, alert))
    return found


def compare_told(both, check):
    theirs, ours = (told_of(both.listeners[name]) for name in ("theirs", "ours"))
    check.same("alerts that were told", sorted(theirs), sorted(ours))
    for key in theirs.keys() & ours.keys():
        split = {}
        for name, told in (("theirs", theirs[key]), ("ours", ours[key])):
            firing = [(at, alert) for at, alert in told if seconds_of(alert["endsAt"]) > at]
            resolved = [(at, alert) for at, alert in told if seconds_of(alert["endsAt"]) <= at]
            split[name] = (firing, resolved)
        for index, what in enumerate(("firing", "resolved")):
            a, b = split["theirs"][index], split["ours"][index]
            check.near(f"how often {key} was told {what}", len(a), len(b), 1)
            if not a or not b:
                continue
            check.near(f"first told {what} of {key}", a[0][0], b[0][0])
            check.near(f"start of {key}", seconds_of(a[0][1]["startsAt"]), seconds_of(b[0][1]["startsAt"]))
            check.near(f"end of {key} as told {what}", seconds_of(a[0][1]["endsAt"]), seconds_of(b[0][1]["endsAt"]))
            check.same(f"annotations of {key}", a[0][1]["annotations"], b[0][1]["annotations"])
            links = [urllib.parse.urlsplit(one[0][1]["generatorURL"]) for one in (a, b)]
            check.same(f"link of {key}", links[0].path + "?" + links[0].query, links[1].path + "?" + links[1].query)


def compare_api(both, check, when):
    for path in ("rules", "rules?type=alert", "alerts"):
        answers = {name: shape_of(both.ask(name, path)) for name in both.urls}
        for name, answer in answers.items():
            for group in answer.get("groups", []):
                group["file"] = os.path.basename(group["file"])
        check.same(f"/api/v1/{path} {when}", answers["theirs"], answers["ours"])


def timeline(folder, prometheus):
    check = Comparison()
    both = Both(folder, prometheus)
    try:
        for name in both.urls:
            wait_until(f"{name} evaluate", lambda name=name: both.evaluations(name), START_SECONDS)
        time.sleep(3)  # Prometheus writes no ALERTS before its third evaluation
        begin = time.time()
        looked = set()
        while time.time() - begin < RUN_SECONDS:
            now = time.time() - begin
            both.write({case: int(start <= now < end) for case, (start, end) in CASES.items()})
            # In the middle of what both must be in by then.
            for at, when in ((4, "while Long is pending"), (10, "while Long fires and Kept is kept"), (20, "at the end")):
                if now >= at and at not in looked:
                    looked.add(at)
                    compare_api(both, check, when)
            time.sleep(WRITE_SECONDS)
        compare_series(both, check)
        compare_told(both, check)
    finally:
        both.end()
    if not both.listeners["theirs"].told or len(looked) < 3:
        check.problems.append("nothing was compared")
    return check.problems


def kill_while_pending(folder):
    rules = os.path.join(folder, "pending.yml")
    with open(rules, "w", encoding="utf-8") as file:
        file.write(PENDING_RULES)
    data = os.path.join(folder, "killed")
    os.makedirs(data)
    config = (f"collect: {{host: {{enabled: false}}}}\nrules: {{files: [{rules}], default_rules: false}}\n")

    def alerts(server):
        found = {alert["labels"]["alertname"]: alert for alert in server.json("/api/v1/alerts")["data"]["alerts"]}
        return found if found.get("Quick", {}).get("state") == "firing" else None

    server = ServerProcess(data, config=config)
    before = wait_until("Quick fires", lambda: alerts(server), START_SECONDS)
    time.sleep(1)  # What an evaluation shows is in the state file a moment later.
    problems = []
    for _ in range(3):
        server.signal(signal.SIGKILL)
        server.process.wait(timeout=20)
        server = ServerProcess(data, config=config)
        # Before anything is evaluated anew, and after.
        for after in (alerts(server), time.sleep(2) or alerts(server)):
            for name, alert in before.items():
                kept = {key: (after or {}).get(name, {}).get(key) for key in ("activeAt", "state")}
                if kept != {key: alert[key] for key in kept}:
                    problems.append(f"after a kill, {name} was {alert} and is {kept}")
    server.stop()
    return problems


def reload_whole_or_not(folder):
    """A reload with a broken rule file among good ones changes nothing; a good one holds at once."""
    rules = os.path.join(folder, "reload")
    data = os.path.join(folder, "reloaded")
    os.makedirs(rules)
    os.makedirs(data)

    def write(name, text):
        with open(os.path.join(rules, name), "w", encoding="utf-8") as file:
            file.write(text)

    def names():
        return [group["name"] for group in server.json("/api/v1/rules")["data"]["groups"]]

    write("a.yml", "groups: [{name: first, rules: [{record: x, expr: up}]}]")
    server = ServerProcess(data, config=f"collect: {{host: {{enabled: false}}}}\n"
                           f"rules: {{files: ['{rules}/*.yml'], default_rules: false}}\n")
    try:
        problems = [] if names() == ["first"] else [f"groups at the start: {names()}"]
        write("a.yml", "groups: [{name: second, rules: [{record: x, expr: up}]}]")
        write("b.yml", "groups: [{name: third, rules: [{record: x, expr: 'up{'}]}]")
        status, _, body = server.request("POST", "/-/reload")
        if status == 200 or "b.yml:1" not in body or names() != ["first"]:
            problems.append(f"a broken reload: {status} {body[:300]}, then {names()}")
        write("b.yml", "groups: [{name: third, rules: [{alert: x, expr: up}]}]")
        status, _, body = server.request("POST", "/-/reload")
        if status != 200 or names() != ["second", "third"]:
            problems.append(f"a good reload: {status} {body[:300]}, then {names()}")
        return problems
    finally:
        server.stop()


def main():
    prometheus = shutil.which("prometheus")
    if not prometheus:
        print("there is no Prometheus here")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        problems = reload_whole_or_not(folder) + kill_while_pending(folder) + timeline(folder, prometheus)
    for problem in problems:
        print(problem)
    print(f"{len(problems)} differences" if problems else "alike")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
