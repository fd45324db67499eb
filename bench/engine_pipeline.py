"""Figures of pipelines: see engine.sh."""

import argparse
import signal
import statistics
import threading
import time

from engine_cluster import Cluster, stream_all

NEVER_END = {"257": -100}
LAYERS = 24
STREAMS = 16
SETTLE_SECONDS = 1.5
TROUBLE_MS = 0.02  # of a row in a layer, while workers are killed and frozen


def shape(layers=LAYERS):
    return ["--preset", "tiny", "--layers", str(layers)]


def emulated(workers, ms, serve=(), worker=()):
    return Cluster(workers, shape(), ["--emulate", str(ms), "--min-stages", str(workers), *serve],
                   ["--emulate-seconds-per-row-layer", str(ms / 1e3), *worker])


def bodies(tokens, streams=STREAMS):
    return [{"prompt": "x", "max_tokens": tokens, "seed": i, "logit_bias": NEVER_END} for i in range(streams)]


def rate(cluster, workers, tokens):
    """Tokens a second of all streams together, from the first token of all to the first stream's end."""
    cluster.wait_until(lambda: cluster.stages() == [workers])
    streams = stream_all(cluster.port, bodies(tokens), timeout=600)
    for stream in streams:
        assert stream.error is None, stream.error
    begin = max(stream.times[0] for stream in streams)
    end = min(stream.times[-1] for stream in streams)
    between = sum(1 for stream in streams for at in stream.times if begin < at <= end)
    return between / (end - begin)


def pipeline():
    rates = {}
    for workers in (1, 3):
        with emulated(workers, 0.8) as cluster:
            rates[workers] = rate(cluster, workers, 80)
    print(f"pipeline emulated   1 worker {rates[1]:7.1f} tokens/s, 3 workers {rates[3]:7.1f}: "
          f"{rates[3] / rates[1]:.2f} x (ceiling 3.00, goal 2.80)", flush=True)
    for workers in (1, 3):
        with Cluster(workers, ["--preset", "demo"], ["--min-stages", str(workers)]) as cluster:
            rates[workers] = rate(cluster, min(workers, cluster.stats()["layers"]), 200)
    print(f"pipeline arithmetic 1 worker {rates[1]:7.1f} tokens/s, 3 workers {rates[3]:7.1f}: "
          f"{rates[3] / rates[1]:.2f} x (of one machine's cores)", flush=True)


def gap_over(stream, at):
    """The silence of a stream that begins before `at` and ends after it."""
    after = [t for t in stream.times if t > at]
    before = [t for t in stream.times if t <= at]
    return after[0] - before[-1] if after and before else None


def show(name, gaps, replays, goal):
    gaps = sorted(gaps)
    # The layers that were left, on two workers, with both of them busy all the time.
    floor = max(replays) * LAYERS * TROUBLE_MS / 2
    print(f"{name:19s} gap in a stream: p50 {statistics.median(gaps) * 1e3:6.0f} ms, "
          f"p95 {gaps[int(0.95 * (len(gaps) - 1))] * 1e3:6.0f} ms, most {gaps[-1] * 1e3:6.0f} ms of {len(gaps)}; "
          f"replay of at most {max(replays):.0f} tokens takes {floor:.0f} ms at least ({goal})", flush=True)


def trouble(name, times, harm, mend, goal):
    gaps, replays = [], []
    with emulated(3, TROUBLE_MS) as cluster:
        for i in range(times):
            cluster.wait_until(lambda: cluster.stages() == [3])
            replayed = cluster.metric("binnacle_pipeline_replayed_tokens_total")
            result = []
            thread = threading.Thread(target=lambda: result.extend(stream_all(cluster.port, bodies(1200, 8))))
            thread.start()
            cluster.wait_until(lambda: cluster.stats()["pipelines"][0]["running"] == 8)
            time.sleep(SETTLE_SECONDS)
            at = time.monotonic()
            harm(cluster, i % 3)
            thread.join()
            mend(cluster, i % 3)
            for stream in result:
                assert stream.error is None, stream.error
            gaps += [gap for gap in (gap_over(stream, at) for stream in result) if gap is not None]
            cluster.wait_until(lambda: cluster.metric("binnacle_pipeline_replayed_tokens_total") > replayed)
            replays.append(cluster.metric("binnacle_pipeline_replayed_tokens_total") - replayed)
    show(name, gaps, replays, goal)


def kill(cluster, i):
    cluster.workers[i].kill()
    cluster.workers[i].wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", default="pipeline killed frozen")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--freezes", type=int, default=4)
    arguments = parser.parse_args()
    parts = arguments.parts.split()
    if "pipeline" in parts:
        pipeline()
    if "killed" in parts:
        trouble("worker killed", arguments.kills, kill, lambda cluster, i: cluster.start_worker(i),
                "goal 100 ms + replay")
    if "frozen" in parts:
        trouble("worker frozen", arguments.freezes,
                lambda cluster, i: cluster.workers[i].send_signal(signal.SIGSTOP),
                lambda cluster, i: cluster.workers[i].send_signal(signal.SIGCONT),
                "goal max(1 s, 5 x p99 hop) + replay")


if __name__ == "__main__":
    main()
