"""How soon an engine that hangs behind a live front is told, and whether a burst is taken for one: an agent with an
engine for each way to hang, all at once, on loopback. No root."""

import os
import pathlib
import random
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tests" / folder) for folder in ("engines", "server", "agent")]

BURST = 1280
SETTLE_SECONDS = 4.0
GIVE_UP_SECONDS = 60.0
POLL_SECONDS = 0.02
CONFIG = """
agent: {interval: 10s}
collect: {host: {enabled: false}, engines: {search_interval: 2s}}
log: {format: json}
"""


class Way:
    """One way to hang, with an engine of its own."""

    def __init__(self, name, hang, heal, clients):
        from engine_process import EngineProcess, Load
        self.name, self.hang, self.heal = name, hang, heal
        self.engine = EngineProcess()
        self.load = Load(self.engine, clients) if clients else None
        self.took = []

    def close(self):
        if self.load is not None:
            self.load.stop()
        self.engine.stop()


def mode(how):
    return lambda way: way.engine.mode(how)


def ways():
    freeze = (lambda way: way.engine.freeze_worker(), lambda way: way.engine.thaw_worker())
    return [
        Way("worker stopped behind a live front, in use", *freeze, 4),
        Way("worker stopped behind a live front, idle", *freeze, 0),
        Way("scheduler stands still, in use", mode("stall"), mode("work"), 4),
        Way("short requests answered, long ones stalled", mode("stall_long"), mode("work"), 4),
        Way("streams kept open without tokens", mode("keepalive"), mode("work"), 2),
    ]


class Told:
    """Events of engines, as the server tells them."""

    def __init__(self, server):
        self.server, self.lock = server, threading.Lock()

    def since(self, way, kind, last):
        with self.lock:
            events = self.server.json("/api/binnacle/v1/events?kind=" + kind)["events"]
        return [event["id"] for event in events if event["id"] > last and way.engine.instance in event["subject"]]

    def newest(self):
        with self.lock:
            return max([event["id"] for event in self.server.json("/api/binnacle/v1/events")["events"]], default=0)

    def wait(self, way, kind, last):
        """Seconds; None when it is not told at all."""
        began = time.monotonic()
        while time.monotonic() - began < GIVE_UP_SECONDS:
            if self.since(way, kind, last):
                return time.monotonic() - began
            time.sleep(POLL_SECONDS)
        return None


def hang_again_and_again(way, told, times, seed):
    chance = random.Random(seed)
    for _ in range(times):
        time.sleep(SETTLE_SECONDS + chance.uniform(0, 6))
        last = told.newest()
        way.hang(way)
        way.took.append(told.wait(way, "engine.wedged", last))
        way.heal(way)
        told.wait(way, "engine.recovered", last)


def bursts(told, server_events, times):
    """How many bursts were taken for a wedge."""
    from engine_process import EngineProcess, Load
    engine = EngineProcess()
    try:
        time.sleep(3 * SETTLE_SECONDS)
        for _ in range(times):
            Load(engine, BURST, tokens=64, once=True).wait()
        time.sleep(SETTLE_SECONDS)
        return sum(engine.instance in event["subject"] for event in server_events())
    finally:
        engine.stop()


def wedged(tell, binary, times, burst_times):
    os.environ["BINNACLE_BIN"] = str(binary)
    from agent_process import AgentProcess
    from server_process import ServerProcess
    with tempfile.TemporaryDirectory(prefix="binnacle-detect-") as folder:
        server = ServerProcess(folder, config="collect: {host: {enabled: false}, engines: {enabled: false}}\n")
        all_ways = ways()
        agent = AgentProcess(folder + "/agent", f"http://127.0.0.1:{server.port}", "--name", "bench", config=CONFIG)
        try:
            told = Told(server)
            time.sleep(4 * SETTLE_SECONDS)
            threads = [threading.Thread(target=hang_again_and_again, args=(way, told, times, seed))
                       for seed, way in enumerate(all_ways)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for way in all_ways:
                tell(way.name, way.took)
            false = bursts(told, lambda: server.json("/api/binnacle/v1/events?kind=engine.wedged")["events"], burst_times)
            print(f"{burst_times} bursts of {BURST} requests: taken for a wedge {false} times", flush=True)
        finally:
            for way in all_ways:
                way.close()
            agent.stop()
            server.stop()
