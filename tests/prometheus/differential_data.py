"""Seeded series of many kinds for differential.py, and the remote-write requests that carry them."""

import random
import struct

LENGTH_MS = 150 * 60_000
SLICE_MS = 10 * 60_000
# Sample times end in these milliseconds, and no time that a query can ask about does: see the rule `left_open`.
SAMPLE_MS = 3
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
BOUNDS = ["0.1", "0.5", "1", "2.5", "5", "10", "+Inf"]
# What the names below promise; the rule `zero_point` says why it matters.
STEADY = ("z_total", "k", "h_bucket", "h_count", "h_sum")
HIGH = ("c_total",)


def steady_times(rng):
    """Every 15 s but for 1 %, over the whole time."""
    return [at // 10 * 10 + SAMPLE_MS for at in
            (i * 15_000 + rng.randrange(150) for i in range(LENGTH_MS // 15_000))]


def broken_times(rng, begin=0, end=LENGTH_MS):
    """At odd intervals, with scrapes that are missing for a while."""
    times, at = [], begin + rng.randrange(15_000)
    while at < end:
        times.append(at // 10 * 10 + SAMPLE_MS)
        at += rng.choice([60_000, 200_000, 420_000]) if rng.random() < 0.06 else rng.randrange(5_000, 31_000)
    return times


def gauge(rng, times, odd=0.0):
    """Quarters: sums of them are exact. `odd` is the share of values that are no ordinary numbers."""
    samples = []
    for at in times:
        value = rng.randrange(-200, 400) / 4
        if rng.random() < odd:
            value = rng.choice([float("nan"), float("inf"), float("-inf"), -0.0])
        samples.append((at, STALE if rng.random() < 0.02 else value))
    return samples


def few_values(rng, times):
    """Stays for a while at what it is: ties, and something for changes()."""
    value, samples = rng.randrange(4), []
    for at in times:
        value = rng.randrange(4) if rng.random() < 0.1 else value
        samples.append((at, value))
    return samples


def edges(rng, times):
    """What is hard to write, to round or to read."""
    values = [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, 2.0**53 + 2, 2.0**63,
              -0.0, 0.1, 1e21, 123456789012345680000, 1e-7, -1e-300, 0.5, 1.5, 2.5, -0.5, -1.5, 1 / 3, float("inf"),
              float("nan")]
    return [(at, rng.choice(values)) for at in times]


def high_counter(rng, times):
    """Never near zero: a reset halves it."""
    value, left, samples = 1e6 + rng.randrange(1000), 5, []
    for at in times:
        if left and rng.random() < 0.015:
            value, left = value // 2, left - 1
        else:
            value += rng.randrange(4)
        samples.append((at, STALE if rng.random() < 0.01 else value))
    return samples


def low_counter(rng, times):
    value, samples = rng.randrange(50), []
    for at in times:
        value = rng.randrange(3) if rng.random() < 0.02 else value + rng.randrange(6)
        samples.append((at, value))
    return samples


def histogram(rng, labels):
    """The series of one classic histogram, which is reset now and then."""
    times = steady_times(rng)
    weights = [rng.choice([0, 1, 2, 5]) for _ in BOUNDS]
    if not any(weights):
        weights[3] = 1
    columns, total = [[] for _ in BOUNDS], []
    counts, spent = [0] * len(BOUNDS), 0.0
    for at in times:
        if rng.random() < 0.01:
            counts, spent = [0] * len(BOUNDS), 0.0
        for bucket in rng.choices(range(len(BOUNDS)), weights, k=rng.randrange(8)):
            spent += bucket / 4
            for i in range(bucket, len(BOUNDS)):
                counts[i] += 1
        for i, column in enumerate(columns):
            column.append((at, counts[i]))
        total.append((at, spent))
    series = [({"__name__": "h_bucket", "le": bound, **labels}, columns[i]) for i, bound in enumerate(BOUNDS)]
    return series + [({"__name__": "h_count", **labels}, columns[-1]), ({"__name__": "h_sum", **labels}, total)]


def short_lives(rng, labels):
    """Begins and ends within the time, with a stale marker or without, and may come back."""
    samples, at = [], rng.randrange(LENGTH_MS // 2)
    while at < LENGTH_MS:
        end = at + rng.randrange(120_000, 1_500_000)
        samples += [sample for sample in gauge(rng, broken_times(rng, at, min(end, LENGTH_MS)))
                    if not samples or sample[0] > samples[-1][0]]
        if samples and rng.random() < 0.5:
            samples.append((samples[-1][0] + 1000, STALE))
        at = end + rng.randrange(400_000, 2_000_000)
    return {"__name__": "e", **labels}, samples


def generate(seed):
    """[(labels, [(milliseconds since the beginning, value)])]"""
    rng = random.Random(seed)
    series = []

    def add(name, make, times, **more):
        for a in "xyz":
            for b in "12":
                if rng.random() < 0.15:
                    continue
                extra = {"c": rng.choice(["u", "v"])} if rng.random() < 0.4 else {}
                series.append(({"__name__": name, "a": a, "b": b, **extra}, make(rng, times(rng), **more)))

    add("m0", gauge, broken_times)
    add("m1", gauge, broken_times, odd=0.08)
    add("n", few_values, broken_times)
    add("c_total", high_counter, broken_times)
    add("z_total", low_counter, steady_times)
    series += [({"__name__": "k", "a": a}, [(at, value) for at in steady_times(rng)])
               for a, value in (("x", 7), ("y", 0), ("z", -2.5))]
    for a in "xy":
        for b in "12":
            series += histogram(rng, {"a": a, "b": b})
    series += [short_lives(rng, {"a": rng.choice("xyz"), "i": str(i)}) for i in range(8)]
    series += [({"__name__": "m_info", "a": a, "version": f"v{i}", "zone": "eu"}, [(at, 1) for at in steady_times(rng)])
               for i, a in enumerate("xyz")]
    series += [({"__name__": "edge", "i": str(i)}, edges(rng, broken_times(rng))) for i in range(4)]
    series += [({"__name__": "text", "a": "x", "path": path}, gauge(rng, broken_times(rng)))
               for path in ('/a b"c', "C:\\d", "žluť", "日本語", "{a='x'}", "tab\tin it", "$1")]
    series += [({"__name__": "wide", "a": rng.choice("xyz"), "b": rng.choice("12"), "id": f"{i:02}"},
                gauge(rng, steady_times(rng)[::8])) for i in range(40)]
    return series


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def snappy(data):
    """Snappy's framing with literals only."""
    out = [varint(len(data))]
    for at in range(0, len(data), 65536):
        piece = data[at:at + 65536]
        out += [bytes([61 << 2]), struct.pack("<H", len(piece) - 1), piece]
    return b"".join(out)


def sample_bytes(at, value):
    bits = struct.pack("<Q", 0x7FF0000000000002) if value is STALE else struct.pack("<d", value)
    return b"\x09" + bits + b"\x10" + varint(at)


def write_requests(series, begin_ms):
    """Bodies of remote write 1.0, in the order of time: Prometheus refuses what is an hour older than its newest."""
    for slice_ms in range(0, LENGTH_MS, SLICE_MS):
        request = []
        for labels, samples in series:
            now = [sample for sample in samples if slice_ms <= sample[0] < slice_ms + SLICE_MS]
            if not now:
                continue
            parts = [field(1, field(1, name.encode()) + field(2, labels[name].encode())) for name in sorted(labels)]
            parts += [field(2, sample_bytes(begin_ms + at, value)) for at, value in now]
            request.append(field(1, b"".join(parts)))
        yield snappy(b"".join(request))
