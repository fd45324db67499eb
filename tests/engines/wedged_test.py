"""Engines that hang while their front answers 200: an agent judges them, its server tells of it."""

import tempfile
import time
import unittest

from agent_process import AgentProcess
from engine_process import EngineProcess, Load
from peers import wait_until
from server_process import ServerProcess

CONFIG = """
agent:
  interval: 1s
collect:
  engines:
    search_interval: 1s
    scrape_interval: 1s
log:
  format: json
"""
# Far over the ten seconds that it should take: slow machines have no say in what is right.
SOON = 60


class Wedged(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.server = ServerProcess(folder.name, config="collect: {engines: {enabled: false}}\n")
        self.addCleanup(self.server.stop)
        self.engine = EngineProcess()
        self.addCleanup(self.engine.stop)
        self.agent = AgentProcess(folder.name + "/agent", f"http://127.0.0.1:{self.server.port}", "--name", "n1",
                                  config=CONFIG)
        self.addCleanup(self.agent.stop)
        wait_until("the engine is found", lambda: self.agent.says("found an engine"), SOON)

    def events(self):
        told = self.server.json("/api/binnacle/v1/events?kind=engine")["events"]
        return [event for event in reversed(told) if self.engine.instance in event["subject"]]

    def kinds(self):
        return [event["kind"] for event in self.events()]

    def load(self, *args, **options):
        load = Load(self.engine, *args, **options)
        self.addCleanup(load.stop)
        return load

    def wait_for(self, *kinds):
        wait_until(f"events {kinds}", lambda: self.kinds() == list(kinds), SOON)
        return self.events()[-1]["data"]

    def test_a_stopped_worker_behind_a_live_front(self):
        self.load(4)
        time.sleep(3)
        self.engine.freeze_worker()
        told = self.wait_for("engine.wedged")
        evidence = " ".join(told["data"]["evidence"])
        self.assertIn("no progress for", evidence)
        self.assertIn(f"process {self.engine.worker} is stopped by a signal", evidence)
        self.engine.thaw_worker()
        self.wait_for("engine.wedged", "engine.recovered")

    def test_one_that_stalls_while_nobody_uses_it(self):
        time.sleep(3)
        self.engine.mode("stall")
        told = self.wait_for("engine.wedged")
        self.assertIn("with nothing else in flight", " ".join(told["data"]["evidence"]))
        self.engine.mode("work")
        self.wait_for("engine.wedged", "engine.recovered")

    def test_long_answers_that_stall_while_short_ones_are_given(self):
        self.load(4)
        time.sleep(3)
        self.engine.mode("stall_long")
        told = self.wait_for("engine.wedged")
        self.assertIn("short requests are answered", told["data"]["evidence"])

    def test_keep_alives_without_tokens(self):
        self.load(2)
        time.sleep(3)
        self.engine.mode("keepalive")
        self.wait_for("engine.wedged")

    def test_a_burst_is_not_wedged(self):
        self.load(1280, tokens=20, once=True).wait()
        time.sleep(3)
        self.assertEqual(self.kinds(), [])

    def test_an_engine_that_is_killed_is_down(self):
        self.engine.process.kill()
        self.wait_for("engine.down")


if __name__ == "__main__":
    unittest.main()
