#!/usr/bin/env python3
"""Debian's Alertmanager and our server with the same alertmanager.yml live through the same timed alerts, silences,
reloads and restarts (scenarios.py), and must tell their webhooks the same at the same time.

usage: side_by_side.py [--reference] [NAME...]
  --reference  two Alertmanagers: what the comparison itself is worth
  NAME         only these scenarios
Exit: 0 it is so, 1 it is not, 77 Alertmanager is missing.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import urllib.parse

from alert_servers import Alertmanager, Binnacle, alertmanager_is_installed
from comparison import Comparison
from scenarios import SCENARIOS
from timeline import Hooks, Timeline, ask

# Later than this, and the machine had no time for the servers either: what only came too late is tried again.
DISTURBED_SECONDS = 0.05
TRIES = 3
QUICK = {"group_wait": "1s", "group_interval": "1s", "repeat_interval": "1h", "group_by": ["alertname"]}


def alertmanager_yml(scenarios, port):
    """One tree for all of them; the webhooks go to that port."""
    def of(scenario, matchers):
        return [f'case="{scenario.name}"', *matchers]

    receivers = {"rest": []}
    for one in scenarios:
        receivers |= {one.name: [{"hook": one.name}]} | one.receivers
    return {
        "global": {"resolve_timeout": scenarios[0].resolve_timeout},
        "route": {"receiver": "rest", **QUICK,
                  "routes": [{"receiver": one.name, "matchers": of(one, []), **QUICK, **one.route} for one in scenarios]},
        "receivers": [{"name": name, "webhook_configs": [
            {"url": f"http://127.0.0.1:{port}/{hook['hook']}", **{key: value for key, value in hook.items() if key != "hook"}}
            for hook in hooks]} for name, hooks in receivers.items()],
        "inhibit_rules": [{"source_matchers": of(one, source), "target_matchers": of(one, target), "equal": equal}
                          for one in scenarios for source, target, equal in one.inhibit],
        "time_intervals": [{"name": name, "time_intervals": intervals}
                           for one in scenarios for name, intervals in one.intervals.items()],
    }


class Side:
    """A server, its hooks, and what one scenario asks of it."""

    def __init__(self, server, hooks, timeline):
        self.server, self.hooks, self.timeline = server, hooks, timeline
        self.silences, self.answers = {}, {}

    def of(self, scenario):
        return ScenarioSide(self, scenario.name)


class ScenarioSide:
    def __init__(self, side, case):
        self._side, self._case = side, case

    async def ask(self, method, path, body=None):
        status, _ = await ask(self._side.server.port, method, path, body)
        return status

    def alert_body(self, alert):
        body = {"labels": {**alert["labels"], "case": self._case}, "annotations": alert["annotations"],
                "generatorURL": "http://127.0.0.1/rule"}
        for field, moment in (("startsAt", alert["starts"]), ("endsAt", alert["ends"])):
            if moment is not None:
                body[field] = self._side.timeline.text(moment)
        return body

    async def set_silence(self, name, matchers, starts, ends):
        """From when it is asked for, where it shall begin at once: what lies in the past is refused."""
        keys = ("name", "value", "isRegex", "isEqual")
        full = [dict(zip(keys, (*matcher, False, True)[:2] + (tuple(matcher[2:]) or (False, True)))) for matcher in matchers]
        full.append(dict(zip(keys, ("case", self._case, False, True))))
        status, text = await ask(self._side.server.port, "POST", "/api/v2/silences", {
            "matchers": full, "startsAt": self._side.timeline.text(starts), "endsAt": self._side.timeline.text(ends),
            "createdBy": "test", "comment": name})
        body = json.loads(text) if status == 200 else {}
        self._side.silences[self._case, name] = body.get("silenceID")
        return status, body

    async def expire_silence(self, name):
        return await self.ask("DELETE", f"/api/v2/silence/{self._side.silences[self._case, name]}")

    async def listed(self):
        """Alerts and groups without what is a server's own: ids, times of update."""
        query = urllib.parse.urlencode({"filter": f'case="{self._case}"'})
        _, alerts = await ask(self._side.server.port, "GET", f"/api/v2/alerts?{query}")
        _, groups = await ask(self._side.server.port, "GET", f"/api/v2/alerts/groups?{query}")
        return [self._shown(one) for one in json.loads(alerts)], [
            (one["labels"], one["receiver"], [self._shown(alert) for alert in one["alerts"]]) for one in json.loads(groups)]

    @staticmethod
    def _shown(alert):
        status = alert["status"]
        return {**{key: alert[key] for key in ("labels", "annotations", "fingerprint", "generatorURL", "receivers", "startsAt", "endsAt")},
                "state": status["state"], "silencedBy": len(status["silencedBy"]), "inhibitedBy": status["inhibitedBy"]}

    async def reload(self):
        await asyncio.to_thread(self._side.server.reload)

    async def restart(self):
        await asyncio.to_thread(self._side.server.restart)


