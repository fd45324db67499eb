#!/usr/bin/env python3
"""OpenTelemetry's own SDK exports to a real `binnacle server`, in JSON and in protobuf with gzip.

usage: sdk.py FOLDER    FOLDER is where the SDK is installed, by the lock file beside this program

What the SDK was told must be there under Prometheus' names; what the server does not store (delta temporality,
exponential histograms) must reach the SDK's log as a partial success. Exit: 0 it is so, 1 it is not, 77 node or npm is
missing, or the packages cannot be had.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

from server_process import ServerProcess

HERE = pathlib.Path(__file__).parent
SKIPPED = 77
INSTALL_SECONDS = 120
EXPORT_SECONDS = 60


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def install(folder):
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            skip(f"{program} is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_bytes()
    marker = folder / "installed.json"
    if marker.exists() and marker.read_bytes() == lock:
        return
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, folder / name)
    done = subprocess.run(["npm", "ci"], cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    if done.returncode != 0:
        skip(f"npm ci failed:\n{done.stdout}{done.stderr}")
    marker.write_bytes(lock)


def export(folder, *args):
    """(exit code, what the SDK logged)"""
    shutil.copy(HERE / "export.mjs", folder / "export.mjs")
    done = subprocess.run(["node", "export.mjs", *args], cwd=folder, capture_output=True, text=True,
                          timeout=EXPORT_SECONDS)
    return done.returncode, done.stdout + done.stderr


def stored(server, job):
    """{series without job and instance: value} of a job."""
    found = {}
    for series in server.json(f'/api/v1/query?query={{job="lab/{job}"}}')["data"]["result"]:
        labels = dict(series["metric"])
        expect(labels.pop("job") == f"lab/{job}", labels)
        expect(labels.pop("instance") == "rank-0", labels)
        name = labels.pop("__name__")
        found[name + "".join(f" {key}={value}" for key, value in sorted(labels.items()))] = float(series["value"][1])
    return found


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


EXPECTED = {
    "target_info gpu_indexes=[0,1] host_name=node-7": 1,
    "train_tokens_total phase_name=warm up": 1024,
    "queue_length": -3,
    "gpu_memory_used_bytes gpu=0": 8.5e9,
    "step_time_seconds_count": 4,
    "step_time_seconds_sum": 21.05,
    "step_time_seconds_bucket le=0.1": 1,
    "step_time_seconds_bucket le=1": 3,
    "step_time_seconds_bucket le=10": 3,
    "step_time_seconds_bucket le=+Inf": 4,
    "loss_ratio split=train": 1.25,
}


def check(server, folder, encoding, path):
    job = f"{encoding}{path.count('/')}"
    url = f"http://127.0.0.1:{server.port}{path}"
    code, log = export(folder, encoding, url, job)
    expect((code, log) == (0, ""), f"the SDK says: {code} {log}")
    found = stored(server, job)
    expect(found == EXPECTED, f"{encoding} {path}: stored {found}")

    code, log = export(folder, encoding, url, job + "-delta", "delta")
    expect(code == 0 and "delta_temporality: 2" in log and "partial success" in log.lower(), f"delta: {code} {log}")
    expect("gpu_memory_used_bytes gpu=0" in stored(server, job + "-delta"), "gauges beside deltas are stored")
    code, log = export(folder, encoding, url, job + "-spread", "spread")
    expect(code == 0 and "exponential_histogram: 1" in log, f"exponential histogram: {code} {log}")
    expect(stored(server, job + "-spread") == EXPECTED, "the rest is stored beside an exponential histogram")


def main():
    folder = pathlib.Path(sys.argv[1])
    install(folder)
    with tempfile.TemporaryDirectory(prefix="binnacle-otlp-") as data:
        server = ServerProcess(data)
        try:
            check(server, folder, "http", "/v1/metrics")
            check(server, folder, "proto", "/v1/metrics")
            check(server, folder, "proto", "/api/v1/otlp/v1/metrics")
            metadata = server.json("/api/v1/metadata?metric=train_tokens_total")["data"]["train_tokens_total"][0]
            expect(metadata == {"type": "counter", "help": "Tokens seen.", "unit": ""}, metadata)
        finally:
            server.stop()
    print("the SDK's metrics are there, by JSON and by protobuf")


if __name__ == "__main__":
    main()
