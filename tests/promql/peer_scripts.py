#!/usr/bin/env python3
"""Runs Prometheus' own .test scripts through `binnacle promql test`. They are no part of the repository: the folder
is PROMQL_SCRIPTS, else shared/promql beside the repository; without it the test is skipped (exit 77)."""

import glob
import json
import os
import subprocess
import sys

BESIDE = os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared", "promql")


def main():
    folder = os.environ.get("PROMQL_SCRIPTS", BESIDE)
    scripts = sorted(glob.glob(os.path.join(folder, "*.test")))
    if not scripts:
        print(f"skipped: no scripts in {folder}")
        return 77
    command = [os.environ["BINNACLE_BIN"], "promql", "test", "--format", "json", *scripts]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    for file in json.loads(done.stdout)["files"]:
        name = os.path.basename(file["file"])
        if "error" in file:
            print(f"{name}: {file['error']}")
            continue
        print(f"{name}: {file['passed']} passed, {file['failed']} failed, {file['skipped']} skipped")
        for failure in file["failures"]:
            print(f"  {name}:{failure['line']}: {failure['expr']}\n    {failure['problem']}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
