#!/usr/bin/env python3
"""Compares our host collector with the real node_exporter on the same machine.

usage: compare.py HOST_DUMP

node_exporter is read, then we collect, then node_exporter is read again: a counter of ours must lie between
its two values. Names, labels, types, help and units must agree in every family that we claim; what only one
side has is printed. Exit: 0 they agree, 1 they do not, 77 node_exporter is not installed.
"""

import math
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

START_TIMEOUT_S = 30

# The families we claim: those of node_exporter's collectors that the host collector replaces.
CLAIMED = re.compile(
    r"node_(boot_time_seconds|context_switches_total|forks_total|intr_total|procs_\w+|"
    r"cpu_(seconds|guest_seconds)_total|cpu_(scaling_)?frequency_(\w+_)?hertz|"
    r"memory_\w+|load\d+|"
    r"disk_(?!ata_|device_mapper_|filesystem_)\w+|"
    r"filesystem_\w+|network_\w+|netstat_\w+|sockstat_\w+|pressure_\w+|filefd_\w+|vmstat_\w+|"
    r"time_seconds|uname_info|os_\w+|entropy_\w+|"
    r"hwmon_(temp(_max|_crit)?_celsius|fan_rpm|in_volts|curr_amps|power_(average_)?watt|"
    r"chip_names|sensor_label)|"
    r"textfile_(mtime_seconds|scrape_error|compared_\w+)|"
    r"thermal_zone_temp|processes_(?!threads_state)\w+|nf_conntrack_entries(_limit)?)$"
)

# Gauges that move from one moment to the next: the series must be there, the value may be any.
RESTLESS = re.compile(
    r"node_(load\d+|procs_\w+|disk_io_now|filefd_allocated|sockstat_\w+|netstat_Tcp_CurrEstab|"
    r"nf_conntrack_entries|hwmon_\w+|thermal_zone_temp|cpu_\w*frequency_hertz|"
    r"processes_(pids|threads|state)|entropy_available_bits|memory_\w+)$"
)
# Label sets that come and go within a second.
RESTLESS_LABELS = {"node_processes_state"}
# Of memory the sizes that stand still must agree; the rest is restless.
STEADY_MEMORY = re.compile(
    r"node_memory_(MemTotal|SwapTotal|CommitLimit|VmallocTotal|Hugepagesize)_bytes$")

SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Exposition:
    def __init__(self, text):
        self.types, self.helps, self.samples = {}, {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ", 3)
                self.types[name] = kind
            elif line.startswith("# HELP "):
                _, _, name, text_of_help = line.split(" ", 3)
                self.helps[name] = text_of_help
            elif line and not line.startswith("#"):
                self.add_sample(line)

    def add_sample(self, line):
        match = SAMPLE.match(line)
        if match is None:
            raise ValueError(f"not a sample: {line}")
        name, labels, value = match.groups()
        if CLAIMED.match(name) is None:
            return
        # A label with an empty value is no label.
        pairs = tuple(sorted((k, v) for k, v in LABEL.findall(labels or "") if v))
        self.samples.setdefault(name, {})[pairs] = float(value)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        return Exposition(answer.read().decode())


def wait_until_up(process, port):
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"node_exporter ended with exit code {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"node_exporter did not listen within {START_TIMEOUT_S} s")


# What programs leave for the textfile collector: two files that are fine and one that is broken.
TEXT_FILES = {
    "a.prom": "# HELP node_textfile_compared_jobs Jobs.\n# TYPE node_textfile_compared_jobs gauge\n"
              'node_textfile_compared_jobs{queue="a \\"b\\""} 1.5e3\nnode_textfile_compared_jobs 2\n',
    "b.prom": "node_textfile_compared_broken{ 1\n",
    "c.prom": "# HELP node_textfile_compared_runs_total Runs.\n"
              "# TYPE node_textfile_compared_runs_total counter\nnode_textfile_compared_runs_total 7\n",
    "d.txt": "node_textfile_compared_other 1\n",
}


def three_readings(exporter, host_dump):
    with tempfile.TemporaryDirectory(prefix="binnacle-textfile-") as folder:
        for name, text in TEXT_FILES.items():
            pathlib.Path(folder, name).write_text(text)
        return three_readings_with(exporter, host_dump, folder)


def three_readings_with(exporter, host_dump, folder):
    port = free_port()
    process = subprocess.Popen(
        [exporter, f"--web.listen-address=127.0.0.1:{port}", "--collector.processes",
         f"--collector.textfile.directory={folder}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_up(process, port)
        before = scrape(port)
        ours = Exposition(subprocess.run([host_dump, folder], check=True, capture_output=True,
                                         text=True).stdout)
        return before, ours, scrape(port)
    finally:
        process.terminate()
        process.wait(timeout=20)


def value_agrees(name, low, ours, high):
    if RESTLESS.match(name) and not STEADY_MEMORY.match(name):
        return True
    low, high = min(low, high), max(low, high)
    # Room for rounding, and for what node_exporter reads by another road than we do.
    room = max(abs(low), abs(high)) * 1e-3 + 0.02
    return math.isfinite(ours) and low - room <= ours <= high + room


def series_name(name, labels):
    return name + ("{" + ",".join(f'{k}="{v}"' for k, v in labels) + "}" if labels else "")


def compare(before, ours, after):
    problems = []
    names = sorted(set(ours.samples) | set(after.samples))
    for name in names:
        if name not in after.samples or name not in ours.samples:
            problems.append(f"only {'ours' if name in ours.samples else 'theirs'}: {name}")
            continue
        for what, mine, other in (("type", ours.types, after.types), ("help", ours.helps, after.helps)):
            if mine.get(name) != other.get(name):
                problems.append(f"{what} of {name}: ours {mine.get(name)!r}, theirs {other.get(name)!r}")
        if name not in RESTLESS_LABELS:
            problems += compare_series(name, before.samples.get(name, {}), ours.samples[name],
                                       after.samples[name])
    return len(names), problems


def compare_series(name, before, ours, after):
    problems = []
    # A device that came or went between the readings stands in one of theirs alone.
    for labels in sorted(set(before) & set(after) - set(ours)):
        problems.append(f"only theirs: {series_name(name, labels)}")
    for labels in sorted(set(ours) - set(before) - set(after)):
        problems.append(f"only ours: {series_name(name, labels)}")
    for labels in sorted(set(ours) & set(before) & set(after)):
        low, value, high = before[labels], ours[labels], after[labels]
        if not value_agrees(name, low, value, high):
            problems.append(f"value of {series_name(name, labels)}: ours {value:g}, "
                            f"theirs {low:g} before and {high:g} after")
    return problems


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    exporter = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")
    if exporter is None:
        print("skipped: node_exporter is not installed (apt-get install prometheus-node-exporter)")
        return 77
    before, ours, after = three_readings(exporter, sys.argv[1])
    families, problems = compare(before, ours, after)
    series = sum(len(samples) for samples in ours.samples.values())
    print(f"{families} families, {series} series of ours, {len(problems)} differences")
    for problem in problems:
        print("  " + problem)
    return 1 if problems or series == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
