"""The default rules about training and about the own engine's experts fire because of what they watch: real trainers and
a real engine in trouble, scraped by a real server. These rules compare hours with now, so that an hour is eight seconds
here; shape and thresholds are the shipped ones."""

import json
import pathlib
import random
import socket
import string
import tempfile
import threading
import time
import unittest

import short_rules
from engine_cluster import Cluster
from peers import free_port
from server_process import ServerProcess
from short_rules import OF_TRAINING
from troubled_trainer import Trainer

SOON = 120
HOUR_MS = 8000
SCRAPE_MS = 250
USUAL_SECONDS = 2.5 * HOUR_MS / 1000  # that a trainer has until trouble begins: what rules compare with
TROUBLE_SECONDS = 1.2 * HOUR_MS / 1000  # and until it is over, if nothing fired
MANY = 120  # requests at once
SERVER = """collect:
  engines: {{enabled: false}}
  host: {{enabled: false}}
  prometheus_config: {folder}/prometheus.yml
rules: {{default_rules: false, files: ['{folder}/rules/*.yml'], evaluation_interval: 1s}}
"""
BY_SLOW_TRAINER = {"TrainingStepSlow", "TrainingThroughputLow"}
BY_BAD_RATE = {"TrainingLossNotFalling", "TrainingValidationLossRising", "MoeRouterUnbalanced", "MoeExpertUseUneven"}
BY_MANY_REQUESTS = {"InferenceConcurrencyHigh", "ExpertCacheHitsLow"}


class Scale(unittest.TestCase):
    def scaled(self, expr):
        return short_rules.scaled(expr, HOUR_MS, 3 * SCRAPE_MS)

    def test_ranges_and_offsets_are_shortened_and_nothing_else(self):
        self.assertEqual(self.scaled('rate(a{b="[1h] offset 1h"}[1h30m] offset 15m) > 5 * x10m # [1h]'),
                         'rate(a{b="[1h] offset 1h"}[12000ms] offset 2000ms) > 5 * x10m # [1h]')
        self.assertEqual(self.scaled("max_over_time(a[1d:30m] offset -2h)"),
                         "max_over_time(a[192000ms:4000ms] offset -16000ms)")

    def test_a_range_too_short_for_samples_is_refused(self):
        with self.assertRaises(ValueError):
            self.scaled("rate(a[1m])")


