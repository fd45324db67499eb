"""`binnacle rules check` and `rules test` say of a file what promtool says."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import default_rules

BINARY = os.environ["BINNACLE_BIN"]
TESTS = default_rules.RULES / "tests"

RULES = """groups:
- name: g
  interval: 30s
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: critical}
    annotations: {summary: '{{ $labels.instance }} of {{ $labels.job }} is {{ $value }}'}
  - alert: Slow
    expr: rate(x_total[5m]) < 1
    keep_firing_for: 3m
"""
UNIT_TESTS = """rule_files: [rules.yml]
evaluation_interval: 1m
group_eval_order: [g]
tests:
- name: one
  interval: 1m
  input_series:
  - {series: 'up{job="a",instance="i"}', values: '1 1 0x8 _ stale 1+0x3'}
  - {series: 'x_total', values: '0+120x10 1200+6x10'}
  alert_rule_test:
  - {eval_time: 3m, alertname: Down}
  - eval_time: 4m30s
    alertname: Down
    exp_alerts:
    - exp_labels: {job: a, instance: i, severity: critical}
      exp_annotations: {summary: i of a is 0}
  - {eval_time: 12m, alertname: Down, exp_alerts: []}
  - {eval_time: 18m, alertname: Slow, exp_alerts: [{}]}
  promql_expr_test:
  - {expr: 'job:up:sum', eval_time: 1m, exp_samples: [{labels: 'job:up:sum{job="a"}', value: 1}]}
  - {expr: 'ALERTS{alertname="Down"}', eval_time: 4m, exp_samples: [{labels: 'ALERTS{alertname="Down",alertstate="firing",instance="i",job="a",severity="critical"}', value: 1}]}
  - {expr: 'count_over_time(up[10m:1m])', eval_time: 5m, exp_samples: [{labels: '{job="a",instance="i"}', value: 6}]}
  - {expr: '1 + 1', eval_time: 0, exp_samples: [{labels: '{}', value: 2}]}
- name: two
  external_labels: {region: eu}
  external_url: http://there
  promql_expr_test:
  - {expr: absent(up), eval_time: 2m, exp_samples: [{labels: '{}', value: 1}]}
