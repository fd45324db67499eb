#!/usr/bin/env python3
"""A gRPC server with the health protocol, in plain and over TLS, one without it and one that never answers are checked.

Exit: 0 all is well, 1 it is not, 77 a program is missing.
"""

import concurrent.futures
import os
import shutil
import socket
import subprocess
import sys
import threading

from check_run import expect, main, run_checks

try:
    import grpc
except ImportError:
    grpc = None

CHECKS = """
defaults: {{timeout: 2s}}
checks:
  - {{name: server, type: grpc, grpc: {{address: "127.0.0.1:{plain}"}}}}
  - {{name: service, type: grpc, grpc: {{address: "localhost:{plain}", service: good}}}}
  - {{name: bad, type: grpc, grpc: {{address: "127.0.0.1:{plain}", service: bad}}}}
  - {{name: none, type: grpc, grpc: {{address: "127.0.0.1:{plain}", service: none}}}}
  - {{name: slow, type: grpc, timeout: 500ms, grpc: {{address: "127.0.0.1:{plain}", service: slow}}}}
  - {{name: watch, type: grpc, grpc: {{address: "127.0.0.1:{plain}", service: good, watch: true}}}}
  - {{name: watch-none, type: grpc, grpc: {{address: "127.0.0.1:{plain}", service: none, watch: true}}}}
  - {{name: watch-slow, type: grpc, timeout: 500ms, grpc: {{address: "127.0.0.1:{plain}", service: slow, watch: true}}}}
  - {{name: broken, type: grpc, grpc: {{address: "127.0.0.1:{plain}", service: broken}}}}
  - {{name: without, type: grpc, grpc: {{address: "127.0.0.1:{without}"}}}}
  - {{name: watch-without, type: grpc, grpc: {{address: "127.0.0.1:{without}", watch: true}}}}
  - {{name: silent, type: grpc, timeout: 500ms, grpc: {{address: "127.0.0.1:{silent}"}}}}
  - {{name: keyed, type: grpc, grpc: {{address: "127.0.0.1:{plain}", service: keyed, bearer_token: word}}}}
  - {{name: keyed-file, type: grpc, grpc: {{address: "127.0.0.1:{plain}", service: keyed, watch: true, bearer_token_file: word.txt}}}}
  - {{name: keyed-none, type: grpc, grpc: {{address: "127.0.0.1:{plain}", service: keyed}}}}
  - {{name: keyed-broken, type: grpc, grpc: {{address: "127.0.0.1:{plain}", service: keyed, bearer_token: "a\\nb"}}}}
  - {{name: keyed-lost, type: grpc, grpc: {{address: "127.0.0.1:{plain}", service: keyed, bearer_token_file: lost.txt}}}}
  - {{name: nobody, type: grpc, grpc: {{address: "127.0.0.1:1"}}}}
  - {{name: tls, type: grpc, grpc: {{address: "localhost:{tls}", tls_config: {{ca_file: cert.pem}}}}}}
  - {{name: untrusted, type: grpc, grpc: {{address: "localhost:{tls}", tls: true}}}}
  - {{name: plain-to-tls, type: grpc, timeout: 1s, grpc: {{address: "localhost:{tls}"}}}}
"""
SERVING, NOT_SERVING, SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"


class Health:
    def __init__(self):
        self.over = threading.Event()

    def status(self, request, context):
        service = request[2:].decode()
        if service == "slow":
            self.over.wait(20)
        if service == "keyed" and ("authorization", "Bearer word") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "show a key")
        return {"": SERVING, "keyed": SERVING, "good": SERVING, "bad": NOT_SERVING, "broken": b"\xff\xff\xff"}.get(service)

    def check(self, request, context):
        status = self.status(request, context)
        if status is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return status

    def watch(self, request, context):
        yield self.status(request, context) or SERVICE_UNKNOWN
        self.over.wait(20)


def serve(health, credentials=None):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=16))
    if health:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.health.v1.Health", {
            "Check": grpc.unary_unary_rpc_method_handler(health.check),
            "Watch": grpc.unary_stream_rpc_method_handler(health.watch)}),))
    port = (server.add_secure_port("127.0.0.1:0", credentials) if credentials
            else server.add_insecure_port("127.0.0.1:0"))
    server.start()
    return server, port


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                    f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], check=True, stderr=subprocess.DEVNULL)
    with open(f"{folder}/key.pem", "rb") as key, open(f"{folder}/cert.pem", "rb") as cert:
        return grpc.ssl_server_credentials([(key.read(), cert.read())])


def steps(programs):
    health = Health()
    silent = socket.create_server(("127.0.0.1", 0))
    ports, servers = {"silent": silent.getsockname()[1]}, []
    for name, its_health, credentials in (("plain", health, None), ("without", None, None),
                                          ("tls", health, certificate(programs.folder))):
        server, ports[name] = serve(its_health, credentials)
        servers.append(server)
    with open(os.path.join(programs.folder, "word.txt"), "w", encoding="utf-8") as file:
        file.write("word\n")
    try:
        readings = run_checks(programs.folder, CHECKS.format(**ports))
        expect(readings, "server", "healthy", "the server is SERVING")
        expect(readings, "service", "healthy", "good is SERVING")
        expect(readings, "bad", "critical", "bad is NOT_SERVING")
        expect(readings, "none", "critical", "knows no service none")
        if expect(readings, "slow", "failed", "Deadline")["took_ms"] > 2000:
            raise AssertionError("a slow answer takes the timeout")
        expect(readings, "watch", "healthy", "good is SERVING")
        expect(readings, "watch-none", "critical", "knows no service none")
        expect(readings, "watch-slow", "failed")
        expect(readings, "broken", "failed", "no HealthCheckResponse")
        expect(readings, "without", "unknown", "has no health service")
        expect(readings, "watch-without", "unknown", "has no health service")
        if expect(readings, "silent", "failed")["took_ms"] > 2500:
            raise AssertionError("a server that says nothing takes the timeout")
        expect(readings, "keyed", "healthy")
        expect(readings, "keyed-file", "healthy")
        expect(readings, "keyed-none", "critical", "show a key")
        expect(readings, "keyed-broken", "unknown", "printable ASCII")
        expect(readings, "keyed-lost", "critical", "lost.txt")
        expect(readings, "nobody", "failed")
        expect(readings, "tls", "healthy")
        expect(readings, "untrusted", "failed")
        expect(readings, "plain-to-tls", "failed")
    finally:
        health.over.set()
        silent.close()
        for server in servers:
            server.stop(0).wait(10)


if __name__ == "__main__":
    if grpc is None or not shutil.which("openssl"):
        print("not installed: python3-grpcio, openssl")
        sys.exit(77)
    sys.exit(main(steps))
