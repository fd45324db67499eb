"""Debian's Alertmanager and our server, each with an alertmanager.yml, behind one face: start, stop, restart, reload."""

import json
import os
import shutil
import signal
import subprocess
import urllib.request

from peers import free_port, get, wait_until
from server_process import ServerProcess

ALERTMANAGER = "prometheus-alertmanager"
START_SECONDS = 30
# Nothing but alerts; a test posts as fast as it likes.
OURS = """collect: {{host: {{enabled: false}}, engines: {{enabled: false}}}}
server: {{rate_limit: {{api: 0}}}}
rules: {{default_rules: false}}
alerts: {{config_file: {config}}}
"""


def alertmanager_is_installed():
    return shutil.which(ALERTMANAGER) is not None


class AlertServer:
    """A folder with alertmanager.yml and data, and a port that a restart keeps."""

    def __init__(self, folder, config):
        os.makedirs(os.path.join(folder, "data"))
        self.folder, self.data = folder, os.path.join(folder, "data")
        self.port = free_port()
        self.config_path = os.path.join(folder, "alertmanager.yml")
        self.write_config(config)
        self.start()

    def write_config(self, config):
        """A dictionary: JSON is YAML."""
        with open(self.config_path, "w", encoding="utf-8") as file:
            json.dump(config, file, indent=1)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def reload(self):
        with urllib.request.urlopen(urllib.request.Request(self.url("/-/reload"), method="POST"), timeout=20) as answer:
            answer.read()

    def restart(self):
        self.stop()
        self.start()


class Alertmanager(AlertServer):
    def start(self):
        # Without a cluster: alone, it waits for nobody before it notifies.
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [ALERTMANAGER, f"--config.file={self.config_path}", f"--storage.path={self.data}", "--cluster.listen-address=",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log)
        try:
            wait_until("Alertmanager is ready", lambda: get(self.url("/-/ready")), START_SECONDS)
        except BaseException:
            self.kill()
            raise

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        finally:
            self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()


class Binnacle(AlertServer):
    def start(self, kill_at=""):
        """`POINT:PASSES`: where in the program it shall die."""
        if kill_at:
            os.environ["BINNACLE_KILL_AT"] = kill_at
        try:
            self.server = ServerProcess(self.data, listen=f"127.0.0.1:{self.port}", config=OURS.format(config=self.config_path))
        finally:
            os.environ.pop("BINNACLE_KILL_AT", None)

    def is_gone(self):
        return self.server.process.poll() is not None

    def stop(self):
        self.server.stop()

    def kill(self):
        self.server.kill()