"""
# What breaks the tests above, each in one place: (what stands there, what comes instead).
BREAKS = (
    ("eval_time: 3m, alertname: Down", "eval_time: 4m, alertname: Down"),
    ("i of a is 0", "i of b is 0"),
    ("exp_labels: {job: a,", "exp_labels: {job: b,"),
    ("exp_labels: {job: a, instance: i, severity: critical}", "exp_labels: {job: a, instance: i}"),
    ("exp_annotations: {summary: i of a is 0}", ""),
    ("alertname: Slow, exp_alerts: [{}]", "alertname: Slow, exp_alerts: []"),
    ("alertname: Slow, exp_alerts: [{}]", "alertname: Slow, exp_alerts: [{}, {}]"),
    ("value: 6}", "value: 7}"),
    ("expr: '1 + 1'", "expr: '1 +'"),
    ("expr: '1 + 1'", "expr: 'up[5m]'"),
    ("labels: '{}', value: 2", "labels: '{a=}', value: 2"),
    ("values: '1 1 0x8", "values: '1 1 0y8"),
    ("series: 'x_total'", "series: 'x_total{'"),
    ("group_eval_order: [g]", "group_eval_order: [g, g]"),
    ("group_eval_order: [g]", "group_eval_ordr: [g]"),
    ("alertname: Down, exp_alerts: []", "exp_alerts: []"),
    ("eval_time: 12m", "eval_time: noon"),
    ("rule_files: [rules.yml]", "rule_files: [missing.yml]"),
)
RULE_BREAKS = (
    ("sum by (job) (up)", "sum by (job) (up"),
    ("sum by (job) (up)", "up[5m]"),
    ("record: job:up:sum", "recrd: job:up:sum"),
    ("for: 2m", "for: long"),
    ("{{ $value }}", "{{ $valu }}"),
    ("{{ $value }}", "{{ if }}"),
    ("- name: g", "- name: ''"),
    ("  - record: job:up:sum", "  - record: job:up:sum\n    for: 1m"),
    ("  - record: job:up:sum", "  - record: job:up:sum\n    annotations: {a: b}"),
    ("  - alert: Slow", "  - alert: Slow\n    record: x"),
    ("severity: critical", "'': critical"),
    ("groups:", "groups: []\nothers:"),
)

ONLY_RUNNING_TELLS = ("up[5m]",)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
class Verdicts(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="binnacle-rules-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def same_verdict(self, what, *paths):
        theirs, their_text = run("promtool", what, "rules", *map(str, paths))
        ours, our_text = run(BINARY, "rules", what, *map(str, paths))
        self.assertEqual(ours == 0, theirs == 0, f"promtool:\n{their_text}\nbinnacle:\n{our_text}")
        return ours == 0, our_text

    def write(self, rules, tests):
        (self.folder / "rules.yml").write_text(rules, encoding="utf-8")
        path = self.folder / "tests.yml"
        path.write_text(tests, encoding="utf-8")
        return path

    def test_default_rules_pass(self):
        for path in sorted(TESTS.glob("*_test.yml")):
            with self.subTest(file=path.name):
                self.assertTrue(self.same_verdict("test", path)[0])
        self.assertTrue(self.same_verdict("check", *sorted(default_rules.RULES.glob("*.yml")))[0])

    def test_broken_copies_of_them_fail(self):
        for path in sorted(TESTS.glob("*_test.yml")):
            text = path.read_text(encoding="utf-8").replace("../", f"{default_rules.RULES}/")
            for what, by in (("severity: \"", "severity: \"x"), ("summary: '", "summary: 'x"), ("alertname: ", "alertname: X")):
                with self.subTest(file=path.name, broken=what):
                    broken = self.folder / path.name
                    broken.write_text(text.replace(what, by, 1), encoding="utf-8")
                    self.assertFalse(self.same_verdict("test", broken)[0])

    def test_a_test_of_everything_passes(self):
        self.assertTrue(self.same_verdict("test", self.write(RULES, UNIT_TESTS))[0])

    def test_each_broken_copy_fails_in_both(self):
        for what, by in BREAKS:
            with self.subTest(broken=what, by=by):
                self.assertEqual(UNIT_TESTS.count(what), 1)
                path = self.write(RULES, UNIT_TESTS.replace(what, by))
                self.assertFalse(self.same_verdict("test", path)[0])

    def test_broken_rules_fail_in_both(self):
        for what, by in RULE_BREAKS:
            with self.subTest(broken=what, by=by):
                self.assertEqual(RULES.count(what), 1)
                path = self.write(RULES.replace(what, by), UNIT_TESTS)
                good, _ = self.same_verdict("check", self.folder / "rules.yml")
                self.assertEqual(good, by in ONLY_RUNNING_TELLS)
                self.assertFalse(self.same_verdict("test", path)[0])

    def test_duplicates_are_told_and_fatal_only_when_asked(self):
        path = self.folder / "rules.yml"
        path.write_text("groups: [{name: g, rules: [{record: a, expr: b}, {record: a, expr: c}]}]", encoding="utf-8")
        for args, code in (((), 0), (("--lint-fatal",), 3), (("--lint-fatal", "--lint", "none"), 0)):
            theirs, their_text = run("promtool", "check", "rules", *args, str(path))
            ours, our_text = run(BINARY, "rules", "check", *args, str(path))
            self.assertEqual((ours, theirs), (code, code), f"{our_text}\n{their_text}")
            self.assertEqual("duplicate" in our_text, "duplicate" in their_text)


class Output(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="binnacle-rules-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "rules.yml").write_text(RULES, encoding="utf-8")
        self.path = self.folder / "tests.yml"
        self.path.write_text(UNIT_TESTS.replace("i of a is 0", "gone"), encoding="utf-8")

    def test_the_difference_is_shown(self):
        code, text = run(BINARY, "rules", "test", str(self.path))
        self.assertEqual(code, 1)
        self.assertRegex(text, r"line \d+: alert Down at 4m30s")
        self.assertIn("-     summary: gone\n", text)
        self.assertIn("+     summary: i of a is 0\n", text)

    def test_json_and_junit_say_the_same(self):
        junit = self.folder / "out.xml"
        code, text = run(BINARY, "rules", "test", "--format", "json", "--junit", str(junit), str(self.path))
        self.assertEqual(code, 1)
        told = json.loads(text)
        self.assertFalse(told["passed"])
        self.assertEqual([test["passed"] for test in told["files"][0]["tests"]], [False, True])
        suite = xml.etree.ElementTree.parse(junit).getroot().find("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("errors")), ("2", "1", "0"))
        self.assertIn("summary: gone", suite.find("testcase/failure").text)

    def test_tests_can_be_chosen_by_name(self):
        code, text = run(BINARY, "rules", "test", "--run", "^tw", str(self.path))
        self.assertEqual(code, 0, text)
        self.assertIn("1 test", text)
        self.assertEqual(run(BINARY, "rules", "test", "--run", "(", str(self.path))[0], 2)

    def test_check_counts_and_names_lines(self):
        rules = self.folder / "rules.yml"
        code, text = run(BINARY, "rules", "check", "--format", "json", str(rules))
        self.assertEqual(code, 0, text)
        file = json.loads(text)["files"][0]
        self.assertEqual((file["groups"], file["recording"], file["alerting"]), (1, 1, 2))
        rules.write_text(RULES.replace("for: 2m", "for: long"), encoding="utf-8")
        code, text = run(BINARY, "rules", "check", str(rules))
        self.assertEqual(code, 1)
        self.assertTrue(re.search(r"rules\.yml:9\b", text), text)
        self.assertEqual(run(BINARY, "rules", "check", str(self.folder / "none.yml"))[0], 2)


if __name__ == "__main__":
    unittest.main()
