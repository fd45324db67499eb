#!/usr/bin/env bash
# The own engine as processes on loopback.
#
#   hop       one hop beside a bare gRPC echo of the same size
#   pipeline  three workers against one: 24 layers of emulated 0.8 ms for each row, 16 streams, the same scheduler in both
#             runs; and the same with real arithmetic of a small model, where the processes share this machine's cores
#   killed    the gap in running streams when a worker is killed, over KILLS kills
#   frozen    the gap when a worker is stopped with SIGSTOP, over FREEZES freezes
#
#   PARTS="hop pipeline killed frozen" ROUNDS=5 KILLS=10 FREEZES=4
set -euo pipefail
BIN=${BIN:?the folder of the bench binaries}
PARTS=${PARTS:-hop pipeline killed frozen}
here=$(dirname "${BASH_SOURCE[0]}")

if [[ " $PARTS " == *" hop "* ]]; then "$BIN/engine_hop_bench" "${ROUNDS:-5}"; fi
export BINNACLE_ENGINE_BIN="$BIN/binnacle-engine"
export PYTHONPATH="$here/../tests/engine"
python3 -B "$here/engine_pipeline.py" --parts "$PARTS" --kills "${KILLS:-10}" --freezes "${FREEZES:-4}"
