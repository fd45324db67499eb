#!/usr/bin/env python3
"""How long after group_wait the first webhook of a group comes. GROUPS groups, each of one alert, are posted one after
the other over SPREAD seconds, or all at once where that is 0; the wait is counted from the moment at which the post was
sent, from that at which it was answered, and from that at which the server says it came (its startsAt): what is left of
the last one is the server's own delay and this program's, which takes the webhooks one after the other. Prints `key value` lines for bench/alerts.sh.

usage: alert_delays.py PORT HOOK_PORT GROUPS SPREAD GROUP_WAIT
"""

import asyncio
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "alerts"))
from timeline import Hooks, Timeline, ask

PATIENCE_SECONDS = 10


async def measure(port, hook_port, groups, spread, group_wait):
    timeline = Timeline()
    hooks = Hooks(timeline, {}, hook_port)
    await hooks.start()
    sent, answered = {}, {}
    timeline.begin()

    async def post(number):
        await timeline.until(spread * number / groups)
        name = f"{spread}-{number}"
        sent[name] = timeline.now()
        status, text = await ask(port, "POST", "/api/v2/alerts", [{"labels": {"alertname": "Late", "group": name}}])
        answered[name] = timeline.now()
        assert status == 200, (status, text)

    await asyncio.gather(*(post(number) for number in range(groups)))
    end = timeline.now() + group_wait + PATIENCE_SECONDS
    while len(hooks.deliveries) < groups and timeline.now() < end:
        await asyncio.sleep(0.1)
    await hooks.stop()
    if len(hooks.deliveries) != groups:
        sys.exit(f"{len(hooks.deliveries)} webhooks of {groups} groups")
    came = {one.body["groupLabels"]["group"]: timeline.at(one.body["alerts"][0]["startsAt"]) for one in hooks.deliveries}
    for since, moments in (("sent", sent), ("came", came), ("answered", answered)):
        late = sorted(one.at - moments[one.body["groupLabels"]["group"]] - group_wait for one in hooks.deliveries)
        for name, value in (("p50", late[groups // 2]), ("p99", late[groups * 99 // 100]), ("max", late[-1])):
            print(f"{since}_{name}_ms {value * 1e3:.1f}")


if __name__ == "__main__":
    asyncio.run(measure(*map(int, sys.argv[1:4]), *map(float, sys.argv[4:6])))
