#!/usr/bin/env python3
"""A real `binnacle server` scrapes a target and sends every sample to a real VictoriaMetrics by the `remote_write` of
its prometheus.yml, while either of the two is killed. In the end VictoriaMetrics must have what our store has; then a
second server of ours, without a sample of its own, reads all of it back by `remote_read` of the first.

usage: server_ship.py     Exit: 0 all is there, 1 it is not, 77 VictoriaMetrics is missing.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

from peers import CountingTarget, free_port, get, get_json, wait_until
from server_process import ServerProcess

START_SECONDS = 30
UP_SECONDS = 4
DOWN_SECONDS = 1
CATCH_UP_SECONDS = 60
FEWEST_SAMPLES = 40

CONFIG = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms, external_labels: {{site: test}}}}
scrape_configs:
- {{job_name: counting, static_configs: [{{targets: ["127.0.0.1:{target}"]}}]}}
remote_write:
- url: http://127.0.0.1:{theirs}/api/v1/write
  queue_config: {{batch_send_deadline: 200ms, max_backoff: 500ms}}
"""
READER_CONFIG = """
global: {{}}
remote_read:
- {{url: "http://127.0.0.1:{ours}/api/v1/read", read_recent: true}}
"""


class Setting:
    def __init__(self, folder):
        self.folder = folder
        self.target = CountingTarget()
        self.ports = {"ours": free_port(), "theirs": free_port(), "target": self.target.port}
        self.reader = None
        self.start_theirs()
        self.start_ours()

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.format(**self.ports))
        return path

    def start_ours(self):
        data = os.path.join(self.folder, "ours")
        os.makedirs(data, exist_ok=True)
        self.ours = ServerProcess(data, "--prometheus-config", self.write("prometheus.yml", CONFIG),
                                  listen=f"127.0.0.1:{self.ports['ours']}",
                                  config="collect: {host: {enabled: false}, engines: {enabled: false}}\n")

    def start_reader(self):
        data = os.path.join(self.folder, "reader")
        os.makedirs(data)
        self.reader = ServerProcess(data, "--prometheus-config", self.write("reader.yml", READER_CONFIG),
                                    config="collect: {host: {enabled: false}, engines: {enabled: false}}\n")

    def start_theirs(self):
        with open(os.path.join(self.folder, "theirs.log"), "a", encoding="utf-8") as log:
            self.theirs = subprocess.Popen(
                ["victoria-metrics", f"-storageDataPath={self.folder}/theirs", "-search.latencyOffset=0s",
                 f"-httpListenAddr=127.0.0.1:{self.ports['theirs']}"], stdout=log, stderr=log)
        wait_until("VictoriaMetrics answers", lambda: get(self.url("theirs", "/health")), START_SECONDS)

    def kill_theirs(self):
        self.theirs.kill()
        self.theirs.wait()

    def url(self, name, path, **query):
        port = self.reader.port if name == "reader" else self.ports[name]
        return f"http://127.0.0.1:{port}{path}?{urllib.parse.urlencode(query)}"

    def samples(self, name, selector):
        """{milliseconds: value} of the one series."""
        if name == "theirs":
            lines = get(self.url(name, "/api/v1/export", **{"match[]": selector})).splitlines()
            return {at: value for line in lines
                    for at, value in zip(json.loads(line)["timestamps"], json.loads(line)["values"])}
        rows = get_json(self.url(name, "/api/v1/query", query=selector + "[1h]"))["data"]["result"]
        return {round(at * 1000): int(text) for row in rows for at, text in row["values"]}

    def stop(self):
        self.ours.stop()
        if self.reader:
            self.reader.stop()
        self.kill_theirs()
        self.target.stop()


def check(setting):
    time.sleep(UP_SECONDS)
    setting.ours.kill()
    time.sleep(DOWN_SECONDS)
    setting.start_ours()
    time.sleep(UP_SECONDS)
    setting.kill_theirs()
    time.sleep(DOWN_SECONDS)
    setting.start_theirs()
    time.sleep(UP_SECONDS)

    ours = setting.samples("ours", "scrapes_served")
    assert len(ours) >= FEWEST_SAMPLES, f"only {len(ours)} samples"

    def arrived():
        theirs = setting.samples("theirs", 'scrapes_served{site="test"}')
        return all(theirs.get(at) == value for at, value in ours.items())

    wait_until("all samples have arrived", arrived, CATCH_UP_SECONDS)
    print(f"{len(ours)} samples, one kill of either side: all are there")

    setting.start_reader()
    read = wait_until("a second server reads them", lambda: setting.samples("reader", "scrapes_served"), START_SECONDS)
    missing = {at: value for at, value in ours.items() if read.get(at) != value}
    assert not missing, f"not read back: {missing}"
    print(f"{len(read)} samples read back by remote read")


def main():
    if not shutil.which("victoria-metrics"):
        print("not installed: victoria-metrics")
        return 77
    with tempfile.TemporaryDirectory(prefix="binnacle-ship-") as folder:
        setting = Setting(folder)
        try:
            check(setting)
        except AssertionError as error:
            print(f"FAILED: {error}")
            print(setting.ours.stderr()[-3000:])
            return 1
        finally:
            setting.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
