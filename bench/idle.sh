#!/usr/bin/env bash
# What `binnacle server` costs when nobody asks it anything but this machine's metrics are collected each second:
# time to ready, resident memory, share of a core over SECONDS_IDLE seconds, and the page's size as it is sent.
set -euo pipefail
BIN=${BIN:?the folder of the bench binaries}
SECONDS_IDLE=${SECONDS_IDLE:-60}

work=$(mktemp -d)
server=
cleanup() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

# CPU time of the process so far, in clock ticks: utime and stime of /proc/PID/stat.
cpu_ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$server/stat"; }

started=$(date +%s%N)
"$BIN/binnacle" server --data "$work/data" --listen 127.0.0.1:0 >"$work/out" 2>"$work/err" &
server=$!
address=
while [ -z "$address" ]; do
  kill -0 "$server" 2>/dev/null || { cat "$work/err" >&2 && exit 1; }
  address=$(grep -o 'http://[^ ]*' "$work/out" || true)
done
until curl -sf "$address/ready" >/dev/null; do :; done
printf 'ready after %d ms\n' $((($(date +%s%N) - started) / 1000000))

sleep 10 # first ticks build their series
before=$(cpu_ticks)
sleep "$SECONDS_IDLE"
after=$(cpu_ticks)
awk -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" -v s="$SECONDS_IDLE" \
  'BEGIN { printf "whole server, collecting each second: %.2f %% of a core\n", 100 * ticks / hz / s }'
awk '/VmRSS/ { printf "resident memory: %.1f MB\n", $2 * 1024 / 1e6 }' "/proc/$server/status"
total=0
for asset in $(curl -s "$address/" | grep -o '/assets/[^"]*'); do
  total=$((total + $(curl -s -H 'Accept-Encoding: gzip' "$address$asset" | wc -c)))
done
printf 'scripts and styles of the page, compressed: %.1f KB\n' "$(awk -v b=$total 'BEGIN { print b / 1000 }')"
