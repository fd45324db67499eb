"""What the tests of checks share: a file of checks is run once by check_once, and each reading is held to what it must be."""

import json
import os
import pwd
import signal
import subprocess
import tempfile
import time


def run_checks(folder, text):
    """The readings by name."""
    path = os.path.join(folder, "checks.yml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([os.environ["CHECK_ONCE"], path], capture_output=True, text=True, timeout=90, check=False)
    if done.returncode != 0:
        raise AssertionError(f"check_once: {done.stderr}")
    return {reading["name"]: reading for reading in map(json.loads, done.stdout.splitlines())}


def expect(readings, name, health, *parts):
    reading = readings[name]
    print(f"  {name}: {reading['health']}: {reading['message']} ({reading['took_ms']} ms)")
    if reading["health"] != health:
        raise AssertionError(f"{name}: {health} is wanted: {reading}")
    for part in parts:
        if part not in reading["message"]:
            raise AssertionError(f"{name}: its message lacks {part!r}: {reading}")
    return reading


def until_healthy(folder, text, name, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        reading = run_checks(folder, text)[name]
        if reading["health"] == "healthy":
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"not healthy within {seconds} s: {reading}")
        time.sleep(0.1)


class Programs:
    """Processes in a folder that goes with them."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="binnacle-health-")
        self.folder = self._folder.name
        os.chmod(self.folder, 0o755)
        self._started = []

    def start(self, name, command, **more):
        with open(os.path.join(self.folder, name + ".log"), "w", encoding="utf-8") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, **more)
        self._started.append(process)
        return process

    def log(self, name):
        with open(os.path.join(self.folder, name + ".log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGINT)
        for process in self._started:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)
        self._folder.cleanup()


def as_user(name):
    """What to put before a command that refuses to run as root."""
    if os.geteuid() != 0:
        return [], None
    account = pwd.getpwnam(name)
    return ["setpriv", "--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups"], account


def main(steps):
    programs = Programs()
    try:
        steps(programs)
    except AssertionError as error:
        print(f"FAILED: {error}")
        return 1
    finally:
        programs.stop()
    return 0
