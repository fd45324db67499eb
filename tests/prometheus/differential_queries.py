"""Seeded expressions for differential.py: all of PromQL that Prometheus 2.42 has.

Each is marked with what the rules of differential.py ask for, so that these need not parse anything.
"""

from dataclasses import dataclass, field, replace

from differential_data import HIGH, STEADY

METRICS = ["m0", "m0", "m0", "m1", "n", "c_total", "z_total", "k", "e", "wide", "h_bucket", "h_count", "h_sum"]
MATCHERS = ['a="x"', 'a="y"', 'a!="z"', 'a=~"x|y"', 'a!~"z.*"', 'a=~".+"', 'a=~"[^x]"', 'b="1"', 'b!="1"', 'b=~"1|2"',
            'b!~"2|3"', 'c="u"', 'c=""', 'c!=""', 'c=~".*"', 'c=~"u|"', 'i=~"[0-4]"', 'id=~"0.+"', 'id=~"(?i:1.)"',
            'le="+Inf"', 'le=~"[0-9.]+"']
TEXT_MATCHERS = ["path=~`.*\"c`", 'path="žluť"', 'path=~"日.語|ž.*"', r'path="C:\\d"', r'path!~".*\\d"',
                 r'path=~".*\t.*"', 'path="$1"', "path=~'[$]1'", r"path='{a=\'x\'}'", 'path!=""',
                 r'path="\u017elu\u0165"', r'path=~"\\p{Han}+"']
NAMELESS = ['{__name__=~"m.*"}', '{__name__=~"m0|n"}', '{a="y", __name__!~"h_.*|wide"}',
            '{b="2", __name__=~".+_total"}', '{c!="", __name__!="e"}', '{__name__="m0", a!~"x"}',
            '{__name__=~"c_total|z_total", b="1"}']
RANGES = ["1m", "90s", "3m", "5m", "10m", "15m", "1m30s", "47s"]
# Of a subquery, see the rule `left_open`.
SUBQUERY_RANGES = ["60250ms", "3m250ms", "5m250ms", "10m250ms", "15m250ms"]
ROUGH_MATH = ["sqrt", "ln", "log2", "log10", "exp", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
              "asinh", "acosh", "atanh", "deg", "rad"]
GROWING = ["^", "exp(", "sinh(", "cosh("]
COMPENSATED = ["sum_over_time", "avg_over_time", "stddev_over_time", "stdvar_over_time", "deriv", "predict_linear"]
DATES = ["minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year"]
GROUPINGS = ["", "", " by (a)", " by (b)", " by (a, b)", " by (c)", " without (a)", " without (b, c)", " by (q)",
             " by ()", " without ()", " by (__name__)", " by (__name__, a)"]
COUNTS = ["1", "2", "5", "0", "3", "1.9", "-1", 'scalar(n{a="x", b="1"})', "scalar(minute() % 4)"]
# Both versions refuse them, with the same type of error.
BROKEN = ["rate(m0)", "sum(m0", "m0[5m] + 1", "{}", '{a=~".*"}', "m0 offset 1m offset 2m", "m0 @ 1 @ 2",
          'quantile("x", m0)', "m0 and 1", "1 or 2", "1 == 2", "m0[5m:1m][5m]", "m0[0s]", "foo(m0)",
          'label_replace(m0, "", "x", "a", "(.*)")', 'label_replace(m0, "n", "x", "a", "(")',
          'label_join(m0, "", "-", "a")', "m0 + on(a) group_left m0", "m0 + on(a) m0", "n * on(a) group_right m0",
          "holt_winters(m0[5m], 0, 0.5)", "holt_winters(m0[5m], 0.5, 2)", "topk(NaN, m0)", "topk(1e300, m0)",
          "count_values(\"\", m0)", "m0 bool 1", "m0 + bool m0", "m0 and bool m0", "abs(1)", "clamp(m0, 1)", "time(1)",
          "scalar(1)", "vector(m0)", "m0{a=}", 'm0{a="x"', "m0{a=~\"(\"}", "sum by a (m0)", "sum(m0) by (a",
          "m0 > bool", "1 +", "(m0", "m0)", "[5m]", "m0[5m] offset", "m0 @ foo()", "-\"x\"", "rate(m0[5m]",
          "m0 * on(a) group_left(a) n", "m0 and on(a) group_left n", "m0 ignoring(a) n", "m0[5 m]", "sum(m0, m0)",
          "topk(m0)", "sum(m0[5m])", "-(m0[5m])", "\"x\" + 1", "\"a\" == \"a\"", "absent(m0[5m])", "m0[1m:0s]", "0x",
          "1e"]


