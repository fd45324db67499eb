#!/usr/bin/env bash
# The metric store under remote write: ours, VictoriaMetrics and Prometheus, one after the other in one run, each
# pinned to core 0, the same bodies sent from core 1 (bench/store_sender.cc). Prints what each costs and the ratios.
#
#   SHAPE=a|b|c GPUS=N SAMPLES=N   the data: a (default) 100,000 series x 100 samples, b 5,000 series x 2,880 samples,
#                                  c shape a for an hour, 10 % of the series replaced by new ones every 5 minutes
#   SERVERS="ours victoria-metrics prometheus"
set -euo pipefail
BIN=${BIN:?the folder of the bench binaries}
SHAPE=${SHAPE:-a}
SERVERS=${SERVERS:-ours victoria-metrics prometheus}
SETTLE_SECONDS=3 # deferred work still counts as the store's
FLUSH_SECONDS=6  # what a server has only in memory by then it loses; fewer samples in its files would look like smaller ones
START_SECONDS=60
SELECTOR='{cluster="prod-us-east-1"}'

work=$(mktemp -d)
server=
cleanup() {
  [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
now_ms() { date +%s%3N; }
peak_bytes() { awk '/VmHWM/ { print $2 * 1024 }' "/proc/$server/status"; }
rss_bytes() { awk '/VmRSS/ { print $2 * 1024 }' "/proc/$server/status"; }
file_bytes() { du -scb "$@" | tail -1 | cut -f1; }
# figure NAME KEY VALUE: for the table at the end.
figure() { printf '%s %s\n' "$2" "$3" >>"$work/$1.figures"; }
value() { awk -v key="$2" '$1 == key { v = $2 } END { print v }' "$work/$1.figures"; }

# --- how each server starts (sets `server`), where it is ready, and how its files get small ---

start_ours() {
  cat >"$work/ours.yaml" <<YAML
storage: {max_series: 2000000}
query: {max_series: 2000000}
server: {rate_limit: {ingest: 0, api: 0}}
YAML
  taskset -c 0 "$BIN/binnacle" server --config "$work/ours.yaml" --data "$1" --listen "127.0.0.1:$2" >>"$work/ours.log" 2>&1 &
  server=$!
}
ready_path_ours() { echo /ready; }
# What makes the store write its memory out and merge its blocks.
compact_ours() { curl -sf -X POST "$1/api/binnacle/v1/store/flush" >/dev/null && file_bytes "$2"; }

start_victoria-metrics() {
  GOMAXPROCS=1 taskset -c 0 victoria-metrics -storageDataPath="$1" -httpListenAddr="127.0.0.1:$2" \
    -retentionPeriod=12 -search.latencyOffset=0s >>"$work/victoria-metrics.log" 2>&1 &
  server=$!
}
ready_path_victoria-metrics() { echo /health; }
compact_victoria-metrics() {
  curl -sf "$1/internal/force_flush" >/dev/null
  curl -sf "$1/internal/force_merge" >/dev/null
  local active=1 i
  for ((i = 0; i < 120 && active > 0; i++)); do
    sleep 1
    active=$(curl -sf "$1/metrics" | awk '/^vm_active_(force_)?merges/ { n += $2 } END { print n + 0 }')
  done
  file_bytes "$2/data" "$2/indexdb"
}

start_prometheus() {
  printf 'global: {}\n' >"$work/prometheus.yml"
  GOMAXPROCS=1 taskset -c 0 prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$1" \
    --web.listen-address="127.0.0.1:$2" --web.enable-remote-write-receiver --web.enable-admin-api >>"$work/prometheus.log" 2>&1 &
  server=$!
}
ready_path_prometheus() { echo /-/ready; }
# It writes a block of its own accord only after hours; a snapshot is that block.
compact_prometheus() {
  curl -sf -X POST "$1/api/v1/admin/tsdb/snapshot" >/dev/null
  file_bytes "$2/snapshots"
}

# --- what is measured ---

# wait_ready NAME URL
wait_ready() {
  local i
  for ((i = 0; i < START_SECONDS * 50; i++)); do
    curl -sf -o /dev/null "$2$("ready_path_$1")" && return
    kill -0 "$server" 2>/dev/null || break
    sleep 0.02
  done
  echo "$1 did not start:" >&2
  tail -5 "$work/$1.log" >&2
  return 1
}

# count_series URL MS: how many series have a value at that time. Where count() is not known the series are listed.
count_series() {
  local seconds answer
  seconds=$(awk -v ms="$2" 'BEGIN { printf "%.3f", ms / 1000 }')
  answer=$(curl -s "$1/api/v1/query" --data-urlencode "query=count($SELECTOR)" --data-urlencode "time=$seconds") || { echo 0 && return; }
  case $answer in
    *'"status":"success"'*) sed -n 's/.*,"\([0-9]*\)"\].*/\1/p' <<<"$answer" | grep . || echo 0 ;;
    *)
      curl -s "$1/api/v1/query" --data-urlencode "query=$SELECTOR" --data-urlencode "time=$seconds" |
        grep -o '"metric":' | wc -l || echo 0
      ;;
  esac
}

end_server() {
  { kill -9 "$server" && wait "$server"; } 2>/dev/null || true # the shell would tell of the killed job
  server=
}

# revive NAME DATA PORT URL SERIES LAST_MS: seconds from start after kill -9 to the right count, or "never".
revive() {
  local began i
  end_server
  began=$(now_ms)
  "start_$1" "$2" "$3"
  for ((i = 0; i < START_SECONDS * 20; i++)); do
    if [ "$(count_series "$4" "$6")" = "$5" ]; then
      awk -v ms=$(($(now_ms) - began)) 'BEGIN { printf "%.2f\n", ms / 1000 }'
      return
    fi
    [ $(($(now_ms) - began)) -lt $((START_SECONDS * 1000)) ] || break
    sleep 0.05
  done
  echo never
}

