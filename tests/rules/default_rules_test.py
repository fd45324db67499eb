"""The default rules: whole, documented, tested, and about series that exist."""

import pathlib
import re
import shutil
import subprocess
import unittest

import yaml

import default_rules
import produced_series

TESTS = default_rules.RULES / "tests"


def run_promtool(*args):
    done = subprocess.run(["promtool", *args], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


class DefaultRules(unittest.TestCase):
    maxDiff = None

    def test_each_says_what_is_wrong_how_bad_and_what_to_do(self):
        found = list(default_rules.alerts())
        self.assertGreater(len(found), 50)
        names = [rule["alert"] for _, _, rule in found]
        self.assertEqual(len(names), len(set(names)), "an alert's name stands twice")
        for file, _, rule in found:
            with self.subTest(alert=rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ("critical", "warning", "info", "none"))
                self.assertTrue(rule["annotations"]["summary"])
                self.assertTrue(rule["annotations"]["description"].endswith("."))
                runbook = default_rules.ROOT / rule["annotations"]["runbook_url"]
                self.assertEqual(runbook, default_rules.RUNBOOKS / f"{rule['alert']}.md")
                self.assertTrue(runbook.is_file(), runbook)

    def test_each_runbook_belongs_to_an_alert_and_says_where_to_look(self):
        names = {rule["alert"] for _, _, rule in default_rules.alerts()}
        for path in default_rules.RUNBOOKS.glob("*.md"):
            with self.subTest(runbook=path.name):
                text = path.read_text(encoding="utf-8")
                self.assertIn(path.stem, names)
                self.assertTrue(text.startswith(f"# {path.stem}\n"))
                self.assertTrue(default_rules.queries_of_runbook(text), "no query under 'Look at'")
                self.assertIn("\n## Do\n", text)
                for link in re.findall(r"\]\((\w+\.md)\)", text):
                    self.assertTrue((default_rules.RUNBOOKS / link).is_file(), link)

    def test_each_fires_and_is_quiet_in_a_unit_test(self):
        fires, quiet = set(), set()
        for path in TESTS.glob("*_test.yml"):
            for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
                for one in test["alert_rule_test"]:
                    (fires if one["exp_alerts"] else quiet).add(one["alertname"])
        names = {rule["alert"] for _, _, rule in default_rules.alerts()}
        self.assertEqual(fires, names)
        self.assertEqual(quiet, names - {"Watchdog"})

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_promtool_accepts_them(self):
        code, text = run_promtool("check", "rules", *map(str, sorted(default_rules.RULES.glob("*.yml"))))
        self.assertEqual(code, 0, text)
        self.assertNotIn("FAILED", text)
        code, text = run_promtool("test", "rules", *map(str, sorted(TESTS.glob("*_test.yml"))))
        self.assertEqual(code, 0, text)

    def test_the_table_of_alerts_is_theirs(self):
        committed = (default_rules.ROOT / "docs" / "alerts-default.md").read_text(encoding="utf-8")
        self.assertEqual(default_rules.document(), committed, "docs/alerts-default.md is not what the rules say. Write it anew:\n"
                         "  python3 tests/rules/default_rules.py > docs/alerts-default.md")


class Series(unittest.TestCase):
    maxDiff = None

    def test_rules_and_runbooks_name_series_that_something_produces(self):
        produced = (produced_series.of_tables() | produced_series.of_sources() | produced_series.of_server()
                    | default_rules.recorded())
        wrong = produced_series.problems(default_rules.uses(), produced, produced_series.awaited())
        self.assertEqual(wrong, [])

    def test_a_name_that_nothing_produces_is_found(self):
        uses = [("a.yml: A", {"llm_requests_runing"})]
        wrong = produced_series.problems(uses, produced_series.of_tables(), {})
        self.assertEqual(len(wrong), 1)
        self.assertIn("a.yml: A: nothing here produces llm_requests_runing", wrong[0])

    def test_a_line_that_waits_for_nothing_is_found(self):
        wrong = produced_series.problems([("a", {"x", "y"})], {"x"}, {"x": "trainer", "y": "trainer", "z": "gateway"})
        self.assertEqual([line.split(": ")[1].split(" is")[0] for line in wrong], ["x", "nothing reads z; take its line out"])

    def test_names_are_read_from_expressions(self):
        for expr, names in {
            'sum by (a) (rate(x_total{b="c{d}"}[5m] offset 1h)) / y > 2': {"x_total", "y"},
            "a and on (b) c unless ignoring (d, e) f": {"a", "c", "f"},
            'quantile_over_time(0.5, m[1h:5m]) > bool 1e3': {"m"},
            '{__name__="z"} or vector(1)': {"z"},
            "histogram_quantile(0.95, sum by (le) (rate(job:h:rate5m[5m])))": {"job:h:rate5m"},
            'topk by (x) (3, q) - time()': {"q"},
        }.items():
            self.assertEqual(produced_series.read_by(expr), names, expr)


if __name__ == "__main__":
    unittest.main()
