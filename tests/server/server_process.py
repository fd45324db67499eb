"""Starts the real binary on a free port of loopback and speaks plain sockets and HTTP to it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

BINARY = os.environ["BINNACLE_BIN"]
START_SECONDS = 30


def run_once(*args, **options):
    """A run that is expected to end by itself: (exit code, stdout, stderr)."""
    done = subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=START_SECONDS, **options)
    return done.returncode, done.stdout, done.stderr


class ServerProcess:
    def __init__(self, data, *args, listen="127.0.0.1:0", config=None, wrap=None):
        """`wrap` makes another command of the command."""
        self.data = data
        command = [BINARY, "server", "--data", data]
        if listen:
            command += ["--listen", listen]
        if config is not None:
            self.config_path = os.path.join(data, "binnacle.yaml")
            self.write_config(config)
            command += ["--config", self.config_path]
        self.log = tempfile.TemporaryFile(mode="w+")
        command += args
        self.process = subprocess.Popen(wrap(command) if wrap else command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self._first_line()
        found = re.search(r"https?://([^:/]+|\[[^\]]+\]):(\d+)", line)
        if not found:
            raise AssertionError(f"no address in {line!r}; stderr: {self.stderr()}")
        self.host, self.port = found.group(1), int(found.group(2))
        if line.count("http://"):
            self._wait_until_loaded()

    def _first_line(self):
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        try:
            return self.process.stdout.readline()
        finally:
            timer.cancel()

    def _wait_until_loaded(self):
        """The page is served from the first moment; samples and queries once the store is loaded."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            try:
                if self.get("/ready")[0] != 503:
                    return
            except (OSError, http.client.HTTPException):
                return  # the test is about who may connect
            time.sleep(0.02)
        raise AssertionError(f"not ready within {START_SECONDS} s; stderr: {self.stderr()}")

    def write_config(self, text):
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(text)

    def stderr(self):
        self.log.seek(0)
        return self.log.read()

    def request(self, method, path, body=None, headers=None):
        """(status, headers, body text)"""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def json(self, path):
        status, _, body = self.get(path)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def raw(self, data, half_close=False, read=True):
        """Sends bytes on a fresh connection and reads what comes until the server closes or 20 s pass."""
        with socket.create_connection((self.host, self.port), timeout=20) as peer:
            peer.sendall(data)
            if half_close:
                peer.shutdown(socket.SHUT_WR)
            received = b""
            while read:
                try:
                    piece = peer.recv(65536)
                except ConnectionResetError:
                    break
                if not piece:
                    break
                received += piece
            return received

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """SIGTERM and the exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.log.close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()
