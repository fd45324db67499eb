#!/usr/bin/env python3
"""kill -9 of our server, again and again, while alerts, silences and acknowledgements come in and a webhook counts:
nothing that was answered is lost, nothing that was recorded as sent is told again, and groups that waited are told at
their time, or as soon as the server is back.

usage: kill_test.py [--kills N] [--reference]
  --reference  an Alertmanager, which must fail this: it shows that the test can
ALERTS_SEED makes a run again as far as chance goes. Exit: 0 it is so, 1 it is not.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time

from alert_servers import Alertmanager, Binnacle
from kill_load import Books, Load, ask
from webhook_sink import WebhookSink

SEED = int(os.environ.get("ALERTS_SEED", str(int(time.time()))))
GROUP_WAIT_SECONDS = 2.0
GROUP_INTERVAL_SECONDS = 1.0
# Within this after a webhook's answer the server has heard of it, and its next commit records it as sent. When that commit
# is on disk depends on the disk: the one before it has to be, too, and on a busy machine each takes a tenth of a second and
# more. So a kill is an excuse for longer while no post of alerts that was asked after this has been answered, as no commit
# may have ended; but not for ever.
HEARD_SECONDS = 0.25
RECORDED_SECONDS = 2.0
# Less than the wait, so that a wait which began anew is seen; more than a busy machine takes.
LATE_SECONDS = 1.0
EARLY_SECONDS = 0.05
UP_SECONDS = (0.0, 1.6)
# Named in the router's sources: around a commit, and between a webhook's answer and the record of it.
POINTS = ("alerts.before_commit", "alerts.after_commit", "alerts.attempted")
MOST_PASSES = 40
PATIENCE_SECONDS = 10


def alertmanager_yml(sink):
    return {
        "route": {"receiver": "hook", "group_by": ["group"], "group_wait": f"{GROUP_WAIT_SECONDS:.0f}s",
                  "group_interval": f"{GROUP_INTERVAL_SECONDS:.0f}s", "repeat_interval": "4h"},
        "receivers": [{"name": "hook", "webhook_configs": [{"url": sink.url("hook")}]}]}


class Kills:
    def __init__(self, folder, kind, kills):
        self.random, self.kills = random.Random(SEED), kills
        self.sink, self.books = WebhookSink(), Books()
        self.problems = []
        self.lives = []  # [ready, killed] in monotonic seconds
        self.points = self.acknowledges = kind is Binnacle
        self.hit = {}
        self.slow_records = 0  # what was told again although the kill came late
        self.server = kind(os.path.join(folder, "server"), alertmanager_yml(self.sink))
        self.lives.append([time.monotonic(), float("inf")])
        self.load = Load(self.server.port, self.books, self.acknowledges, SEED)

    def run(self):
        point = None
        for number in range(self.kills):
            self._die(point)
            promised = self.books.promised()
            point = self.random.choice(POINTS) if self.points and self.random.random() < 0.4 else None
            self._start(point)
            self._check_promises(f"kill {number + 1}", *promised)
        self._die(point)
        self._start(None)
        time.sleep(GROUP_WAIT_SECONDS)
        self.load.stop()
        self.problems += [f"unexpected answer: {one}" for one in self.load.unexpected[:5]]
        self._until_all_is_told()
        before = len(self.sink.all())
        self.server.restart()
        self._check_promises("a clean stop", *self.books.promised())
        time.sleep(2 * GROUP_INTERVAL_SECONDS)
        if len(self.sink.all()) != before:
            self.problems.append(f"told again after a clean stop: {len(self.sink.all()) - before} webhooks")
        self._check_webhooks()

    def _start(self, point):
        try:
            self.server.start(*([f"{point}:{self.random.randint(1, MOST_PASSES)}"] if point else []))
        except AssertionError:
            if point is None:
                raise
            self.hit["in a start"] = self.hit.get("in a start", 0) + 1
            self.server.start()
        self.lives.append([time.monotonic(), float("inf")])

    def _die(self, point):
        """At the point, or where chance has it."""
        end = time.monotonic() + (PATIENCE_SECONDS if point else self._life())
        while time.monotonic() < end and not (point and self.server.is_gone()):
            time.sleep(0.002)
        self.lives[-1][1] = time.monotonic()
        self.hit[point] = self.hit.get(point, 0) + 1
        self.server.kill()

    def _life(self):
        return self.random.uniform(0, 0.1) if self.random.random() < 0.2 else self.random.uniform(*UP_SECONDS)

    def _json(self, path):
        """None: it died at its point."""
        answer = ask(self.server.port, "GET", path)
        if answer is None and self.points:
            return None
        assert answer and answer[0] == 200, (path, answer)
        return json.loads(answer[1])

    def _lost(self, when, what, missing):
        if missing:
            self.problems.append(f"{when}: {len(missing)} {what} lost, e.g. {next(iter(missing))}")

    def _check_promises(self, when, firing, silences, acknowledged):
        listed = self._json("/api/v2/alerts")
        if listed is not None:
            there = {json.dumps(one["labels"], sort_keys=True) for one in listed}
            promised = {json.dumps(labels, sort_keys=True) for labels in firing}
            with self.books.lock:  # resolved meanwhile
                gone = {json.dumps(labels, sort_keys=True) for one in self.books.groups if one.resolve_answered is not None
                        for labels in one.labels}
            self._lost(when, "alerts", promised - there - gone)
        listed = self._json("/api/v2/silences")
        if listed is not None:
            states = {one["id"]: one["status"]["state"] for one in listed}
            with self.books.lock:
                now = dict(self.books.silences)
            self._lost(when, "silences", {name for name, expired in silences.items()
                                          if now.get(name) == expired and states.get(name) != ("expired" if expired else "active")})
        listed = self._json("/api/binnacle/v1/alerts") if self.acknowledges else None
        if listed is not None:
            self._lost(when, "acknowledgements", acknowledged - {one["fingerprint"] for one in listed["alerts"] if one["acknowledgement"]})

    def _told(self):
        """Webhooks of each group, in order."""
        told = {}
        for one in self.sink.all():
            told.setdefault(one.body["groupLabels"]["group"], []).append(one)
        return told

    def _until_all_is_told(self):
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            told = self._told()
            if all(self._is_told(one, told.get(one.name, [])) for one in self.books.groups if one.answered):
                return
            time.sleep(0.1)

    @staticmethod
    def _is_told(group, webhooks):
        if group.resolve_answered:
            return bool(webhooks) and webhooks[-1].body["status"] == "resolved"
        return sum(len(one.alerts("firing")) for one in webhooks) >= len(group.labels)

    def _due(self, at):
        """When what is due at `at` must be there: in the first life that was long enough."""
        for ready, killed in self.lives:
            deadline = max(at, ready) + LATE_SECONDS
            if at < killed and deadline <= killed:
                return deadline
        return float("inf")

    def _check_webhooks(self):
        told = self._told()
        delays, excused = [], 0
        for group in (one for one in self.books.groups if one.answered):
            webhooks = told.get(group.name, [])
            if not self._is_told(group, webhooks):
                self.problems.append(f"{group.name}: not told: {[(one.body['status'], len(one.body['alerts'])) for one in webhooks]}")
                continue
            due = group.answered + GROUP_WAIT_SECONDS
            delays.append(webhooks[0].came - due)
            if webhooks[0].came > self._due(due):
                self.problems.append(f"{group.name}: told {webhooks[0].came - due:.2f} s late, {webhooks[0].came - self._due(due):.2f} s beyond what the kills excuse")
            if group.tries == 1 and webhooks[0].came < group.asked + GROUP_WAIT_SECONDS - EARLY_SECONDS:
                self.problems.append(f"{group.name}: told {group.asked + GROUP_WAIT_SECONDS - webhooks[0].came:.2f} s early")
            excused += self._check_repeats(group, webhooks)
        delays.sort()
        told_in_life = [delay for delay in delays if delay < LATE_SECONDS]
        print(f"seed {SEED}: kills {self.hit}, {len(delays)} groups, {len(self.books.silences)} silences, {len(self.books.acknowledged)} "
              f"acknowledgements, {len(self.sink.all())} webhooks; {excused} told again because they were not recorded, {self.slow_records} of them {HEARD_SECONDS * 1e3:.0f} ms before a kill; "
              f"beyond group_wait: median {delays[len(delays) // 2] * 1e3:.0f} ms, {len(delays) - len(told_in_life)} waited for a restart")

    def _check_repeats(self, group, webhooks):
        """How many were told again with a kill as the excuse; those without one are problems."""
        excused = 0
        for number, one in enumerate(webhooks[1:], 1):
            content = self._content(one)
            same = [other for other in webhooks[:number] if self._content(other) == content]
            if not same:
                continue
            answered = same[-1].answered
            if answered is None or any(self._excuses(killed, answered) for _, killed in self.lives):
                excused += 1
                continue
            kill = min((killed for _, killed in self.lives if killed > answered), default=float("inf"))
            self.problems.append(f"{group.name}: told again after {one.came - answered:.2f} s, the next kill came {kill - answered:.2f} s after the first")
        return excused

    def _excuses(self, killed, answered):
        """Whether the server may have died then without a record of what was answered."""
        if not -EARLY_SECONDS < killed - answered < RECORDED_SECONDS:
            return False
        if killed - answered < HEARD_SECONDS:
            return True
        self.slow_records += 1
        return not self.books.committed_between(answered + HEARD_SECONDS, killed)

    @staticmethod
    def _content(webhook):
        return sorted((one["labels"]["n"], one["status"]) for one in webhook.body["alerts"])

    def stop(self):
        self.load.stop()
        self.server.kill()
        self.sink.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--reference", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="binnacle-kills-") as folder:
        kills = Kills(folder, Alertmanager if options.reference else Binnacle, options.kills)
        try:
            kills.run()
        finally:
            kills.stop()
    for problem in kills.problems[:20]:
        print(problem)
    if kills.problems:
        print(f"{len(kills.problems)} problems (ALERTS_SEED={SEED})")
    return 1 if kills.problems else 0


if __name__ == "__main__":
    sys.exit(main())
