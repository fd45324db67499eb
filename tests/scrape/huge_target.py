#!/usr/bin/env python3
"""A target that exposes far too many series is scraped by a real `binnacle server` beside a small neighbour.

With limits below the page: its scrapes fail with an error that names the limit, a counter tells of them, and the store
hears of none of its series. With limits of the page above it and a limit of the store below: what fits is stored, the
target is up and says what was left out. Each time, plain and packed by gzip, the neighbour stays up with a sample each
second, and memory stays below a bound that is printed with what was used.

usage: huge_target.py [--series N]     Exit: 0 all is well, 1 it is not.
"""

import argparse
import gzip
import http.server
import os
import sys
import tempfile
import threading
import time
import urllib.parse

from peers import CountingTarget, wait_until
from server_process import ServerProcess

MIB = 1 << 20
FULL = 10_000_000  # from there on the server's own limits are enough
FIRST_SCRAPE_SECONDS = 300  # ten million series are read in half a minute, or in minutes on a busy machine
LONGEST_GAP_SECONDS = 3.5  # of a neighbour that is scraped each second, on a busy machine
ROOM_BYTES = 300 * MIB  # of a server with nothing to do, its pages and what it holds of requests

CONFIG = """
collect: {{host: {{enabled: false}}, engines: {{enabled: false}}{scrape}}}
{storage}
"""
SCRAPE = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: neighbour
  static_configs: [{{targets: ["127.0.0.1:{neighbour}"]}}]
- job_name: huge
  scrape_interval: {interval}s
  scrape_timeout: {interval}s
  static_configs: [{{targets: ["127.0.0.1:{huge}"], labels: {{__metrics_path__: /{path}}}}}]
