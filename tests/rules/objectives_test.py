"""What objectives (`slo`) become is what Prometheus takes: promtool reads the rules that a running server evaluates."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

import yaml

import produced_series  # finds server_process
from server_process import ServerProcess

CONFIG = """rules: {default_rules: false}
slo:
  - {name: first-tokens, model: m, kind: ttft, target: 0.95, threshold: 2}
  - {name: speed, model: m, kind: tokens_per_second, target: 0.9, threshold: 20}
  - {name: errors, model: m, kind: error_rate, target: 0.999, window: 7d}
  - {name: there, model: m, kind: availability, target: 0.99}
"""


def as_file(groups):
    """The rule file that Prometheus would have answered these groups for."""
    def rule_of(told):
        kind = "alert" if told["type"] == "alerting" else "record"
        rule = {kind: told["name"], "expr": told["query"], "labels": told.get("labels", {})}
        if kind == "alert":
            rule |= {"for": f"{int(told['duration'])}s", "annotations": told["annotations"]}
        return rule
    return yaml.safe_dump({"groups": [{"name": group["name"], "interval": f"{int(group['interval'])}s",
                                       "rules": [rule_of(told) for told in group["rules"]]} for group in groups]})


@unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
class Objectives(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="binnacle-slo-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.server = ServerProcess(self.folder, config=CONFIG)
        self.addCleanup(self.server.stop)

    def test_promtool_accepts_their_rules(self):
        groups = self.server.json("/api/v1/rules")["data"]["groups"]
        kinds = {rule["type"] for group in groups for rule in group["rules"]}
        self.assertEqual(kinds, {"alerting", "recording"})
        named = {rule["labels"].get("slo") for group in groups for rule in group["rules"]}
        self.assertLessEqual({"first-tokens", "speed", "errors", "there"}, named)
        path = pathlib.Path(self.folder, "slo.yml")
        path.write_text(as_file(groups), encoding="utf-8")
        done = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("SUCCESS", done.stdout)
        self.assertNotIn("duplicate", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
