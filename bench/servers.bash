# shellcheck shell=bash
# What benches that compare servers share: ours, VictoriaMetrics and Prometheus, how each starts on core 0 with a data
# folder and a port of its own, and what is noted of it. `source` it after SERVERS and BIN are set.

SETTLE_SECONDS=3 # deferred work still counts as the store's
START_SECONDS=60
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
query: {max_series: 2000000, threads: 1}
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

end_server() {
  { kill -9 "$server" && wait "$server"; } 2>/dev/null || true # the shell would tell of the killed job
  server=
}
