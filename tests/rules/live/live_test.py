"""Each default rule fires because of the thing that it watches: real servers, agents, collectors and adapters, and trouble
made for them all at once. The rules are the shipped ones without their waiting times; thresholds are reached for real."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import short_rules
import small_disks
from agent_process import AgentProcess
from engine_process import EngineProcess, Load
from pages import Pages
from peers import free_port, wait_until
from server_process import ServerProcess
from sick_machine import SickMachine

HERE = pathlib.Path(__file__).parent
SOON = 120
FLAPS = 3
STANDSTILLS = 14
STANDSTILL_SECONDS = 1.2  # longer than an interval of the rules
AGENT = """agent: {{interval: 1s}}
collect:
  engines: {{enabled: false}}
  process: {{enabled: false}}
  host: {{{host}}}
  gpu: {{{gpu}}}
log: {{format: json}}
"""
NO_GPU = "enabled: false"
SERVER = """collect:
  engines: {{search_interval: 1s, scrape_interval: 1s}}
  textfile: {{folder: {folder}/textfiles}}
  prometheus_config: {folder}/prometheus.yml
rules: {{default_rules: false, files: ['{folder}/rules/*.yml'], evaluation_interval: 1s}}
alerts: {{config_file: {folder}/alertmanager.yml}}
heartbeat: {{flapping: {{changes: 2}}, readmission: {{first: 0s}}}}
storage: {{out_of_order_window: 3h}}
query: {{max_concurrency: 1, queue_timeout: 2m}}
"""
# With the data on a disk that is full for a while.
FULL_SERVER = """collect: {{engines: {{enabled: false}}, process: {{enabled: false}}}}
rules: {{default_rules: false, files: ['{folder}/rules/binnacle.yml'], evaluation_interval: 1s}}
"""
# Told once the disk has room again: while it is full, no sample is stored, these neither.
FULL_DISK = {"BinnacleWalFailing", "BinnacleCommitsFailing", "BinnacleStoreUpkeepFailing", "BinnacleStateFailing"}
# One that cannot be evaluated.
BROKEN_RULES = """groups:
- name: many-to-many
  rules:
  - {record: broken, expr: 'binnacle_wal_failures_total * on (job) binnacle_wal_failures_total'}
