"""Runs a program that sees small file systems of its own, which fill: `small_disks.py machine ROOT PROGRAM...` mounts the
disks of sick_machine.py below ROOT, `small_disks.py data FOLDER PROGRAM...` one for the data of a server, which is full
for a while and then has room again. Runs in a mount namespace of its own (`command`)."""

import os
import subprocess
import sys
import time

MIB = 1 << 20
ROOM_FIRST_SECONDS = 10
FULL_SECONDS = 8


def command(kind, folder, program):
    return ["unshare", "--map-root-user", "--mount", sys.executable, "-B", os.path.abspath(__file__), kind, folder, *program]


def can_mount():
    try:
        return subprocess.run(["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
                              capture_output=True, timeout=20).returncode == 0
    except OSError:
        return False


def mount(path, options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", path], check=True)


def fill(path, size):
    with open(path, "ab") as file:
        try:
            while file.tell() < size:
                file.write(b"x" * min(65536, size - file.tell()))
                file.flush()
        except OSError:
            pass  # no room is left


def fill_machine(root, parent):
    fill(root + "/full/data", 10 * MIB)
    for i in range(64):
        try:
            open(f"{root}/inodes/{i}", "wb").close()
        except OSError:
            break
    size = 8 * MIB
    while os.getppid() == parent and size < 10 * MIB:
        fill(root + "/filling/data", size)
        size += 64 << 10
        time.sleep(0.5)


def fill_data(folder, parent):
    time.sleep(ROOM_FIRST_SECONDS)
    until = time.monotonic() + FULL_SECONDS
    while os.getppid() == parent and time.monotonic() < until:
        fill(folder + "/ballast", 1 << 40)
        time.sleep(0.2)
    os.remove(folder + "/ballast")


def main():
    kind, folder, *program = sys.argv[1:]
    if kind == "machine":
        mount(folder + "/full", "size=10m")
        mount(folder + "/filling", "size=10m")
        mount(folder + "/inodes", "size=10m,nr_inodes=40")
    else:
        mount(folder, "size=24m")
    parent = os.getpid()
    if os.fork() == 0:
        (fill_machine if kind == "machine" else fill_data)(folder, parent)
        os._exit(0)
    os.execvp(program[0], program)


if __name__ == "__main__":
    main()
