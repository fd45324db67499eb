#!/usr/bin/env python3
"""A Redis with a password, a replica of it, one that speaks TLS alone and wants a client's certificate, and their queues
are checked; the master is stopped, then killed.

Exit: 0 all is well, 1 it is not, 77 a program is missing.
"""

import os
import shutil
import signal
import subprocess
import sys

from check_run import expect, main, run_checks, until_healthy
from peers import free_port

CHECKS = """
defaults: {{timeout: 2s}}
checks:
  - {{name: master, type: redis, redis: {{address: "127.0.0.1:{master}", password: word, role: master}}}}
  - {{name: as-replica, type: redis, redis: {{address: "127.0.0.1:{master}", password: word, role: replica}}}}
  - {{name: replica, type: redis, redis: {{address: "127.0.0.1:{replica}", role: replica}}}}
  - {{name: replicas, type: redis, redis: {{address: "127.0.0.1:{master}", password: word, replicas: {{critical: 2}}}}}}
  - {{name: nobody, type: redis, redis: {{address: "127.0.0.1:{master}"}}}}
  - {{name: wrong-word, type: redis, redis: {{address: "127.0.0.1:{master}", password: w}}}}
  - {{name: wrong-user, type: redis, redis: {{address: "127.0.0.1:{master}", username: u, password: word}}}}
  - {{name: memory, type: redis, redis: {{address: "127.0.0.1:{master}", password: word, memory: {{warn: 1%, critical: 99%}}}}}}
  - {{name: database, type: redis, redis: {{address: "127.0.0.1:{master}", password: word, database: 99}}}}
  - {{name: list, type: queue_depth, queue_depth: {{address: "127.0.0.1:{master}", password: word, key: jobs, warn: 2, critical: 10}}}}
  - {{name: stream, type: queue_depth, queue_depth: {{address: "127.0.0.1:{master}", password: word, key: events, critical: 1}}}}
  - {{name: pending, type: queue_depth, queue_depth: {{address: "127.0.0.1:{master}", password: word, key: events, group: workers, warn: 0}}}}
  - {{name: absent, type: queue_depth, queue_depth: {{address: "127.0.0.1:{master}", password: word, key: none, warn: 0}}}}
  - {{name: no-queue, type: queue_depth, queue_depth: {{address: "127.0.0.1:{master}", password: word, key: text, warn: 0}}}}
  - {{name: tls, type: redis, redis: {{address: "localhost:{tls}", password: word, tls_config: {trusted}}}}}
  - {{name: tls-list, type: queue_depth, queue_depth: {{address: "127.0.0.1:{tls}", password: word, key: jobs, warn: 0, tls_config: {trusted}}}}}
  - {{name: tls-skip, type: redis, redis: {{address: "127.0.0.1:{tls}", password: word, tls_config: {{insecure_skip_verify: true, cert_file: client.pem, key_file: client.key}}}}}}
  - {{name: tls-word, type: redis, redis: {{address: "localhost:{tls}", password: w, tls_config: {trusted}}}}}
  - {{name: tls-untrusted, type: redis, redis: {{address: "localhost:{tls}", password: word, tls: true}}}}
  - {{name: tls-name, type: redis, redis: {{address: "localhost:{tls}", password: word, tls_config: {{server_name: other.example, ca_file: ca.pem}}}}}}
  - {{name: tls-nobody, type: redis, redis: {{address: "localhost:{tls}", password: word, tls_config: {{ca_file: ca.pem}}}}}}
  - {{name: plain-to-tls, type: redis, redis: {{address: "127.0.0.1:{tls}", password: word}}}}
  - {{name: tls-to-plain, type: redis, redis: {{address: "127.0.0.1:{master}", password: word, tls_config: {{ca_file: ca.pem}}}}}}
"""
TRUSTED = "{ca_file: ca.pem, cert_file: client.pem, key_file: client.key}"


def make_certificates(folder):
    """ca.pem, and what it signed: server.pem for localhost and 127.0.0.1, client.pem."""
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, stderr=subprocess.DEVNULL, cwd=folder)

    fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *fresh, "-days", "2", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")
    for name, subject in (("server", "/CN=cache"), ("client", "/CN=probe")):
        with open(os.path.join(folder, name + ".ext"), "w", encoding="utf-8") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("req", *fresh, "-subj", subject, "-keyout", name + ".key", "-out", name + ".csr")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", name + ".ext", "-out", name + ".pem")


