"""The comparison of webhooks can fail: each kind of difference is found and named."""

import copy
import unittest

from comparison import Comparison
from scenarios import Scenario
from timeline import Delivery, Timeline

BODY = {"status": "firing", "groupKey": '{}:{alertname="a"}', "groupLabels": {"alertname": "a"}, "externalURL": "http://one",
        "alerts": [{"status": "firing", "labels": {"alertname": "a"}, "startsAt": "2026-01-02T03:04:05.678Z", "endsAt": "0001-01-01T00:00:00Z"}]}


def delivery(at=1.0, taken=True, **changes):
    body = copy.deepcopy(BODY)
    for path, value in changes.items():
        *way, last = path.split("__")
        place = body
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
    return Delivery("hook", at, body, taken)


class Differences(unittest.TestCase):
    def compare(self, ours, theirs, answers=((0, 200),), their_answers=((0, 200),), **settings):
        comparison = Comparison(Scenario("test", [], 5.0, **settings), Timeline())
        return comparison.of(ours, theirs, list(answers), list(their_answers))

    def assert_differs(self, word, *sides, **settings):
        found = self.compare(*sides, **settings).differences
        self.assertEqual(len(found), 1, found)
        self.assertIn(word, found[0])

    def test_the_same_is_the_same(self):
        ours, theirs = [delivery(1.0), delivery(2.0)], [delivery(1.1, externalURL="http://other"), delivery(1.9)]
        comparison = self.compare(ours, theirs)
        self.assertEqual(comparison.differences, [])
        self.assertAlmostEqual(max(comparison.apart), 0.1)

    def test_a_webhook_that_comes_at_another_time(self):
        comparison = self.compare([delivery(1.0)], [delivery(1.2)])
        self.assertEqual(len(comparison.differences), 1)
        self.assertTrue(comparison.times_only)
        self.assertEqual(self.compare([delivery(1.0)], [delivery(1.2)], seconds_apart=0.5).differences, [])

    def test_one_webhook_more_or_less(self):
        self.assert_differs("webhooks at", [delivery(1), delivery(2)], [delivery(1)])
        self.assert_differs("webhooks at", [], [delivery(1)])

    def test_what_came_after_the_scenario_does_not_count(self):
        self.assertEqual(self.compare([delivery(1), delivery(6)], [delivery(1)]).differences, [])

    def test_refused_webhooks_count_where_it_is_said(self):
        ours, theirs = [delivery(1), delivery(2, taken=False)], [delivery(1)]
        self.assertEqual(self.compare(ours, theirs).differences, [])
        self.assert_differs("webhooks at", ours, theirs, refused_too=True)

    def test_what_a_webhook_says(self):
        for word, changes in (("status", {"status": "resolved"}), ("groupLabels", {"groupLabels": {}}),
                              ("alert 1 labels", {"alerts__0__labels": {"alertname": "b"}}),
                              ("alert 1 status", {"alerts__0__status": "resolved"}),
                              ("alert 1 startsAt", {"alerts__0__startsAt": "2026-01-02T03:04:05.778Z"}),
                              ("alert 1 endsAt", {"alerts__0__endsAt": "2026-01-02T03:04:05.778Z"}),
                              ("0 alerts", {"alerts": []}), ("extra", {"extra": 1})):
            self.assert_differs(word, [delivery(**changes)], [delivery()])

    def test_another_group(self):
        self.assertEqual(len(self.compare([delivery(groupKey="{}:{}")], [delivery()]).differences), 2)

    def test_answers(self):
        self.assert_differs("answer", [delivery()], [delivery()], answers=[(0, 400)])

    def test_a_reference_that_says_nothing_shows_nothing(self):
        self.assert_differs("only 0 webhooks", [], [])


if __name__ == "__main__":
    unittest.main()
