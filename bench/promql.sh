#!/usr/bin/env bash
# PromQL over the data of a GPU cluster: ours, VictoriaMetrics and Prometheus, each pinned to core 0, the same data in
# each, asked from core 1, medians of 20. Three states: everything in the head; sealed in blocks after a restart;
# 5,000 series over 12 h. VictoriaMetrics is asked with nocache=1; nobody keeps results. Prints milliseconds and ratios.
#
#   STATES="head blocks long"   which states    GPUS=N   a smaller cluster    RUNS=N   of each query
#   SERVERS="ours victoria-metrics prometheus"
set -euo pipefail
BIN=${BIN:?the folder of the bench binaries}
SERVERS=${SERVERS:-ours victoria-metrics prometheus}
STATES=${STATES:-head blocks long}
RUNS=${RUNS:-20}
# shellcheck source=bench/servers.bash
source "$(dirname "${BASH_SOURCE[0]}")/servers.bash"

# NAME TAB instant|range TAB QUERY
queries() {
  printf '%s\t%s\t%s\n' \
    sum_rate range 'sum by (model_name) (rate(vllm:generation_tokens_total[2m]))' \
    histogram_quantile range 'histogram_quantile(0.99, sum by (le, model_name) (rate(vllm:time_to_first_token_seconds_bucket[2m])))' \
    topk_avg range 'topk(10, avg by (node) (DCGM_FI_DEV_GPU_UTIL))' \
    regex_sum range 'sum by (node) (DCGM_FI_DEV_POWER_USAGE{node=~"gpu-node-00[0-4].*", gpu=~"[0-3]", pod=~"vllm-.*-[a-z0-9]+"})' \
    quantile_over_time range 'max by (node) (quantile_over_time(0.95, DCGM_FI_DEV_GPU_TEMP[5m]))' \
    avg_by_name range 'avg by (__name__, model_name) ({__name__=~"DCGM_FI_PROF_.*", cluster="prod-us-east-1"})' \
    join range 'sum by (node) (rate(vllm:generation_tokens_total[2m])) / on (node) group_left sum by (node) (DCGM_FI_DEV_POWER_USAGE)' \
    count_by_name instant 'topk(10, count by (__name__) ({__name__=~".+"}))'
}
NAMES=$(queries | cut -f1)

# load SHAPE NAME URL: everything that was sent is there when it returns.
load() {
  taskset -c 1 "$BIN/store_sender" --shape "$1" --gpus "${GPUS:-0}" --samples 0 --start-ms "$start_ms" \
    --url "$3/api/v1/write" --pid "$server" --settle "$SETTLE_SECONDS" >"$work/$2.sent" || echo "$2: some requests failed" >&2
  cat "$work/$2.sent" >>"$work/$2.figures"
}

# ask STATE NAME PORT STEP
ask() {
  local last extra='' name ms series points sum peak
  last=$(value "$2" last_ms)
  [ "$2" != victoria-metrics ] || extra='&nocache=1'
  while read -r name ms series points sum peak; do
    figure "$2" "$1.$name" "$ms"
    figure "$2" "$1.$name.peak" "$peak"
    figure "$2" "$1.$name.content" "$series series, $points points, sum $(printf '%.5g' "$sum")"
  done < <(queries | taskset -c 1 "$BIN/query_timer" --port "$3" --start "$(seconds "$start_ms")" --end "$(seconds "$last")" \
    --step "$4" --runs "$RUNS" --extra "$extra")
}
seconds() { awk -v ms="$1" 'BEGIN { printf "%.3f", ms / 1000 }'; }

# measure STATE... of one server; head and blocks are asked of the same data.
measure() {
  local name=$1 shape=$2 data=$work/$1.$2.data port url
  port=$(free_port)
  url=http://127.0.0.1:$port
  mkdir -p "$data"
  "start_$name" "$data" "$port"
  wait_ready "$name" "$url"
  load "$shape" "$name" "$url"
  if [ "$shape" = b ]; then
    "compact_$name" "$url" "$data" >/dev/null || true
    ask long "$name" "$port" 60
  else
    [[ $STATES != *head* ]] || ask head "$name" "$port" 15
    if [[ $STATES == *blocks* ]]; then
      "compact_$name" "$url" "$data" >/dev/null || true
      end_server
      # Prometheus makes a block of what is two hours old; its snapshot is that block.
      [ "$name" != prometheus ] || data=$(echo "$data"/snapshots/*)
      "start_$name" "$data" "$port"
      wait_ready "$name" "$url"
      ask blocks "$name" "$port" 15
    fi
  fi
  figure "$name" "$shape.rss" "$(rss_bytes)"
  end_server
}

table() {
  local name query ours fastest
  printf '\n%s\n%-22s' "$2" 'ms'
  for name in $SERVERS; do printf '%18s' "$name"; done
  printf '%18s%12s  %s\n' 'fastest peer/ours' 'MiB held' 'answer of ours'
  for query in $NAMES; do
    printf '%-22s' "$query"
    for name in $SERVERS; do printf '%18s' "$(value "$name" "$1.$query" | grep . || echo '-')"; done
    ours=$(value ours "$1.$query")
    fastest=$(for name in $SERVERS; do [ "$name" = ours ] || value "$name" "$1.$query"; done | grep . | sort -g | head -1 || true)
    printf '%18s' "$(awk -v a="$fastest" -v b="$ours" 'BEGIN { if (a + 0 > 0 && b + 0 > 0) printf "%.1f", a / b; else print "-" }')"
    printf '%12s  %s\n' "$(value ours "$1.$query.peak")" "$(content ours "$1.$query")"
    for name in $SERVERS; do
      [ "$(content "$name" "$1.$query")" = "$(content ours "$1.$query")" ] || printf '%24s%s answers %s\n' '' "$name" "$(content "$name" "$1.$query")"
    done
  done
}
content() { awk -v key="$2.content" '$1 == key { sub(/^[^ ]* /, ""); v = $0 } END { print v }' "$work/$1.figures"; }

if [[ $STATES == *head* || $STATES == *blocks* ]]; then
  start_ms=$(($(now_ms) - 100 * 15000))
  for name in $SERVERS; do measure "$name" a; done
  [[ $STATES != *head* ]] || table head "in the head: 100 series x ${GPUS:-1000} GPUs x 100 samples, 25 min at 15 s"
  [[ $STATES != *blocks* ]] || table blocks 'the same, in blocks after a restart'
fi
if [[ $STATES == *long* ]]; then
  start_ms=$(($(now_ms) - 2880 * 15000))
  for name in $SERVERS; do measure "$name" b; done
  table long '5,000 series x 2,880 samples, 12 h at 60 s'
fi
