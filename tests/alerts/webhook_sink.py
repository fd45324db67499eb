"""A server that takes every webhook and keeps it with the moment at which it was answered."""

import http.server
import json
import threading
import time


class Webhook:
    def __init__(self, path, came, body):
        self.path, self.came, self.body = path, came, body
        self.answered = None  # monotonic seconds, once the answer is out

    def alerts(self, status):
        return [one for one in self.body["alerts"] if one["status"] == status]


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a sender that was killed


class WebhookSink:
    def __init__(self):
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # The answer leaves in one piece: a second one would wait for the first to be acknowledged.
            wbufsize = -1

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                webhook = Webhook(self.path.strip("/"), time.monotonic(), body)
                with sink._lock:
                    sink._webhooks.append(webhook)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                self.wfile.flush()
                webhook.answered = time.monotonic()

        self._lock = threading.Lock()
        self._webhooks = []
        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def all(self, path=None):
        with self._lock:
            return [one for one in self._webhooks if path in (None, one.path)]

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
