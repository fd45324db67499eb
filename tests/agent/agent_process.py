"""Starts `binnacle agent` and reads what it logs."""

import json
import os
import signal
import subprocess
import tempfile

from server_process import BINARY

INTERVAL_SECONDS = 1
CONFIG = f"agent:\n  interval: {INTERVAL_SECONDS}s\nlog:\n  format: json\n"


class AgentProcess:
    def __init__(self, data, server_url, *args, config=CONFIG, environment=None, wrap=None):
        """`environment` is added to this process' own; `wrap` makes another command of the command."""
        self.data = data
        os.makedirs(data, exist_ok=True)
        config_path = os.path.join(data, "binnacle.yaml")
        with open(config_path, "w", encoding="utf-8") as file:
            file.write(config)
        self.log = tempfile.TemporaryFile(mode="w+")
        command = [BINARY, "agent", "--server", server_url, "--data", data, "--config", config_path, *args]
        self.process = subprocess.Popen(wrap(command) if wrap else command, stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, env={**os.environ, **(environment or {})})

    def stderr(self):
        self.log.seek(0)
        return self.log.read()

    def says(self, text):
        """The first log line that contains the text, or None."""
        for line in self.stderr().splitlines():
            if text in line and line.startswith("{"):
                return json.loads(line)
        return None

    def stop(self):
        """SIGTERM and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        finally:
            self._close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()
