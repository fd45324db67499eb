#!/usr/bin/env python3
"""Tells a Binnacle server about the GPU, power and memory of this Mac, again and again.

usage: sudo mlx_push.py --server http://HOST:8080 [--key-file FILE] [--every SECONDS] [--once]

Needs nothing but macOS' own python3, powermetrics, ioreg, vm_stat and sysctl. powermetrics needs root; without it the
script still tells what ioreg and vm_stat know. Each push is the Mac's beat too: the group lives for three times
--every, then `binnacle_push_expired{job="mlx"}` turns 1 and the readings go stale. The key of role ingest is read from
the file, or from the variable BINNACLE_KEY. For tests, --recorded FOLDER reads NAME.txt instead of running NAME.
"""

import argparse
import os
import pathlib
import plistlib
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

COMMANDS = {
    "powermetrics": ["powermetrics", "--samplers", "cpu_power,gpu_power,thermal", "-n", "1", "-i", "1000", "-f", "plist"],
    "ioreg": ["ioreg", "-r", "-d", "1", "-w", "0", "-c", "IOAccelerator"],
    "vm_stat": ["vm_stat"],
    "sysctl": ["sysctl", "-n", "hw.memsize"],
}
COMMAND_SECONDS = 20
PUSH_SECONDS = 10
LIVES_FOR_PUSHES = 3
LONGEST_WAIT_SECONDS = 300
PRESSURE = {"Nominal": 0, "Moderate": 1, "Heavy": 2, "Trapping": 3, "Sleeping": 4}

HELP = {
    "mlx_gpu_utilization": ("gauge", "Share of time the GPU was busy, in percent."),
    "mlx_gpu_frequency_hertz": ("gauge", "Mean frequency of the GPU while it was busy."),
    "mlx_gpu_power_watts": ("gauge", "Power of the GPU."),
    "mlx_cpu_power_watts": ("gauge", "Power of the CPU cores."),
    "mlx_ane_power_watts": ("gauge", "Power of the neural engine."),
    "mlx_package_power_watts": ("gauge", "Power of the whole package."),
    "mlx_thermal_pressure": ("gauge", "0 nominal, 1 moderate, 2 heavy, 3 trapping, 4 sleeping."),
    "mlx_gpu_memory_used_bytes": ("gauge", "Unified memory that the GPU has in use."),
    "mlx_gpu_memory_allocated_bytes": ("gauge", "Unified memory that is allocated for the GPU."),
    "mlx_memory_usage_mb": ("gauge", "Memory in use by all programs and the kernel, in MiB."),
    "mlx_memory_total_bytes": ("gauge", "Memory of this Mac."),
    "mlx_memory_wired_bytes": ("gauge", "Memory that cannot be paged out."),
    "mlx_memory_compressed_bytes": ("gauge", "Memory that holds compressed pages."),
    "mlx_source_up": ("gauge", "1 where the program was there and its output understood."),
}


def of_powermetrics(data):
    root = plistlib.loads(data.split(b"\0")[0].strip())
    found = {}
    processor = root.get("processor", {})
    for name, key in (("cpu", "cpu_power"), ("ane", "ane_power"), ("package", "combined_power"), ("gpu", "gpu_power")):
        if key in processor:
            found[f"mlx_{name}_power_watts"] = round(processor[key] / 1000, 6)  # milliwatts
    gpu = root.get("gpu", {})
    if "idle_ratio" in gpu:
        found["mlx_gpu_utilization"] = round(100 * (1 - gpu["idle_ratio"]), 3)
    if "freq_hz" in gpu:
        # The key says hertz; since macOS 13 the value is in megahertz.
        found["mlx_gpu_frequency_hertz"] = gpu["freq_hz"] * (1e6 if gpu["freq_hz"] < 1e5 else 1)
    if "gpu_energy" in gpu and "mlx_gpu_power_watts" not in found and root.get("elapsed_ns"):
        found["mlx_gpu_power_watts"] = gpu["gpu_energy"] / 1000 / (root["elapsed_ns"] / 1e9)  # millijoules
    if root.get("thermal_pressure") in PRESSURE:
        found["mlx_thermal_pressure"] = PRESSURE[root["thermal_pressure"]]
    if not found:
        raise ValueError("powermetrics: none of the known readings")
    return found