@dataclass(frozen=True)
class Part:
    text: str
    # Computed without rounding: comparing, sorting or cutting it gives the same whatever the order of additions.
    exact: bool = True
    # The rules that speak of it.
    marks: frozenset = frozenset()
    # No series of it comes, goes or has a gap.
    steady: bool = False
    # Which series it has may depend on which of two equal values is taken.
    ties: bool = False
    # "sort", "sort_desc" or "topk" where it is that and nothing around it.
    # "edge": each value is computed of one sample or two, so that the versions may not differ by more than a rounding.
    kind: str = ""
    # Each series has the name that it is stored under.
    named: bool = False


@dataclass
class Query:
    text: str
    kind: str
    marks: set = field(default_factory=set)
    # start_ms, end_ms and step_ms; of an instant query the three say one point.
    steps: tuple = ()
    exact: bool = False


class Generator:
    def __init__(self, rng, begin_ms):
        self.rng, self.begin_ms = rng, begin_ms
        self.turns = 0

    def pick(self, values):
        return self.rng.choice(values)

    def turn(self, values):
        """One after the other, where a rare one might never be picked."""
        self.turns += 1
        return values[self.turns % len(values)]

    def chance(self, percent):
        return self.rng.randrange(100) < percent

    def time(self):
        """Seconds, at least an hour from either end of the data."""
        return self.begin_ms // 1000 + 3600 + self.rng.randrange(3600)

    def query(self):
        start = self.time() * 1000 + 500
        part, kinds = self.top()
        steps = (start, start, 0)
        if kinds == "any" and self.chance(60):
            step = self.pick([2.5, 7, 15, 30, 60, 61, 120, 300]) * 1000
            # A span that does not end on a step, too.
            end = min(start + int(step) * self.rng.randrange(40) + self.rng.randrange(1000), (self.begin_ms
                                                                                              + 120 * 60_000))
            steps = (start, max(start, end), int(step))
        marks = set(part.marks)
        if part.ties and part.kind != "topk":
            marks.add("tie")
        return Query(part.text, part.kind, marks, steps, part.exact)

    def top(self):
        """An expression, and "any" or "instant" for the kinds of query that can ask it."""
        if self.chance(4):
            return Part(self.selector()[0] + self.brackets() + self.modifiers()), "instant"
        if self.chance(2):
            inner = self.vector(1)
            return Part(f"({inner.text}){self.subquery()}", inner.exact, inner.marks, ties=inner.ties), "instant"
        if self.chance(1):
            return Part(self.pick(['"text"', "'a\\nb'", "`raw\\n`"])), "instant"
        if self.chance(4):
            return Part(self.pick(BROKEN)), "any"
        if self.chance(5):
            return self.scalar(2), "any"
        if self.chance(4):
            return Part(f"{self.turn(ROUGH_MATH + DATES)}({self.pick(['m0', 'm1', 'n', 'k'])}{self.modifiers()})",
                        False), "any"
        if self.chance(4):
            return self.edge_call(), "any"
        if self.chance(5):
            return self.chain(), "any"
        if self.chance(3):
            return self.text_call(), "any"
        return self.vector(self.rng.randrange(5)), "any"

    def edge_call(self):
        selector = self.pick(["edge", 'edge{i="0"}', 'edge{i!="1"}'])
        ranged = selector + self.brackets() + self.modifiers()
        text = self.pick(["{0}", "abs({0})", "ceil({0})", "floor({0})", "sgn({0})", "-{0}", "{0} * 2", "{0} / 3",
                          "{0} % 7", "7 % {0}", "{0} + 0.1", "0.1 - {0}", "{0} > 0", "{0} <= bool 0.5", "{0} == {0}",
                          "round({0})", "sqrt({0})", 'count_values("v", {0})', 'count_values by (i) ("v", {0})',
                          "min({0})", "max({0})", "clamp_max({0}, 1)", "min_over_time({1})", "max_over_time({1})",
                          "last_over_time({1})", "changes({1})", "resets({1})", "count_over_time({1})",
                          "present_over_time({1})", "sort({0})", "sort_desc({0})", "timestamp({0})",
                          "quantile by (i) (0.5, {0})", "scalar({0})", "{0} ^ 2", "{0} ^ -1", "2 ^ {0}",
                          "year({0} > 0 < 1e9)", "day_of_week({0} > -1 < 1e9)"])
        return Part(text.format(selector, ranged), kind="edge")

    def text_call(self):
        selector = "text{" + ", ".join({self.pick(TEXT_MATCHERS) for _ in range(self.pick([1, 1, 2]))}) + "}"
        text = self.pick(["{0}", "count by (path) ({0})", 'label_replace({0}, "n", "$2$1", "path", "(.)(.*)")',
                          "absent({0})", 'label_replace({0}, "path", "ü$1", "path", "(.*)")',
                          'label_join({0}, "n", "é", "path", "a")', "{0} + {0}", 'count_values("path", {0})',
                          'label_replace({0}, "n", "$w-${{w}}", "path", "(?P<w>\\\\w+).*")'])
        return Part(text.format(selector), False)

    def chain(self):
        """Precedence and association: no brackets. Nothing is summed, so nothing is rounded in another way."""
        def operand():
            sign = self.pick(["", "", "", "-", "+", "- -"])
            return sign + self.pick(["k", "k", "n", 'n{a="x", b="1"}', 'k{a!="z"}', "2", "3", "0.5", "time()",
                                     "vector(4)"])
        text = operand()
        for _ in range(self.pick([1, 2, 3, 4])):
            op = self.pick(["+", "-", "*", "/", "%", "^", "==", "!=", ">", "< bool", "== bool", ">= bool", "and", "or",
                            "unless", "+ on (a)", "* ignoring (b, c)", "> on (a)", "and on (a)", "or on ()",
                            "- on (a) group_left", "* on (a) group_right"])
            text += f" {op} {self.pick(['2', '3', '-1', '0']) if op == '^' else operand()}"
        if " or " in text or self.chance(30):
            text = f"sum without () ({text})"
        return Part(text, True, frozenset(["filtered_match"]))

    def selector(self):
        """The text and whether it is steady."""
        if self.chance(10):
            return self.pick(NAMELESS), False
        name = self.pick(METRICS)
        if self.chance(3):
            name = "missing"
        matchers = [self.pick(MATCHERS) for _ in range(self.pick([0, 0, 1, 1, 2]))]
        return name + ("{" + ", ".join(matchers) + "}" if matchers else ""), name in STEADY

    def brackets(self):
        return f"[{self.pick(RANGES)}]"

    def subquery(self):
        return f"[{self.pick(SUBQUERY_RANGES)}:{self.pick(['', '30s', '1m', '47s', '15s'])}]"

    def modifiers(self):
        parts = []
        if self.chance(15):
            parts.append(" offset " + self.pick(["1m", "7m", "-2m", "90s", "10m", "-10m", "1m30s"]))
        if self.chance(10):
            parts.append(" @ " + self.pick(["start()", "end()", str(self.time()), f"{self.time()}.7"]))
        self.rng.shuffle(parts)
        return "".join(parts)

    def vector(self, depth):
        if depth <= 0 or self.chance(8):
            text, steady = self.selector()
            return Part(text + self.modifiers(), steady=steady, named=True)
        return self.pick([self.range_call] * 4 + [self.call] * 3 + [self.aggregation] * 4 + [self.with_scalar] * 2
                         + [self.with_vector] * 3 + [self.histogram_call] * 2 + [self.wrapped])(depth)

    def exact(self, depth):
        """What a function may be given that is not continuous."""
        for _ in range(6):
            part = self.vector(depth)
            if part.exact and not part.ties:
                return part
        return self.vector(0)

    def wrapped(self, depth):
        inner = self.vector(depth - 1)
        how = self.pick(["-(", "(", "+(", "sort(", "sort_desc("])
        return Part(how + inner.text + ")", inner.exact, inner.marks, inner.steady, inner.ties,
                    how[:-1] if how.startswith("sort") else "")

    def scalar(self, depth):
        if depth > 0 and self.chance(30):
            inner = self.vector(depth - 1)
            return Part(f"scalar({inner.text})" if self.chance(20) else f"scalar(sum({inner.text}))", inner.exact,
                        inner.marks, ties=inner.ties)
        if depth > 0 and self.chance(20):
            left, op = self.scalar(depth - 1), self.pick(["+", "-", "*", "/", "%", "^", "atan2", "> bool", "== bool",
                                                          "<= bool"])
            return Part(f"({self.positive_zero(left, op).text} {op} {self.pick(['2', '0.5', '10', '-3', '0'])})",
                        left.exact and op not in "/%^atan2", left.marks | self.cut(left, op in "%" or "bool" in op),
                        ties=left.ties)
        return Part(self.pick(["0", "1", "2", "-3", "0.5", "16", "time()", "NaN", "+Inf", "-Inf", "10", "1e3", "0x10",
                               "-0"]), True) if not self.chance(5) else Part("pi()", False)

    @staticmethod
    def positive_zero(part, op):
        """See the rule `zero_sign`."""
        if op in ("/", "^", "atan2") and ("sum" in part.text or "avg" in part.text):
            return replace(part, text=f"({part.text} + 0)", named=False)
        return part

    @staticmethod
    def cut(part, cuts=True):
        """The mark of a function that is not continuous over what was rounded."""
        return frozenset(["rounded"]) if cuts and not part.exact else frozenset()

    def matrix(self, depth):
        """(Part, whether rate() may take it: see the rule `zero_point`)"""
        if depth <= 1 or self.chance(65):
            text, steady = self.selector()
            safe = steady or text.split("{")[0] in HIGH
            return Part(text + self.brackets() + self.modifiers(), steady=steady), safe
        inner = self.vector(depth - 1)
        return Part(f"({inner.text}){self.subquery()}{self.modifiers()}", inner.exact, inner.marks,
                    ties=inner.ties), inner.steady

    def range_call(self, depth):
        inner, safe = self.matrix(depth)
        if self.chance(25):
            if not safe and self.chance(80):
                inner, safe = Part(self.pick(STEADY + HIGH) + self.pick(["", '{a="x"}', '{b=~"1|2"}']) + self.brackets()
                                   + self.modifiers()), True
            marks = inner.marks | (frozenset() if safe else frozenset(["zero_point"])) | self.cut(inner)
            return Part(f"{self.pick(['rate', 'increase'])}({inner.text})", False, marks, ties=inner.ties)
        name = self.pick(["sum_over_time", "count_over_time", "min_over_time", "max_over_time", "last_over_time",
                          "present_over_time", "absent_over_time", "idelta", "irate", "delta", "avg_over_time", "deriv",
                          "changes", "resets", "stddev_over_time", "stdvar_over_time", "quantile_over_time",
                          "predict_linear", "holt_winters"])
        marks = inner.marks | self.cut(inner, name in ("irate", "changes", "resets", "quantile_over_time"))
        text = inner.text
        if name in COMPENSATED and any(word in text for word in GROWING):
            marks |= {"overflow"}
        if name == "quantile_over_time":
            text = f"{self.pick(['0.5', '0.9', '0', '1', '0.25', '-1', '2', 'NaN'])}, {text}"
        elif name == "predict_linear":
            marks |= {"moving_at"} if "@" in text else set()
            text += ", " + self.pick(["60", "3600", "-30", "0"])
        elif name == "holt_winters":
            text += ", 0.3, 0.6"
            marks |= {"holt_winters"}
        exact = name in ("count_over_time", "present_over_time", "absent_over_time", "changes", "resets") or (
            inner.exact and name in ("sum_over_time", "min_over_time", "max_over_time", "last_over_time", "idelta"))
        return Part(f"{name}({text})", exact, marks, ties=inner.ties)

    def call(self, depth):
        how = self.rng.randrange(100)
        if how < 15:
            inner = self.vector(depth - 1)
            return Part(f"{self.pick(['abs', 'absent'])}({inner.text})", inner.exact, inner.marks, ties=inner.ties)
        if how < 30:
            return self.label_call(depth)
        if how < 38:
            inner = self.vector(depth - 1)
            marks = inner.marks | (frozenset(["moving_at"]) if "@" in inner.text else frozenset())
            return Part(f"timestamp({inner.text})", True, marks, ties=inner.ties)
        if how < 45:
            inner = self.scalar(depth)
            return replace(inner, text=f"vector({inner.text})")
        if how < 55:
            date = self.pick(DATES)
            if self.chance(10):
                return Part(f"{date}()")
            return Part(f"{date}({self.pick(['vector(time() * 3)', 'm0 * 86400 * 30', 'k', 'm1', 'm0 * 1e6'])})")
        inner = self.exact(depth - 1)
        if how < 70:
            name = self.pick(["ceil", "floor", "sgn", "round"])
            return Part(f"{name}({inner.text})", True, inner.marks | self.cut(inner), ties=inner.ties)
        if how < 80:
            name, bound = self.pick(["clamp_min", "clamp_max", "round"]), self.pick(["5", "-20", "8", "0.5", "NaN"])
            return Part(f"{name}({inner.text}, {bound})", True, inner.marks | self.cut(inner, name == "round"),
                        ties=inner.ties)
        if how < 85:
            return Part(f"clamp({inner.text}, {self.pick(['-10', '30', 'NaN'])}, 20)", True, inner.marks,
                        ties=inner.ties)
        return Part(f"{self.pick(ROUGH_MATH)}({inner.text})", False, inner.marks, ties=inner.ties)

    def label_call(self, depth):
        inner = self.vector(depth - 1)
        if self.chance(30):
            sources = self.pick(['"a"', '"a", "b"', '"b", "a", "missing"', '"__name__", "a"'])
            target, between = self.pick(["n", "a", "__name__"]), self.pick(["-", "", ","])
            text = f'label_join({inner.text}, "{target}", "{between}", {sources})'
        else:
            target = self.pick(["n", "n", "a", "b", "__name__"])
            replacement = self.pick(["$1", "p-$1", "${1}_q", "", "fixed", "$2$1", "$0"])
            source, regex = self.pick([("a", "(.*)"), ("a", "(x|y)"), ("b", "(1)?(.*)"), ("missing", "(.*)"),
                                       ("a", "z"), ("__name__", "(.).*"), ("c", "(u)"), ("a", "(?P<x>.)")])
            text = f'label_replace({inner.text}, "{target}", "{replacement}", "{source}", "{regex}")'
        return Part(text, inner.exact, inner.marks | self.sees_name(inner, "__name__" in text[len(inner.text):]),
                    ties=inner.ties)

    @staticmethod
    def sees_name(part, sees=True):
        """The mark of what looks at names that have been dropped."""
        return frozenset(["delayed_name"]) if sees and not part.named else frozenset()

    def histogram_call(self, _depth):
        # Between two whole counts: a rounding error cannot move it from one bucket to another.
        phi = self.pick(["0.5137", "0.9137", "0.2503", "0.9907", "0", "1", "-1", "2", "NaN"])
        rate = f"{self.pick(['rate', 'increase'])}(h_bucket{self.brackets()}{self.modifiers()})"
        inner, exact = self.pick([(rate, False), (f"sum by (le) ({rate})", False), (f"sum by (a, le) ({rate})", False),
                                  (f"sum without (b) ({rate})", False), ("h_bucket", True),
                                  ('h_bucket{le!="2.5"}', True), ('h_bucket{le!="+Inf"}', True),
                                  ("sum by (le, a) (h_bucket)", True), ("m0", True),
                                  ('label_replace(h_bucket, "le", "x", "le", "2.5")', True),
                                  ('label_replace(h_bucket, "le", "1.0", "le", "2.5")', True), ("-h_bucket", True)])
        if self.chance(12):
            name = self.pick(["histogram_count", "histogram_sum"])
            return Part(f"{name}({inner})", True)
        if self.chance(8):
            return Part(f"histogram_fraction(0, {self.pick(['1', '2.5', '3'])}, {inner})", False,
                        frozenset(["histogram_fraction"]))
        marks = frozenset() if exact or phi not in "01" else frozenset(["rounded"])
        return Part(f"histogram_quantile({phi}, {inner})", False, marks)

    def aggregation(self, depth):
        grouping, how = self.pick(GROUPINGS), self.rng.randrange(100)
        part, inner = self.aggregated(depth, grouping, how)
        return replace(part, marks=part.marks | self.sees_name(inner, "__name__" in grouping))

    def aggregated(self, depth, grouping, how):
        """The aggregation and what it is of."""
        if how < 15:
            inner = self.exact(depth - 1)
            inside = f"{self.pick(['topk', 'bottomk'])}{grouping} ({self.pick(COUNTS)}, {inner.text})"
            marks = inner.marks | self.cut(inner)
            if self.chance(70):
                return Part(f"{self.pick(['sum', 'min', 'max', 'count'])}({inside})", True, marks,
                            ties=inner.ties), inner
            return Part(inside, True, marks, ties=True, kind="" if inner.ties else "topk"), inner
        if how < 25:
            inner = self.exact(depth - 1)
            phi = self.pick(["0.5", "0.1", "1", "2", "-1", "NaN", "scalar(n{a=\"x\", b=\"1\"})"])
            return Part(f"quantile{grouping} ({phi}, {inner.text})", False, inner.marks | self.cut(inner),
                        ties=inner.ties), inner
        if how < 33:
            inner = self.exact(depth - 1)
            return Part(f'count_values{grouping} ("{self.pick(["v", "a"])}", {inner.text})', True,
                        inner.marks | self.cut(inner), ties=inner.ties), inner
        if how < 43:
            inner = self.exact(depth - 1)
            # See the rule `odd_deviation`.
            return Part(f"{self.pick(['stddev', 'stdvar'])}{grouping} ({inner.text} > -Inf < Inf)", False, inner.marks,
                        ties=inner.ties), inner
        inner = self.vector(depth - 1)
        name = self.pick(["sum", "sum", "min", "max", "count", "group", "avg"])
        clears = name in ("sum", "min", "max", "count") and grouping == "" and inner.kind == "topk"
        text = f"{name}{grouping} ({inner.text})" if self.chance(70) else f"{name}({inner.text}){grouping}"
        return Part(text, name in ("count", "group") or (inner.exact and name != "avg"), inner.marks,
                    inner.steady and name in ("sum", "min", "max", "count"), inner.ties and not clears), inner

    def with_scalar(self, depth):
        inner, other = self.vector(depth - 1), self.scalar(self.rng.randrange(2))
        op = self.pick(["+", "-", "*", "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", ">", "<", ">=", "<=",
                        "> bool", "== bool", "<= bool", "!= bool"])
        compares = op.strip(" bool") in ("==", "!=", ">", "<", ">=", "<=")
        if compares or op == "%":
            inner = self.exact(depth - 1)
        both = Part("", inner.exact and other.exact)
        marks = inner.marks | other.marks | self.cut(both, compares or op == "%")
        inner, other = self.positive_zero(inner, op), self.positive_zero(other, op)
        text = f"({inner.text} {op} {other.text})" if self.chance(60) else f"({other.text} {op} ({inner.text}))"
        if op == "atan2":
            text, name = self.without_name(text, "atan2_name")
            marks |= name
        return Part(text, both.exact and (compares or op in "+-*"), marks, ties=inner.ties or other.ties)

    def with_vector(self, depth):
        matching = self.pick(["", "", "", "on (a) ", "on (a, b) ", "ignoring (b) ", "ignoring (c) ", "on () ",
                              "ignoring () ", "on (a, b, c) "])
        if self.chance(35):
            left, right, op = self.vector(depth - 1), self.vector(depth - 1), self.pick(["and", "or", "unless"])
            text, marks = f"({left.text} {op} {matching}{right.text})", left.marks | right.marks
            if op == "or" and not (left.named and right.named):
                text, name = self.without_name(text, "delayed_name")
                marks |= name
            return Part(text, left.exact and right.exact, marks, ties=left.ties or right.ties)
        if self.chance(20):
            left = self.vector(depth - 1)
            labels = self.pick(["", "()", "(version)", "(version, zone)", "(b)", "(missing)"])
            return Part(f"({left.text} * on (a) group_left{labels} m_info)", left.exact, left.marks, ties=left.ties)
        compares = self.chance(40)
        if compares:
            left, right = self.exact(depth - 1), self.exact(depth - 1)
            op = self.pick(["==", "!=", ">", "<", ">=", "<=", "> bool", "== bool", "<= bool"])
        else:
            left, right = self.vector(depth - 1), self.vector(depth - 1)
            op = self.pick(["+", "-", "*", "/", "^", "atan2"])
        # Many of these would be errors of matching; what aggregates alike on both sides matches.
        if self.chance(45):
            by = self.pick(["a", "b", "a, b"])
            left, right = (Part(f"sum by ({by}) ({side.text})", side.exact, side.marks, ties=side.ties)
                           for side in (left, right))
        left, right = self.positive_zero(left, op), self.positive_zero(right, op)
        group = ""
        if matching and self.chance(30):
            group = self.pick(["group_left () ", "group_right () ", "group_left (c) ", "group_right (c) "])
        if "c" in matching and "(c)" in group:
            group = ""
        both = Part("", left.exact and right.exact)
        text, marks = f"({left.text} {op} {matching}{group}{right.text})", left.marks | right.marks | self.cut(both,
                                                                                                               compares)
        if op == "atan2":
            text, name = self.without_name(text, "atan2_name")
            marks |= name | (frozenset(["atan2_name"]) if group else frozenset())
        if compares and "bool" not in op:
            marks |= {"filtered_match"}
        return Part(text, both.exact and (compares or op in "+-*"), marks, ties=left.ties or right.ties)

    def without_name(self, text, mark):
        """The text as it can be compared, or the mark of what cannot."""
        return (f"sum without () {text}", frozenset()) if self.chance(80) else (text, frozenset([mark]))
