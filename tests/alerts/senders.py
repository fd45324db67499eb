#!/usr/bin/env python3
"""Debian's Prometheus and vmalert evaluate rules and send their alerts to our server: they arrive, are grouped, told,
kept alive by being sent again, and are resolved when the rule says so or when the sender is dead.

usage: senders.py [--reference]     --reference: to an Alertmanager, which shows what the test itself is worth
Exit: 0 it is so, 1 it is not, 77 a program is missing.
"""

import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from alert_servers import Alertmanager, Binnacle
from peers import free_port, get, get_json, wait_until
from webhook_sink import WebhookSink

PROGRAMS = ("prometheus", "vmalert", "prometheus-alertmanager")
START_SECONDS = 30
PATIENCE_SECONDS = 20
# Of an alert that nobody sends again: four times the longer of interval and resend delay, of both programs.
ALIVE_SECONDS = 4
RULES = """
groups:
- name: heat
  interval: 1s
  rules:
  - alert: Hot
    expr: temperature > 90
    for: 1s
    labels: {{severity: page, sender: {sender}}}
    annotations: {{summary: "{{{{ $labels.gpu }}}} has {{{{ $value }}}} degrees"}}
  - {{alert: Quiet, expr: temperature < 0, labels: {{sender: {sender}}}}}
"""
PROMETHEUS = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s, external_labels: {{cluster: test}}}}
rule_files: [{rules}]
scrape_configs: [{{job_name: heat, static_configs: [{{targets: ["127.0.0.1:{page}"]}}]}}]
alerting: {{alertmanagers: [{{api_version: v2, static_configs: [{{targets: ["127.0.0.1:{alerts}"]}}]}}]}}
"""


class Thermometers:
    """What is scraped: the temperature of each GPU, which the test sets."""

    def __init__(self, **degrees):
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                body = "".join(f'temperature{{gpu="{gpu}"}} {value}\n' for gpu, value in page.degrees.items()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

        self.degrees = degrees
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def alertmanager_yml(sink):
    senders = ("prometheus", "vmalert")
    return {
        "route": {"receiver": "rest", "group_by": ["alertname", "sender"], "group_wait": "1s", "group_interval": "1s",
                  "repeat_interval": "1h",
                  "routes": [{"matchers": [f'sender="{name}"'], "receiver": name} for name in senders]},
        "receivers": [{"name": name, "webhook_configs": [{"url": sink.url(name)}]} for name in ("rest", *senders)]}


class Setting:
    def __init__(self, folder, kind):
        self.folder = folder
        self.page, self.sink = Thermometers(g0=95, g1=50), WebhookSink()
        self.alerts = kind(os.path.join(folder, "alerts"), alertmanager_yml(self.sink))
        self.processes = {}
        self.ports = {"prometheus": free_port(), "vmalert": free_port()}

    def _write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def _run(self, name, *command):
        with open(os.path.join(self.folder, name + ".log"), "wb") as log:
            self.processes[name] = subprocess.Popen([name, *command], stdout=log, stderr=log)

    def start_prometheus(self):
        rules = self._write("prometheus.rules.yml", RULES.format(sender="prometheus"))
        config = self._write("prometheus.yml", PROMETHEUS.format(rules=rules, page=self.page.port, alerts=self.alerts.port))
        self._run("prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder}/tsdb", "--rules.alert.resend-delay=1s",
                  f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}")
        wait_until("Prometheus is ready", lambda: get(f"http://127.0.0.1:{self.ports['prometheus']}/-/ready"), START_SECONDS)

    def start_vmalert(self):
        rules = self._write("vmalert.rules.yml", RULES.format(sender="vmalert"))
        self._run("vmalert", f"-rule={rules}", f"-datasource.url=http://127.0.0.1:{self.ports['prometheus']}",
                  f"-notifier.url=http://127.0.0.1:{self.alerts.port}", "-evaluationInterval=1s", "-external.label=cluster=test",
                  f"-httpListenAddr=127.0.0.1:{self.ports['vmalert']}")
        wait_until("vmalert is ready", lambda: get(f"http://127.0.0.1:{self.ports['vmalert']}/health"), START_SECONDS)

    def kill(self, name):
        self.processes[name].kill()
        self.processes.pop(name).wait()

    def told(self, sender):
        """(status, GPUs that fire, GPUs that are resolved) of each webhook, in order."""
        def gpus(webhook, status):
            return sorted(one["labels"]["gpu"] for one in webhook.alerts(status))

        return [(one.body["status"], gpus(one, "firing"), gpus(one, "resolved")) for one in self.sink.all(sender)]

    def wait_for(self, sender, firing, resolved=()):
        """The last webhook names exactly these as firing, and these among the resolved: Prometheus sends what is resolved
        for another 15 minutes, so that it may be told along."""
        def last():
            told = self.told(sender)
            return told and told[-1][1] == list(firing) and set(resolved) <= set(told[-1][2])

        try:
            wait_until(f"{sender} has told of {firing} firing, {resolved} resolved", last, PATIENCE_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}; told: {self.told(sender)}") from None

    def stop(self):
        for name in list(self.processes):
            self.kill(name)
        self.alerts.kill()
        self.page.stop()
        self.sink.stop()


def check_content(setting, sender):
    body = setting.sink.all(sender)[0].body
    assert body["groupLabels"] == {"alertname": "Hot", "sender": sender}, body
    alert = body["alerts"][0]
    expected = {"alertname": "Hot", "gpu": "g0", "severity": "page", "sender": sender, "cluster": "test"}
    assert expected.items() <= alert["labels"].items(), alert
    assert alert["annotations"] == {"summary": "g0 has 95 degrees"}, alert
    assert alert["generatorURL"].startswith("http"), alert
    listed = get_json(setting.alerts.url(f"/api/v2/alerts?filter=sender%3D{sender}"))
    assert [one["labels"]["gpu"] for one in listed if one["status"]["state"] == "active"] == ["g0"], listed


def check(setting):
    setting.start_prometheus()
    setting.start_vmalert()
    senders = ("prometheus", "vmalert")
    for sender in senders:
        setting.wait_for(sender, ["g0"])
        check_content(setting, sender)
    # What is sent again is neither told again nor taken for over.
    time.sleep(ALIVE_SECONDS + 2)
    for sender in senders:
        assert setting.told(sender) == [("firing", ["g0"], [])], setting.told(sender)
    setting.page.degrees["g1"] = 99
    for sender in senders:
        setting.wait_for(sender, ["g0", "g1"])
    setting.page.degrees["g0"] = 20
    for sender in senders:
        setting.wait_for(sender, ["g1"], ["g0"])
    # A sender that is dead says no longer that it burns.
    setting.kill("vmalert")
    setting.wait_for("vmalert", [], ["g1"])
    setting.page.degrees["g1"] = 20
    setting.wait_for("prometheus", [], ["g1"])
    for sender in senders:
        print(f"{sender}: {setting.told(sender)}")
        assert [status for status, *_ in setting.told(sender)] == ["firing"] * 3 + ["resolved"], setting.told(sender)
    assert not setting.sink.all("rest")


def main():
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        print("not installed:", *missing)
        return 77
    with tempfile.TemporaryDirectory(prefix="binnacle-senders-") as folder:
        setting = Setting(folder, Alertmanager if "--reference" in sys.argv else Binnacle)
        try:
            check(setting)
            return 0
        except AssertionError as error:
            print(f"failed: {error}")
            return 1
        finally:
            setting.stop()


if __name__ == "__main__":
    sys.exit(main())
