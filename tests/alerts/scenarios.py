"""What happens to alert servers, scenario by scenario. Each has a branch of the routing tree and receivers of its own,
told apart by the label `case`, so that many run at once in one process. Times are seconds of a timeline, chosen off
the ticks of their groups: by default group_wait and group_interval are 1 s, so a group of an alert of 0 s is looked
at at 1, 2, 3 ... s."""

import dataclasses
import typing

FAR = 600  # beyond every scenario


@dataclasses.dataclass
class Scenario:
    name: str
    events: list
    lasts: float
    route: dict = dataclasses.field(default_factory=dict)
    # Receivers beside the one with the scenario's name, which has one plain webhook unless it is named here too.
    receivers: dict = dataclasses.field(default_factory=dict)
    behaviours: dict = dataclasses.field(default_factory=dict)
    inhibit: list = dataclasses.field(default_factory=list)
    intervals: dict = dataclasses.field(default_factory=dict)
    resolve_timeout: str = "5m"
    alone: bool = False  # what it does to the server the others must not feel
    seconds_apart: float = 0.15
    refused_too: bool = False  # webhooks that were refused are compared as well
    own_times: bool = False  # startsAt and endsAt are the servers' own
    least: int = 1  # webhooks, or the scenario shows nothing


def alert(name, starts=0.0, ends: typing.Optional[float] = FAR, annotations=None, **labels):
    return {"labels": {"alertname": name, **labels}, "annotations": annotations or {}, "starts": starts, "ends": ends}


def post(at, *alerts, raw=()):
    """`raw` goes along as it stands."""

    async def act(side):
        bodies = [side.alert_body(one) for one in alerts]
        return await side.ask("POST", "/api/v2/alerts", bodies + list(raw))

    return at, act


def silence(at, name, matchers, starts=0.0, ends=float(FAR)):
    """matchers: (label, value), or (label, value, is_regex, is_equal)"""

    async def act(side):
        status, body = await side.set_silence(name, matchers, starts, ends)
        return status, "id" if "silenceID" in body else body

    return at, act


def unsilence(at, name):
    async def act(side):
        return await side.expire_silence(name)

    return at, act


def look(at):
    """What the API says of the scenario's alerts: part of the answers that are compared."""

    async def act(side):
        return await side.listed()

    return at, act


def reload(at):
    async def act(side):
        return await side.reload()

    return at, act


def restart(at):
    async def act(side):
        return await side.restart()

    return at, act


def fails_until(until):
    return lambda at, before: (200 if at >= until else 500, 0)


def always(status):
    return lambda at, before: (status, 0)


def hangs_first(seconds):
    return lambda at, before: (200, seconds if before == 0 else 0)


def webhook(hook, **options):
    return {"hook": hook, **options}


ALWAYS = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]
NEVER = [{"years": ["2001"]}]

SENDING = [
    Scenario("send", [post(0, alert("a", annotations={"summary": "it burns"}))], 3.5),
    Scenario("late", [post(0, alert("a", starts=-30))], 2.5),  # older than group_wait: not waited for again
    Scenario("group", [post(0, alert("a", instance="1"), alert("b")), post(0.3, alert("a", instance="2")),
                       post(0.5, alert("a", instance="3", job="z")), look(0.8), look(2.5)], 3.5),
    Scenario("group_all", [post(0, alert("a", instance="1"), alert("a", instance="2"))], 3.5, route={"group_by": ["..."]}, least=2),
    Scenario("group_without", [post(0, alert("a"), alert("b")), post(0.2, alert("c", job="j"))], 3.5, route={"group_by": ["job"]}, least=2),
    Scenario("merge", [post(0, alert("a", starts=0, annotations={"n": "1"})),
                       post(0.4, alert("a", starts=-5, annotations={"n": "2"})),
                       post(0.6, alert("a", starts=0.6, annotations={"n": "3"})),
                       post(1.5, alert("b", starts=1.4)), post(1.7, alert("b", starts=1.2))], 4.5),
    Scenario("merge_ends", [post(0, alert("a", ends=1.7)), post(1.4, alert("a", ends=3.6)),
                            post(4.5, alert("a", starts=4.4, ends=FAR))], 6.5, least=3),
    Scenario("batching", [post(0, alert("a", instance="1")), post(1.3, alert("a", instance="2")),
                          post(1.6, alert("a", instance="3")), post(3.4, alert("a", instance="4"))], 6.5,
             route={"group_interval": "2s"}, least=3),
    Scenario("repeat", [post(0, alert("a"))], 8.5, route={"repeat_interval": "2500ms"}, least=3),
    Scenario("renewed", [post(at, alert("a", annotations={"at": str(at)})) for at in (0, 1.5, 2.5)], 4.5),
    Scenario("max_alerts", [post(0, *(alert("a", instance=str(i)) for i in range(5)))], 2.5,
             receivers={"max_alerts": [webhook("max_alerts", max_alerts=2)]}),
    Scenario("bad_among_good", [post(0, alert("a"), raw=[{"labels": {}}, {"labels": {"": "x", "case": "bad_among_good"}},
                                                        {"labels": {"alertname": "b", "case": "bad_among_good"},
                                                         "startsAt": "2026-01-01T00:00:02Z", "endsAt": "2026-01-01T00:00:01Z"}])], 2.5),
    Scenario("common", [post(0, alert("a", team="x", instance="1", annotations={"s": "same", "d": "1"}),
                             alert("a", team="x", instance="2", annotations={"s": "same", "d": "2"}))], 2.5),
]

