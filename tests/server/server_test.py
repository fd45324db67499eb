"""`binnacle server` as a process: what it serves, and what it says when it cannot."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from peers import wait_until
from server_process import ServerProcess, run_once

PATIENCE_SECONDS = 20


def until(condition, what):
    return wait_until(what, condition, PATIENCE_SECONDS)


class ServerTest(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="binnacle-test-")
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)

    def start(self, *args, **options):
        server = ServerProcess(self.data, *args, **options)
        self.addCleanup(server.stop)
        return server


class Serves(ServerTest):
    def test_probes_and_a_clean_end(self):
        server = self.start()
        for path in ("/live", "/ready", "/health", "/-/healthy", "/-/ready", "/version"):
            self.assertEqual(server.get(path)[0], 200, path)
        self.assertEqual(server.stop(), 0)

    def test_host_metrics_arrive_each_second(self):
        server = self.start()

        def two_samples():
            now = time.time()
            answer = server.json(f"/api/v1/query_range?query=node_time_seconds&start={now - 10}&end={now}&step=1")
            series = answer["data"]["result"]
            values = {value for _, value in series[0]["values"]} if series else set()
            return len(values) >= 3

        until(two_samples, "three different values of node_time_seconds")
        names = server.json("/api/v1/label/__name__/values")["data"]
        expected = ["node_cpu_seconds_total", "node_memory_MemAvailable_bytes", "node_load1", "node_disk_reads_completed_total",
                    "node_network_receive_bytes_total", "node_boot_time_seconds", "up"]
        # A chroot, for one, sees no mounted root.
        if any(line.split()[1] == "/" for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()):
            expected.append("node_filesystem_avail_bytes")
        for name in expected:
            until(lambda name=name: name in server.json("/api/v1/label/__name__/values")["data"], name)
        self.assertEqual(names, sorted(names))

    def test_own_metrics_pass_promtool(self):
        server = self.start()
        server.get("/api/v1/query?query=up")
        status, headers, body = server.get("/metrics")
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        for name in ("process_resident_memory_bytes", "binnacle_http_requests_total", "binnacle_collector_duration_seconds",
                     "binnacle_http_request_duration_seconds_bucket", "binnacle_build_info"):
            self.assertIn(name, body)
        if shutil.which("promtool") is None:
            self.skipTest("promtool is not installed: apt-get install prometheus")
        checked = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, text=True, timeout=30)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_answers_are_compressed_when_asked(self):
        server = self.start()
        connection_headers = {"Accept-Encoding": "gzip"}
        status, headers, _ = server.request("GET", "/metrics", headers=connection_headers)
        self.assertEqual((status, headers["Content-Encoding"]), (200, "gzip"))

    def test_a_second_run_on_the_same_folder_after_kill(self):
        server = self.start()
        server.kill()
        again = self.start()
        self.assertEqual(again.get("/ready")[0], 200)

    def test_samples_survive_a_kill_and_a_backup_is_a_store(self):
        def stored(server, end):
            status, _, body = server.get(f"/api/binnacle/v1/export?match[]=node_load1&end={end}")
            self.assertEqual(status, 200, body)
            return body

        server = self.start()
        until(lambda: server.get("/api/binnacle/v1/export?match[]=node_load1")[2], "the first samples")
        end = time.time()
        before = stored(server, end)
        server.kill()
        server = self.start()
        self.assertEqual(stored(server, end), before)
        self.assertEqual(server.request("POST", "/api/binnacle/v1/store/flush")[0], 204)
        status, _, body = server.request("POST", "/api/v1/admin/tsdb/snapshot")
        self.assertEqual(status, 200, body)
        self.assertGreater(server.json("/api/v1/status/tsdb")["data"]["binnacle"]["blocks"], 0)
        self.assertEqual(run_once("store", "stats", "--data", self.data)[0], 0, "needs no lock")
        self.assertEqual(run_once("store", "dump", "--data", self.data)[0], 1, "the server has it")
        self.assertEqual(server.stop(), 0)

        restored = os.path.join(self.data, "restored")
        os.makedirs(restored)
        backup = os.path.join(self.data, "backups", json.loads(body)["data"]["name"])
        shutil.copytree(backup, os.path.join(restored, "metrics"))
        code, out, err = run_once("store", "verify", "--data", restored)
        self.assertEqual((code, err), (0, ""), out)
        code, out, _ = run_once("store", "dump", "--data", restored, "--match", "node_load1", "--end", str(end))
        self.assertEqual((code, out), (0, before))


class Refuses(ServerTest):
    def refused(self, *args, says):
        code, out, err = run_once("server", "--data", self.data, *args)
        self.assertEqual(code, 1, (out, err))
        for text in says:
            self.assertIn(text, err)

    def test_a_port_that_is_taken(self):
        server = self.start()
        other = tempfile.mkdtemp(prefix="binnacle-test-")
        self.addCleanup(shutil.rmtree, other)
        code, _, err = run_once("server", "--data", other, "--listen", f"127.0.0.1:{server.port}")
        self.assertEqual(code, 1)
        self.assertIn(f"127.0.0.1:{server.port}", err)
        self.assertIn("in use", err)

    def test_a_folder_that_another_server_holds(self):
        self.start()
        self.refused("--listen", "127.0.0.1:0", says=["held by process"])

    def test_a_data_folder_that_is_a_file(self):
        path = os.path.join(self.data, "file")
        with open(path, "w", encoding="ascii"):
            pass
        code, _, err = run_once("server", "--data", path)
        self.assertEqual(code, 1)
        self.assertIn(f"data folder {path}", err)
        self.assertIn("--data DIR", err)

    def test_a_config_with_every_problem_named(self):
        path = os.path.join(self.data, "bad.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write("server:\n  lisen: 3\nlog:\n  level: loud\nquery:\n  lookback: -1s\n")
        self.refused("--config", path, says=[f"{path}:2:", "server.listen?", f"{path}:4:", "loud", f"{path}:6:"])

    def test_a_certificate_that_is_not_there(self):
        path = os.path.join(self.data, "tls.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write('server:\n  listen:\n    - address: "127.0.0.1:0"\n      tls:\n'
                       "        certificate_file: /nowhere/cert.pem\n        key_file: /nowhere/key.pem\n")
        self.refused("--config", path, says=["/nowhere/cert.pem", "127.0.0.1:0"])

    def test_an_open_address_without_keys(self):
        self.refused("--listen", "0.0.0.0:0", says=["0.0.0.0:0", "binnacle key create", "--insecure"])
        server = self.start("--insecure", listen="0.0.0.0:0")
        self.assertEqual(ServerProcess.get(server, "/live")[0], 200)

    def test_an_unknown_file(self):
        code, _, err = run_once("server", "--config", "/nowhere.yaml")
        self.assertNotEqual(code, 0)
        self.assertIn("/nowhere.yaml", err)


class Reloads(ServerTest):
    def test_the_file_is_taken_whole_or_not_at_all(self):
        server = self.start(config="query:\n  max_points: 100\n")
        range_of_102 = "/api/v1/query_range?query=up&start=0&end=101&step=1"
        self.assertEqual(server.get(range_of_102)[0], 400)
        server.write_config("query:\n  max_points: 200\n")
        status, _, body = server.request("POST", "/-/reload")
        self.assertEqual(status, 200, body)
        self.assertEqual([change["path"] for change in json.loads(body)["changed"]], ["query.max_points"])
        self.assertEqual(server.get(range_of_102)[0], 200)

        server.write_config("query:\n  max_points: 300\n  max_pints: 1\n")
        status, _, body = server.request("POST", "/-/reload")
        self.assertEqual(status, 400)
        self.assertIn("query.max_points?", json.loads(body)["error"])
        self.assertEqual(server.get("/api/v1/query_range?query=up&start=0&end=250&step=1")[0], 400)

        kinds = [event["kind"] for event in server.json("/api/binnacle/v1/events?kind=config")["events"]]
        self.assertEqual(kinds, ["config.reload_failed", "config.reloaded"])
        self.assertTrue(server.json("/api/binnacle/v1/audit/verify")["intact"])

    def test_a_part_that_cannot_follow_stops_the_whole_reload(self):
        server = self.start(config="query:\n  max_points: 100\n")
        server.write_config("query:\n  max_points: 200\nlog:\n  file: /nowhere/binnacle.log\n")
        status, _, body = server.request("POST", "/-/reload")
        self.assertNotEqual(status, 200)
        self.assertIn("/nowhere/binnacle.log", json.loads(body)["error"])
        self.assertEqual(server.get("/api/v1/query_range?query=up&start=0&end=101&step=1")[0], 400)

    def test_every_setting_of_alerts_holds_at_once(self):
        server = self.start(config="alerts: {max_alerts: 1}\nrules: {default_rules: false}\n")

        def post(name):
            body = json.dumps([{"labels": {"alertname": name}}])
            return server.request("POST", "/api/v2/alerts", body, headers={"Content-Type": "application/json"})

        self.assertEqual(post("a")[0], 200)
        status, _, body = post("b")
        self.assertEqual(status, 400)
        self.assertIn("the limit", body)
        server.write_config("alerts: {max_alerts: 2, external_url: 'http://alerts.example'}\nrules: {default_rules: false}\n")
        status, _, body = server.request("POST", "/-/reload")
        self.assertEqual(status, 200, body)
        self.assertEqual(json.loads(body)["needs_restart"], [])
        self.assertEqual(post("b")[0], 200)
        self.assertEqual(post("c")[0], 400)

    def test_sighup_reloads_and_a_restart_key_is_named(self):
        server = self.start(config="log:\n  level: info\n")
        server.write_config("log:\n  level: warn\nserver:\n  pool_threads: 3\n")
        server.signal(signal.SIGHUP)
        events = until(lambda: server.json("/api/binnacle/v1/events?kind=config")["events"], "the reload's event")
        self.assertEqual(events[0]["data"]["detail"]["needs_restart"], ["server.pool_threads"])
        self.assertIn('level: warn', server.get("/api/binnacle/v1/config")[2])


class Doors(ServerTest):
    def key(self, role):
        code, out, err = run_once("key", "create", "--data", self.data, "--role", role, "--name", role)
        self.assertEqual(code, 0, err)
        return out.strip()

    def test_foreign_names_are_refused_even_without_keys(self):
        server = self.start()
        for path in ("/", "/api/v1/labels", "/ws", "/live"):
            self.assertEqual(server.get(path, Host="evil.example")[0], 421, path)
            self.assertEqual(server.get(path, Origin="http://evil.example")[0], 403, path)
        self.assertEqual(server.get("/api/v1/labels", Origin=f"http://127.0.0.1:{server.port}")[0], 200)

    def test_keys_open_what_their_role_allows(self):
        viewer, admin = self.key("viewer"), self.key("admin")
        server = self.start()
        self.assertEqual(server.get("/live")[0], 200)
        self.assertEqual(server.get("/api/v1/labels")[0], 401)
        self.assertEqual(server.get("/api/v1/labels", Authorization=f"Bearer {viewer}")[0], 200)
        self.assertEqual(server.get("/api/v1/labels", X_API_Key=viewer)[0], 200)
        self.assertEqual(server.request("POST", "/-/reload", headers={"Authorization": f"Bearer {viewer}"})[0], 403)
        self.assertEqual(server.request("POST", "/-/reload", headers={"Authorization": f"Bearer {admin}"})[0], 200)
        status, headers, _ = server.get("/", Accept="text/html")
        self.assertEqual((status, headers["Location"]), (303, "/login?next=%2F"))
        self.assertNotIn(viewer, server.stderr())

    def test_the_login_cookie(self):
        viewer = self.key("viewer")
        server = self.start()
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{server.port}"}
        status, headers, _ = server.request("POST", "/login", body=f"key={viewer}&next=/hosts", headers=form)
        self.assertEqual((status, headers["Location"]), (303, "/hosts"))
        cookie = headers["Set-Cookie"]
        for flag in ("HttpOnly", "SameSite=Strict"):
            self.assertIn(flag, cookie)
        self.assertEqual(server.get("/api/v1/labels", Cookie=cookie.split(";")[0])[0], 200)
        self.assertEqual(server.get("/api/v1/labels", Cookie="binnacle_session=forged")[0], 401)


class BearsBadInput(ServerTest):
    MALFORMED = [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", b" 400 "),
        (b"GET /\r\n\r\n", b" 400 "),
        (b"\x00\x01\x02\x03\r\n\r\n", b" 400 "),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\nb\r\n\r\n", b" 400 "),
        (b"GET / HTTP/3.7\r\nHost: localhost\r\n\r\n", b" 505 "),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 70000 + b"\r\n\r\n", b" 431 "),
        (b"POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", b" 413 "),
        (b"POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b" 400 "),
        (b"POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b" 400 "),
        (b"POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: rot13\r\n\r\n", b" 501 "),
        (b"DELETE /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b" 405 "),
        (b"GET /nowhere/at/all HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b" 404 "),
    ]

    def test_each_gets_its_own_status_and_nothing_leaks(self):
        server = self.start()
        for data, status in self.MALFORMED:
            answer = server.raw(data)
            self.assertIn(status, answer.split(b"\r\n")[0], data[:60])
        self.assertEqual(server.get("/live")[0], 200)
        before = server.descriptors()
        for round_of_requests in range(40):
            for data, _ in self.MALFORMED:
                server.raw(data)
            server.raw(b"GET /li", half_close=True)
            server.raw(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nab", half_close=True)
            server.raw(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", read=False)
        until(lambda: server.descriptors() <= before, f"descriptors back at {before}, now {server.descriptors()}")
        self.assertEqual(server.get("/live")[0], 200)

    def test_a_slow_sender_is_shown_the_door(self):
        server = self.start(config="server:\n  limits:\n    header_timeout: 300ms\n")
        with socket.create_connection((server.host, server.port), timeout=PATIENCE_SECONDS) as peer:
            peer.sendall(b"GET /live HTT")
            answer = peer.recv(65536)
            self.assertIn(b" 408 ", answer.split(b"\r\n")[0])
            self.assertEqual(peer.recv(65536), b"")
        self.assertEqual(server.get("/live")[0], 200)

    def test_bad_utf8_in_a_query_is_an_error_in_valid_json(self):
        server = self.start()
        answer = server.raw(b"GET /api/v1/query?query=%FF%FE HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head, body = answer.split(b"\r\n\r\n", 1)
        self.assertIn(b" 400 ", head.split(b"\r\n")[0])
        self.assertEqual(json.loads(body.decode("utf-8"))["errorType"], "bad_data")

    def test_idle_memory_stays_small(self):
        server = self.start()
        until(lambda: "node_load1" in server.json("/api/v1/label/__name__/values")["data"], "the first samples")
        # Of which gRPC's libraries and its server are 8 MiB or so.
        self.assertLess(server.resident_kib(), 40 * 1024)


if __name__ == "__main__":
    unittest.main()
