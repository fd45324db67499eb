"""The scenarios of bench/detect.sh."""

import datetime
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from detect_engines import wedged
from detect_network import FAR_SERVER_ADDRESS, SERVER_ADDRESS, Network, entered

BIN = pathlib.Path(os.environ["BIN"])
EVENT = os.environ.get("EVENT", "node.down")
PORT = 8080
LOOPBACK = "127.0.0.1"
PEERS = 3      # that stay and can be asked about a victim
VICTIMS = 4    # namespaces in which victims live, one after the other
SETTLE_SECONDS = 5.0  # a victim has beaten for so long before it dies
GIVE_UP_SECONDS = 30.0
POLL_SECONDS = 0.005
READY_SECONDS = 60.0
LOSSY = {"delay_ms": 40, "jitter_ms": 20, "loss_percent": 5}
COST_NODES = 1000


def number(name, default):
    return int(os.environ.get(name, default))


def wall_of(event):
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


def new_key(data, role):
    made = subprocess.run([BIN / "binnacle", "key", "create", "--role", role, "--name", role, "--data", data,
                           "--format", "json"], capture_output=True, text=True, check=True)
    return json.loads(made.stdout)["key"]


class Server:
    """`binnacle server` in the namespace of the server; beyond loopback it asks for keys."""

    def __init__(self, network, folder, address):
        self.network = network
        self.address = address
        data = folder / "server"
        keys = address != LOOPBACK
        self.headers = {"Authorization": f"Bearer {new_key(data, 'viewer')}"} if keys else {}
        self.agent_key = new_key(data, "agent") if keys else ""
        config = folder / "server.yaml"
        config.write_text("collect: {host: {enabled: false}}\nlog: {format: json}\n"
                          "server: {rate_limit: {ingest: 0, api: 0}}\n", encoding="utf-8")
        self.log = open(folder / "server.log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", network.server, BIN / "binnacle", "server", "--config", config, "--data",
             data, "--listen", f"{address}:{PORT}", "--insecure"], stdout=self.log, stderr=self.log)
        self.connection = None
        wait_for(lambda: self._ready(), READY_SECONDS, f"the server did not start, see {folder}/server.log")

    def _ready(self):
        if self.process.poll() is not None:
            raise RuntimeError("the server ended")
        try:
            return self.get("/ready", want_json=False) is not None
        except OSError:
            self.connection = None
            return False

    def get(self, path, want_json=True):
        try:
            return self._get(path, want_json)
        except http.client.RemoteDisconnected:  # a kept connection was idle for long
            self.connection = None
            return self._get(path, want_json)

    def _get(self, path, want_json):
        if self.connection is None:
            with entered(self.network.server):
                self.connection = http.client.HTTPConnection(self.address, PORT, timeout=10)
                self.connection.connect()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            if want_json:
                raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
            return None
        return json.loads(body) if want_json else body

    def states(self):
        return {node["name"]: node["state"] for node in self.get("/api/binnacle/v1/nodes")["nodes"]}

    def events(self, kind, since, limit=100):
        """Newest first, from the wall time `since` on."""
        found = self.get(f"/api/binnacle/v1/events?kind={kind}&limit={limit}")["events"]
        return [event for event in found if wall_of(event) >= since]

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def stop(self):
        end(self.process)
        self.log.close()


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait()


def wait_for(condition, seconds, what):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError(what)
        time.sleep(POLL_SECONDS)


