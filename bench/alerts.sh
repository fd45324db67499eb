#!/usr/bin/env bash
# Rules and alerts: what they cost, beside Debian's Prometheus and Alertmanager in the same run. Servers run on core 0,
# what loads them on core 1.
#
#   rules     NODES x 100 rules at 15 s over 100,000 series, each over the series of a node's GPUs: share of a core,
#             beside Prometheus with the same file. Evaluations that were missed or failed make the figure void
#   receive   alerts received a second, beside Alertmanager: ALERTS different ones, new and then renewed; in batches of
#             64 over 8 connections as Prometheus sends them, and one at a time over 64. Ours answers when they are on
#             disk, Alertmanager when they are in memory
#   delay     how long after group_wait the first webhook of each of GROUPS groups comes, posted over 10 s and all at
#             once, beside Alertmanager; since the post was sent, since it came by the server's own account, and since it
#             was answered
#
#   PARTS="rules receive delay"
#   NODES=100 GPUS=1000 SECONDS_MEASURED=60 ALERTS=20480 SECONDS_SENDING=10 GROUPS_MEASURED=200
set -euo pipefail
BIN=${BIN:?the folder of the bench binaries}
PARTS=${PARTS:-rules receive delay}
NODES=${NODES:-100}
GPUS=${GPUS:-1000}
SECONDS_MEASURED=${SECONDS_MEASURED:-60}
ALERTS=${ALERTS:-20480}
SECONDS_SENDING=${SECONDS_SENDING:-10}
GROUPS_MEASURED=${GROUPS_MEASURED:-200}
GROUP_WAIT=2
INTERVAL=15
here=$(dirname "${BASH_SOURCE[0]}")

# shellcheck source=bench/servers.bash
source "$here/servers.bash"

for program in prometheus prometheus-alertmanager; do
  command -v "$program" >/dev/null || { echo "bench alerts needs $program" >&2 && exit 1; }
done

# --- how each server starts: port, data; the configuration lies in $work ---

ours() { # port data
  cat >"$work/ours.yaml" <<YAML
collect: {host: {enabled: false}, engines: {enabled: false}}
server: {rate_limit: {ingest: 0, api: 0}}
rules: {default_rules: false}
alerts: {config_file: $work/alertmanager.yml}
YAML
  taskset -c 0 "$BIN/binnacle" server --config "$work/ours.yaml" --data "$2" --listen "127.0.0.1:$1" \
    --prometheus-config "$work/rules.yml" >>"$work/ours.log" 2>&1 &
  server=$!
}
prometheus_rules() {
  GOMAXPROCS=1 taskset -c 0 prometheus --config.file="$work/rules.yml" --storage.tsdb.path="$2" --web.enable-lifecycle \
    --web.listen-address="127.0.0.1:$1" --web.enable-remote-write-receiver >>"$work/prometheus.log" 2>&1 &
  server=$!
}
alertmanager() {
  GOMAXPROCS=1 taskset -c 0 prometheus-alertmanager --config.file="$work/alertmanager.yml" --storage.path="$2" \
    --cluster.listen-address= --web.listen-address="127.0.0.1:$1" >>"$work/alertmanager.log" 2>&1 &
  server=$!
}
ready_path_alertmanager() { echo /-/ready; }

# start NAME FUNCTION: with an empty folder and a free port, until it is ready. Sets `port`.
start() {
  local folder
  folder=$(mktemp -d -p "$work")
  port=$(free_port)
  "$2" "$port" "$folder"
  wait_ready "$1" "http://127.0.0.1:$port"
}

write_alertmanager_yml() { # group_by group_wait url
  cat >"$work/alertmanager.yml" <<YAML
route: {receiver: hook, group_by: [$1], group_wait: $2, group_interval: 5m, repeat_interval: 4h}
receivers: [{name: hook, webhook_configs: [{url: '$3'}]}]
YAML
}

cpu_ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$server/stat"; }
core_share() { awk -v t="$1" -v hz="$(getconf CLK_TCK)" -v s="$2" 'BEGIN { printf "%.1f", 100 * t / hz / s }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f", a / b; else print "-" }'; }
line() { # what, key, peer
  printf '%-44s%14s%14s%10s\n' "$1" "$(value ours "$2")" "$(value "$3" "$2")" "$(ratio "$(value ours "$2")" "$(value "$3" "$2")")"
}

# --- parts ---

# The rules that the server has evaluated without an error, and what it says it missed.
rules_evaluated() {
  curl -sf "http://127.0.0.1:$port/api/v1/rules" |
    python3 -c 'import json, sys; print(sum(rule["health"] == "ok" for group in json.load(sys.stdin)["data"]["groups"] for rule in group["rules"] if group["name"].startswith("node-")))'
}
rules_missed() {
  curl -sf "http://127.0.0.1:$port/metrics" | awk '/^prometheus_rule_(group_iterations_missed|evaluation_failures)_total/ { n += $2 } END { print n + 0 }'
}