"""
SLOW_QUERY = '/api/v1/query?query=count(max_over_time(%7B__name__%3D~%22node_.%2B%22%7D%5B10m%3A50ms%5D))'


class DcgmExporter:
    """A recorded page; after a few looks at it a GPU falls off the bus and its memory fails."""

    def __init__(self):
        self.text = (HERE / "dcgm_page.prom").read_text(encoding="utf-8")
        self.looks = 0

    def page(self):
        self.looks += 1
        ill = self.looks > 4
        text = self.text.replace("@XID@", "79" if ill else "0").replace("@DOUBLE_BIT_ERRORS@", "2" if ill else "0")
        return text.replace("@MESSAGE@", "GPU has fallen off the bus" if ill else "No Error")


def far_too_old():
    at_ms = int((time.time() - 5 * 86400) * 1000)
    return "".join(f'too_old{{n="{i}"}} 1 {at_ms}\n' for i in range(10_000))


def prometheus_yml(pages):
    """Everything is scraped each second; what was stored leaves for receivers that refuse it."""
    def job(name, path, address=None, **more):
        return {"job_name": name, "metrics_path": path, "static_configs": [{"targets": [address or pages.address]}], **more}
    return json.dumps({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            job("dcgm", "/dcgm"), job("too_old", "/too_old"), job("closed", "/metrics", f"127.0.0.1:{free_port()}"),
            job("history", "/history", honor_labels=True)],
        "remote_write": [{"name": "busy", "url": f"http://{pages.address}/refuse/503"},
                         {"name": "refusing", "url": f"http://{pages.address}/refuse/400"}],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [pages.address]}], "path_prefix": "/refuse/400"}]}})


ALERTMANAGER_YML = """route: {{receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 1s}}
receivers: [{{name: hook, webhook_configs: [{{url: 'http://{address}/refuse/404'}}]}}]
"""


class Live(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="binnacle-live-rules-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for name in ("rules", "textfiles", "server", "full", "machine"):
            os.mkdir(self.path(name))
        short_rules.write_short_rules(self.path("rules"))
        self.history = ""
        self.pages = Pages({"/dcgm": DcgmExporter().page, "/too_old": far_too_old, "/history": lambda: self.history})
        self.addCleanup(self.pages.stop)
        self.fired, self.impossible = set(), set()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        pathlib.Path(self.path(name)).write_text(text, encoding="utf-8")

    def start_server(self):
        self.write("prometheus.yml", prometheus_yml(self.pages))
        self.write("alertmanager.yml", ALERTMANAGER_YML.format(address=self.pages.address))
        self.write("rules/broken.yml", BROKEN_RULES)
        self.write("textfiles/broken.prom", "this is { no metric\n")
        self.server = ServerProcess(self.path("server"), config=SERVER.format(folder=self.folder))
        self.addCleanup(self.server.stop)

    def agent(self, name, host="enabled: false", gpu=NO_GPU, environment=None, wrap=None):
        agent = AgentProcess(self.path(name), f"http://127.0.0.1:{self.server.port}", "--name", name,
                             config=AGENT.format(host=host, gpu=gpu), environment=environment, wrap=wrap)
        self.addCleanup(agent.stop)
        return agent

    # --- the trouble ---

    def trouble_machine(self):
        machine = SickMachine(self.path("machine"))
        self.addCleanup(machine.stop)
        mounts = small_disks.can_mount()
        if not mounts:
            self.impossible |= {"NodeDiskFull", "NodeDiskFilling", "NodeInodesLow"}
        self.agent("sick", host=machine.options(),
                   wrap=(lambda command: small_disks.command("machine", machine.root, command)) if mounts else None)
        self.agent("ahead", environment={"LD_PRELOAD": os.environ["BINNACLE_SHIFTED_CLOCK"], "BINNACLE_SHIFT_SECONDS": "2"})

    def trouble_gpus(self):
        library = f"nvml_library: {os.environ['BINNACLE_NVML_FAULTS']}"
        self.agent("gpu-sick", host="enabled: true", gpu=library, environment={"BINNACLE_GPU_FAULT": "sick"})
        stuck = self.agent("gpu-stuck", host="enabled: true", gpu=library + ", stuck_after: 1s",
                           environment={"BINNACLE_GPU_FAULT": "stuck"})
        self.addCleanup(stuck.process.kill)  # before its stop(): a thread of it waits in the driver for ever

    def trouble_engines(self):
        engine = subprocess.Popen([sys.executable, "-B", HERE / "vllm_page.py", "--like", "vllm"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(engine.wait)
        self.addCleanup(engine.stdin.close)
        self.addCleanup(engine.stdout.close)
        _, port = engine.stdout.readline().split()
        self.slow_engine = f"127.0.0.1:{port}"
        self.wedged, self.killed = EngineProcess(), EngineProcess()
        self.addCleanup(self.wedged.stop)
        self.addCleanup(self.killed.stop)

    def series(self, selector):
        return self.server.json(f"/api/v1/series?match[]={selector}")["data"]

    def write_history(self):
        """What the slow engine told two hours ago: four of five prompt tokens were found in its cache."""
        selector = f'%7B__name__%3D~%22llm_prefix_cache_.%2A%22%2Cinstance%3D%22{self.slow_engine}%22%7D'
        wait_until("the slow engine is found", lambda: len(self.series(selector)) >= 2, SOON)
        lines = []
        for step in range(2):
            at_ms = int((time.time() - 7200 + 600 * step) * 1000)
            for labels in self.series(selector):
                name = labels["__name__"]
                share = 0.8 if name == "llm_prefix_cache_hits_total" else 1
                inner = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items() if key != "__name__")
                lines.append(f"{name}{{{inner}}} {share * (1000 + 600_000 * step)} {at_ms}\n")
        self.history = "".join(sorted(lines))

    def break_engines(self):
        for engine in (self.wedged, self.killed):
            wait_until("an engine is judged", lambda e=engine: self.series(
                f'binnacle_engine_state%7Binstance%3D%22{e.instance}%22%7D'), SOON)
        load = Load(self.wedged, 4)
        self.addCleanup(load.stop)
        time.sleep(3)
        self.wedged.freeze_worker()
        self.killed.process.kill()

    def flap(self):
        for _ in range(FLAPS):
            agent = self.agent("flapping")
            wait_until("the agent is connected", lambda a=agent: a.says("connected"), SOON)
            time.sleep(1)
            agent.process.kill()
            time.sleep(2)

    def ask_too_much(self):
        """More slow queries at a time than one may wait for, until that is told."""
        def ask():
            while not self.done.is_set() and "BinnacleQueriesQueue" not in self.fired:
                with contextlib.suppress(OSError):
                    self.server.get(SLOW_QUERY)
        for _ in range(30):
            asker = threading.Thread(target=ask, daemon=True)
            asker.start()
            self.addCleanup(asker.join)

    def stand_still(self):
        for _ in range(STANDSTILLS):
            self.server.signal(signal.SIGSTOP)
            time.sleep(STANDSTILL_SECONDS)
            self.server.signal(signal.SIGCONT)
            time.sleep(STANDSTILL_SECONDS / 4)

    def break_configuration(self):
        self.server.write_config("nothing: [that is known\n")
        self.server.signal(signal.SIGHUP)

    # --- what fires ---

    def firing(self, server):
        told = server.json("/api/v1/alerts")["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in told if alert["state"] == "firing"}

    def watch(self):
        while not self.done.is_set():
            with contextlib.suppress(OSError, AssertionError):
                self.fired |= self.firing(self.server)
            self.done.wait(0.5)

    def test_each_default_rule_fires_by_what_it_watches(self):
        self.done = threading.Event()
        self.trouble_engines()
        self.start_server()
        self.trouble_machine()
        self.trouble_gpus()
        watcher = threading.Thread(target=self.watch, daemon=True)
        watcher.start()
        self.addCleanup(watcher.join)
        self.addCleanup(self.done.set)
        self.write_history()
        self.break_engines()
        self.flap()
        self.stand_still()
        self.break_configuration()
        self.ask_too_much()
        expected = short_rules.names() - set(short_rules.waiting()) - self.impossible - FULL_DISK - short_rules.OF_TRAINING
        end = time.monotonic() + SOON
        while not expected <= self.fired and time.monotonic() < end:
            time.sleep(0.5)
        self.assertEqual(sorted(expected - self.fired), [])
        self.assertEqual(sorted(self.fired & (set(short_rules.waiting()) | short_rules.OF_TRAINING)), [])
        if self.impossible:
            print("no file systems can be mounted here; left out:", *sorted(self.impossible))

    @unittest.skipUnless(small_disks.can_mount(), "no file systems can be mounted here")
    def test_a_server_whose_disk_was_full_tells_of_it(self):
        data = self.path("full/data")
        os.mkdir(data)
        self.write("full/binnacle.yaml", FULL_SERVER.format(folder=self.folder))
        server = ServerProcess(data, "--config", self.path("full/binnacle.yaml"),
                               wrap=lambda command: small_disks.command("data", data, command))
        self.addCleanup(server.stop)
        fired = set()
        end = time.monotonic() + SOON
        while not FULL_DISK <= fired and time.monotonic() < end:
            with contextlib.suppress(OSError, AssertionError):
                fired |= self.firing(server)
            time.sleep(0.5)
        self.assertEqual(sorted(FULL_DISK - fired), [])


if __name__ == "__main__":
    unittest.main()
