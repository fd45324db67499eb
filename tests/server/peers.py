"""What tests with other programs share: ports, questions over HTTP, waiting."""

import json
import socket
import time
import urllib.request

ASK_SECONDS = 60
LOOK_SECONDS = 0.1


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=ASK_SECONDS) as answer:
        return answer.read().decode()


def get_json(url):
    return json.loads(get(url))


def wait_until(what, condition, seconds):
    """What `condition` gives once it is true; AssertionError when that takes longer."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = condition()
        except OSError:
            found = None
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(LOOK_SECONDS)
