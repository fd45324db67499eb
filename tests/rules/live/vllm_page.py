#!/usr/bin/env python3
"""An engine in trouble as its /metrics tells it, with vLLM's names: `--like vllm` is what the search for engines reads in
its command line. Prints `ready PORT`. Requests wait long for their first token and for the next, many fail, the queue
grows, the cache is full and finds nothing."""

import sys
import time

from pages import Pages

LABELS = 'engine="0",model_name="slow-8b"'
STARTED = time.monotonic()


def histogram(name, bounds, slow_from, mean, count):
    """`count` observations over the bound `slow_from`."""
    lines = [f"# TYPE vllm:{name} histogram"]
    for bound in bounds:
        lines.append(f'vllm:{name}_bucket{{{LABELS},le="{bound}"}} {count if float(bound) > slow_from else 0}')
    return lines + [f"vllm:{name}_sum{{{LABELS}}} {mean * count}", f"vllm:{name}_count{{{LABELS}}} {count}"]


def page():
    passed = time.monotonic() - STARTED
    done = int(10 * passed)
    lines = []
    for name, kind, value in (("num_requests_running", "gauge", 64), ("num_requests_waiting", "gauge", 120 + done),
                              ("kv_cache_usage_perc", "gauge", 0.99), ("num_preemptions_total", "counter", done),
                              ("prompt_tokens_total", "counter", 900 * done),
                              ("generation_tokens_total", "counter", 90 * done),
                              ("prefix_cache_queries_total", "counter", 1_000_000 + 900 * done),
                              ("prefix_cache_hits_total", "counter", 800_000 + 9 * done)):
        lines += [f"# TYPE vllm:{name} {kind}", f"vllm:{name}{{{LABELS}}} {value}"]
    lines.append("# TYPE vllm:request_success_total counter")
    for reason, share in (("stop", 0.7), ("error", 0.3)):
        lines.append(f'vllm:request_success_total{{{LABELS},finished_reason="{reason}"}} {share * done}')
    lines += histogram("e2e_request_latency_seconds", ["1.0", "60.0", "120.0", "240.0", "+Inf"], 60, 100, done)
    lines += histogram("time_to_first_token_seconds", ["0.1", "2.5", "5.0", "10.0", "+Inf"], 2.5, 4, done)
    lines += histogram("inter_token_latency_seconds", ["0.1", "0.2", "0.3", "0.5", "+Inf"], 0.2, 0.25, 90 * done)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    served = Pages({"/metrics": page, "/version": lambda: '{"version": "0.13.0"}', "/health": lambda: "",
                    "/v1/models": lambda: '{"object": "list", "data": [{"id": "slow-8b", "object": "model"}]}'})
    print("ready", served.address.rpartition(":")[2], flush=True)
    sys.stdin.read()  # until the test closes it
