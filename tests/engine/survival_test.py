"""Workers are killed and frozen under 32 seeded streams: every stream ends with the text that it has undisturbed."""

import argparse
import random
import signal
import sys
import threading
import time

from engine_cluster import Cluster, stream_all

STREAMS = 32
TOKENS = 220
WORKERS = 3
NEVER_END = {"257": -100}  # the end token of byte-level models


def bodies(round_number):
    return [{"prompt": f"Stream {i} of round {round_number} begins " + "so " * (i % 7), "max_tokens": TOKENS,
             "seed": 1000 * round_number + i, "temperature": 0 if i % 4 == 0 else 0.9,
             "logit_bias": NEVER_END} for i in range(STREAMS)]


class Trouble(threading.Thread):
    """Kills and freezes workers that serve until it is told to stop; a killed one comes back, a frozen one goes on."""

    def __init__(self, cluster, dice, wanted):
        super().__init__()
        self.cluster, self.dice, self.wanted = cluster, dice, wanted
        self.kills = self.freezes = 0
        self.over = threading.Event()

    def victim(self):
        """One of the workers that serve, once two stages stand; None: the streams ended before."""
        while not self.over.is_set():
            stages = self.cluster.stats()["pipelines"][0]["stages"]
            if len(stages) >= 2:
                return self.cluster.ports.index(int(self.dice.choice(stages)["worker"].rpartition(":")[2]))
            time.sleep(0.02)
        return None

    def run(self):
        while not self.over.is_set() and self.kills + self.freezes < self.wanted:
            if self.over.wait(self.dice.uniform(0.05, 0.3)):
                return
            i = self.victim()
            if i is None:
                return
            process = self.cluster.workers[i]
            if self.dice.random() < 0.6:
                process.kill()
                process.wait()
                self.kills += 1
                time.sleep(self.dice.uniform(0.0, 0.5))
                self.cluster.start_worker(i)
            else:
                process.send_signal(signal.SIGSTOP)
                self.freezes += 1
                time.sleep(self.dice.uniform(0.2, 2.5))
                process.send_signal(signal.SIGCONT)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--troubles", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    done = kills = freezes = rounds = 0
    shape = ["--preset", "tiny", "--layers", "6"]
    with Cluster(WORKERS, shape, ["--request-timeout", "110", "--min-stages", "3",
                                  "--longest-retry", "1"], local_fallback=True) as cluster:
        reference = {}
        while done < arguments.troubles:
            kind = rounds % 2
            if kind not in reference:
                reference[kind] = stream_all(cluster.port, bodies(kind))
                for stream in reference[kind]:
                    assert stream.error is None and len(stream.tokens) == TOKENS, stream.error
            cluster.wait_until(lambda: cluster.stages()[0] >= 2)
            trouble = Trouble(cluster, dice, arguments.troubles - done)
            trouble.start()
            streams = stream_all(cluster.port, bodies(kind))
            trouble.over.set()
            trouble.join()
            for i, (got, want) in enumerate(zip(streams, reference[kind])):
                assert got.error is None, f"round {rounds}, stream {i}: {got.error}"
                assert got.tokens == want.tokens, f"round {rounds}, stream {i}: other tokens"
                assert got.text == want.text and got.finish == want.finish, f"round {rounds}, stream {i}: other text"
            kills, freezes, rounds = kills + trouble.kills, freezes + trouble.freezes, rounds + 1
            done = kills + freezes
        replans = cluster.metric("binnacle_pipeline_replans_total")
        replayed = cluster.metric("binnacle_pipeline_replayed_tokens_total")
        assert replans > 0, "nothing was ever placed anew: the test did not bite"
    print(f"{rounds} rounds of {STREAMS} streams, {kills} kills, {freezes} freezes: all texts as undisturbed; "
          f"{replans:.0f} placements given up, {replayed:.0f} tokens replayed")


if __name__ == "__main__":
    sys.exit(main())
