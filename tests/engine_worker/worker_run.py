#!/usr/bin/env python3
"""A worker's process: health by a foreign gRPC client, its three HTTP answers, a load and an unload by messages
written by hand, every series named in the documentation, and SIGTERM.

Exit: 0 all is well, 1 it is not, 77 a program is missing.
"""

import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

try:
    import grpc
except ImportError:
    sys.exit(77)

SERVICE = "binnacle.engine.v1.Worker"
METADATA = (("binnacle-protocol", "1"), ("binnacle-client", "00000000000000aa"))


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, wire, payload):
    return varint(number << 3 | wire) + payload


def sized(number, payload):
    return field(number, 2, varint(len(payload)) + payload)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def unary(channel, method, request, metadata=METADATA):
    call = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
    return call(request, timeout=20, metadata=metadata)


def check_health(channel):
    for service in ("", SERVICE):
        answer = unary(channel, "/grpc.health.v1.Health/Check", sized(1, service.encode()), ())
        check(answer == b"\x08\x01", f"health of {service!r}: {answer}")  # SERVING


def check_refusals(channel):
    for metadata, code in (((), grpc.StatusCode.FAILED_PRECONDITION),
                           ((("binnacle-protocol", "2"),), grpc.StatusCode.FAILED_PRECONDITION),
                           (METADATA[:1], grpc.StatusCode.INVALID_ARGUMENT)):
        try:
            unary(channel, f"/{SERVICE}/Describe", b"", metadata)
            raise AssertionError(f"{metadata} was taken")
        except grpc.RpcError as error:
            check(error.code() == code, f"{metadata}: {error.code()} {error.details()}")


def one_step(channel):
    """A prompt of two tokens, written from the format's document alone."""
    slice_ = field(1, 0, varint(7)) + field(3, 0, varint(2)) + sized(4, field(2, 5, struct.pack("<f", 1)))
    body = (field(2, 0, varint(1)) + field(3, 0, varint(5)) + field(4, 0, varint(20000)) + sized(5, slice_)
            + sized(6, varint(3) + varint(4)))
    call = channel.stream_stream(f"/{SERVICE}/Forward", request_serializer=bytes, response_deserializer=bytes)
    answers = call(iter([b"\x0d" + struct.pack("<I", crc32c(body)) + body]), timeout=20, metadata=METADATA)
    answer = next(answers)
    check(answer[:1] == b"\x0d" and struct.unpack("<I", answer[1:5])[0] == crc32c(answer[5:]), "checksum")
    check(answer[5:7] == b"\x10\x05", f"number of the step: {answer[:20]}")
    check(b"\x3a" in answer, "no choice")
    check(list(answers) == [], "more answers than steps")


def check_http(url):
    status, text = fetch(url + "/health")
    check(status == 200 and json.loads(text)["status"] == "ok", f"/health: {status} {text}")
    stats = json.loads(fetch(url + "/distributed-stats")[1])
    deadline = time.monotonic() + 10
    while stats["kv_cache"]["sequences"] != 1 and time.monotonic() < deadline:  # told a moment later
        stats = json.loads(fetch(url + "/distributed-stats")[1])
    check(stats["layers"] == {"begin": 0, "end": 2}, stats)
    check(stats["hops"]["steps"] == 1 and stats["hops"]["rows"] == 2, stats)
    check(len(stats["layer_times"]) == 2 and stats["kernel"], stats)
    check(stats["weight_bytes_per_second"] > 1e6, stats)
    return fetch(url + "/metrics")[1]


def check_metrics(text, document):
    with open(document, encoding="utf-8") as file:
        documented = file.read()
    for name in re.findall(r"^# TYPE (\S+)", text, re.M):
        check(f"`{name}`" in documented or name.startswith(("process_", "binnacle_http_", "binnacle_build_")),
              f"{name} is not documented in {document}")
    for wanted in ('llm_model_info{model="m"} 1', "binnacle_engine_steps_total 1", "binnacle_engine_rows_total 2",
                   "llm_requests_running 1", "mlx_gpu_utilization", "mlx_memory_usage_mb"):
        check(wanted in text, f"no {wanted} in:\n{text}")


def main():
    engine = os.environ["ENGINE"]
    with tempfile.TemporaryDirectory(prefix="binnacle-worker-") as folder:
        subprocess.run([engine, "init", "--out", folder + "/m", "--preset", "tiny", "--layers", "2", "--quiet"],
                       check=True, timeout=60)
        with subprocess.Popen([engine, "worker", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--models",
                               folder, "--name", "w"], stdout=subprocess.PIPE, text=True) as worker:
            try:
                greeting = worker.stdout.readline()
                address, url = re.search(r"on (\S+), (http://\S+)", greeting).groups()
                with grpc.insecure_channel(address) as channel:
                    check_health(channel)
                    check_refusals(channel)
                    unary(channel, f"/{SERVICE}/Load", sized(1, b"m") + field(3, 0, varint(2))
                          + field(6, 0, varint(256)) + field(8, 0, varint(1)))
                    one_step(channel)
                    text = check_http(url)
                    check_metrics(text, os.environ["DOC"])
                    unary(channel, f"/{SERVICE}/Unload", b"")
                    check(json.loads(fetch(url + "/health")[1])["status"] == "idle", "unloaded")
                worker.send_signal(signal.SIGTERM)
                check(worker.wait(timeout=20) == 0, "its exit")
            finally:
                worker.kill()
    print("worker: all is well")


if __name__ == "__main__":
    main()
