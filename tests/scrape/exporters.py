#!/usr/bin/env python3
"""Real exporters, and targets that misbehave, are scraped by a real `binnacle server` and by Debian's Prometheus from
one prometheus.yml: node_exporter, Redis and PostgreSQL behind their exporters, Alertmanager, Prometheus itself.

Both must know the same targets with the same labels and hold the same series. An exporter that is killed goes stale;
bad neighbours (HTML, a cut body, a drip, nobody there, a redirect) each have their own error and harm no other.

usage: exporters.py     Exit: 0 all is well, 1 it is not, 77 a program is missing.
"""

import http.server
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from peers import free_port, get_json, wait_until
from server_process import ServerProcess

START_SECONDS = 60
SETTLE_SECONDS = 30
FEWEST_SERIES = 6  # up, four of the scrape, and something of the target
PROGRAMS = ["prometheus", "promtool", "prometheus-node-exporter", "prometheus-alertmanager",
            "prometheus-postgres-exporter", "prometheus-redis-exporter", "redis-server"]

CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 900ms
  external_labels: {{site: test}}
scrape_configs:
- job_name: node
  static_configs: [{{targets: ["127.0.0.1:{node}"], labels: {{rack: r1}}}}]
  params: {{"collect[]": [cpu, meminfo, loadavg, uname]}}
- job_name: prometheus
  static_configs: [{{targets: ["127.0.0.1:{prometheus}"]}}]
  metric_relabel_configs:
  - {{source_labels: [__name__], regex: "go_gc.*", action: drop}}
  - {{source_labels: [handler], regex: "/api/(.+)", target_label: call, replacement: "$1"}}
  - {{regex: handler, action: labeldrop}}
- job_name: alertmanager
  file_sd_configs: [{{files: ["{folder}/*.json"], refresh_interval: 1s}}]
  relabel_configs:
  - {{source_labels: [__meta_filepath], regex: ".*/(.+)", target_label: file}}
- job_name: redis
  metrics_path: /scrape
  static_configs: [{{targets: ["redis://127.0.0.1:{redis}"]}}]
  relabel_configs:
  - {{source_labels: [__address__], target_label: __param_target}}
  - {{source_labels: [__param_target], target_label: instance}}
  - {{target_label: __address__, replacement: "127.0.0.1:{redis_exporter}"}}
- job_name: postgres
  static_configs: [{{targets: ["127.0.0.1:{postgres_exporter}"]}}]
- job_name: labels
  honor_labels: true
  static_configs: [{{targets: ["127.0.0.1:{bad}"], labels: {{__metrics_path__: /labels}}}}]
- job_name: renamed
  static_configs: [{{targets: ["127.0.0.1:{bad}"], labels: {{__metrics_path__: /labels}}}}]
- job_name: moved
  static_configs: [{{targets: ["127.0.0.1:{bad}"], labels: {{__metrics_path__: /moved}}}}]
- job_name: bad
  sample_limit: 3
  relabel_configs: [{{source_labels: [__metrics_path__], target_label: path}}]
  static_configs:
  - {{targets: ["127.0.0.1:{bad}"], labels: {{__metrics_path__: /html}}}}
  - {{targets: ["127.0.0.1:{bad}"], labels: {{__metrics_path__: /cut}}}}
  - {{targets: ["127.0.0.1:{bad}"], labels: {{__metrics_path__: /drip}}}}
  - {{targets: ["127.0.0.1:{bad}"], labels: {{__metrics_path__: /broken}}}}
  - {{targets: ["127.0.0.1:{bad}"], labels: {{__metrics_path__: /many}}}}
  - {{targets: ["127.0.0.1:{bad}"], labels: {{__metrics_path__: /gone}}}}
  - {{targets: ["127.0.0.1:{nobody}"], labels: {{__metrics_path__: /nobody}}}}
