#!/usr/bin/env python3
"""A trainer as a process on texts that every Debian has: killed and started again it ends with the same bits,
it stops on SIGTERM with a checkpoint, serves every metric that docs/training.md names, and a rank that hangs
is named. Usage: train_test.py BINNACLE_ENGINE SOURCE_FOLDER"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

ENGINE, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
TEXTS = "/usr/share/common-licenses"
SMALL = ["--preset", "tiny", "--layers", "1", "--rows", "2", "--length", "64", "--checkpoint-every", "5",
         "--threads", "1", "--progress", "lines", "--peak-flops", "1e10"]
DEADLINE_S = 90


class Trainer:
    def __init__(self, out, *options, data=TEXTS):
        command = [ENGINE, "train", "--data", data, "--out", str(out), *SMALL, *options]
        self.log = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def wait(self):
        code = self.process.wait(timeout=DEADLINE_S)
        return code, self.text()

    def await_(self, what, found):
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            value = found()
            if value:
                return value
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"no {what}: {self.text()}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


class TrainTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, out, *options, **more):
        trainer = Trainer(self.folder / out, *options, **more)
        self.addCleanup(trainer.kill)
        return trainer

    def checkpoints(self, out):
        return sorted(p.name for p in (self.folder / out / "checkpoints").glob("checkpoint-*[0-9]"))

    def test_killed_runs_end_with_the_same_bits(self):
        code, text = self.start("whole", "--steps", "30").wait()
        self.assertEqual(code, 0, text)
        for mark in ("05", "15"):
            trainer = self.start("killed", "--steps", "30")
            trainer.await_("checkpoint", lambda m=mark: [c for c in self.checkpoints("killed") if c[-2:] >= m])
            trainer.process.kill()
            trainer.process.wait()
            newest = int(self.checkpoints("killed")[-1][-12:])
            self.assertLess(newest, 30, "it was killed too late to show anything")
        code, text = self.start("killed", "--steps", "30").wait()
        self.assertEqual(code, 0, text)
        self.assertIn("goes on", text)
        self.assertEqual(*[(self.folder / out / "model/model.safetensors").read_bytes()
                           for out in ("whole", "killed")])

    def test_sigterm_writes_a_checkpoint_and_stops(self):
        trainer = self.start("out", "--steps", "100000", "--checkpoint-every", "100000")
        trainer.await_("step", lambda: "step 1/" in trainer.text())
        trainer.process.send_signal(signal.SIGTERM)
        code, text = trainer.wait()
        self.assertEqual(code, 0, text)
        self.assertIn("stopped, a checkpoint is written", text)
        self.assertEqual(len(self.checkpoints("out")), 1)

    def test_every_documented_metric_is_there(self):
        trainer = self.start("out", "--steps", "100000", "--http", "127.0.0.1:0", "--validate-every", "2")
        address = trainer.await_("address", lambda: re.search(r"metrics: (http://\S+)/metrics", trainer.text()))
        trainer.await_("step", lambda: "step 1/" in trainer.text() and self.checkpoints("out"))
        with urllib.request.urlopen(address[1] + "/metrics", timeout=10) as answer:
            page = answer.read().decode()
        table = (SOURCE / "docs/training.md").read_text()
        names = re.findall(r"^\| `((?:moe|train)_\w+)((?:\{[\w, ]+\})?)`", table, re.MULTILINE)
        self.assertGreater(len(names), 30)
        for name, labels in names:
            found = re.search(rf"^{name}(?:_count)?(\{{[^}}]*\}})? ", page, re.MULTILINE)
            self.assertTrue(found, f"{name} is documented and not served")
            for label in re.findall(r"\w+", labels):
                self.assertIn(f'{label}="', found[1] or "", name)
        served = {n for n in re.findall(r"^# TYPE (\w+)", page, re.MULTILINE) if n.startswith(("moe_", "train_"))}
        self.assertEqual(served - {name for name, _ in names}, set(), "served and not documented")
        with urllib.request.urlopen(address[1] + "/health", timeout=10) as answer:
            self.assertIn(b'"status":"healthy"', answer.read())

    def test_a_rank_that_hangs_is_named_with_its_last_step(self):
        trainer = self.start("out", "--steps", "100000", "--ranks", "2")
        trainer.await_("step", lambda: "step 1/" in trainer.text())
        children = pathlib.Path(f"/proc/{trainer.process.pid}/task")
        other = next(int(pid) for task in children.iterdir()
                     for pid in (task / "children").read_text().split())
        os.kill(other, signal.SIGSTOP)
        code, text = trainer.wait()
        self.assertEqual(code, 1, text)
        self.assertRegex(text, r"these did not come: rank 1 \(last came to step \d+\)")
        self.assertEqual(len(self.checkpoints("out")[-1:]), 1)

    def test_bad_texts_are_refused(self):
        texts = self.folder / "texts"
        texts.mkdir()
        (texts / "a").write_bytes(b"x")
        code, text = self.start("out", "--steps", "5", data=str(texts)).wait()
        self.assertEqual(code, 1)
        self.assertIn("holds 3 tokens in 1 files, one sequence needs 65", text)
        (texts / "b").write_bytes(b"\x7fELF\x02\x01\x01\x00")
        code, text = self.start("out", "--steps", "5", data=str(texts)).wait()
        self.assertEqual(code, 1)
        self.assertIn("b is no text: byte 7", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
