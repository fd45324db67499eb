"""What tests with other programs share: ports, questions over HTTP, waiting."""

import http.server
import json
import socket
import threading
import time
import urllib.request

ASK_SECONDS = 60
LOOK_SECONDS = 0.1


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=ASK_SECONDS) as answer:
        return answer.read().decode()


def get_json(url):
    return json.loads(get(url))


def wait_until(what, condition, seconds):
    """What `condition` gives once it is true; AssertionError when that takes longer."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = condition()
        except OSError:
            found = None
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(LOOK_SECONDS)


class CountingTarget:
    """A target of one counter, scrapes_served, that grows by one a scrape: each scrape has a value of its own."""

    def __init__(self):
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                target.scrapes += 1
                body = f"# TYPE scrapes_served counter\nscrapes_served {target.scrapes}\n".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.scrapes = 0
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
