#!/usr/bin/env python3
"""A PostgreSQL and a streaming replica of it are checked; the primary is stopped, then killed.

Exit: 0 all is well, 1 it is not, 77 a program is missing.
"""

import os
import signal
import subprocess
import sys

from check_run import as_user, expect, main, run_checks, until_healthy
from peers import free_port

TOOLS = "/usr/lib/postgresql"
CHECKS = """
defaults: {{timeout: 3s}}
checks:
  - {{name: primary, type: postgres, postgres: {{address: "127.0.0.1:{primary}", role: primary}}}}
  - {{name: by-name, type: postgres, postgres: {{address: "localhost:{primary}", user: app, password: word, database: postgres}}}}
  - {{name: socket, type: postgres, postgres: {{socket: "{folder}/primary", port: {primary}}}}}
  - {{name: as-replica, type: postgres, postgres: {{address: "127.0.0.1:{primary}", role: replica}}}}
  - {{name: replica, type: postgres, postgres: {{address: "127.0.0.1:{replica}", role: replica, lag: {{critical: 1m}}}}}}
  - {{name: value, type: postgres, postgres: {{address: "127.0.0.1:{primary}", query: "SELECT 7", value: {{warn: "> 5"}}}}}}
  - {{name: text, type: postgres, postgres: {{address: "127.0.0.1:{primary}", query: "SELECT 'up'", expect: up}}}}
  - {{name: other-text, type: postgres, postgres: {{address: "127.0.0.1:{primary}", query: "SELECT 'up'", expect: down}}}}
  - {{name: writes, type: postgres, postgres: {{address: "127.0.0.1:{primary}", query: "CREATE TABLE t (a int)"}}}}
  - {{name: two, type: postgres, postgres: {{address: "127.0.0.1:{primary}", query: "COMMIT; CREATE TABLE t (a int)"}}}}
  - {{name: wrong, type: postgres, postgres: {{address: "127.0.0.1:{primary}", query: "SELECT nothing"}}}}
  - {{name: many, type: postgres, postgres: {{address: "127.0.0.1:{primary}", query: "SELECT generate_series(1, 100000000)"}}}}
  - {{name: slow, type: postgres, timeout: 500ms, postgres: {{address: "127.0.0.1:{primary}", query: "SELECT pg_sleep(60)"}}}}
  - {{name: wrong-word, type: postgres, postgres: {{address: "127.0.0.1:{primary}", user: app, password: no}}}}
  - {{name: no-database, type: postgres, postgres: {{address: "127.0.0.1:{primary}", database: none}}}}
"""


def steps(programs):
    tools = os.path.join(TOOLS, sorted(os.listdir(TOOLS))[-1], "bin")
    user, account = as_user("postgres")
    ports = {"primary": free_port(), "replica": free_port()}
    text = CHECKS.format(folder=programs.folder, **ports)
    data = {name: os.path.join(programs.folder, name) for name in ports}
    for folder in data.values():
        os.mkdir(folder, 0o700)
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)

    def run(*command):
        subprocess.run([*user, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def postgres(name):
        return programs.start(name, [*user, f"{tools}/postgres", "-D", data[name], "-p", str(ports[name]), "-k", data[name],
                                     "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])

    run(f"{tools}/initdb", "-D", data["primary"], "-U", "postgres", "-A", "trust", "--no-sync")
    with open(os.path.join(data["primary"], "pg_hba.conf"), "w", encoding="utf-8") as file:
        file.write("host all app all scram-sha-256\nhost replication all all trust\nhost all all all trust\n"
                   "local all all trust\n")
    primary = postgres("primary")
    until_healthy(programs.folder, text, "primary")
    run(f"{tools}/psql", "-h", "127.0.0.1", "-p", str(ports["primary"]), "-U", "postgres", "-c",
        "CREATE ROLE app LOGIN PASSWORD 'word'")
    run(f"{tools}/pg_basebackup", "-h", "127.0.0.1", "-p", str(ports["primary"]), "-U", "postgres", "-D", data["replica"],
        "-R", "-c", "fast")
    postgres("replica")
    until_healthy(programs.folder, text, "replica")

    readings = run_checks(programs.folder, text)
    expect(readings, "primary", "healthy", "primary", "PostgreSQL ")
    expect(readings, "by-name", "healthy")
    expect(readings, "socket", "healthy")
    expect(readings, "as-replica", "critical", "it is a primary, wanted replica")
    expect(readings, "replica", "healthy", "replica")
    if expect(readings, "value", "degraded", "the query gives 7")["value"] != 7:
        raise AssertionError("the value is the query's")
    expect(readings, "text", "healthy", "the query gives up")
    expect(readings, "other-text", "critical", "the query gives up, wanted down")
    expect(readings, "writes", "critical", "read-only transaction")
    expect(readings, "two", "critical", "multiple commands")
    expect(readings, "wrong", "critical", "does not exist")
    expect(readings, "many", "unknown", "more than 1000 rows")
    if expect(readings, "slow", "failed" if "in time" in readings["slow"]["message"] else "critical")["took_ms"] > 2000:
        raise AssertionError("a slow query takes its timeout")
    expect(readings, "wrong-word", "critical", "password authentication failed")
    expect(readings, "no-database", "critical", "does not exist")

    for pid in [primary.pid, *children_of(primary.pid)]:
        os.kill(pid, signal.SIGSTOP)
    if not 2900 < expect(run_checks(programs.folder, text), "primary", "failed", "in time")["took_ms"] < 5000:
        raise AssertionError("a stopped server takes the timeout")
    for pid in [primary.pid, *children_of(primary.pid)]:
        os.kill(pid, signal.SIGCONT)
    primary.send_signal(signal.SIGQUIT)
    primary.wait(timeout=20)
    expect(run_checks(programs.folder, text), "primary", "failed", "refused")


def children_of(pid):
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                if file.read().rsplit(")", 1)[1].split()[1] == str(pid):
                    found.append(int(name))
        except (OSError, IndexError):
            continue
    return found


if __name__ == "__main__":
    if not os.path.isdir(TOOLS):
        print("not installed: postgresql")
        sys.exit(77)
    sys.exit(main(steps))