def steps(programs):
    ports = {name: free_port() for name in ("master", "replica", "tls")}
    text = CHECKS.format(trusted=TRUSTED, **ports)
    make_certificates(programs.folder)

    def redis(name, *options):
        folder = os.path.join(programs.folder, name)
        os.makedirs(folder, exist_ok=True)
        return programs.start(name, ["redis-server", "--port", "0" if name == "tls" else str(ports[name]), "--bind",
                                     "127.0.0.1", "--save", "", "--dir", folder, *options])

    def tell(*words, name="master", options=()):
        subprocess.run(["redis-cli", "-p", str(ports[name]), "-a", "word", "--no-auth-warning", *options, *words],
                       check=True, stdout=subprocess.DEVNULL, cwd=programs.folder)

    master = redis("master", "--requirepass", "word", "--maxmemory", "20mb", "--repl-diskless-sync-delay", "0")
    redis("replica", "--replicaof", "127.0.0.1", str(ports["master"]), "--masterauth", "word")
    files = {"cert": "server.pem", "key": "server.key", "ca-cert": "ca.pem"}
    redis("tls", "--requirepass", "word", "--tls-port", str(ports["tls"]), "--tls-auth-clients", "yes",
          *(word for name, file in files.items()
            for word in (f"--tls-{name}-file", os.path.join(programs.folder, file))))
    until_healthy(programs.folder, text, "master")
    until_healthy(programs.folder, text, "tls")
    until_healthy(programs.folder, text, "replica")
    tell("RPUSH", "jobs", "a", "b", "c")
    tell("XGROUP", "CREATE", "events", "workers", "0", "MKSTREAM")
    for _ in range(3):
        tell("XADD", "events", "*", "a", "1")
    tell("XREADGROUP", "GROUP", "workers", "me", "COUNT", "2", "STREAMS", "events", ">")
    tell("SET", "text", "x")
    tell("RPUSH", "jobs", "a", "b", name="tls", options=["--tls", "--cacert", "ca.pem", "--cert", "client.pem", "--key",
                                                         "client.key"])
    readings = run_checks(programs.folder, text)
    expect(readings, "master", "healthy", "master", "Redis ")
    expect(readings, "as-replica", "critical", "it is a master, wanted replica")
    expect(readings, "replica", "healthy", "replica")
    expect(readings, "replicas", "critical", "1 replicas are connected")
    expect(readings, "nobody", "critical", "NOAUTH")
    expect(readings, "wrong-word", "critical", "WRONGPASS")
    expect(readings, "wrong-user", "critical", "WRONGPASS")
    expect(readings, "memory", "degraded", "memory is used")
    expect(readings, "database", "critical", "DB index")
    if expect(readings, "list", "degraded", "3 waiting in jobs")["value"] != 3:
        raise AssertionError("the value is the depth")
    expect(readings, "stream", "critical", "3 waiting in events")
    expect(readings, "pending", "degraded", "2 pending in events of workers")
    expect(readings, "absent", "healthy", "0 waiting")
    expect(readings, "no-queue", "critical", "text is a string, no queue")
    expect(readings, "tls", "healthy", "master", "Redis ")
    expect(readings, "tls-list", "degraded", "2 waiting in jobs")
    expect(readings, "tls-skip", "healthy")
    expect(readings, "tls-word", "critical", "WRONGPASS")
    expect(readings, "tls-untrusted", "critical", "certificate refused")
    expect(readings, "tls-name", "critical", "hostname mismatch")
    expect(readings, "tls-nobody", "failed", "connection lost")
    expect(readings, "plain-to-tls", "failed", "connection lost")
    expect(readings, "tls-to-plain", "failed", "TLS")

    master.send_signal(signal.SIGSTOP)
    readings = run_checks(programs.folder, text)
    if not 1900 < expect(readings, "master", "failed", "in time")["took_ms"] < 4000:
        raise AssertionError("a stopped server takes the timeout")
    master.send_signal(signal.SIGCONT)
    master.kill()
    master.wait(timeout=10)
    readings = run_checks(programs.folder, text)
    expect(readings, "master", "failed", "refused")
    until_down = 100
    while run_checks(programs.folder, text)["replica"]["health"] == "healthy" and until_down:
        until_down -= 1
    expect(run_checks(programs.folder, text), "replica", "critical", "the link to its master 127.0.0.1")


if __name__ == "__main__":
    missing = [name for name in ("redis-server", "redis-cli", "openssl") if not shutil.which(name)]
    if missing:
        print("not installed: " + ", ".join(missing))
        sys.exit(77)
    sys.exit(main(steps))
