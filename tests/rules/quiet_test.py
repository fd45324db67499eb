"""The default rules in a real server on this machine: all are evaluated, and but for the watchdog none fires."""

import json
import shutil
import tempfile
import time
import unittest

import default_rules
import produced_series  # finds server_process
from server_process import ServerProcess

CONFIG = "rules: {evaluation_interval: 1s}\n"
SETTLE_SECONDS = 60
ROUNDS = 4  # by then the collectors have told all they have


class Quiet(unittest.TestCase):
    def setUp(self):
        data = tempfile.mkdtemp(prefix="binnacle-quiet-")
        self.addCleanup(shutil.rmtree, data, ignore_errors=True)
        self.server = ServerProcess(data, config=CONFIG)
        self.addCleanup(self.server.stop)

    def rules(self):
        groups = json.loads(self.server.get("/api/v1/rules")[2])["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def test_a_healthy_machine_hears_the_watchdog_alone(self):
        end = time.monotonic() + SETTLE_SECONDS
        seen = {}  # of each rule, the times at which it was evaluated
        while time.monotonic() < end and (not seen or min(map(len, seen.values())) < ROUNDS):
            for rule in self.rules():
                seen.setdefault(rule["name"], set()).add(rule["lastEvaluation"])
            time.sleep(0.5)
        rules = self.rules()
        self.assertEqual({rule["name"] for rule in rules}, {rule["alert"] for _, _, rule in default_rules.alerts()})
        self.assertEqual([(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"], [])
        self.assertEqual([rule["name"] for rule in rules if rule["state"] == "firing"], ["Watchdog"])


if __name__ == "__main__":
    unittest.main()
