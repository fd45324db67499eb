#!/usr/bin/env bash
# What the links of AGENTS agents cost the server: its share of a core while each beats every 250 ms, and its memory.
set -euo pipefail
BIN=${BIN:?the folder of the bench binaries}
AGENTS=${AGENTS:-1000}
SECONDS_BEATING=${SECONDS_BEATING:-20}

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

printf 'server: {rate_limit: {link: 0}}\ncollect: {host: {enabled: false}}\n' >"$work/server.yaml"
"$BIN/binnacle" server --config "$work/server.yaml" --data "$work/data" --listen 127.0.0.1:0 >"$work/out" 2>"$work/err" &
server=$!
address=
while [ -z "$address" ]; do
  kill -0 "$server" 2>/dev/null || { cat "$work/err" >&2 && exit 1; }
  address=$(grep -o 'http://[^ ]*' "$work/out" || true)
done
until curl -sf "$address/ready" >/dev/null; do :; done

"$BIN/link_agents" "$address" "$AGENTS" "$((SECONDS_BEATING + 10))" >"$work/agents" &
agents=$!
until grep -q standing "$work/agents"; do
  kill -0 "$agents" 2>/dev/null || exit 1
  sleep 0.2
done
before=$(cpu_ticks)
sleep "$SECONDS_BEATING"
after=$(cpu_ticks)
awk -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" -v s="$SECONDS_BEATING" -v n="$AGENTS" \
  'BEGIN { c = ticks / hz / s; printf "%d links: %.3f of a core, %.1f us a beat\n", n, c, 1e6 * c / (4 * n) }'
awk '/VmRSS/ { printf "resident memory: %.1f MB\n", $2 * 1024 / 1e6 }' "/proc/$server/status"
wait "$agents" || { cat "$work/agents" >&2 && exit 1; }
cat "$work/agents"
