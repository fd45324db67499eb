"""Workers and `serve` as nodes of a Binnacle server: join tokens, who is found, what is told, a server that goes away."""

import json
import signal
import subprocess
import sys
import tempfile

from engine_cluster import BINARY, Cluster, post
from server_process import ServerProcess, run_once

NEVER_END = {"257": -100}
REQUEST = {"prompt": "hello", "max_tokens": 12, "seed": 5, "logit_bias": NEVER_END}


class Nodes:
    """A server that asks for keys, and what it says of nodes and events."""

    def __init__(self, server):
        self.server, self.url = server, f"http://127.0.0.1:{server.port}"
        self.admin = self.key("create", "--name", "me", "--role", "admin")

    def key(self, verb, *arguments):
        code, out, err = run_once("key", verb, "--server", self.url, *arguments)
        assert code == 0, err
        return out.strip()

    def token(self):
        return self.key("join-token", "--key", self.admin)

    def ask(self, path):
        status, _, body = self.server.get("/api/binnacle/v1" + path, X_API_Key=self.admin)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def roles(self):
        return {node["name"]: (node["role"], node["state"]) for node in self.ask("/nodes")["nodes"]}

    def event_kinds(self):
        return {event["kind"] for event in self.ask("/events?kind=engine")["events"]}


def options(nodes, folder, name, key=None):
    return ["--server", nodes.url, "--data", f"{folder}/{name}", *(key or ["--token", nodes.token()])]


def check_found(cluster, nodes):
    cluster.wait_until(lambda: cluster.stages() == [2])
    assert post(cluster.port, "/v1/completions", REQUEST)[0] == 200
    cluster.wait_until(lambda: nodes.roles() == {
        "w0": ("engine-worker", "up"), "w1": ("engine-worker", "up"), "engine": ("engine", "up")})
    cluster.wait_until(lambda: "engine.pipeline.open" in nodes.event_kinds())


def check_lost_and_back(cluster, nodes):
    """A killed worker is told of; started again it uses its key, its token is spent."""
    before = post(cluster.port, "/v1/completions", REQUEST)[1]["choices"]
    cluster.workers[1].kill()
    cluster.workers[1].wait()
    cluster.wait_until(lambda: cluster.stages() == [1] and "engine.pipeline.broken" in nodes.event_kinds())
    assert post(cluster.port, "/v1/completions", REQUEST)[1]["choices"] == before
    cluster.start_worker(1)
    cluster.wait_until(lambda: cluster.stages() == [2])
    assert "joined already" in (cluster.folder / "worker1.log").read_text()


def check_server_away(cluster, nodes):
    """Everything goes on without the server."""
    nodes.server.process.send_signal(signal.SIGSTOP)
    try:
        assert post(cluster.port, "/v1/completions", REQUEST)[0] == 200 and cluster.stages() == [2]
    finally:
        nodes.server.process.send_signal(signal.SIGCONT)


def check_left(cluster, nodes):
    cluster.workers[0].terminate()
    assert cluster.workers[0].wait(timeout=20) == 0
    cluster.wait_until(lambda: nodes.roles()["w0"] == ("engine-worker", "left") and cluster.stages() == [1])
    cluster.serve.terminate()
    assert cluster.serve.wait(timeout=20) == 0
    cluster.wait_until(lambda: nodes.roles()["engine"] == ("engine", "left"))


def check_wrong_token(cluster, nodes, folder):
    refused = cluster.spawn("refused", ["serve", "--model", str(cluster.model), "--listen", "127.0.0.1:0",
                                        *options(nodes, folder, "refused", ["--token", "no-such-token"])])
    assert refused.wait(timeout=20) == 1
    assert "--token wants a fresh one-use token" in (cluster.folder / "refused.log").read_text()


def check_drift(cluster, nodes, folder):
    """Three serve a model of one name; the one with other weights is told of."""
    cluster.workers[1].terminate()
    assert cluster.workers[1].wait(timeout=20) == 0
    other = f"{folder}/other/{cluster.model.name}"
    subprocess.run([BINARY, "init", "--out", other, "--quiet", "--preset", "tiny", "--layers", "6", "--seed", "99"],
                   check=True, stdout=subprocess.DEVNULL, timeout=60)
    serves = [cluster.spawn(name, ["serve", "--model", model, "--listen", "127.0.0.1:0", "--node-name", name, "--threads",
                                   "1", *options(nodes, folder, name)])
              for name, model in (("e0", str(cluster.model)), ("e1", str(cluster.model)), ("e2", other))]
    try:
        cluster.wait_until(lambda: nodes.ask("/events?kind=node.drift")["events"])
        told = nodes.ask("/events?kind=node.drift")["events"]
        print(json.dumps(told))
        assert len(told) == 1 and told[0]["subject"] == "e2", told
        assert "model_hash" in json.dumps(told[0]), told
    finally:
        for serve in serves:
            serve.kill()
            serve.wait()


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(f"{folder}/server")
        try:
            nodes = Nodes(server)
            tokens = [nodes.token(), nodes.token()]

            def worker_options(i):
                return options(nodes, folder, f"w{i}", ["--token", tokens[i], "--name", f"w{i}"])

            with Cluster(2, ["--preset", "tiny", "--layers", "6"],
                         ["--min-stages", "2", *options(nodes, folder, "serve")], worker_options,
                         named=False) as cluster:
                for check in (check_found, check_lost_and_back, check_server_away, check_left):
                    check(cluster, nodes)
                    print(check.__name__, "holds")
                check_drift(cluster, nodes, folder)
                print("check_drift holds")
                check_wrong_token(cluster, nodes, folder)
                print("a wrong token is refused")
        finally:
            server.kill()


if __name__ == "__main__":
    sys.exit(main())