RESOLVING = [
    Scenario("resolved_by_end", [post(0, alert("a", ends=2.5)), look(1.5), look(4.6)], 5.5, least=2),
    Scenario("resolved_by_post", [post(0, alert("a", instance="1"), alert("a", instance="2")),
                                  post(2.4, alert("a", instance="1", ends=2.4)),
                                  post(3.4, alert("a", instance="2", ends=3.4))], 6.5, least=3),
    Scenario("resolved_early", [post(0, alert("a", ends=0.5))], 3.5, least=0),
    Scenario("resolved_by_timeout", [post(0, alert("a", starts=None, ends=None)), post(2.3, alert("a", starts=None, ends=None))], 9.5,
             resolve_timeout="3s", own_times=True, least=2),
    Scenario("send_resolved_off", [post(0, alert("a", instance="1"), alert("a", instance="2")),
                                   post(2.4, alert("a", instance="1", ends=2.4)), post(3.4, alert("a", instance="3")),
                                   post(4.4, alert("a", instance="2", ends=4.4), alert("a", instance="3", ends=4.4)),
                                   post(6.4, alert("a", starts=6.4, instance="4"))], 9.5,
             receivers={"send_resolved_off": [webhook("send_resolved_off", send_resolved=False)]}, least=2),
    Scenario("fires_again", [post(0, alert("a", ends=1.4)), post(2.5, alert("a", starts=2.5, ends=3.5)),
                             post(4.5, alert("a", starts=4.5))], 7.5, least=3),
    Scenario("blink", [post(0, alert("a")), post(1.3, alert("a", ends=1.3)), post(1.6, alert("a", starts=1.6))], 4.5),
]

FAILING = [
    Scenario("retry", [post(0, alert("a"))], 14.5, route={"group_interval": "2s"}, seconds_apart=4.5,
             receivers={"retry": [webhook("retry_1"), webhook("retry_2")]}, behaviours={"retry_2": fails_until(4.5)}, least=2),
    Scenario("refused", [post(0, alert("a"))], 4.5, behaviours={"refused": always(400)}, refused_too=True, least=3),
    Scenario("webhook_timeout", [post(0, alert("a"))], 14.5, behaviours={"webhook_timeout": hangs_first(20)}, seconds_apart=1.5),
]

INHIBITING = [
    Scenario("inhibit", [post(0, alert("target", level="warning", zone="1")), post(1.5, alert("source", level="critical", zone="1")),
                         post(2.4, alert("other", level="warning", zone="1"), alert("another", level="warning", zone="2")),
                         look(3.6), post(4.4, alert("source", level="critical", zone="1", ends=4.4)), look(5.6)], 7.5, least=4,
             inhibit=[(['level="critical"'], ['level="warning"'], ["zone"])]),
    Scenario("inhibit_always", [post(0, alert("target", level="warning"), alert("source", level="critical")),
                                post(2.6, alert("target", level="warning", ends=2.6), alert("source", level="critical", ends=2.6))], 5.5,
             inhibit=[(['level="critical"'], ['level="warning"'], [])], least=2),
    Scenario("inhibit_empty_equal", [post(0, alert("source", level="critical"), alert("target", level="warning"),
                                          alert("target2", level="warning", zone="1"))], 3.5,
             inhibit=[(['level="critical"'], ['level="warning"'], ["zone"])], least=2),
    Scenario("inhibit_itself", [post(0, alert("both", mode="1", kind="x"), alert("both", mode="2", kind="x"))], 3.5,
             inhibit=[(['kind="x"'], ['mode=~"1|2"'], [])]),
    Scenario("inhibit_regex", [post(0, alert("down", host="a1"), alert("slow", host="a1"), alert("slow", host="b1"))], 3.5,
             inhibit=[(['alertname="down"'], ['alertname=~"sl.*"', 'host!~"b.*"'], ["host"])]),
]

