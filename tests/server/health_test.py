"""Health of the real server: checks of a file, registered and pushed ones, restarts, reload, hooks, doors."""

import http.server
import json
import os
import signal
import socket
import tempfile
import threading
import time
import unittest

from server_process import ServerProcess

CHECKS = "/api/binnacle/v1/health/checks"
WAIT_SECONDS = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition):
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {WAIT_SECONDS} s")


class Desk(http.server.ThreadingHTTPServer):
    """Takes the calls of a hook."""

    def __init__(self):
        self.taken = []
        desk = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                desk.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class HealthTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.desk = Desk()
        self.addCleanup(self.desk.server_close)
        self.addCleanup(self.desk.shutdown)
        self.target = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.target.close)
        self.agent_port = free_port()
        self.checks_file = os.path.join(self.folder.name, "checks.yml")
        self.write_checks("""
checks:
  - {name: web, type: tcp, component: front, interval: 200ms, timeout: 1s, fall: 1,
     tcp: {address: "127.0.0.1:%d"}}
""" % self.target.getsockname()[1])
        self.start()

    def write_checks(self, text):
        with open(self.checks_file, "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        self.server = ServerProcess(self.folder.name, config=f"""
server: {{grpc_listen: "127.0.0.1:0"}}
collect: {{host: {{enabled: false}}}}
health:
  checks_files: [{self.checks_file}]
  series_interval: 1s
  agent_check_listen: 127.0.0.1:{self.agent_port}
  hooks:
    - {{name: desk, events: [health.cluster_], url: "http://127.0.0.1:{self.desk.server_address[1]}/"}}
""")
        self.addCleanup(lambda server: server.process.poll() is None and server.kill(), self.server)

    def health(self):
        return self.server.json("/api/health")

    def overall(self, wanted):
        wait_for(f"overall {wanted}", lambda: self.health()["overall_status"] == wanted)

    def agent_line(self, asked=b""):
        with socket.create_connection(("127.0.0.1", self.agent_port), timeout=10) as peer:
            peer.sendall(asked)
            return peer.makefile().read()

    def test_a_check_of_a_file_fails_and_everybody_is_told(self):
        self.overall("healthy")
        self.assertEqual(self.agent_line(b"front\n"), "up ready 100%\n")
        self.target.close()
        self.overall("failed")
        whole = self.health()
        self.assertEqual(whole["deciding_check"], "web")
        self.assertEqual(self.server.get("/api/health?fail=critical")[0], 503)
        self.assertEqual(self.server.get("/ready")[0], 200)
        self.assertTrue(self.agent_line().startswith("down #web:"))
        told = wait_for("hook", lambda: [call for call in self.desk.taken if call["data"]["to"] == "failed"])
        self.assertEqual(told[0]["kind"], "health.cluster_changed")
        self.assertEqual(told[0]["data"]["deciding_check"], "web")
        query = "/api/v1/query?query=binnacle_health_status%7Bscope%3D%22cluster%22%7D"
        wait_for("series", lambda: [row for row in self.server.json(query)["data"]["result"]
                                    if row["value"][1] == "3"])
        changes = self.server.json("/api/binnacle/v1/health/history?scope=cluster")["changes"]
        self.assertEqual([change["to"] for change in changes[:2]], ["failed", "healthy"])

    def test_registered_checks_and_maintenance_survive_kill_9(self):
        self.overall("healthy")
        status, _, body = self.server.request("POST", CHECKS, "name: app\ntype: pushed\nttl: 1h\nfall: 1\n")
        self.assertEqual(status, 201, body)
        status, _, body = self.server.request("POST", CHECKS, "name: evil\ntype: exec\nexec: {command: [id]}\n")
        self.assertEqual(status, 400, body)
        self.overall("unknown")
        self.server.request("POST", CHECKS + "/app/result", '{"status": "failed", "message": "no"}')
        self.overall("failed")
        self.server.request("POST", CHECKS + "/app/maintenance", '{"for": "1h", "reason": "disk"}')
        self.overall("healthy")
        self.server.kill()
        self.start()
        self.overall("healthy")
        app = self.server.json(CHECKS + "/app")
        self.assertEqual(app["maintenance"]["reason"], "disk")
        self.assertEqual(app["status"], "unknown")

    def test_a_reload_takes_new_checks_and_refuses_bad_ones(self):
        self.overall("healthy")
        with open(self.checks_file, encoding="utf-8") as file:
            good = file.read()
        self.write_checks(good + "  - {name: web, type: tcp}\n")
        self.assertEqual(self.server.request("POST", "/-/reload")[0], 400)
        self.assertEqual(len(self.server.json(CHECKS)["checks"]), 1)
        self.write_checks(good + "  - {name: later, type: pushed, depends_on: [web]}\n")
        self.server.signal(signal.SIGHUP)
        wait_for("the new check", lambda: len(self.server.json(CHECKS)["checks"]) == 2)
        self.assertEqual(self.server.json(CHECKS + "/web")["status"], "healthy")
        self.assertEqual(self.server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
