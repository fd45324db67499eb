"""A real trainer (`binnacle-engine train`) of a small model with experts, and the trouble that is made for it: it is
slowed, nobody reads its output any more, it is started again with a wrong learning rate."""

import contextlib
import fcntl
import os
import re
import select
import signal
import subprocess
import tempfile
import threading
import urllib.request

ENGINE = os.environ["BINNACLE_ENGINE_BIN"]
TEXTS = "/usr/share/common-licenses"
PIPE_BYTES = 4096  # as small as can be: the bar fills it in a few seconds
RUN_SECONDS, STOP_SECONDS = 0.03, 0.12  # of a trainer that is slowed
OPTIONS = ["--preset", "tiny", "--layers", "1", "--experts", "8", "--rows", "4", "--length", "64", "--threads", "1",
           "--peak-flops", "1e10", "--steps", "100000000", "--checkpoint-every", "100000000", "--validate-every", "20",
           "--max-skipped", "100000000", "--progress", "bar"]


class Trainer:
    """Its metrics are at 127.0.0.1:`port`."""

    def __init__(self, port, *options):
        self.port = port
        self.folder = tempfile.TemporaryDirectory(prefix="binnacle-live-trainer-")
        self.log = tempfile.TemporaryFile(mode="w+")
        self.output, out = os.pipe()
        fcntl.fcntl(self.output, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.process = subprocess.Popen(
            [ENGINE, "train", "--data", TEXTS, "--out", os.path.join(self.folder.name, "run"),
             "--http", f"127.0.0.1:{port}", *OPTIONS, *options], stdout=out, stderr=self.log)
        os.close(out)
        self.ended = threading.Event()
        self.reading, self.slowed = threading.Event(), threading.Event()
        self.reading.set()
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self._read, self._hold_up)]
        for thread in self.threads:
            thread.start()

    def steps(self):
        """None while it does not answer."""
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
                found = re.search(r"^moe_training_steps_total (\S+)", answer.read().decode(), re.MULTILINE)
                return float(found[1]) if found else None

    def slow(self):
        self.slowed.set()

    def quick(self):
        self.slowed.clear()

    def stop_reading(self):
        """It waits to write once the pipe is full; its pages are still answered."""
        self.reading.clear()

    def kill(self):
        if self.ended.is_set():
            return
        self.ended.set()
        for thread in self.threads:
            thread.join()
        self.process.kill()
        self.process.wait()
        os.close(self.output)
        self.log.close()
        self.folder.cleanup()

    def errors(self):
        self.log.seek(0)
        return self.log.read()[-3000:]

    def _read(self):
        while not self.ended.is_set():
            if self.reading.is_set() and select.select([self.output], [], [], 0.1)[0]:
                if not os.read(self.output, 65536):
                    return
            elif not self.reading.is_set():
                self.ended.wait(0.1)

    def _hold_up(self):
        while not self.ended.is_set():
            if not self.slowed.is_set():
                self.ended.wait(0.1)
                continue
            self.process.send_signal(signal.SIGSTOP)
            self.ended.wait(STOP_SECONDS)
            self.process.send_signal(signal.SIGCONT)
            self.ended.wait(RUN_SECONDS)