class Agents:
    """Agents by name, each a process in a namespace. A victim is a new node each time, so that what is known of the one
    before does not count."""

    def __init__(self, network, server, folder):
        self.network = network
        self.server = server
        self.folder = folder
        self.processes = {}
        self.log = open(folder / "agents.log", "w", encoding="utf-8")
        self.config = folder / "agent.yaml"
        self.config.write_text(f"agent: {{key: {server.agent_key}}}\nlog: {{format: json}}\n", encoding="utf-8")

    def start(self, name, namespace):
        data = self.folder / name
        self.processes[name] = subprocess.Popen(
            ["ip", "netns", "exec", namespace, BIN / "binnacle", "agent", "--server",
             f"http://{self.server.address}:{PORT}", "--name", name, "--data", data, "--config", self.config],
            stdout=self.log, stderr=self.log)

    def kill(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait()
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def stop(self):
        for name in list(self.processes):
            self.kill(name)
        self.log.close()


class Bench:
    def __init__(self, bad_line=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="binnacle-detect-"))
        self.network = self.server = self.agents = None
        self.next_victim = 0
        try:
            self._open(bad_line)
        except BaseException:
            self.close()
            raise

    def _open(self, bad_line):
        self.network = Network()
        self.nodes = [self.network.add_node(i) for i in range(PEERS + VICTIMS)]
        if bad_line:
            self.network.add_bad_line(BIN / "lossy_link", **LOSSY)
        self.server = Server(self.network, self.folder, FAR_SERVER_ADDRESS if bad_line else SERVER_ADDRESS)
        self.agents = Agents(self.network, self.server, self.folder)
        for i in range(PEERS):
            self.agents.start(f"peer-{i}", self.nodes[i])

    def close(self):
        for part in (self.agents, self.server):
            if part is not None:
                part.stop()
        if self.network is not None:
            self.network.close()
        if sys.exc_info()[0] is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"logs are left in {self.folder}", file=sys.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _new_victim(self, place):
        name = f"victim-{self.next_victim}"
        self.next_victim += 1
        self.agents.start(name, self.nodes[PEERS + place])
        return name, time.monotonic()

    def _await_settled(self, name, started):
        wait_for(lambda: self.server.states().get(name) == "up", GIVE_UP_SECONDS, f"{name} did not come up")
        rest = started + SETTLE_SECONDS - time.monotonic()
        time.sleep(max(rest, 0) + random.random() * 0.3)  # any phase between two beats

    def _await_event(self, name, since):
        """Seconds from `since` to when the API tells it; None: it never came."""
        until = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < until:
            for event in self.server.events(EVENT, since, limit=10):
                if event["subject"] == name:
                    return time.time() - since
            time.sleep(POLL_SECONDS)
        return None

    def kills(self, times):
        return self._repeat(times, lambda place, name: self.agents.processes[name].kill(), lambda place: None)

    def cuts(self, times):
        return self._repeat(times, lambda place, name: self.network.set_link(PEERS + place, False),
                            lambda place: self.network.set_link(PEERS + place, True))

    def _repeat(self, times, fault, mend):
        took = []
        victims = {place: self._new_victim(place) for place in range(VICTIMS)}
        for repetition in range(times):
            place = repetition % VICTIMS
            name, started = victims[place]
            self._await_settled(name, started)
            since = time.time()
            fault(place, name)
            took.append(self._await_event(name, since))
            self.agents.kill(name)
            mend(place)
            victims[place] = self._new_victim(place)
        for name, _ in victims.values():
            self.agents.kill(name)
        return took

    def quiet(self, seconds):
        """How many nodes were suspected and told down while nothing happened to them."""
        names = [f"peer-{i}" for i in range(PEERS)]
        for place in range(VICTIMS):
            names.append(self._new_victim(place)[0])
        wait_for(lambda: all(self.server.states().get(name) == "up" for name in names), GIVE_UP_SECONDS,
                 "not all nodes came up")
        time.sleep(SETTLE_SECONDS)
        since = time.time()
        time.sleep(seconds)
        return (len(self.server.events("node.suspect", since, 1000)), len(self.server.events(EVENT, since, 1000)),
                len(self.server.events("node.disconnected", since, 1000)))


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def tell(what, took, event=EVENT):
    missed = took.count(None)
    ms = [1000 * one for one in took if one is not None]
    if not ms:
        print(f"{what}: never told in {len(took)} times")
        return
    print(f"{what}, {event} told after: n {len(took)}, not told {missed}, min {min(ms):.0f}, "
          f"median {statistics.median(ms):.0f}, p90 {quantile(ms, 0.9):.0f}, p99 {quantile(ms, 0.99):.0f}, "
          f"max {max(ms):.0f} ms", flush=True)


def cost(seconds):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="binnacle-detect-"))
    network = server = agents = None
    try:
        network = Network()
        server = Server(network, folder, LOOPBACK)
        time.sleep(5)
        before, idle_bytes = server.cpu_seconds(), server.resident_bytes()
        time.sleep(seconds)
        idle = (server.cpu_seconds() - before) / seconds
        agents = subprocess.Popen(
            ["ip", "netns", "exec", network.server, BIN / "simulated_agents", f"http://{LOOPBACK}:{PORT}",
             str(COST_NODES), "0", str(seconds + 20)], stdout=subprocess.PIPE, text=True)
        standing = agents.stdout.readline().strip()
        time.sleep(10)  # joining is over
        before = server.cpu_seconds()
        time.sleep(seconds)
        busy = (server.cpu_seconds() - before) / seconds
        grown = server.resident_bytes() - idle_bytes
        print(f"{COST_NODES} agents that only beat ({standing}): {100 * (busy - idle):.2f} % of a core over "
              f"{100 * idle:.2f} % idle, {grown / 1e6:.1f} MB over {idle_bytes / 1e6:.1f} MB", flush=True)
    finally:
        if agents is not None:
            end(agents)
        if server is not None:
            server.stop()
        if network is not None:
            network.close()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    scenarios = os.environ.get("SCENARIOS", "kill cut lossy wedged cost").split()
    if "kill" in scenarios or "cut" in scenarios:
        with Bench() as bench:
            if "kill" in scenarios:
                tell("agent killed", bench.kills(number("KILLS", 50)))
            if "cut" in scenarios:
                tell("link cut", bench.cuts(number("CUTS", 20)))
    if "lossy" in scenarios:
        line = "{delay_ms} +- {jitter_ms} ms and {loss_percent} % lost each way".format(**LOSSY)
        with Bench(bad_line=True) as bench:
            tell(f"agent killed, {line}", bench.kills(number("LOSSY_KILLS", 20)))
            minutes = number("LOSSY_MINUTES", 2)
            suspected, down, broken = bench.quiet(60 * minutes)
            print(f"{minutes} quiet minutes of {PEERS + VICTIMS} nodes, {line}: suspected {suspected}, "
                  f"{EVENT} {down}, connections broken {broken}", flush=True)
    if "wedged" in scenarios:
        wedged(lambda what, took: tell(what, took, "engine.wedged"), BIN / "binnacle", number("WEDGES", 12),
               number("BURSTS", 3))
    if "cost" in scenarios:
        cost(number("COST_SECONDS", 30))


if __name__ == "__main__":
    main()
