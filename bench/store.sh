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
FLUSH_SECONDS=6  # what a server has only in memory by then it loses; fewer samples in its files would look like smaller ones
SELECTOR='{cluster="prod-us-east-1"}'

# shellcheck source=bench/servers.bash
source "$(dirname "${BASH_SOURCE[0]}")/servers.bash"

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
