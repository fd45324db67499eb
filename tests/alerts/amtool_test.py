"""Debian's amtool, every command of it, against the real server; and what Grafana asks before it takes us for an
Alertmanager."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from server_process import BINARY, ServerProcess
from webhook_sink import WebhookSink

SKIPPED = 77
PATIENCE_SECONDS = 20
CONFIG = """
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  routes:
  - matchers: [severity="critical"]
    receiver: pager
    continue: true
  - matchers: [team=~"db|store"]
    receiver: db
receivers:
- name: ops
- name: pager
- name: db
inhibit_rules:
- source_matchers: [severity="critical"]
  target_matchers: [severity="warning"]
  equal: [job]
"""


class Amtool(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="binnacle-amtool-")
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)
        self.alertmanager_yml = os.path.join(self.data, "alertmanager.yml")
        self.write_config(CONFIG)
        self.start()

    def start(self):
        # No alerts but those that a test adds.
        config = f"alerts: {{config_file: {self.alertmanager_yml}}}\nrules: {{default_rules: false}}\n"
        self.server = ServerProcess(self.data, config=config)
        self.addCleanup(self.server.stop)

    def write_config(self, text):
        with open(self.alertmanager_yml, "w", encoding="utf-8") as file:
            file.write(text)

    def run_amtool(self, *args, code=0, given=None):
        command = ["amtool", f"--alertmanager.url=http://127.0.0.1:{self.server.port}", "--no-version-check", *args]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, input=given,
                              env={**os.environ, "HOME": self.data})
        self.assertEqual(done.returncode, code, f"{args}: {done.stdout}{done.stderr}")
        return done.stdout if code == 0 else done.stdout + done.stderr

    def names(self, *args):
        """Of the alerts that a query answers."""
        return sorted(one["labels"]["alertname"] for one in json.loads(self.run_amtool("-o", "json", "alert", *args)))

    def until(self, condition, what):
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)

    def add(self, *labels):
        self.run_amtool("alert", "add", *labels)

    def test_alerts_are_added_and_queried(self):
        self.add("Full", "job=db", "severity=critical", "team=db", "--annotation=summary=the disk is full",
                 "--generator-url=http://example.org/g")
        self.add("alertname=Slow", "job=api", 'path="/a b"')
        self.assertEqual(self.names("query"), ["Full", "Slow"])
        self.assertEqual(self.names("query", "job=db"), ["Full"])
        self.assertEqual(self.names("query", "Slow"), ["Slow"])
        self.assertEqual(self.names("query", 'job!="db"'), ["Slow"])
        self.assertEqual(self.names("query", 'job=~"a.+"', 'path=~".*b"'), ["Slow"])
        self.assertEqual(self.names("query", 'job!~"a.+"'), ["Full"])
        self.assertEqual(self.names("query", "--receiver=pager"), ["Full"])
        full = json.loads(self.run_amtool("-o", "json", "alert", "query", "Full"))[0]
        self.assertEqual(full["annotations"], {"summary": "the disk is full"})
        self.assertEqual(full["generatorURL"], "http://example.org/g")
        self.assertEqual([one["name"] for one in full["receivers"]], ["pager", "db"])
        self.assertEqual(full["status"], {"state": "active", "silencedBy": [], "inhibitedBy": []})
        self.assertRegex(full["fingerprint"], "^[0-9a-f]{16}$")
        self.assertIn("the disk is full", self.run_amtool("alert", "query"))
        extended = self.run_amtool("-o", "extended", "alert", "query")
        self.assertIn('alertname="Full" job="db" severity="critical" team="db"', extended)
        self.assertIn("http://example.org/g", extended)

    def test_an_alert_that_is_over_is_gone(self):
        self.add("Short", "--end=" + time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5)),
                 "--start=" + time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60)))
        self.assertEqual(self.names("query"), [])

    def test_inhibited_alerts_are_asked_for(self):
        self.add("Full", "job=db", "severity=critical")
        self.add("Filling", "job=db", "severity=warning")
        self.assertEqual(self.names("query"), ["Full"])
        self.assertEqual(self.names("query", "--inhibited"), ["Filling"])
        self.assertEqual(self.names("query", "--active"), ["Full"])

    def test_silences_through_their_life(self):
        self.add("Full", "job=db")
        self.add("Slow", "job=api")
        silence = self.run_amtool("silence", "add", "job=db", "--comment=known", "--author=ann", "--duration=2h").strip()
        self.assertEqual(self.names("query"), ["Slow"])
        self.assertEqual(self.names("query", "--silenced"), ["Full"])
        shown = json.loads(self.run_amtool("-o", "json", "silence", "query"))
        self.assertEqual([(one["id"], one["comment"], one["createdBy"]) for one in shown], [(silence, "known", "ann")])
        self.assertEqual(shown[0]["matchers"], [{"name": "job", "value": "db", "isRegex": False, "isEqual": True}])
        self.assertIn("known", self.run_amtool("silence", "query", "job=db"))
        self.assertEqual(self.run_amtool("silence", "query", "-q", "job=api").strip(), "")
        self.assertEqual(self.run_amtool("silence", "query", "-q", "--created-by=ann").strip(), silence)
        self.assertEqual(self.run_amtool("silence", "query", "-q", "--within=1h").strip(), "")
        # Longer and with another comment is the same silence; so amtool prints it.
        updated = self.run_amtool("silence", "update", silence, "--duration=3h", "--comment=still known")
        self.assertIn("still known", updated)
        self.assertEqual(self.run_amtool("silence", "query", "-q").split(), [silence])
        self.run_amtool("silence", "expire", silence)
        self.assertEqual(self.names("query"), ["Full", "Slow"])
        self.assertEqual(self.run_amtool("silence", "query", "-q").strip(), "")
        self.assertIn(silence, self.run_amtool("silence", "query", "-q", "--expired"))

    def test_every_operator_makes_a_silence(self):
        for job in ("api", "db", "web"):
            self.add("Down", f"job={job}")
        for matcher, silenced in (('job=~"a.*|db"', 2), ('job!="web"', 2), ('job!~"w.*"', 2), ('job="web"', 1)):
            silence = self.run_amtool("silence", "add", matcher, "alertname=Down", "-c", "x", "-a", "y").strip()
            self.assertEqual(len(self.names("query", "--silenced")), silenced, matcher)
            self.run_amtool("silence", "expire", silence)

    def test_bad_silences_are_refused_with_the_reason(self):
        self.assertIn("comment", self.run_amtool("silence", "add", "job=db", "-a", "ann", code=1))
        self.run_amtool("silence", "add", 'job=~"("', "-c", "x", "-a", "y", code=1)
        self.assertIn("404", self.run_amtool("silence", "expire", "00000000-0000-4000-8000-000000000000", code=1))
        past = ("--start=2020-01-01T00:00:00Z", "--end=2020-01-02T00:00:00Z")
        self.assertIn("past", self.run_amtool("silence", "add", "job=db", "-c", "x", "-a", "y", *past, code=1))

    def test_silences_are_exported_and_imported(self):
        for job in ("api", "db"):
            self.run_amtool("silence", "add", f"job={job}", "-c", "kept", "-a", "ann", "-d", "2h")
        exported = self.run_amtool("-o", "json", "silence", "query")
        self.run_amtool("silence", "expire", *self.run_amtool("silence", "query", "-q").split())
        self.assertEqual(self.run_amtool("silence", "query", "-q").strip(), "")
        self.run_amtool("silence", "import", "--force", given=exported)
        self.assertEqual(len(self.run_amtool("silence", "query", "-q").split()), 2)
        # So do ours, from the same text.
        ours = subprocess.run([BINARY, "alert", "silence", "import", "--server", f"http://127.0.0.1:{self.server.port}"],
                              input=exported, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        self.assertEqual((ours.returncode, ours.stdout), (0, "2 of 2 imported\n"), ours.stderr)

    def test_status_and_configuration(self):
        self.assertRegex(self.run_amtool("cluster", "show"), "ready")
        shown = self.run_amtool("config", "show")
        self.assertIn("receiver: ops", shown)
        self.assertEqual(self.run_amtool("config"), shown)
        tree = self.run_amtool("config", "routes", "show")
        self.assertIn('{severity="critical"}  continue: true  receiver: pager', tree)
        for labels, receivers in ((["severity=critical", "team=db"], "pager,db"), (["team=store"], "db"), (["x=y"], "ops")):
            self.assertEqual(self.run_amtool("config", "routes", "test", *labels).strip(), receivers)
            self.run_amtool("config", "routes", "test", f"--verify.receivers={receivers}", *labels)
            ours = subprocess.run([BINARY, "alert", "routes", "test", "--config", self.alertmanager_yml,
                                   f"--verify-receivers={receivers}", *labels], timeout=PATIENCE_SECONDS, capture_output=True)
            self.assertEqual(ours.returncode, 0, ours.stderr)
        self.run_amtool("config", "routes", "test", "--verify.receivers=db", "x=y", code=1)

    def test_amtool_takes_what_we_show_and_we_what_it_takes(self):
        self.assertIn("SUCCESS", self.run_amtool("check-config", self.alertmanager_yml))
        shown = os.path.join(self.data, "shown.yml")
        with open(shown, "w", encoding="utf-8") as file:
            file.write(self.run_amtool("config", "show"))
        self.assertIn("SUCCESS", self.run_amtool("check-config", shown))
        ours = subprocess.run([BINARY, "alert", "check-config", self.alertmanager_yml, shown], capture_output=True, text=True,
                              timeout=PATIENCE_SECONDS)
        self.assertEqual(ours.returncode, 0, ours.stderr)
        broken = os.path.join(self.data, "broken.yml")
        with open(broken, "w", encoding="utf-8") as file:
            file.write("route: {receiver: none}\nreceivers: [{name: ops}]\n")
        self.run_amtool("check-config", broken, code=1)
        ours = subprocess.run([BINARY, "alert", "check-config", broken], capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        self.assertEqual(ours.returncode, 1)
        self.assertIn("none", ours.stderr)

    def test_a_reload_is_all_or_nothing(self):
        self.write_config(CONFIG.replace("receiver: ops", "receiver: nobody", 1))
        status, _, body = self.server.request("POST", "/-/reload")
        self.assertEqual(status, 400)
        self.assertIn("nobody", body)
        self.assertIn("receiver: ops", self.run_amtool("config", "show"))
        self.write_config(CONFIG.replace("- name: db\n", "- name: db\n- name: more\n"))
        self.assertEqual(self.server.request("POST", "/-/reload")[0], 200)
        self.assertIn("name: more", self.run_amtool("config", "show"))

    def test_all_of_it_survives_kill(self):
        self.add("Full", "job=db")
        silence = self.run_amtool("silence", "add", "job=api", "-c", "kept", "-a", "ann", "-d", "2h").strip()
        alert = self.server.json("/api/binnacle/v1/alerts")["alerts"][0]
        path = f"/api/binnacle/v1/alerts/{alert['fingerprint']}/acknowledgement"
        self.assertEqual(self.server.request("POST", path, '{"note": "on it", "by": "ann"}')[0], 200)
        self.server.kill()
        self.start()
        self.assertEqual(self.names("query"), ["Full"])
        self.assertEqual(self.run_amtool("silence", "query", "-q").strip(), silence)
        alert = self.server.json("/api/binnacle/v1/alerts")["alerts"][0]
        self.assertEqual(alert["acknowledgement"]["note"], "on it")
        kinds = [one["kind"] for one in self.server.json("/api/binnacle/v1/alerts/history")["entries"]]
        for kind in ("firing", "silenced", "acknowledged"):
            self.assertIn(kind, kinds)

    def test_a_receiver_is_told_and_tested(self):
        sink = WebhookSink()
        self.write_config(CONFIG.replace("- name: ops\n", f"- name: ops\n  webhook_configs: [{{url: '{sink.url('ops')}'}}]\n"))
        self.assertEqual(self.server.request("POST", "/-/reload")[0], 200)
        done = subprocess.run([BINARY, "alert", "test-receiver", "ops", "--server", f"http://127.0.0.1:{self.server.port}"],
                              capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        self.assertEqual((done.returncode, done.stdout), (0, "webhook[0]  sent\n"), done.stderr)
        self.assertEqual(len(sink.all("ops")), 1)
        self.add("Full", "job=db")
        self.until(lambda: any(one.body["commonLabels"].get("alertname") == "Full" for one in sink.all("ops")), "the webhook")
        self.until(lambda: self.server.json("/api/binnacle/v1/alerts/history?kind=notified")["entries"], "the history tells of it")

    def test_grafana_takes_us_for_an_alertmanager(self):
        # Of a plain Alertmanager Grafana asks this first: 200 would mean Mimir or Cortex, and it would refuse us.
        self.assertEqual(self.server.get("/alertmanager/api/v2/status")[0], 404)
        self.assertEqual(self.server.json("/api/v2/status")["cluster"]["status"], "ready")
        self.assertEqual(self.server.json("/api/v2/silences"), [])
        self.add("Full", "job=db")
        self.until(lambda: self.server.json("/api/v2/alerts/groups"), "the group is shown")
        group = self.server.json("/api/v2/alerts/groups?silenced=true&inhibited=true&active=true")[0]
        self.assertEqual(group["receiver"], {"name": "ops"})
        self.assertEqual(group["labels"], {"alertname": "Full"})


if __name__ == "__main__":
    if shutil.which("amtool") is None:
        print("skipped: no amtool")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
