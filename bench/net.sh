#!/usr/bin/env bash
# Small GETs over kept connections: ours, nginx `return 200` and cpp-httplib, each pinned to core 0 in turn, the
# load (wrk, 64 connections) on core 1. Medians of ROUNDS interleaved rounds, and ratios to the peers.
set -euo pipefail
BIN=${BIN:?the folder of the bench binaries}
ROUNDS=${ROUNDS:-5}
SECONDS_EACH=${SECONDS_EACH:-3}
CONNECTIONS=64

work=$(mktemp -d)
pids=()
cleanup() {
  exec 7>&- 8>&- 9>&-
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

# start NAME FD COMMAND...: the program serves until FD closes; its address is its first line.
start() {
  local name=$1 fd=$2
  shift 2
  mkfifo "$work/$name.in"
  taskset -c 0 "$@" <"$work/$name.in" >"$work/$name.out" &
  pids+=($!)
  eval "exec $fd>\"$work/$name.in\""
  for _ in $(seq 50); do
    [ -s "$work/$name.out" ] && break
    sleep 0.1
  done
  head -1 "$work/$name.out"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

start_nginx() {
  local port
  port=$(free_port)
  mkdir -p "$work/nginx"
  cat >"$work/nginx/nginx.conf" <<CONF
worker_processes 1;
daemon off;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 100000000;
  server { listen 127.0.0.1:$port; location / { return 200 "ok\n"; } }
}
CONF
  taskset -c 0 nginx -p "$work/nginx" -c "$work/nginx/nginx.conf" 2>"$work/nginx/start.log" &
  pids+=($!)
  for _ in $(seq 50); do
    curl -sf "http://127.0.0.1:$port/" >/dev/null && break
    sleep 0.1
  done
  nginx_address=127.0.0.1:$port
}

load() {
  taskset -c 1 wrk -t1 -c$CONNECTIONS -d"${SECONDS_EACH}s" "http://$1/" | awk '/Requests\/sec/ { print $2 }
    /Socket errors|Non-2xx/ { print > "/dev/stderr"; bad = 1 } END { exit bad }'
}

median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

start ours 7 "$BIN/net_server" >"$work/ours.address"
start httplib 8 "$BIN/net_httplib" >"$work/httplib.address"
start_nginx
for round in $(seq "$ROUNDS"); do
  load "$(cat "$work/ours.address")" >>"$work/ours.rates"
  load "$nginx_address" >>"$work/nginx.rates"
  load "$(cat "$work/httplib.address")" >>"$work/httplib.rates"
  printf 'round %s: ours %s, nginx %s, cpp-httplib %s requests/s\n' "$round" \
    "$(tail -1 "$work/ours.rates")" "$(tail -1 "$work/nginx.rates")" "$(tail -1 "$work/httplib.rates")"
done
ours=$(median <"$work/ours.rates")
for peer in nginx httplib; do
  other=$(median <"$work/$peer.rates")
  awk -v a="$ours" -v b="$other" -v peer="$peer" \
    'BEGIN { printf "median: ours %.0f, %s %.0f requests/s on one core; ratio %.2f\n", a, peer, b, a / b }'
done
