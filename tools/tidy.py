#!/usr/bin/env python3
"""Runs clang-tidy over the product's sources of a build folder, and remembers what was clean: a source is read
again only when it, a header of ours that it includes, its command or .clang-tidy changed. Tests are left to
the compiler and the sanitizers: GoogleTest's macros make them three times as slow to read.
Usage: tidy.py BUILD_FOLDER JOBS [SUBSTRING]"""

import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time

TIDY = "clang-tidy-16"


def our_dependencies(build, root):
    """object file -> files of this repository that it was compiled from, as ninja recorded them."""
    out = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    found, current = {}, None
    for line in out.splitlines():
        if line.startswith("    "):
            path = os.path.normpath(os.path.join(build, line.strip()))
            if current is not None and path.startswith(root + os.sep):
                current.append(path)
        elif ":" in line and "deps not found" not in line:
            current = found.setdefault(line.split(":")[0], [])
    return found


def fingerprint(command, paths, config):
    digest = hashlib.sha256(command.encode() + config)
    for path in sorted(paths):
        with open(path, "rb") as file:
            digest.update(path.encode() + hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


def tidy(build, source):
    return subprocess.run([TIDY, "-p", build, "--quiet", source], capture_output=True, text=True, check=False)


def stale_sources(build, root, wanted):
    """(source, stamp path, fingerprint) of each source that was not clean in its present form."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    with open(os.path.join(root, ".clang-tidy"), "rb") as file:
        config = file.read()
    dependencies, stale, total = our_dependencies(build, root), [], 0
    for entry in entries:
        source = entry["file"]
        name = os.path.relpath(source, root)
        if not name.startswith(("src/", "engine/")) or name.endswith(("_test.cc", "_fuzz.cc")) or wanted not in name:
            continue
        total += 1
        output = re.search(r" -o (\S+)", entry["command"]).group(1)
        mark = fingerprint(entry["command"], dependencies.get(output, []) + [source], config)
        stamp = os.path.join(build, "tidy", name + ".clean")
        if not os.path.exists(stamp) or open(stamp, encoding="utf-8").read() != mark:
            stale.append((source, stamp, mark))
    return stale, total


def main():
    build, jobs = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    root, wanted, began = os.getcwd(), (sys.argv[3] if len(sys.argv) > 3 else ""), time.monotonic()
    stale, total = stale_sources(build, root, wanted)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = {pool.submit(tidy, build, source): (source, stamp, mark) for source, stamp, mark in stale}
        for number, run in enumerate(concurrent.futures.as_completed(runs), 1):
            source, stamp, mark = runs[run]
            print(f"[{number}/{len(stale)}, {time.monotonic() - began:.0f} s] {os.path.relpath(source, root)}",
                  flush=True)
            if run.result().returncode != 0:
                bad += 1
                print(run.result().stdout.strip() or run.result().stderr.strip(), flush=True)
                continue
            os.makedirs(os.path.dirname(stamp), exist_ok=True)
            with open(stamp, "w", encoding="utf-8") as file:
                file.write(mark)
    print(f"clang-tidy: {total - bad} of {total} sources clean, {len(stale)} read again, {bad} with findings")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