measure_rules() { # NAME FUNCTION
  local name=$1 before after missed
  printf 'global: {evaluation_interval: %ss}\n' "$INTERVAL" >"$work/rules.yml"
  start "$1" "$2"
  taskset -c 1 "$BIN/store_sender" --shape a --gpus "$GPUS" --samples 4 --start-ms "$(($(now_ms) - 60000))" \
    --url "http://127.0.0.1:$port/api/v1/write" >"$work/$name.sent"
  python3 "$here/alert_rules.py" "$port" "$NODES" "$work/rules"
  printf 'global: {evaluation_interval: %ss}\nrule_files: [%s]\n' "$INTERVAL" "$work/rules/*.yml" >"$work/rules.yml"
  curl -sf -X POST "http://127.0.0.1:$port/-/reload" >/dev/null || { echo "$name did not take the rules" >&2 && exit 1; }
  sleep $((2 * INTERVAL)) # every rule has had its turn
  missed=$(rules_missed)
  before=$(cpu_ticks)
  sleep "$SECONDS_MEASURED"
  after=$(cpu_ticks)
  figure "$name" rules_core "$(core_share $((after - before)) "$SECONDS_MEASURED")"
  figure "$name" rules_missed $(($(rules_missed) - missed))
  figure "$name" rules_evaluated "$(rules_evaluated)"
  figure "$name" rules_memory "$(($(rss_bytes) >> 20))"
  end_server
}

rules() {
  local name
  write_alertmanager_yml alertname 30s http://127.0.0.1:9/
  measure_rules ours ours
  measure_rules prometheus prometheus_rules
  printf '%s rules at %s s over %s series\n%-44s%14s%14s%10s\n' $((NODES * 100)) "$INTERVAL" $((GPUS * 100)) '' ours prometheus ratio
  line 'percent of a core' rules_core prometheus
  line 'resident memory, MiB' rules_memory prometheus
  line 'rules evaluated without an error' rules_evaluated prometheus
  line 'evaluations missed or failed' rules_missed prometheus
  for name in ours prometheus; do
    if [ "$(value "$name" rules_evaluated)" != $((NODES * 100)) ] || [ "$(value "$name" rules_missed)" != 0 ]; then
      echo "$name did not evaluate every rule at its time" >&2 && exit 1
    fi
  done
}

measure_receive() { # NAME FUNCTION KEY BATCH CONNECTIONS
  local before after key figure
  start "$1" "$2"
  before=$(cpu_ticks)
  taskset -c 1 "$BIN/alert_sender" --port "$port" --alerts "$ALERTS" --batch "$4" --connections "$5" --seconds "$SECONDS_SENDING" >"$work/sent"
  after=$(cpu_ticks)
  while read -r key figure; do figure "$1" "$3.$key" "$figure"; done <"$work/sent"
  figure "$1" "$3.core" "$(core_share $((after - before)) "$SECONDS_SENDING")"
  figure "$1" "$3.memory" "$(($(rss_bytes) >> 20))"
  end_server
}

receive() {
  local shape batch connections
  printf 'global: {}\n' >"$work/rules.yml"
  write_alertmanager_yml alertname,cluster 10m http://127.0.0.1:9/
  for shape in '64 8' '1 64'; do
    read -r batch connections <<<"$shape"
    measure_receive ours ours "$batch" "$batch" "$connections"
    measure_receive alertmanager alertmanager "$batch" "$batch" "$connections"
    printf '%s alerts in a request, %s connections\n%-44s%14s%14s%10s\n' "$batch" "$connections" '' ours alertmanager ratio
    line 'alerts a second' "$batch.alerts_per_second" alertmanager
    line 'answered after, median, ms' "$batch.answer_p50_ms" alertmanager
    line 'answered after, 99 of 100, ms' "$batch.answer_p99_ms" alertmanager
    line 'percent of a core meanwhile' "$batch.core" alertmanager
    line 'resident memory, MiB' "$batch.memory" alertmanager
  done
}

measure_delay() { # NAME FUNCTION
  local hook spread key figure
  hook=$(free_port)
  write_alertmanager_yml group "${GROUP_WAIT}s" "http://127.0.0.1:$hook/hook"
  start "$1" "$2"
  for spread in 10 0; do
    taskset -c 1 python3 "$here/alert_delays.py" "$port" "$hook" "$GROUPS_MEASURED" "$spread" "$GROUP_WAIT" >"$work/late"
    while read -r key figure; do figure "$1" "$spread.$key" "$figure"; done <"$work/late"
  done
  end_server
}

delay() {
  local spread since
  printf 'global: {}\n' >"$work/rules.yml"
  measure_delay ours ours
  measure_delay alertmanager alertmanager
  for spread in 10 0; do
    printf 'first webhook of %s groups posted within %s s, ms beyond group_wait\n%-44s%14s%14s%10s\n' "$GROUPS_MEASURED" "$spread" '' ours alertmanager ratio
    for since in 'was sent' came 'was answered'; do
      line "since the post $since, median" "$spread.${since#was }_p50_ms" alertmanager
      line '  99 of 100' "$spread.${since#was }_p99_ms" alertmanager
      line '  most' "$spread.${since#was }_max_ms" alertmanager
    done
  done
}

for part in $PARTS; do
  case $part in
    rules | receive | delay) "$part" ;;
    *) echo "no such part: $part" >&2 && exit 2 ;;
  esac
done
