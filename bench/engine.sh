#!/usr/bin/env bash
# The own engine: one hop beside a bare gRPC echo. BIN: the folder of the bench binaries.
set -euo pipefail
BIN=${BIN:?the folder of the bench binaries}
"$BIN/engine_hop_bench" "${ROUNDS:-5}"
