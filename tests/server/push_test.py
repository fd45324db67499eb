"""What was pushed to `/metrics/job/` outlives the process."""

import shutil
import tempfile
import time
import unittest
import urllib.parse

from server_process import ServerProcess

PATIENCE_SECONDS = 20
CONFIG = "collect:\n  push:\n    interval: 1s\n"


class Push(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="binnacle-push-")
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)

    def start(self):
        server = ServerProcess(self.data, config=CONFIG)
        self.addCleanup(server.stop)
        return server

    def values(self, server, query):
        answer = server.json("/api/v1/query?query=" + urllib.parse.quote(query))
        return [float(series["value"][1]) for series in answer["data"]["result"]]

    def until(self, condition, what):
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.1)

    def test_a_group_survives_kill_and_goes_on(self):
        server = self.start()
        for i in range(20):
            status, _, body = server.request("PUT", f"/metrics/job/batch/shard/{i}", f"# TYPE done gauge\ndone {i}\n")
            self.assertEqual((status, body), (200, ""))
        server.request("DELETE", "/metrics/job/batch/shard/0")
        server.kill()
        killed = time.time()
        server = self.start()
        self.assertEqual(len(server.json("/api/v1/metrics")["data"]), 19)
        self.until(lambda: self.values(server, f"count(timestamp(done) > {killed})") == [19], "samples after the restart")
        self.assertEqual(sorted(self.values(server, "done")), list(range(1, 20)))
        self.assertEqual(server.request("DELETE", "/metrics/job/batch/shard/1")[0], 202)
        self.assertEqual(len(self.values(server, "done")), 18)

    def test_bad_pushes_are_answered_with_the_reason(self):
        server = self.start()
        for path, body, words in (
            ("/metrics/job/a", "x 1 1700000000000\n", "time stamp"),
            ("/metrics/job/a/odd", "x 1\n", "without a value"),
            ("/metrics/job/a", "<html>\n", "line 1"),
        ):
            status, _, text = server.request("POST", path, body)
            self.assertEqual(status, 400, text)
            self.assertIn(words, text)


if __name__ == "__main__":
    unittest.main()
