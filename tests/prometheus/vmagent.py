#!/usr/bin/env python3
"""A real vmagent scrapes a target that counts its scrapes and writes to a real `binnacle server`, which is killed
meanwhile. Each scrape has a value of its own, so that every one that vmagent made must be in our store, once.

usage: vmagent.py     Exit: 0 it is so, 1 it is not, 77 vmagent is missing.
"""

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
DOWN_SECONDS = 2
KILLS = 2
CATCH_UP_SECONDS = 60
SCRAPES_WANTED = 40

CONFIG = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
- {{job_name: counting, static_configs: [{{targets: ["127.0.0.1:{target}"]}}]}}
"""


class Setting:
    def __init__(self, folder):
        self.folder = folder
        self.target = CountingTarget()
        self.ports = {"ours": free_port(), "agent": free_port(), "target": self.target.port}
        self.data = os.path.join(folder, "ours")
        os.makedirs(self.data)
        self.start_ours()
        config = os.path.join(folder, "scrape.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(**self.ports))
        with open(os.path.join(folder, "vmagent.log"), "w", encoding="utf-8") as log:
            self.agent = subprocess.Popen(
                ["vmagent", f"-promscrape.config={config}", f"-remoteWrite.url=http://127.0.0.1:{self.ports['ours']}/api/v1/write",
                 f"-remoteWrite.tmpDataPath={folder}/queue", "-remoteWrite.flushInterval=200ms",
                 f"-httpListenAddr=127.0.0.1:{self.ports['agent']}"], stdout=log, stderr=log)
        wait_until("vmagent is ready", lambda: get(f"http://127.0.0.1:{self.ports['agent']}/health"), START_SECONDS)

    def start_ours(self):
        self.ours = ServerProcess(self.data, listen=f"127.0.0.1:{self.ports['ours']}",
                                  config="collect: {host: {enabled: false}}\n")

    def values(self):
        query = urllib.parse.urlencode({"query": "scrapes_served[1h]"})
        rows = get_json(f"http://127.0.0.1:{self.ports['ours']}/api/v1/query?{query}")["data"]["result"]
        return [int(text) for row in rows for _, text in row["values"]]

    def stop(self):
        self.agent.kill()
        self.agent.wait()
        self.ours.stop()
        self.target.stop()


def check(setting):
    for _ in range(KILLS):
        time.sleep(UP_SECONDS)
        setting.ours.kill()
        time.sleep(DOWN_SECONDS)
        setting.start_ours()
    time.sleep(UP_SECONDS)
    made = setting.target.scrapes
    wait_until(f"scrape {made} has come", lambda: (setting.values() or [0])[-1] >= made, CATCH_UP_SECONDS)
    values = setting.values()
    missing = sorted(set(range(values[0], made + 1)) - set(values))
    twice = sorted({value for value in values if values.count(value) > 1})
    print(f"{made} scrapes, {KILLS} kills; missing: {missing}; twice: {twice}")
    return made >= SCRAPES_WANTED and values[0] <= 2 and not missing and not twice


def main():
    if not shutil.which("vmagent"):
        print("not installed: vmagent")
        return 77
    with tempfile.TemporaryDirectory(prefix="binnacle-vmagent-") as folder:
        setting = Setting(folder)
        try:
            return 0 if check(setting) else 1
        finally:
            setting.stop()


if __name__ == "__main__":
    sys.exit(main())
