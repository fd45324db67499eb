#!/usr/bin/env python3
"""Rules over the data of a GPU cluster (bench/cluster_data.h): for each of NODES nodes and each of a hundred metrics one
rule over the series of its 8 GPUs, alerting and recording by turns, in groups of a hundred.

usage: alert_rules.py PORT NODES >FILE     PORT: the server that has the series, which is asked for their names
"""

import json
import sys
import urllib.request


def values(port, label):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/label/{label}/values", timeout=60) as answer:
        return json.load(answer)["data"]


def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    nodes, names = values(port, "node")[:count], values(port, "__name__")
    metrics = [one for one in names if not one.startswith(("ALERTS", "binnacle_", "scrape_", "up", "go_", "process_", "node:"))][:100]
    print("groups:")
    for number, node in enumerate(nodes):
        print(f"- name: node-{number}\n  interval: 15s\n  rules:")
        for place in range(100):
            metric = metrics[place % len(metrics)]
            selector = f'{metric}{{node="{node}"}}'
            if place % 2:
                print(f"  - {{record: 'node:metric_{place}:sum', expr: 'sum by (node) ({selector})'}}")
            else:
                # None fires: what is measured is the watching.
                print(f"  - {{alert: 'High{place}', expr: '{selector} > 1e18', for: 1m, labels: {{severity: page}}, "
                      "annotations: {summary: '{{ $labels.node }} has {{ $value }}'}}")


if __name__ == "__main__":
    main()