measure() {
  local name=$1 data=$work/$1.data port url empty sent bytes series ever last
  port=$(free_port)
  url=http://127.0.0.1:$port
  mkdir -p "$data"
  "start_$name" "$data" "$port"
  wait_ready "$name" "$url"
  sleep "$SETTLE_SECONDS"
  empty=$(rss_bytes)
  sent=$work/$name.sent
  taskset -c 1 "$BIN/store_sender" --shape "$SHAPE" --gpus "${GPUS:-0}" --samples "${SAMPLES:-0}" --start-ms "$start_ms" \
    --url "$url/api/v1/write" --pid "$server" --settle "$SETTLE_SECONDS" --first-step-apart >"$sent" || echo "$name: some requests failed" >&2
  cat "$sent" >>"$work/$name.figures"
  series=$(value "$name" series)
  ever=$(value "$name" series_ever)
  last=$(value "$name" last_ms)
  figure "$name" rss_per_series "$(awk -v a="$(rss_bytes)" -v b="$empty" -v n="$ever" 'BEGIN { printf "%.0f", (a - b) / n }')"
  figure "$name" counted "$(count_series "$url" "$last")"
  sleep "$FLUSH_SECONDS"
  revive "$name" "$data" "$port" "$url" "$series" "$last" >"$work/$name.revived"
  figure "$name" ready_full_seconds "$(cat "$work/$name.revived")"
  figure "$name" replayed "$(curl -s "$url/api/v1/status/tsdb" | sed -n 's/.*"replayedSamples":\([0-9]*\).*/\1/p')"
  figure "$name" replay_seconds "$(curl -s "$url/api/v1/status/tsdb" | sed -n 's/.*"replaySeconds":\([0-9.]*\).*/\1/p')"
  local before
  before=$(rss_bytes)
  echo 5 >"/proc/$server/clear_refs" # the peak starts anew
  bytes=$("compact_$name" "$url" "$data" || true)
  figure "$name" peak_ratio "$(awk -v a="$(peak_bytes)" -v b="$before" 'BEGIN { printf "%.2f", a / b }')"
  [ -z "$bytes" ] || figure "$name" bytes_per_sample \
    "$(awk -v b="$bytes" -v n="$(($(value "$name" new_samples) + $(value "$name" all_samples)))" 'BEGIN { printf "%.3f", b / n }')"
  revive "$name" "$data" "$port" "$url" "$series" "$last" >"$work/$name.revived"
  figure "$name" ready_seconds "$(cat "$work/$name.revived")"
  end_server
  for key in samples_per_cpu new_series_per_cpu; do
    local phase=all
    [ $key = samples_per_cpu ] || phase=new
    figure "$name" "$key" "$(awk -v n="$(value "$name" ${phase}_samples)" -v s="$(value "$name" ${phase}_cpu_seconds)" 'BEGIN { printf "%.0f", (s > 0 ? n / s : 0) }')"
  done
  figure "$name" samples_per_second "$(awk -v n="$(value "$name" all_samples)" -v s="$(value "$name" all_seconds)" 'BEGIN { printf "%.0f", n / s }')"
}

row() {
  printf '%-36s' "$1"
  local name ours other
  for name in $SERVERS; do printf '%18s' "$(value "$name" "$2" | grep . || echo '-')"; done
  [[ " $SERVERS " == *" ours "* ]] && ours=$(value ours "$2") || ours=
  for name in $SERVERS; do
    [ "$name" != ours ] || continue
    other=$(value "$name" "$2")
    printf '%18s' "$(awk -v a="$ours" -v b="$other" 'BEGIN { if (a + 0 > 0 && b + 0 > 0) printf "%.2f", a / b; else print "-" }')"
  done
  printf '\n'
}

table() {
  local name=${SERVERS%% *}
  printf '%s, %s series (%s at a time); a sample takes %s bytes raw, %s as snappy, %s by the entropy of each series\n' "$1" \
    "$(value "$name" series_ever)" "$(value "$name" series)" "$(value "$name" raw_bytes_per_sample)" \
    "$(value "$name" snappy_bytes_per_sample)" "$(value "$name" entropy_bytes_per_sample)"
  printf '%-36s' ''
  for name in $SERVERS; do printf '%18s' "$name"; done
  for name in $SERVERS; do [ "$name" = ours ] || printf '%18s' "ours/${name:0:12}"; done
  printf '\n'
  row 'samples per CPU second' samples_per_cpu
  row 'samples per second' samples_per_second
  row 'new series per CPU second' new_series_per_cpu
  row 'resident bytes per series' rss_per_series
  row 'file bytes per sample' bytes_per_sample
  row 'memory peak at compaction / before' peak_ratio
  row 's to ready: kill -9 at the end' ready_full_seconds
  row '   of it loading, as it says itself' replay_seconds
  row '   samples replayed from its log' replayed
  row 's to ready: kill -9 when compacted' ready_seconds
  row 'series counted before it' counted
  row 'requests that failed' all_failures
}

case $SHAPE in a) steps=100 ;; b) steps=2880 ;; c) steps=240 ;; *) echo "no such shape: $SHAPE" >&2 && exit 2 ;; esac
start_ms=$(($(now_ms) - ${SAMPLES:-$steps} * 15000))
for name in $SERVERS; do measure "$name"; done
table "shape $SHAPE"
