#!/usr/bin/env python3
"""Rules over the data of a GPU cluster (bench/cluster_data.h): for each of NODES nodes and each of a hundred metrics one
rule over the series of its 8 GPUs, alerting and recording by turns, a file with a group of a hundred for each node.

usage: alert_rules.py PORT NODES FOLDER     PORT: the server that has the series, which is asked for their names
"""

import json
import os
import sys
import urllib.request


def values(port, label):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/label/{label}/values", timeout=60) as answer:
        return json.load(answer)["data"]


def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    nodes, names = values(port, "node")[:count], values(port, "__name__")
    metrics = [one for one in names if not one.startswith(("ALERTS", "binnacle_", "scrape_", "up", "go_", "process_", "node:"))][:100]
    os.makedirs(sys.argv[3], exist_ok=True)
    for number, node in enumerate(nodes):
        with open(os.path.join(sys.argv[3], f"{number}.yml"), "w", encoding="utf-8") as file:
            file.write(f"groups:\n- name: node-{number}\n  interval: 15s\n  rules:\n")
            file.writelines(rule(place, f'{metrics[place % len(metrics)]}{{node="{node}"}}') for place in range(100))


def rule(place, selector):
    if place % 2:
        return f"  - {{record: 'node:metric_{place}:sum', expr: 'sum by (node) ({selector})'}}\n"
    # None fires: what is measured is the watching.
    return (f"  - {{alert: 'High{place}', expr: '{selector} > 1e18', for: 1m, labels: {{severity: page}}, "
            "annotations: {summary: '{{ $labels.node }} has {{ $value }}'}}\n")


if __name__ == "__main__":
    main()
