"""The simulated engine as a process, and clients of it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading

ENGINE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "simulated_engine.py")


class EngineProcess:
    def __init__(self, *args):
        self.process = subprocess.Popen([sys.executable, ENGINE, "--like", "vllm", *args],
                                        stdout=subprocess.PIPE, text=True)
        _, port, worker = self.process.stdout.readline().split()
        self.port, self.worker = int(port), int(worker)
        self.instance = f"127.0.0.1:{port}"

    def mode(self, how):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST", "/control", json.dumps({"mode": how}))
        connection.getresponse().read()
        connection.close()

    def freeze_worker(self):
        os.kill(self.worker, signal.SIGSTOP)

    def thaw_worker(self):
        with contextlib.suppress(ProcessLookupError):  # it ends with its front
            os.kill(self.worker, signal.SIGCONT)

    def stop(self):
        self.thaw_worker()
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Load:
    """`clients` of an engine, each asking again and again for a streamed answer, until stop(). A stream that
    stands still is kept, as users keep theirs."""

    def __init__(self, engine, clients, tokens=200, once=False):
        self.engine, self.tokens, self.once = engine, tokens, once
        self.stopping = threading.Event()
        self.lock, self.open = threading.Lock(), set()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        while not self.stopping.is_set():
            try:
                self._ask()
            except OSError:
                self.stopping.wait(0.2)
            if self.once:
                return

    def _ask(self):
        body = json.dumps({"model": "simulated-8b", "prompt": "word " * 40, "max_tokens": self.tokens,
                           "stream": True})
        connection = http.client.HTTPConnection("127.0.0.1", self.engine.port)
        connection.connect()
        with self.lock:
            self.open.add(connection.sock)
        try:
            connection.request("POST", "/v1/completions", body)
            answer = connection.getresponse()
            while not self.stopping.is_set() and answer.read1(4096):
                pass
        finally:
            with self.lock:
                self.open.discard(connection.sock)
            connection.close()

    def wait(self):
        for thread in self.threads:
            thread.join()

    def stop(self):
        self.stopping.set()
        with self.lock:
            for sock in self.open:
                with contextlib.suppress(OSError):  # it has ended just now
                    sock.shutdown(socket.SHUT_RDWR)
        self.wait()