def of_ioreg(data):
    text = data.decode("utf-8", "replace")
    names = {
        "mlx_gpu_utilization": "Device Utilization %",
        "mlx_gpu_memory_used_bytes": "In use system memory",
        "mlx_gpu_memory_allocated_bytes": "Alloc system memory",
    }
    found = {}
    for name, key in names.items():
        values = [int(value) for value in re.findall(rf'"{re.escape(key)}"=(\d+)', text)]
        if values:
            found[name] = max(values)
    if not found:
        raise ValueError("ioreg: no PerformanceStatistics of a GPU")
    return found


def of_vm_stat(data):
    text = data.decode("utf-8", "replace")
    page = re.search(r"page size of (\d+) bytes", text)
    if not page:
        raise ValueError("vm_stat: no page size")
    size = int(page.group(1))
    pages = {name.strip(' "'): int(count) for name, count in re.findall(r"^(.+?):\s+(\d+)\.$", text, re.MULTILINE)}
    wired = pages["Pages wired down"]
    compressed = pages["Pages occupied by compressor"]
    # As Activity Monitor counts: what programs hold, less what can be dropped at once.
    app = pages.get("Anonymous pages", pages["Pages active"]) - pages.get("Pages purgeable", 0)
    return {
        "mlx_memory_wired_bytes": wired * size,
        "mlx_memory_compressed_bytes": compressed * size,
        "mlx_memory_usage_mb": round((app + wired + compressed) * size / 2**20, 1),
    }


def of_sysctl(data):
    return {"mlx_memory_total_bytes": int(data)}


READERS = {"ioreg": of_ioreg, "powermetrics": of_powermetrics, "vm_stat": of_vm_stat, "sysctl": of_sysctl}


def output(name, recorded):
    if recorded:
        return (pathlib.Path(recorded) / f"{name}.txt").read_bytes()
    done = subprocess.run(COMMANDS[name], capture_output=True, timeout=COMMAND_SECONDS, check=True)
    return done.stdout


def readings(recorded):
    """({metric: value}, {program: whether it told something}); one that fails hides nothing of the others."""
    found, up = {}, {}
    for name, read in READERS.items():
        try:
            found.update(read(output(name, recorded)))
            up[name] = 1
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, plistlib.InvalidFileException) as error:
            print(f"{name}: {error}", file=sys.stderr)
            up[name] = 0
    return found, up


def page(found, up):
    lines = []
    for name, (kind, text) in HELP.items():
        if name == "mlx_source_up":
            samples = [f'mlx_source_up{{source="{source}"}} {value}' for source, value in sorted(up.items())]
        elif name in found:
            samples = [f"{name} {found[name]!r}"]
        else:
            continue
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *samples]
    return "\n".join(lines) + "\n"


def push(args, text):
    group = f"/metrics/job/mlx/instance/{urllib.parse.quote(args.name, safe='')}"
    lives = max(1, round(args.every * LIVES_FOR_PUSHES))
    request = urllib.request.Request(f"{args.server.rstrip('/')}{group}?ttl={lives}s", text.encode(), method="PUT",
                                     headers={"Content-Type": "text/plain; version=0.0.4"})
    if args.key:
        request.add_header("Authorization", f"Bearer {args.key}")
    with urllib.request.urlopen(request, timeout=PUSH_SECONDS):
        pass


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--server", required=True, help="address of the Binnacle server, http://HOST:8080")
    parser.add_argument("--name", default=socket.gethostname(), help="label `instance`; this machine's name by default")
    parser.add_argument("--every", type=float, default=10, help="seconds between two pushes (10)")
    parser.add_argument("--key-file", help="file with a key of role ingest")
    parser.add_argument("--once", action="store_true", help="push once; exit 1 when that fails")
    parser.add_argument("--recorded", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.every < 1:
        parser.error("--every: at least 1")
    args.key = os.environ.get("BINNACLE_KEY", "")
    if args.key_file:
        args.key = pathlib.Path(args.key_file).read_text(encoding="ascii").strip()
    return args


def main():
    args = arguments()
    failures = 0
    while True:
        began = time.monotonic()
        try:
            push(args, page(*readings(args.recorded)))
            failures = 0
        except urllib.error.HTTPError as error:
            failures += 1
            print(f"push: {error.code}: {error.read(500).decode('utf-8', 'replace')}", file=sys.stderr)
        except OSError as error:
            failures += 1
            print(f"push: {error}", file=sys.stderr)
        if args.once:
            return 1 if failures else 0
        # A server that is away is asked less and less often.
        wait = min(args.every * 2 ** min(failures, 10), max(args.every, LONGEST_WAIT_SECONDS))
        time.sleep(max(0.0, wait - (time.monotonic() - began)))


if __name__ == "__main__":
    sys.exit(main())
