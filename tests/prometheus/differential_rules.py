"""Where Prometheus 3, whose language ours is, differs from 2.42, for differential.py; and what no two can agree on.

Sources: the pull requests and issues named are of prometheus/prometheus.
"""

# Data and queries are made so that these never show.
AVOIDED = {
    "left_open":
        "3.0 leaves out the sample at the left end of a range, of a subquery and of the lookback (migration guide of "
        "3.0). No sample lies there: samples are at .003 s, queries at .500 s (@: .000, .700), ranges, steps and "
        "offsets are whole seconds. A subquery's points lie at whole multiples of its step, hence its ranges end in "
        "250 ms.",
    "newline":
        "3.0: a regex' dot matches a newline. No label has one.",
    "le":
        "3.0 writes le as floats (\"1.0\") when it scrapes. Nothing is scraped.",
    "utf8":
        "3.0 takes any UTF-8 as a name. Names here are of the older kind.",
    "numbers":
        "3.x takes numbers for durations and durations for numbers. The generator writes each as 2.42 wants it.",
    "zero_sign":
        "sum() and avg() of -0 are -0 in 2.42 and 0 in 3.x, which adds a compensation (pull request 14074). Where the "
        "sign of a zero shows, + 0 is added.",
    "odd_deviation":
        "3.x: stddev() and stdvar() of one NaN or infinity are NaN, 2.42: 0 (pull request 14941). Only ordinary "
        "numbers go in.",
}

# The generator marks what is asked of neither.
EXCLUDED = {
    "zero_point":
        "Where rate() and increase() cut the extrapolation at a counter's zero: 3.x first shortens a gap at the "
        "range's begin to half an interval (pull request 13725, 2.51), which matters for a counter near zero that "
        "begins or has a gap. Only counters without gaps or far from zero are compared.",
    "rounded":
        "No difference of versions: after a rounding error a comparison, a rank or a reset may fall either way.",
    "tie":
        "topk and bottomk take either of two equal values. What is computed from the labels of their answer differs; "
        "an answer that is theirs alone is compared by its values.",
    "delayed_name":
        "Our engine drops __name__ at the end of the query (pull request 14477, behind a flag in 3.x), 2.42 at once: "
        "what looks at __name__ in between sees another, 2.42 refuses series that are the same but for the name at "
        "once, and a series of `or` that begins with a name keeps it though it goes on without.",
    "atan2_name":
        "2.42 keeps __name__ where atan2 is computed (mended in 2.47, pull request 12595).",
    "overflow":
        "A compensated sum that overflows: infinity in 3.x, NaN in 2.42 (kahansum.Inc drops the compensation then).",
    "moving_at":
        "2.42 moves what predict_linear() and timestamp() see on with the steps though @ holds it (issue 11708, pull "
        "request 13559, 2.51).",
    "histogram_fraction":
        "2.42 computes it of native histograms only, 3.x of classic ones too (pull request 16095).",
}

# What only shows in the answers: the version that alone refuses, how it does, and the mark a query must have.
REFUSED = {
    "delayed_name": ("theirs", "vector cannot contain metrics with the same labelset", None),
    # A comparison that filters: 2.42 counts a second match for a group only if the comparison keeps it, 3.x always
    # (pull request 17668, 3.9).
    "filtered_match": ("ours", "multiple matches for labels", "filtered_match"),
}

# Asked of us by another name.
REWRITTEN = {
    "holt_winters":
        "3.0 calls it double_exponential_smoothing and has it behind a feature flag.",
}

# What every run should have in some answer; histogram_count and histogram_sum give none without native histograms.
WORDS = """
abs absent absent_over_time acos acosh and asin asinh atan atan2 atanh avg avg_over_time bool bottomk by ceil changes
clamp clamp_max clamp_min cos cosh count count_over_time count_values day_of_month day_of_week day_of_year
days_in_month deg delta deriv end exp floor group group_left group_right histogram_quantile holt_winters hour idelta
ignoring increase irate label_join label_replace last_over_time ln log10 log2 max max_over_time min min_over_time
minute month offset on or pi predict_linear present_over_time quantile quantile_over_time rad rate resets round scalar
sgn sin sinh sort sort_desc sqrt start stddev stddev_over_time stdvar stdvar_over_time sum sum_over_time tan tanh time
timestamp topk unless vector without year
""".split()
