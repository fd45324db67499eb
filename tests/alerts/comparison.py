"""What two alert servers told their webhooks, scenario by scenario: the differences, in words."""

EXACT_SECONDS = 0.0011  # a millisecond, cut off here and rounded there


def sequences(scenario, deliveries):
    """Webhooks by hook and group, in order; groups of one hook may overtake each other."""
    found = {}
    for one in deliveries:
        if one.at <= scenario.lasts and (one.taken or scenario.refused_too):
            found.setdefault((one.hook, one.body["groupKey"]), []).append(one)
    return found


class Comparison:
    def __init__(self, scenario, timeline):
        self.scenario, self.timeline = scenario, timeline
        self.differences = []
        self.apart = []  # seconds, of each pair of webhooks
        self.times_only = True

    def of(self, ours, theirs, answers, their_answers):
        """Fills `differences`."""
        for (at, answer), (_, their) in zip(answers, their_answers):
            self._field(f"answer to what was asked at {at} s", answer, their)
        left, right = sequences(self.scenario, ours), sequences(self.scenario, theirs)
        for key in sorted(left.keys() | right.keys()):
            self._sequence(key, left.get(key, []), right.get(key, []))
        webhooks = sum(map(len, right.values()))
        if webhooks < self.scenario.least:
            self._differ(f"only {webhooks} webhooks of the reference, where {self.scenario.least} are meant")
        return self

    def _differ(self, text):
        self.times_only = False
        self.differences.append(text)

    def _sequence(self, key, left, right):
        where = f"hook {key[0]}, group {key[1]}"
        if len(left) != len(right):
            self._differ(f"{where}: webhooks at {[self._short(one) for one in left]}, not {[self._short(one) for one in right]}")
            return
        for number, (one, other) in enumerate(zip(left, right), 1):
            self._webhook(f"{where}, webhook {number}", one, other)

    @staticmethod
    def _short(one):
        return f"{one.at:.2f} {one.body['status']} {len(one.body['alerts'])}"

    def _webhook(self, where, one, other):
        self.apart.append(abs(one.at - other.at))
        if self.apart[-1] > self.scenario.seconds_apart:
            self.differences.append(f"{where}: at {one.at:.3f} s, not {other.at:.3f} s")
        for field in sorted((one.body.keys() | other.body.keys()) - {"alerts", "externalURL"}):
            self._field(f"{where}: {field}", one.body.get(field), other.body.get(field))
        if len(one.body["alerts"]) != len(other.body["alerts"]):
            self._differ(f"{where}: {len(one.body['alerts'])} alerts, not {len(other.body['alerts'])}")
            return
        for number, (alert, their) in enumerate(zip(one.body["alerts"], other.body["alerts"]), 1):
            for field in sorted((alert.keys() | their.keys()) - {"generatorURL"}):
                compare = self._moment if field in ("startsAt", "endsAt") else self._field
                compare(f"{where}: alert {number} {field}", alert.get(field), their.get(field))

    def _field(self, where, one, other):
        if one != other:
            self._differ(f"{where}: {one!r}, not {other!r}")

    def _moment(self, where, one, other):
        """The year 1 stands for `not ended`."""
        left, right = (None if text is None else self.timeline.at(text) for text in (one, other))
        allowed = self.scenario.seconds_apart if self.scenario.own_times else EXACT_SECONDS
        if left is None or right is None:
            self._field(where, one, other)
        elif abs(left - right) > allowed:
            self._differ(f"{where}: {left:.3f} s, not {right:.3f} s")
