"""packaging/mac/mlx_push.py with recorded outputs of macOS' programs, against a real `binnacle server`.

recorded/ holds outputs in the layouts that macOS 14 prints on an Apple M2: powermetrics' property list (cut down to what
is read and its neighbours), ioreg's entry of the GPU, vm_stat, sysctl.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

from server_process import ServerProcess

HERE = pathlib.Path(__file__).parent
SCRIPT = HERE.parent.parent / "packaging" / "mac" / "mlx_push.py"
PATIENCE_SECONDS = 20


class MlxPush(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.data = tempfile.mkdtemp(prefix="binnacle-mac-")
        cls.addClassCleanup(shutil.rmtree, cls.data, ignore_errors=True)
        cls.server = ServerProcess(cls.data, config="collect:\n  push:\n    interval: 1s\n")
        cls.addClassCleanup(lambda: cls.server.stop())

    def run_script(self, *args, recorded=HERE / "recorded"):
        return subprocess.run([sys.executable, "-B", SCRIPT, "--server", f"http://127.0.0.1:{self.server.port}", "--recorded",
                               recorded, "--once", *args], capture_output=True, text=True, timeout=60)

    def values(self, instance):
        """{metric and its own labels: value} of one Mac."""
        query = urllib.parse.quote(f'{{job="mlx",instance="{instance}"}}')
        found = {}
        for series in self.server.json(f"/api/v1/query?query={query}")["data"]["result"]:
            labels = series["metric"]
            name = labels["__name__"] + (f":{labels['source']}" if "source" in labels else "")
            found[name] = float(series["value"][1])
        return found

    def test_every_reading_arrives_in_its_unit(self):
        done = self.run_script("--name", "mini 1/a")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = self.values("mini 1/a")
        self.assertGreater(found.pop("push_time_seconds"), time.time() - 60)
        self.assertEqual(found, {
            "mlx_gpu_utilization": 62.88,
            "mlx_gpu_frequency_hertz": 1.398e9,
            "mlx_gpu_power_watts": 9.0889,
            "mlx_cpu_power_watts": 5.3826,
            "mlx_ane_power_watts": 0,
            "mlx_package_power_watts": 14.4715,
            "mlx_thermal_pressure": 0,
            "mlx_gpu_memory_used_bytes": 5368709120,
            "mlx_gpu_memory_allocated_bytes": 7215349760,
            "mlx_memory_usage_mb": 11826.3,
            "mlx_memory_total_bytes": 17179869184,
            "mlx_memory_wired_bytes": 151042 * 16384,
            "mlx_memory_compressed_bytes": 61440 * 16384,
            "mlx_source_up:ioreg": 1,
            "mlx_source_up:powermetrics": 1,
            "mlx_source_up:sysctl": 1,
            "mlx_source_up:vm_stat": 1,
            "push_failure_time_seconds": 0,
            "binnacle_push_expired": 0,
        })
        metadata = self.server.json("/api/v1/metadata?metric=mlx_gpu_power_watts")["data"]
        self.assertEqual(metadata["mlx_gpu_power_watts"][0]["type"], "gauge")

    def test_one_program_that_fails_hides_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(HERE / "recorded", folder, dirs_exist_ok=True)
            (pathlib.Path(folder) / "powermetrics.txt").write_text("powermetrics must be invoked as the superuser\n")
            (pathlib.Path(folder) / "vm_stat.txt").unlink()
            done = self.run_script("--name", "mini2", recorded=folder)
        self.assertEqual(done.returncode, 0)
        self.assertIn("powermetrics:", done.stderr)
        found = self.values("mini2")
        self.assertEqual((found["mlx_source_up:powermetrics"], found["mlx_source_up:vm_stat"]), (0, 0))
        self.assertEqual(found["mlx_gpu_utilization"], 63)  # as ioreg has it
        self.assertNotIn("mlx_memory_usage_mb", found)

    def test_a_mac_that_falls_silent_is_told_by_its_group(self):
        self.assertEqual(self.run_script("--name", "mini3", "--every", "1").returncode, 0)
        self.assertEqual(self.values("mini3")["binnacle_push_expired"], 0)
        end = time.monotonic() + PATIENCE_SECONDS
        while self.values("mini3").get("binnacle_push_expired") != 1:
            self.assertLess(time.monotonic(), end, "binnacle_push_expired does not turn 1")
            time.sleep(0.2)
        self.assertEqual(self.values("mini3"), {"binnacle_push_expired": 1})

    def test_what_the_server_says_is_shown(self):
        done = self.run_script("--server", f"http://127.0.0.1:{self.server.port}/elsewhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn("push: 404", done.stderr)


if __name__ == "__main__":
    unittest.main()
