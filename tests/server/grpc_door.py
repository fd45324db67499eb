#!/usr/bin/env python3
"""The gRPC port of the real binary, asked by Debian's gRPC: keys as of HTTP, TLS as of server.listen, a renewed certificate.

Exit: 0 all is well, 1 it is not, 77 a program is missing.
"""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from peers import free_port
from server_process import ServerProcess, run_once

try:
    import grpc
except ImportError:
    grpc = None

CLUSTER = b"\x0a\x07cluster"


def openssl(folder, *words):
    subprocess.run(["openssl", *words], check=True, stderr=subprocess.DEVNULL, cwd=folder)


def make_certificate(folder, name, subject):
    """NAME.pem and NAME.key, signed by ca.pem, for localhost."""
    with open(os.path.join(folder, "names.ext"), "w", encoding="utf-8") as file:
        file.write("subjectAltName=DNS:localhost\n")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout",
            "new.key", "-out", "new.csr")
    openssl(folder, "x509", "-req", "-in", "new.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names.ext", "-out", "new.pem")
    os.replace(os.path.join(folder, "new.key"), os.path.join(folder, name + ".key"))
    os.replace(os.path.join(folder, "new.pem"), os.path.join(folder, name + ".pem"))


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


def ask(channel, method="Check", request=CLUSTER, metadata=()):
    """(code's name, what was said)"""
    call = channel.unary_unary(f"/grpc.health.v1.Health/{method}")
    try:
        return "OK", call(request, timeout=20, metadata=metadata)
    except grpc.RpcError as error:
        return error.code().name, error.details()


def expect(told, code, part=""):
    print(f"  {told[0]}: {told[1]}")
    if told[0] != code or (part and part not in told[1]):
        raise AssertionError(f"{code} with {part!r} is wanted: {told}")


def key_of(data, role):
    code, out, err = run_once("key", "create", "--data", data, "--name", role, "--role", role)
    if code != 0:
        raise AssertionError(err)
    return next(word for word in out.split() if word.startswith("bnk_"))


def start(data, port, more):
    return ServerProcess(data, listen=None, config=f"""
server:
  grpc_listen: "127.0.0.1:{port}"
{more}
collect: {{host: {{enabled: false}}, engines: {{enabled: false}}}}
""")


def plain(data):
    port = free_port()
    server = start(data, port, '  listen: [{address: "127.0.0.1:0"}]')
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            expect(ask(channel), "OK")  # no key exists: this machine may ask
    finally:
        server.stop()
    keys = {role: key_of(data, role) for role in ("viewer", "ingest")}
    server = start(data, port, '  listen: [{address: "127.0.0.1:0"}]')
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            expect(ask(channel, request=b""), "OK")
            for method in ("Check", "List"):
                expect(ask(channel, method), "UNAUTHENTICATED", "this needs a key")
                expect(ask(channel, method, metadata=[("authorization", "Bearer " + keys["viewer"])]), "OK")
                expect(ask(channel, method, metadata=[("x-api-key", keys["viewer"])]), "OK")
                expect(ask(channel, method, metadata=[("x-api-key", keys["ingest"])]), "PERMISSION_DENIED", "viewer")
            expect(ask(channel, metadata=[("x-api-key", "bnk_wrong")]), "UNAUTHENTICATED")
            for _ in range(6):
                told = ask(channel, metadata=[("x-api-key", "bnk_wrong")])
            expect(told, "RESOURCE_EXHAUSTED", "locked out")
            status, _, body = server.get("/api/health", X_API_Key=keys["viewer"])
            if status != 429:
                raise AssertionError(f"who is locked out is so over HTTP, too: {status} {body}")
    finally:
        server.stop()
    server = start(data, port, '  grpc_auth: none\n  listen: [{address: "127.0.0.1:0"}]')
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            expect(ask(channel), "OK")
    finally:
        server.stop()
    return keys["viewer"]


def over_tls(data, key):
    folder = tempfile.mkdtemp(dir=data)
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")
    make_certificate(folder, "server", "/CN=first")
    make_certificate(folder, "client", "/CN=probe")
    port = free_port()
    server = start(data, port, f"""  listen:
    - address: "127.0.0.1:0"
      tls: {{certificate_file: {folder}/server.pem, key_file: {folder}/server.key, client_ca_file: {folder}/ca.pem}}
""")
    try:
        address, trusted = f"localhost:{port}", read(folder, "ca.pem")
        known = grpc.ssl_channel_credentials(trusted, read(folder, "client.key"), read(folder, "client.pem"))
        with grpc.secure_channel(address, grpc.ssl_channel_credentials(trusted)) as channel:
            expect(ask(channel), "UNAUTHENTICATED", "this needs a key")
            expect(ask(channel, metadata=[("authorization", "Bearer " + key)]), "OK")
        with grpc.secure_channel(address, known) as channel:
            expect(ask(channel), "OK")
        with grpc.insecure_channel(address) as channel:
            expect(ask(channel), "UNAVAILABLE")
        make_certificate(folder, "server", "/CN=second")
        end = time.monotonic() + 60
        while subject_of(port, f"{folder}/ca.pem") != "second":
            if time.monotonic() > end:
                raise AssertionError("a renewed certificate is used")
            time.sleep(0.5)
        with grpc.secure_channel(address, known) as channel:
            expect(ask(channel), "OK")
    finally:
        server.stop()


def subject_of(port, authority):
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as peer:
            return peer.getpeercert()["subject"][0][0][1]


def exposed(data):
    """Beyond loopback: with keys, or with the word of the operator."""
    code, _, err = run_once("server", "--data", os.path.join(data, "fresh"), "--listen", "127.0.0.1:0", "--config",
                            written(data, "server: {grpc_listen: '0.0.0.0:0'}"))
    if code == 0 or "server.grpc_listen (0.0.0.0:0)" not in err or "binnacle key create" not in err:
        raise AssertionError(f"an open gRPC port without keys is refused: {code} {err}")
    code, _, err = run_once("server", "--data", data, "--listen", "127.0.0.1:0", "--config",
                            written(data, "server: {grpc_listen: '0.0.0.0:0', grpc_auth: none}"))
    if code == 0 or "server.grpc_listen (0.0.0.0:0)" not in err:
        raise AssertionError(f"an open gRPC port that asks for no key is refused: {code} {err}")
    ServerProcess(data, config="server: {grpc_listen: '0.0.0.0:0'}\n").stop()


def written(data, text):
    path = os.path.join(data, "refused.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return path


def main():
    with tempfile.TemporaryDirectory(prefix="binnacle-grpc-") as data:
        try:
            key = plain(data)
            over_tls(data, key)
            exposed(data)
        except AssertionError as error:
            print(f"FAILED: {error}")
            return 1
    return 0


if __name__ == "__main__":
    if grpc is None or not shutil.which("openssl"):
        print("not installed: python3-grpcio or openssl")
        sys.exit(77)
    sys.exit(main())