SILENCING = [
    Scenario("silence", [silence(0, "s", [("alertname", "a")]), post(0.3, alert("a"), alert("b")), look(1.6)], 3.5),
    Scenario("silence_expires", [silence(0, "s", [("alertname", "a")], ends=3.5), post(0.3, alert("a")), look(2.6), look(4.6)], 5.5),
    Scenario("silence_deleted", [silence(0, "s", [("alertname", "a")]), post(0.2, alert("a")), unsilence(2.6, "s"),
                                 unsilence(3.6, "s"), look(4.6)], 5.5),
    Scenario("silence_begins", [post(0, alert("a", instance="1")), silence(1.5, "s", [("instance", "1")], starts=1.5),
                                post(2.4, alert("a", instance="2")), post(3.4, alert("a", instance="1", ends=3.4))], 5.5, least=2),
    Scenario("silence_pending", [silence(0, "s", [("alertname", "a")], starts=2.5), post(0.2, alert("a", instance="1")),
                                 post(2.8, alert("a", instance="2"))], 5.5),
    Scenario("silence_matchers", [silence(0, "s", [("host", "a.*", True, True), ("zone", "1", False, False)]),
                                  post(0.2, alert("x", host="a1", zone="1"), alert("x", host="a1", zone="2"),
                                       alert("x", host="ba", zone="2"), alert("x", host="a2"))], 3.5),
    Scenario("silence_bad", [silence(0, "s", [("host", "(", True, True)]), silence(0.2, "u", [("alertname", "a")], starts=5, ends=4), post(0.5, alert("a"))], 3.5),
]

ROUTING = [
    Scenario("filters", [post(0, alert("a", team="x"), alert("b", team="y"), alert("c"), alert("d", team="x", page="yes")), look(2.5)], 3.5,
             route={"routes": [{"matchers": ['page="yes"'], "receiver": "filters_page", "continue": True},
                               {"matchers": ['team=~"x|z"'], "receiver": "filters_x", "group_by": ["team"]},
                               {"matchers": ['team!=""'], "receiver": "filters_any"}]},
             receivers={name: [webhook(name)] for name in ("filters_page", "filters_x", "filters_any")}, least=4),
    Scenario("nested", [post(0, alert("a", team="x", service="db"), alert("b", team="x", service="web"))], 4.5,
             route={"routes": [{"match": {"team": "x"}, "receiver": "nested_x", "group_wait": "1500ms",
                                "routes": [{"match_re": {"service": "d."}, "group_by": ["service"]}]}]},
             receivers={"nested_x": [webhook("nested_x")]}, least=2),
    Scenario("two_paces", [post(0, alert("a", instance="1")), post(1.5, alert("a", instance="2"))], 6.5,
             route={"routes": [{"receiver": "paces_quick", "continue": True},
                               {"receiver": "paces_slow", "group_wait": "2500ms", "group_interval": "3s"}]},
             receivers={"paces_quick": [webhook("paces_quick")], "paces_slow": [webhook("paces_slow")]}, least=3),
    Scenario("muted", [post(0, alert("a", when="always"), alert("b", when="never"))], 3.5,
             route={"routes": [{"matchers": ['when="always"'], "mute_time_intervals": ["muted_always"]},
                               {"matchers": ['when="never"'], "mute_time_intervals": ["muted_never"]}]},
             intervals={"muted_always": ALWAYS, "muted_never": NEVER}),
    Scenario("active", [post(0, alert("a", when="always"), alert("b", when="never"), alert("c", when="both"))], 3.5,
             route={"routes": [{"matchers": ['when="always"'], "active_time_intervals": ["active_always"]},
                               {"matchers": ['when="never"'], "active_time_intervals": ["active_never"]},
                               {"matchers": ['when="both"'], "active_time_intervals": ["active_never", "active_always"]}]},
             intervals={"active_always": ALWAYS, "active_never": NEVER}, least=2),
]

RUNNING_ON = [
    # Alertmanager starts the pace of its groups anew: the same webhooks, each within one interval.
    Scenario("reload", [post(0, alert("a", instance="1")), reload(2.4), post(3.3, alert("a", instance="2")),
                        post(5.3, alert("a", instance="1", ends=5.3))], 8.5, alone=True, seconds_apart=1.2, least=3),
    # Alertmanager forgets the alerts and has to be told again, as Prometheus would.
    Scenario("cold_start", [post(0, alert("a", instance="1")), silence(1.2, "s", [("instance", "3")]), restart(2.4),
                            post(6.3, alert("a", instance="1"), alert("a", instance="2"), alert("a", instance="3"))], 9.5,
             alone=True, seconds_apart=1.2, least=2),
]

SCENARIOS = SENDING + RESOLVING + FAILING + INHIBITING + SILENCING + ROUTING + RUNNING_ON
