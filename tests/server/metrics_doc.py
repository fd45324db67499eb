#!/usr/bin/env python3
"""docs/metrics.md, written from what a real server registers.

usage: BINNACLE_BIN=build/dev/bin/binnacle python3 tests/server/metrics_doc.py > docs/metrics.md

Some metrics appear with their first event, so the server is asked for a little of everything before its /metrics is
read. What does not show even so (limits that were not met, parts that are not of this server) is read from the sources.
"""

import pathlib
import re
import shutil
import sys
import tempfile
import time

from server_process import ServerProcess

INTRO = """# Own metrics

What Binnacle tells of itself: `/metrics`, and the same as series with `job="binnacle"`. This file is written from a
running server by `tests/server/metrics_doc.py`; a test holds it to what the server registers. Metrics of watched machines
keep the names of the exporters they are known from (`node_*`, `container_*`, `DCGM_*`, `nvidia_gpu_*`, `mlx_*`), those of
engines are the canonical `llm_*`.

Three series stand beside each pushed group, with the group's labels: `push_time_seconds`, `push_failure_time_seconds` and,
where it has a time to live, `binnacle_push_expired`.
"""

# The first prefix that fits.
GROUPS = (
    ("API", ("binnacle_http_", "binnacle_live_", "binnacle_access_", "binnacle_audit_", "binnacle_grpc_")),
    ("Inference", ("llm_", "binnacle_engine", "binnacle_llm_", "binnacle_gateway_")),
    ("Cluster", ("binnacle_link_", "binnacle_cluster_", "binnacle_agent", "binnacle_mesh_", "binnacle_heartbeat_")),
    ("Node", ("process_", "up", "binnacle_build_", "binnacle_node_", "binnacle_gpu_", "binnacle_container",
              "binnacle_process")),
    ("Model", ("binnacle_model_", "train_", "moe_")),
    ("Collection", ("binnacle_collector_", "binnacle_remote_write_", "binnacle_otlp_", "binnacle_push_", "binnacle_scrape",
                    "binnacle_target", "binnacle_discovery_", "binnacle_sd_", "binnacle_http_sd_", "binnacle_ship_",
                    "binnacle_queue_", "binnacle_remote_", "binnacle_name_lookup")),
    ("Store", ("binnacle_store_", "binnacle_wal_", "binnacle_state_")),
    ("Query", ("binnacle_query_",)),
    ("Alerting", ("binnacle_rule", "binnacle_alert", "binnacle_notif")),
    ("Server", ("binnacle_",)),
)
SETTLE_SECONDS = 30
SOURCES = pathlib.Path(__file__).parent.parent.parent / "src"
OTLP = '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":1}]}}]}]}]}'


def warm(server):
    """Makes the metrics appear that wait for their first event."""
    server.get("/api/v1/query?query=up")
    server.get("/api/v1/query?query=(")
    server.get("/nowhere")
    server.get("/live", Host="elsewhere.example")
    server.request("POST", "/api/v1/write", b"x")
    server.request("POST", "/v1/metrics", OTLP, {"Content-Type": "application/json"})
    server.request("PUT", "/metrics/job/doc", "x 1\n")
    server.request("POST", "/api/devices/doc/status", '{"is_healthy":true}')
    server.request("POST", "/-/reload")
    server.request("POST", "/api/binnacle/v1/store/flush")


def families(text):
    """{name: (type, label names, help)} of a /metrics page."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, help_text = line[len("# HELP "):].split(" ", 1)
            found[name] = ["", set(), help_text]
        elif line.startswith("# TYPE "):
            name, kind = line[len("# TYPE "):].split(" ", 1)
            found[name][0] = kind
        elif line:
            name = re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line).group(0)
            if name not in found:
                name = re.sub(r"_(bucket|sum|count)$", "", name)
            labels = re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"', line[:line.rfind("}") + 1])
            found[name][1].update(label for label in labels if label != "le")
    return found


def of_sources():
    """The same of every instrument whose name stands in the sources beside the call that makes it."""
    call = re.compile(r'\b(counter|gauge|histogram)\(\s*"(binnacle_\w+)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+)(?=([^;]{0,200}))')
    found = {}
    for path in sorted(SOURCES.glob("**/*.[ch]*")):
        # check_print.cc writes the page of `binnacle check`, which no server serves.
        if re.search(r"_(test|fuzz|bench|fixture)\.|/testing/|/test_|/check_print\.", str(path)):
            continue
        for kind, name, help_text, rest in call.findall(path.read_text(encoding="utf-8")):
            whole = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', help_text)).replace('\\"', '"')
            found.setdefault(name, [kind, set(), whole])
            labels = re.match(r"[^()]*?\{(\{.*)", rest, re.DOTALL)
            if labels:
                found[name][1].update(re.findall(r'\{"(\w+)",', labels.group(1)))
    return found


def read_families():
    return of_sources() | of_server()


def of_server():
    data = tempfile.mkdtemp(prefix="binnacle-metrics-")
    server = None
    try:
        server = ServerProcess(data)
        warm(server)
        # Collectors begin with their first tick; the page is whole when it grows no more.
        end = time.monotonic() + SETTLE_SECONDS
        before, same = {}, 0
        while same < 4 and time.monotonic() < end:
            now = families(server.get("/metrics")[2])
            same = same + 1 if now == before else 0
            before = now
            time.sleep(0.5)
        return before
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(data, ignore_errors=True)


def group_of(name):
    for group, prefixes in GROUPS:
        if name.startswith(prefixes):
            return group
    return "Server"


def document(found):
    lines = [INTRO]
    for group, _ in GROUPS:
        rows = sorted(name for name in found if group_of(name) == group)
        if not rows:
            continue
        lines.append(f"## {group}\n\n| name | type | labels | meaning |\n|---|---|---|---|")
        for name in rows:
            kind, labels, help_text = found[name]
            shown = ", ".join(f"`{label}`" for label in sorted(labels))
            escaped = help_text.replace("|", "\\|")
            lines.append(f"| `{name}` | {kind} | {shown} | {escaped} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(document(read_families()))