"""


class HugeTarget:
    """One page, made once: /plain and /gzip."""

    def __init__(self, series):
        plain = b"# TYPE huge gauge\n" + b"".join(b'huge{n="%d"} 1\n' % n for n in range(series))
        self.pages = {"/plain": (plain, {}), "/gzip": (gzip.compress(plain, 1), {"Content-Encoding": "gzip"})}
        self.bytes = len(plain)
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                body, headers = target.pages[self.path]
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # the server had enough

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()


class Watched:
    """A server with the two targets, and what can be asked of it."""

    def __init__(self, folder, ports, path, interval, scrape="", storage=""):
        os.makedirs(folder)
        file = os.path.join(folder, "prometheus.yml")
        with open(file, "w", encoding="utf-8") as out:
            out.write(SCRAPE.format(path=path, interval=interval, **ports))
        self.server = ServerProcess(folder, "--prometheus-config", file,
                                    config=CONFIG.format(scrape=scrape, storage=storage))

    def query(self, text):
        return self.server.json("/api/v1/query?query=" + urllib.parse.quote(text))["data"]["result"]

    def target(self, job):
        active = self.server.json("/api/v1/targets?state=active")["data"]["activeTargets"]
        found = [target for target in active if target["scrapePool"] == job]
        return found[0] if found else {"health": "unknown", "lastError": ""}

    def counter(self, line):
        """Of our own page of metrics: the value of the line that begins so."""
        for text in self.server.get("/metrics")[2].splitlines():
            if text.startswith(line + " "):
                return float(text.split()[-1])
        return 0.0

    def peak_bytes(self):
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

    def longest_gap(self, seconds):
        """Between two samples of the neighbour in the last `seconds`, and up to now."""
        rows = self.query(f"scrapes_served[{int(seconds)}s]")
        check(len(rows) == 1, f"the neighbour has {len(rows)} series")
        times = [at for at, _ in rows[0]["values"]] + [time.time()]
        return max(after - before for before, after in zip(times, times[1:]))


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def watch(name, watched, seconds, settled, bound_bytes):
    """Waits for the first scrape of the huge target, then looks for some intervals at both."""
    wait_until("the neighbour is up", lambda: watched.target("neighbour")["health"] == "up", FIRST_SCRAPE_SECONDS)
    began = time.monotonic()
    wait_until("the huge target was scraped", lambda: settled(watched.target("huge")), FIRST_SCRAPE_SECONDS)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check(watched.target("neighbour")["health"] == "up", f"neighbour: {watched.target('neighbour')}")
        time.sleep(0.5)
    gap = watched.longest_gap(time.monotonic() - began)
    check(gap <= LONGEST_GAP_SECONDS, f"the neighbour was without a sample for {gap:.1f} s")
    check(not watched.query("min_over_time(up{job='neighbour'}[1h]) == 0"), "the neighbour was down")
    peak = watched.peak_bytes()
    print(f"  {name}: {peak / MIB:.0f} MiB at most of {bound_bytes / MIB:.0f}, longest gap of the neighbour {gap:.2f} s\n"
          f"    {watched.target('huge')['health']}: {watched.target('huge')['lastError']}", flush=True)
    check(peak <= bound_bytes, f"{peak / MIB:.0f} MiB of memory, more than {bound_bytes / MIB:.0f}")


def over_the_page_limit(folder, ports, path, series, page_bytes):
    scrape = "" if series >= FULL else f", scrape: {{max_samples: {series // 2}}}"
    watched = Watched(folder, ports, path, 1 if series < FULL else 5, scrape)
    try:
        # A body grows by doubling, and the packed one stands beside it.
        watch(f"over max_samples, {path}", watched, 5 if series < FULL else 20, lambda target: target["lastError"],
              ROOM_BYTES + 3 * page_bytes)
        error = watched.target("huge")["lastError"]
        check("collect.scrape.max_samples" in error, f"the error does not name the limit: {error}")
        check([row["value"][1] for row in watched.query("up{job='huge'}")] == ["0"], "up of the huge target")
        check(watched.counter('binnacle_scrape_limit_hits_total{limit="max_samples"}') >= 1, "the counter of the limit")
        check(not watched.query("huge"), "a page over the limit left a sample")
        check(watched.counter("binnacle_store_head_bytes") < 10 * MIB, "a page over the limit left series in memory")
    finally:
        watched.server.kill()


def over_the_stores_limit(folder, ports, path, series, page_bytes):
    room = series // 10
    scrape = f", scrape: {{max_samples: {2 * series}, max_body_bytes: 1GiB}}"
    storage = f"storage: {{max_series_per_instance: {room}}}\nquery: {{max_series: {2 * series}}}"
    watched = Watched(folder, ports, path, 1 if series < FULL else 20, scrape, storage)
    try:
        watch(f"over max_series_per_instance, {path}", watched, 5 if series < FULL else 20,
              lambda target: target["lastError"] and target["health"] == "up",
              ROOM_BYTES + 3 * page_bytes + 300 * series + 1000 * room)
        error = watched.target("huge")["lastError"]
        check("not stored" in error and "storage.max_series_per_instance" in error, f"what was left out: {error}")
        check(watched.counter('binnacle_scrape_samples_refused_total{reason="series_limit"}') >= series - room,
              "the counter of refused samples")
        check(0 < float(watched.query("count(huge)")[0]["value"][1]) <= room, "what fits is not stored")
    finally:
        watched.server.kill()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=100_000)
    series = parser.parse_args().series
    huge, neighbour = HugeTarget(series), CountingTarget()
    ports = {"huge": huge.port, "neighbour": neighbour.port}
    print(f"{series} series, a page of {huge.bytes / MIB:.0f} MiB", flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="binnacle-huge-") as folder:
            for path in ("plain", "gzip"):
                over_the_page_limit(os.path.join(folder, path), ports, path, series, huge.bytes)
            over_the_stores_limit(os.path.join(folder, "store"), ports, "plain", series, huge.bytes)
    except AssertionError as error:
        print(f"FAILED: {error}")
        return 1
    finally:
        huge.stop()
        neighbour.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
