"""The same tokens from one process and from pipelines over 1, 2, 3 and 5 workers, greedy and seeded, over real gRPC."""

import sys

from engine_cluster import Cluster, stream_all

SHAPES = {"dense": ["--preset", "tiny", "--layers", "6"],
          "mixture": ["--preset", "tiny", "--layers", "6", "--experts", "4", "--experts-per-token", "2"]}


def bodies():
    return [{"prompt": f"The {i}th " + "word and " * (5 * (i % 5)), "max_tokens": 40, "seed": i, "top_p": 0.95,
             "temperature": 0 if i % 2 == 0 else 1.1,
             "logit_bias": {"257": -100}} for i in range(10)]


def answers(workers, shape):
    with Cluster(workers, shape, ["--min-stages", "9"]) as cluster:
        if workers:
            cluster.wait_until(lambda: cluster.stages() == [workers])
        streams = stream_all(cluster.port, bodies())
        # One at a time, too: who shares a step with whom changes nothing.
        alone = [stream_all(cluster.port, [body])[0] for body in bodies()[:3]]
        # And cut in the middle: given the tokens so far, the rest is the same.
        for body, stream in zip(bodies(), streams):
            rest = stream_all(cluster.port, [{**body, "continue_token_ids": stream.tokens[:17]}])[0]
            assert rest.tokens == stream.tokens[17:], rest.error
    for stream in streams + alone:
        assert stream.error is None and stream.finish == "length", stream.error
    assert [s.tokens for s in alone] == [s.tokens for s in streams[:3]]
    return [(stream.tokens, stream.text) for stream in streams]


def main():
    for name, shape in SHAPES.items():
        one = answers(0, shape)
        assert len({tuple(tokens) for tokens, _ in one}) > 5, "the answers do not differ: the test cannot fail"
        for workers in (1, 2, 3, 5):
            assert answers(workers, shape) == one, f"{name}: {workers} workers give other tokens"
        print(f"{name}: the same tokens from one process and from 1, 2, 3 and 5 workers")


if __name__ == "__main__":
    sys.exit(main())
