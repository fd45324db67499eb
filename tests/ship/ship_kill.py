#!/usr/bin/env python3
"""VictoriaMetrics receives what a store with a tee, a queue and a shipper took, while either side is killed.

usage: ship_kill.py [--seconds N]

ship_writer and a VictoriaMetrics are ended by SIGKILL in turn. In the end every sample of every step that the writer
acknowledged must be in VictoriaMetrics with its value, and nothing that was never written. A sample may be there more
than once. Exit: 0 it is so, 1 it is not, 77 VictoriaMetrics is missing.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

WRITER = os.environ["SHIP_WRITER"]
START_SECONDS = 30
DRAIN_SECONDS = 60
VISIBLE_SECONDS = 15  # until the receiver shows what it took
UP_SECONDS = 3
SERIES = 50
STEP_MS = 20
SHOWN = 5


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


class Receiver:
    def __init__(self, program, folder):
        self.program, self.folder, self.port = program, folder, free_port()
        self.process = None
        self.start()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def start(self):
        with open(os.path.join(self.folder, "receiver.log"), "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [self.program, f"-storageDataPath={self.folder}/receiver", f"-httpListenAddr=127.0.0.1:{self.port}",
                 "-retentionPeriod=1", "-search.latencyOffset=0s"], stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                get(self.url("/health"))
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def samples(self):
        """{series number: {step time in ms: set of values}}, and how many lines of samples there were."""
        query = urllib.parse.urlencode({"match[]": "ship_test", "reduce_mem_usage": "1"})
        found, count = {}, 0
        for line in get(self.url("/api/v1/export?" + query)).splitlines():
            series = json.loads(line)
            of_series = found.setdefault(int(series["metric"]["n"]), {})
            for at, value in zip(series["timestamps"], series["values"]):
                of_series.setdefault(at, set()).add(value)
                count += 1
        return found, count


class Writer:
    def __init__(self, folder, url, base_ms):
        self.folder, self.receiver_url, self.base_ms = folder, url, base_ms
        self.steps = set()
        self.text = []
        self.process = self.reader = None
        self.start()

    def start(self):
        first = max(self.steps, default=-1) + 1
        self.process = subprocess.Popen(
            [WRITER, self.folder, self.receiver_url, str(first), str(self.base_ms), str(SERIES)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(os.path.join(self.folder, "writer.log"), "a"),
            text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        before = len(self.steps)
        end = time.monotonic() + START_SECONDS
        while len(self.steps) == before:
            if time.monotonic() > end:
                raise RuntimeError("the writer does not begin; see writer.log")
            time.sleep(0.02)

    def read(self):
        for line in self.process.stdout:
            if line.startswith("step ") and line.endswith("\n"):
                self.steps.add(int(line[5:]))
            else:
                self.text.append(line.rstrip())

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdin.close()

    def drain(self):
        self.process.stdin.write("drain\n")
        self.process.stdin.flush()
        try:
            self.process.wait(timeout=DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self.reader.join()
        if "drained" not in self.text:
            raise RuntimeError("the writer did not drain")


def check(writer, receiver):
    found, count = receiver.samples()
    bad = []
    times = {writer.base_ms + step * STEP_MS: step for step in writer.steps}
    for number in range(SERIES):
        of_series = found.get(number, {})
        bad += [f"series {number} lacks step {step}" for at, step in times.items() if at not in of_series]
        for at, values in of_series.items():
            step, odd = divmod(at - writer.base_ms, STEP_MS)
            if odd or values != {step + number}:
                bad.append(f"series {number} has {values} at {at}, step {step}")
    return bad, count


def run(program, folder, seconds):
    receiver = Receiver(program, folder)
    writer = None
    kills = {"writer": 0, "receiver": 0}
    try:
        writer = Writer(folder, receiver.url("/api/v1/write"), int(time.time() * 1000) - 600_000)
        end = time.monotonic() + seconds
        while time.monotonic() + UP_SECONDS < end:
            time.sleep(UP_SECONDS)
            if kills["receiver"] <= kills["writer"]:
                receiver.kill()
                kills["receiver"] += 1
                time.sleep(1)
                receiver.start()
            else:
                writer.kill()
                kills["writer"] += 1
                writer.start()
        writer.drain()
        end = time.monotonic() + VISIBLE_SECONDS
        bad, count = check(writer, receiver)
        while bad and time.monotonic() < end:
            time.sleep(0.5)
            bad, count = check(writer, receiver)
    finally:
        if writer is not None and writer.process.poll() is None:
            writer.kill()
        receiver.kill()
    acknowledged = len(writer.steps) * SERIES
    print(f"{acknowledged} samples acknowledged, {count} at the receiver, killed: {kills}")
    for line in writer.text:
        if line.startswith("binnacle_ship_") and not line.startswith("binnacle_ship_request_duration"):
            print("  " + line)
    if not bad:
        return 0
    print(f"{len(bad)} faults, the first:", *bad[:SHOWN], sep="\n  ")
    return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    program = shutil.which("victoria-metrics")
    if program is None:
        print("skipped: no victoria-metrics")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        return run(program, folder, options.seconds)


sys.exit(main())
