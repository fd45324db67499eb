"""An HTTP server of pages that a function makes at each request, and of addresses that refuse what they are sent."""

import http.server
import threading


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a client that was killed


class Pages:
    """`pages`: {path: function that gives the text}. POST /refuse/STATUS is answered STATUS."""

    def __init__(self, pages):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def log_message(self, *_):
                pass

            def answer(self, status, text=""):
                data = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                self.wfile.flush()

            def do_GET(self):
                make = pages.get(self.path)
                self.answer(200, make()) if make else self.answer(404)

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                refused = self.path.split("/refuse/")
                self.answer(int(refused[1][:3]) if len(refused) == 2 else 404)

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
