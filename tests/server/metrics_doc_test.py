"""docs/metrics.md is what a server registers."""

import pathlib
import re
import unittest

import metrics_doc

COMMITTED = pathlib.Path(__file__).parent.parent.parent / "docs" / "metrics.md"
LEAST = 60


class MetricsDoc(unittest.TestCase):
    maxDiff = None

    def test_it_is_what_a_server_registers(self):
        committed = COMMITTED.read_text(encoding="utf-8")
        written = metrics_doc.document(metrics_doc.read_families())
        self.assertEqual(written, committed, "docs/metrics.md is not what the server registers. Write it anew:\n"
                         "  BINNACLE_BIN=build/dev/bin/binnacle python3 tests/server/metrics_doc.py > docs/metrics.md")
        self.assertGreaterEqual(len(re.findall(r"^\| `", committed, re.MULTILINE)), LEAST)

    def test_every_metric_says_what_it_means(self):
        for line in COMMITTED.read_text(encoding="utf-8").splitlines():
            if line.startswith("| `"):
                _, name, kind, _, meaning, _ = re.split(r"(?<!\\)\|", line)
                self.assertIn(kind.strip(), ("counter", "gauge", "histogram"), name)
                self.assertTrue(meaning.strip().endswith("."), name)


if __name__ == "__main__":
    unittest.main()
