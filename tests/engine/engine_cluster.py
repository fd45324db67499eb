"""Real `binnacle-engine` processes for tests: workers, an orchestrator, and clients that stream from it."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

BINARY = os.environ["BINNACLE_ENGINE_BIN"]
START_LIMIT = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, path, timeout=10):
    """Status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    with contextlib.closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()


def post(port, path, body, timeout=120, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    with contextlib.closing(connection):
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        return response.status, json.loads(response.read())


class Stream:
    """One streamed completion: text, token ids, when each came, and how it ended."""

    def __init__(self, port, body, timeout=120, path="/v1/completions"):
        self.text, self.tokens, self.times, self.finish, self.error = "", [], [], None, None
        self.usage = None
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request("POST", path, json.dumps({"stream": True, "return_token_ids": True, **body}))
            response = connection.getresponse()
            if response.status != 200:
                self.error = response.read().decode()
                return
            for line in response:
                if line.startswith(b"data: ") and line.strip() != b"data: [DONE]":
                    self.take(json.loads(line[6:]))

    def take(self, piece):
        if "error" in piece:
            self.error = json.dumps(piece)
            return
        self.usage = piece.get("usage") or self.usage
        for choice in piece["choices"]:
            self.text += choice.get("text") or choice.get("delta", {}).get("content") or ""
            self.tokens += choice.get("token_ids", [])
            if choice.get("token_ids"):
                self.times.append(time.monotonic())
            self.finish = choice["finish_reason"] or self.finish

    def gaps(self):
        return [b - a for a, b in zip(self.times, self.times[1:])]


def stream_all(port, bodies, timeout=120):
    """All at once; in order of the bodies."""
    streams = [None] * len(bodies)

    def run(i):
        streams[i] = Stream(port, bodies[i], timeout)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return streams


class Cluster:
    def __init__(self, workers, model_options=(), serve_options=(), worker_options=lambda i: [], local_fallback=False,
                 named=True):
        """`worker_options` of each worker's number; `named`: serve is told the workers' addresses."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="engine-"))
        self.model = self.folder / "models" / "m"
        self.worker_options, self.serve_options, self.named = worker_options, list(serve_options), named
        if not local_fallback and workers:
            self.serve_options.append("--no-local-fallback")
        self.ports = [free_port() for _ in range(workers)]
        self.http_ports = [free_port() for _ in range(workers)]
        self.workers = [None] * workers
        self.serve = None
        self.port = free_port()
        (self.folder / "models").mkdir()
        subprocess.run([BINARY, "init", "--out", str(self.model), "--quiet", *model_options], check=True,
                       stdout=subprocess.DEVNULL, timeout=START_LIMIT)

    def __enter__(self):
        try:
            for i in range(len(self.workers)):
                self.start_worker(i)
            self.start_serve()
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def __exit__(self, kind, *_):
        for process in [*self.workers, self.serve]:
            if process and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
        if kind is not None:
            print((self.folder / "serve.log").read_text()[-6000:])
        shutil.rmtree(self.folder)

    def spawn(self, name, arguments):
        log = open(self.folder / f"{name}.log", "ab")
        return subprocess.Popen([BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start_worker(self, i):
        self.workers[i] = self.spawn(f"worker{i}", [
            "worker", "--listen", f"127.0.0.1:{self.ports[i]}", "--http", f"127.0.0.1:{self.http_ports[i]}",
            "--models", str(self.folder / "models"), "--threads", "1", *self.worker_options(i)])

    def start_serve(self):
        workers = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        self.serve = self.spawn("serve", [
            "serve", "--model", str(self.model), "--listen", f"127.0.0.1:{self.port}",
            *(["--workers", workers] if workers and self.named else []), *self.serve_options])
        self.wait_until(lambda: get(self.port, "/ready")[0] == 200)

    def wait_until(self, holds, limit=START_LIMIT):
        end = time.monotonic() + limit
        while True:
            try:
                if holds():
                    return
            except OSError:
                pass
            if time.monotonic() > end:
                raise TimeoutError(f"not within {limit} s; {(self.folder / 'serve.log').read_text()[-3000:]}")
            time.sleep(0.02)

    def stats(self):
        return json.loads(get(self.port, "/distributed-stats")[1])

    def stages(self):
        return [len(p["stages"]) for p in self.stats()["pipelines"]]

    def metric(self, name):
        """The sum over all series of that name."""
        return sum(float(line.rsplit(" ", 1)[1]) for line in get(self.port, "/metrics")[1].splitlines()
                   if line.startswith(name + "{") or line.startswith(name + " "))
