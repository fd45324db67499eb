#!/usr/bin/env bash
# How soon a node that died is told: real servers and agents in network namespaces of their own, agents killed and
# links cut again and again, over a good line and a bad one; engines that hang behind a live front in five ways, and
# bursts that must not be taken for it; and what a thousand beating agents cost the server.
# Settings: KILLS (50), CUTS (20), LOSSY_KILLS (20), LOSSY_MINUTES (2), WEDGES (12), BURSTS (3), COST_SECONDS (30),
# SCENARIOS ("kill cut lossy wedged cost"), EVENT (node.down). Needs root, since it makes namespaces; they go at its
# end, however it ends.
set -euo pipefail
export BIN=${BIN:?the folder of the bench binaries}
if [ "$(id -u)" -ne 0 ]; then
  echo "bench detect makes network namespaces: run it as root" >&2
  exit 1
fi
command -v ip >/dev/null || { echo "bench detect needs iproute2: apt-get install iproute2" >&2 && exit 1; }
ulimit -n 8192 2>/dev/null || true
exec python3 "$(dirname "$0")/detect.py"