"""
# What each bad target's last error must speak of.
ERRORS = {"/html": "text/html", "/cut": "", "/drip": "", "/broken": "line", "/many": "limit", "/gone": "404",
          "/nobody": "refused"}
GOOD = {"node": 1, "prometheus": 1, "alertmanager": 1, "redis": 1, "postgres": 1, "labels": 1, "renamed": 1, "moved": 1}

LABELS_BODY = b"""# HELP mine a gauge with labels that a target has too
# TYPE mine gauge
mine{job="theirs",instance="there",a="1"} 1
mine{a="2"} 2
stamped 3 1
"""


class BadTarget(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, content_type="text/plain; version=0.0.4", status=200, headers=(), length=None):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length or len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/labels":
            self.answer(LABELS_BODY)
        elif path == "/moved":
            self.answer(b"", status=302, headers=[("Location", "/labels")])
        elif path == "/html":
            self.answer(b"<html><body>sign in</body></html>", "text/html")
        elif path == "/cut":
            self.answer(b"a 1\nb 2\n", length=1000)
            self.close_connection = True
        elif path == "/drip":
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for _ in range(50):
                    self.wfile.write(b"1\r\n#\r\n")
                    time.sleep(0.1)
            except OSError:
                pass
            self.close_connection = True
        elif path == "/broken":
            self.answer(b"good 1\nbroken{a=\"b} 2\n")
        elif path == "/many":
            self.answer(b"".join(b"many{n=\"%d\"} 1\n" % n for n in range(10)))
        else:
            self.answer(b"not here", status=404)


class Setting:
    """Every program that takes part, each on a port of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = {}
        names = ["ours", "prometheus", "node", "alertmanager", "redis", "redis_exporter", "postgres",
                 "postgres_exporter", "nobody"]
        self.ports = {name: free_port() for name in names}
        self.bad = http.server.ThreadingHTTPServer(("127.0.0.1", 0), BadTarget)
        self.bad.daemon_threads = True
        self.ports["bad"] = self.bad.server_address[1]
        threading.Thread(target=self.bad.serve_forever, daemon=True).start()
        self.config = os.path.join(folder, "prometheus.yml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=folder, **self.ports))
        with open(os.path.join(folder, "alertmanager.json"), "w", encoding="utf-8") as file:
            json.dump([{"targets": [f"127.0.0.1:{self.ports['alertmanager']}"], "labels": {"from": "file"}}], file)

    def start(self, name, command, environment=None):
        with open(os.path.join(self.folder, name + ".log"), "w", encoding="utf-8") as log:
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log,
                                                    env={**os.environ, **(environment or {})})

    def start_exporters(self):
        ports = self.ports
        self.start("node", ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{ports['node']}"])
        with open(os.path.join(self.folder, "alertmanager.yml"), "w", encoding="utf-8") as file:
            file.write("route: {receiver: none}\nreceivers: [{name: none}]\n")
        self.start("alertmanager", [
            "prometheus-alertmanager", f"--config.file={self.folder}/alertmanager.yml", "--cluster.listen-address=",
            f"--storage.path={self.folder}/am", f"--web.listen-address=127.0.0.1:{ports['alertmanager']}"])
        self.start("redis", ["redis-server", "--port", str(ports["redis"]), "--bind", "127.0.0.1", "--save", "",
                             "--dir", self.folder])
        self.start("redis_exporter", ["prometheus-redis-exporter",
                                      f"--web.listen-address=127.0.0.1:{ports['redis_exporter']}"])
        self.start_postgres()
        self.start("prometheus", ["prometheus", f"--config.file={self.config}", f"--storage.tsdb.path={self.folder}/tsdb",
                                  f"--web.listen-address=127.0.0.1:{ports['prometheus']}"])

    def start_postgres(self):
        """PostgreSQL refuses to run as root, so it runs as its package's user."""
        tools = sorted(os.listdir("/usr/lib/postgresql"))[-1]
        tools = f"/usr/lib/postgresql/{tools}/bin"
        data = os.path.join(self.folder, "pg")
        user = []
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            user = ["setpriv", "--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups"]
            os.chmod(self.folder, 0o755)
            os.mkdir(data)
            os.chown(data, account.pw_uid, account.pw_gid)
        subprocess.run([*user, f"{tools}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], check=True,
                       stdout=subprocess.DEVNULL, cwd="/")
        self.start("postgres", [*user, f"{tools}/postgres", "-D", data, "-p", str(self.ports["postgres"]), "-k", data,
                                "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
        self.start("postgres_exporter", [
            "prometheus-postgres-exporter", f"--web.listen-address=127.0.0.1:{self.ports['postgres_exporter']}"],
            {"DATA_SOURCE_NAME": f"postgresql://postgres@127.0.0.1:{self.ports['postgres']}/postgres?sslmode=disable"})

    def start_ours(self):
        data = os.path.join(self.folder, "ours")
        os.makedirs(data)
        self.ours = ServerProcess(data, "--prometheus-config", self.config,
                                  listen=f"127.0.0.1:{self.ports['ours']}",
                                  config="collect: {host: {enabled: false}}\n")

    def kill(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait(timeout=20)

    def stop(self):
        if getattr(self, "ours", None):
            self.ours.stop()
        for process in self.processes.values():
            process.send_signal(signal.SIGINT)  # to PostgreSQL: end at once, in order
        for process in self.processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
        self.bad.shutdown()

    def api(self, who, path, **params):
        query = urllib.parse.urlencode(params, doseq=True)
        return get_json(f"http://127.0.0.1:{self.ports[who]}/api/v1/{path}?{query}")["data"]

    def query(self, who, text):
        return self.api(who, "query", query=text)["result"]


def targets_of(setting, who):
    """What both must say of each target."""
    out = {}
    for target in setting.api(who, "targets", state="active")["activeTargets"]:
        labels = target["labels"]
        out[(target["scrapePool"], target["scrapeUrl"])] = (labels, target["health"])
    return out


def series_of(setting, who, job):
    """Series of a job as label sets. What tells of the one who scrapes differs between two of them."""
    now = time.time()
    found = setting.api(who, "series", **{"match[]": f'{{job="{job}"}}', "start": now - 20, "end": now})
    return {tuple(sorted((name, bound(name, value)) for name, value in series.items())) for series in found}


def bound(name, value):
    """Since version 3, Prometheus writes whole bounds of buckets and quantiles as 1.0."""
    return float(value) if name in ("le", "quantile") else value


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def check_targets(setting):
    def settled():
        ours, theirs = targets_of(setting, "ours"), targets_of(setting, "prometheus")
        return ours == theirs and all(health == ("down" if pool == "bad" else "up")
                                      for (pool, _), (_, health) in ours.items())
    try:
        wait_until("both say the same of every target", settled, SETTLE_SECONDS)
    except AssertionError as error:
        ours, theirs = targets_of(setting, "ours"), targets_of(setting, "prometheus")
        lines = [f"{key}: ours {ours.get(key)}, Prometheus {theirs.get(key)}"
                 for key in sorted(set(ours) | set(theirs)) if ours.get(key) != theirs.get(key) or "bad" not in key[0]]
        raise AssertionError(str(error) + "\n  " + "\n  ".join(lines)) from None


def check_series(setting):
    """Some series of an exporter appear only after a while, so the two must agree at some moment."""
    for job in GOOD:
        def same():
            found = series_of(setting, "ours", job)
            return len(found) >= FEWEST_SERIES and found == series_of(setting, "prometheus", job)
        try:
            wait_until(f"both hold the same series of {job}", same, SETTLE_SECONDS)
        except AssertionError as error:
            ours, theirs = series_of(setting, "ours", job), series_of(setting, "prometheus", job)
            raise AssertionError(f"{error}\n  only ours: {list(ours - theirs)[:5]}\n"
                                 f"  only Prometheus: {list(theirs - ours)[:5]}") from None


def check_values(setting):
    for text, wanted in {"redis_up": "1", "pg_up": "1", 'count(mine{job="theirs"})': "1",
                         'mine{exported_job="theirs",job="renamed"}': "1", 'count(up{job!="binnacle"} == 1)': "8",
                         'count(up == 0)': "7"}.items():
        # One scrape that a busy machine does not answer in time is none of ours.
        try:
            wait_until(text, lambda: [row["value"][1] for row in setting.query("ours", text)] == [wanted], SETTLE_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}: {setting.query('ours', text)}, wanted {wanted}; "
                                 f"up: {setting.query('ours', 'up')}") from None
    check(setting.query("ours", "good") == [], "a body that breaks in the middle left a sample")
    check(setting.query("ours", "many") == [], "a scrape over its limit left a sample")
    kinds = setting.api("ours", "metadata", metric="mine")
    check(kinds["mine"][0]["type"] == "gauge", f"metadata of mine: {kinds}")


def check_errors(setting):
    for target in setting.api("ours", "targets")["activeTargets"]:
        if target["scrapePool"] != "bad":
            continue
        path = target["labels"]["path"]
        check(target["lastError"], f"{path}: no error")
        check(ERRORS[path] in target["lastError"], f"{path}: {target['lastError']!r} does not speak of {ERRORS[path]!r}")
        print(f"  {path}: {target['lastError']}")


def check_death(setting):
    setting.kill("redis_exporter")
    wait_until("the killed exporter is down and its series are stale",
               lambda: setting.query("ours", "redis_up") == []
               and setting.query("ours", 'up{job="redis"}')[0]["value"][1] == "0", 10)
    check(len(setting.query("ours", "pg_up")) == 1, "a neighbour's series went with it")


def check_leaving(setting):
    os.remove(os.path.join(setting.folder, "alertmanager.json"))
    # Prometheus keeps a file's last targets; an emptied list takes them away.
    with open(os.path.join(setting.folder, "other.json"), "w", encoding="utf-8") as file:
        file.write("[]")
    with open(os.path.join(setting.folder, "alertmanager.json"), "w", encoding="utf-8") as file:
        file.write("[]")
    wait_until("a target that left is gone and its series are stale",
               lambda: setting.query("ours", "alertmanager_build_info") == []
               and not [t for t in setting.api("ours", "targets")["activeTargets"]
                        if t["scrapePool"] == "alertmanager"], 20)


def main():
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if not os.path.isdir("/usr/lib/postgresql"):
        missing.append("postgresql")
    if missing:
        print("not installed: " + ", ".join(missing))
        return 77
    with tempfile.TemporaryDirectory(prefix="binnacle-scrape-") as folder:
        setting = Setting(folder)
        try:
            subprocess.run(["promtool", "check", "config", setting.config], check=True, stdout=subprocess.DEVNULL)
            setting.start_exporters()
            setting.start_ours()
            wait_until("Prometheus answers", lambda: setting.query("prometheus", "1"), START_SECONDS)
            for step in (check_targets, check_series, check_values, check_errors, check_death, check_leaving):
                step(setting)
                print(f"{step.__name__}: ok")
        except (AssertionError, urllib.error.URLError) as error:
            print(f"FAILED: {error}")
            if getattr(setting, "ours", None):
                print(setting.ours.stderr()[-2000:])
            return 1
        finally:
            setting.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