class Pair:
    """Two servers with one configuration, for scenarios that get on with each other."""

    def __init__(self, scenarios, kinds, folder, timeline):
        self.scenarios, self.kinds, self.folder, self.timeline = scenarios, kinds, folder, timeline
        self.sides = []

    async def start(self):
        behaviours = {hook: how for one in self.scenarios for hook, how in one.behaviours.items()}
        for number, kind in enumerate(self.kinds):
            hooks = Hooks(self.timeline, behaviours)
            await hooks.start()
            folder = os.path.join(self.folder, str(number))
            server = await asyncio.to_thread(kind, folder, alertmanager_yml(self.scenarios, hooks.port))
            self.sides.append(Side(server, hooks, self.timeline))

    async def run(self):
        await asyncio.gather(*(self._live_through(one) for one in self.scenarios))

    async def _live_through(self, scenario):
        for at, act in sorted(scenario.events, key=lambda event: event[0]):
            await self.timeline.until(at)
            answers = await asyncio.gather(*(act(side.of(scenario)) for side in self.sides))
            for side, answer in zip(self.sides, answers):
                side.answers.setdefault(scenario.name, []).append((at, answer))
        await self.timeline.until(scenario.lasts)

    def compare(self):
        for scenario in self.scenarios:
            hooks = {hook["hook"] for hooks in scenario.receivers.values() for hook in hooks} | {scenario.name}
            deliveries = [[one for one in side.hooks.deliveries if one.hook in hooks] for side in self.sides]
            answers = [side.answers[scenario.name] for side in self.sides]
            yield Comparison(scenario, self.timeline).of(*deliveries, *answers)

    async def stop(self):
        for side in self.sides:
            await side.hooks.stop()
            await asyncio.to_thread(side.server.kill)


async def run_once(scenarios, kinds, folder):
    """The comparisons, and how late the machine was at worst."""
    groups = {}
    for one in scenarios:
        groups.setdefault((one.resolve_timeout, one.name if one.alone else ""), []).append(one)
    timeline = Timeline()
    pairs = [Pair(group, kinds, os.path.join(folder, str(number)), timeline) for number, group in enumerate(groups.values())]
    try:
        await asyncio.gather(*(pair.start() for pair in pairs))
        timeline.begin()
        watch = asyncio.create_task(timeline.watch_lateness())
        await asyncio.gather(*(pair.run() for pair in pairs))
        watch.cancel()
        return [comparison for pair in pairs for comparison in pair.compare()], timeline.worst_lateness
    finally:
        await asyncio.gather(*(pair.stop() for pair in pairs))


def report(comparisons, lateness, seconds):
    for one in comparisons:
        print(f"{'differs' if one.differences else 'same':8} {one.scenario.name:22} {len(one.apart)} webhooks")
        for difference in one.differences:
            print(f"    {difference}")
    apart = sorted(apart for one in comparisons if one.scenario.seconds_apart < 1 for apart in one.apart)
    if apart:
        print(f"{sum(not one.differences for one in comparisons)} of {len(comparisons)} scenarios the same in {seconds:.0f} s; webhooks apart: "
              f"median {apart[len(apart) // 2] * 1e3:.0f} ms, most {apart[-1] * 1e3:.0f} ms; this test itself late by up to {lateness * 1e3:.0f} ms")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if not alertmanager_is_installed():
        print("not installed: prometheus-alertmanager")
        return 77
    kinds = (Alertmanager if options.reference else Binnacle, Alertmanager)
    scenarios = [one for one in SCENARIOS if not options.names or one.name in options.names]
    for attempt in range(TRIES):
        with tempfile.TemporaryDirectory(prefix="binnacle-alerts-") as folder:
            began = time.monotonic()
            comparisons, lateness = asyncio.run(run_once(scenarios, kinds, folder))
            report(comparisons, lateness, time.monotonic() - began)
        different = [one for one in comparisons if one.differences]
        if not different:
            return 0
        if lateness < DISTURBED_SECONDS or not all(one.times_only for one in different):
            break
        print(f"the machine was busy: attempt {attempt + 1} says nothing about times")
        scenarios = [one.scenario for one in different]
    return 1


if __name__ == "__main__":
    sys.exit(main())