class LiveTraining(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="binnacle-live-training-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.fired, self.troubled = set(), {}  # alerts, and at which instance each is expected
        self.done = threading.Event()
        self.failed = []

    def start_server(self, targets):
        for name in ("rules", "server"):
            (self.folder / name).mkdir()
        short_rules.write_short_rules(self.folder / "rules", OF_TRAINING,
                                      lambda expr: short_rules.scaled(expr, HOUR_MS, 3 * SCRAPE_MS))
        (self.folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": f"{SCRAPE_MS}ms", "scrape_timeout": f"{SCRAPE_MS}ms"},
            "scrape_configs": [{"job_name": "engine", "static_configs": [{"targets": targets}]}]}))
        self.server = ServerProcess(str(self.folder / "server"), config=SERVER.format(folder=self.folder))
        self.addCleanup(self.server.stop)
        groups = self.server.json("/api/v1/rules")["data"]["groups"]
        loaded = {rule["name"] for group in groups for rule in group["rules"]}
        self.assertEqual(loaded, OF_TRAINING)

    def watch(self):
        while not self.done.is_set():
            try:
                told = self.server.json("/api/v1/alerts")["data"]["alerts"]
                told = [alert["labels"] for alert in told if alert["state"] == "firing"]
                self.fired |= {labels["alertname"] for labels in told
                               if labels["instance"] == self.troubled[labels["alertname"]]}
            except (OSError, AssertionError):
                pass  # a busy machine
            self.done.wait(0.3)

    def wait_fired(self, names, seconds):
        end = time.monotonic() + seconds
        while not names <= self.fired and time.monotonic() < end and not self.done.is_set():
            time.sleep(0.2)
        return names <= self.fired

    # --- the trouble ---

    def trainer(self, port, *options):
        """Once it makes steps."""
        trainer = Trainer(port, *options)
        self.addCleanup(trainer.kill)
        end = time.monotonic() + SOON
        while not trainer.steps() and not self.done.is_set():
            if time.monotonic() > end or trainer.process.poll() is not None:
                raise AssertionError("the trainer makes no steps: " + trainer.errors())
            time.sleep(0.1)
        return trainer

    def trouble_slow_trainer(self, port):
        """Held up again and again; at last nobody reads what it says, so that it stands still."""
        trainer = self.trainer(port)
        fired = False
        while not fired and not self.done.wait(USUAL_SECONDS):
            self.fired -= BY_SLOW_TRAINER  # others on this machine slow it as well
            trainer.slow()
            fired = self.wait_fired(BY_SLOW_TRAINER, TROUBLE_SECONDS)
            trainer.quick()
        trainer.stop_reading()
        self.wait_fired({"TrainingStalled"}, SOON)

    def trouble_bad_rate(self, port):
        """Started anew at the same address with a learning rate that breaks the model and a router that nothing holds even."""
        self.learn_for_a_while(port)
        if "TrainingValidationLossRising" in self.fired:
            raise AssertionError("the validation loss is told to rise while it falls")
        self.fired -= BY_BAD_RATE  # a router that is uneven at first is usual
        while not BY_BAD_RATE <= self.fired and not self.done.is_set():
            bad = self.trainer(port, "--learning-rate", "8", "--warm-up", "0", "--load-balance-loss", "0", "--z-loss", "0")
            fired = self.wait_fired(BY_BAD_RATE, 8 * HOUR_MS / 1000)
            bad.kill()
            if not fired:
                self.learn_for_a_while(port)

    def learn_for_a_while(self, port):
        good = self.trainer(port)
        self.done.wait(USUAL_SECONDS)
        good.kill()

    def trouble_engine(self, cluster):
        """Very many requests of all kinds to a worker with room for two experts; then requests of one kind."""
        chance = random.Random(1)
        words = lambda: "".join(chance.choice(string.printable) for _ in range(60))
        while not BY_MANY_REQUESTS <= self.fired and not self.done.is_set():
            sockets = [self.ask(cluster.port, words(), 300) for _ in range(MANY)]
            self.wait_fired(BY_MANY_REQUESTS, 15)
            for one in sockets:
                one.close()
        while "ActiveExpertsFew" not in self.fired and not self.done.is_set():
            with self.ask(cluster.port, "a" * 500, 1) as one:
                while one.recv(65536):
                    pass

    def ask(self, port, prompt, tokens):
        body = json.dumps({"model": "m", "prompt": prompt, "max_tokens": tokens, "temperature": 0}).encode()
        one = socket.create_connection(("127.0.0.1", port), timeout=SOON)
        one.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n"
                    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        return one

    def start(self, trouble, *args):
        def run():
            try:
                trouble(*args)
            except Exception as error:  # told by the test's own thread
                self.failed.append(error)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def test_each_rule_fires_by_what_it_watches(self):
        cluster = self.enterContext(Cluster(
            1, ["--preset", "tiny", "--experts", "16", "--experts-per-token", "2"],
            worker_options=lambda i: ["--expert-cache", "400000"]))
        slow, bad = free_port(), free_port()
        where = {**dict.fromkeys(BY_SLOW_TRAINER | {"TrainingStalled"}, slow), **dict.fromkeys(BY_BAD_RATE, bad),
                 "InferenceConcurrencyHigh": cluster.port, "ExpertCacheHitsLow": cluster.http_ports[0],
                 "ActiveExpertsFew": cluster.http_ports[0]}
        self.troubled = {name: f"127.0.0.1:{port}" for name, port in where.items()}
        self.start_server(sorted(set(self.troubled.values())))
        threads = [self.start(self.watch), self.start(self.trouble_slow_trainer, slow),
                   self.start(self.trouble_bad_rate, bad), self.start(self.trouble_engine, cluster)]
        end = time.monotonic() + 2 * SOON
        while not OF_TRAINING <= self.fired and not self.failed and time.monotonic() < end:
            time.sleep(0.2)
        self.done.set()
        for thread in threads:
            thread.join(SOON)
        self.assertEqual(self.failed, [])
        self.assertEqual(sorted(OF_TRAINING - self.fired), [])


if __name__ == "__main__":
    unittest.main()
