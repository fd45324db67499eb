"""/proc and /sys of a machine in trouble, as files that a thread keeps moving, for an agent's real collectors."""

import os
import threading

CORES = 4
MIB = 1 << 20
CONTAINER = "/system.slice/docker-" + "c" * 64 + ".scope"
STEP_SECONDS = 0.5
# Mount points below the machine's root, where small_disks.py mounts file systems.
DISKS = ("full", "filling", "inodes")


class SickMachine:
    def __init__(self, folder):
        self.proc, self.sys, self.root = (os.path.join(folder, name) for name in ("proc", "sys", "root"))
        self.steps = 0
        for name in DISKS:
            os.makedirs(os.path.join(self.root, name))
        self._write(self.proc, "1/mounts", "".join(f"tmpfs /{name} tmpfs rw 0 0\n" for name in DISKS))
        self._write(self.proc, "meminfo", "MemTotal: 64000000 kB\nMemFree: 900000 kB\nMemAvailable: 1900000 kB\n"
                    "Buffers: 1000 kB\nCached: 900000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")
        self._write(self.proc, "loadavg", f"{CORES * 9}.00 {CORES * 6}.00 {CORES * 5}.00 40/900 4242\n")
        self._write(self.sys, "fs/cgroup/cgroup.controllers", "cpu memory\n")
        self._cgroup("memory.current", f"{500 * MIB}\n")
        self._cgroup("memory.max", f"{510 * MIB}\n")
        self._cgroup("memory.stat", f"anon {498 * MIB}\nfile {2 * MIB}\ninactive_file 0\n")
        self._cgroup("cpu.max", "50000 100000\n")
        self._step()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def options(self):
        return f"proc_path: {self.proc}, sys_path: {self.sys}, rootfs_path: {self.root}"

    def stop(self):
        self._stopping.set()
        self._thread.join()

    def _run(self):
        while not self._stopping.wait(STEP_SECONDS):
            self._step()

    def _step(self):
        """All of each core's time is the users'; three of four periods of the container are held back."""
        self.steps += 1
        spent = 100_000 + 50 * self.steps
        cpu = "".join(f"cpu{i} {spent} 0 900 5000 0 0 0 0 0 0\n" for i in range(CORES))
        self._write(self.proc, "stat", f"cpu {CORES * spent} 0 {CORES * 900} {CORES * 5000} 0 0 0 0 0 0\n{cpu}"
                    "ctxt 1\nbtime 1700000000\nprocesses 5\nprocs_running 20\nprocs_blocked 0\n")
        ended = self.steps // 6
        self._write(self.proc, "vmstat", f"pgpgin 1\noom_kill {ended}\n")
        self._cgroup("memory.events", f"low 0\nhigh 0\nmax 3\noom {ended}\noom_kill {ended}\n")
        self._cgroup("cpu.stat", f"usage_usec {self.steps * 250_000}\nuser_usec 1\nsystem_usec 1\n"
                     f"nr_periods {self.steps * 8}\nnr_throttled {self.steps * 6}\nthrottled_usec {self.steps}\n")

    def _cgroup(self, name, text):
        self._write(self.sys, "fs/cgroup" + CONTAINER + "/" + name, text)

    def _write(self, folder, name, text):
        """Over what is there, in one piece: collectors keep such files open. Texts never get shorter."""
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(descriptor, text.encode())
        os.close(descriptor)
