#!/usr/bin/env bash
# Collecting: what it costs, beside the programs that do it today.
#
#   plain, gzip   a scraped sample, beside Debian's Prometheus: both scrape the same prepared pages (scrape_pages.cc, on
#                 core 1) and store them, on core 0. Samples per CPU second of the process, and the ratio
#   agent         a machine watched every second, beside Debian's netdata: share of a core and memory. Processes named
#                 like engines' and CONTAINERS control groups named like Docker's, each with a process that sleeps, bring
#                 an agent to about 1,200 series; control groups need root
#   agents        a server that AGENTS agents report to: links that beat four times a second, AGENT_SERIES series each
#                 every 10 s: share of a core, memory
#
#   PARTS="plain gzip agent agents"
#   SERIES=100000 TARGETS=10 INTERVAL=1 SECONDS_MEASURED=20 CONTAINERS=13 AGENTS=1000 AGENT_SERIES=1200
set -euo pipefail
BIN=${BIN:?the folder of the bench binaries}
PARTS=${PARTS:-plain gzip agent agents}
SERIES=${SERIES:-100000}
TARGETS=${TARGETS:-10}
INTERVAL=${INTERVAL:-1}
SECONDS_MEASURED=${SECONDS_MEASURED:-20}
CONTAINERS=${CONTAINERS:-13}
AGENTS=${AGENTS:-1000}
AGENT_SERIES=${AGENT_SERIES:-1200}
WARM_SECONDS=$((5 * INTERVAL)) # all series are known by then
SERVERS="ours prometheus"

# shellcheck source=bench/servers.bash
source "$(dirname "${BASH_SOURCE[0]}")/servers.bash"

# What else runs besides the server, and the control groups made for it. All of it ends with this script, however that
# ends: cleanup() waits for every child.
started=()
control_groups=()
end_started() {
  local one
  [ "${#started[@]}" -eq 0 ] || kill -9 "${started[@]}" 2>/dev/null || true
  for one in "${started[@]}"; do wait "$one" 2>/dev/null || true; done
  started=()
  for one in "${control_groups[@]}"; do rmdir "$one" 2>/dev/null || true; done
  control_groups=()
}
trap 'end_started; cleanup' EXIT

# The pages are served until the standard input ends.
mkfifo "${work:?}/input"
exec 9<>"$work/input"

start_pages() { # plain|gzip
  : >"$work/pages.address"
  taskset -c 1 "$BIN/scrape_pages" "$SERIES" "$TARGETS" "$1" <&9 >"$work/pages.address" &
  started+=("$!")
  local i
  for ((i = 0; i < START_SECONDS * 10; i++)); do
    [ ! -s "$work/pages.address" ] || break
    sleep 0.1
  done
  address=$(cat "$work/pages.address")
  [ -n "$address" ] || { echo "the pages were not ready within $START_SECONDS s" >&2 && exit 1; }
}

scrape_config() {
  local i
  printf 'global: {scrape_interval: %ss, scrape_timeout: %ss}\nscrape_configs:\n' "$INTERVAL" "$INTERVAL"
  printf -- '- job_name: bench\n  static_configs:\n'
  for ((i = 0; i < TARGETS; i++)); do
    printf -- "  - {targets: ['%s'], labels: {__metrics_path__: /metrics/%d, instance: '%d'}}\n" "$address" "$i" "$i"
  done
}

scrape_ours() { # data
  printf 'collect: {host: {enabled: false}, engines: {enabled: false}}\n' >"$work/ours.yaml"
  taskset -c 0 "$BIN/binnacle" server --config "$work/ours.yaml" --data "$1" --listen 127.0.0.1:0 \
    --prometheus-config "$work/scrape.yml" >>"$work/ours.log" 2>&1 &
  server=$!
}
scrape_prometheus() {
  GOMAXPROCS=1 taskset -c 0 prometheus --config.file="$work/scrape.yml" --storage.tsdb.path="$1" \
    --web.listen-address="127.0.0.1:$(free_port)" >>"$work/prometheus.log" 2>&1 &
  server=$!
}

# --- parts ---

served() { curl -sf --max-time 10 "http://$address/served"; }
# CPU time so far of these processes, in clock ticks: utime and stime of /proc/PID/stat.
cpu_ticks() {
  local pid
  for pid; do cat "/proc/$pid/stat" 2>/dev/null || true; done | awk '{ sub(/.*\) /, ""); n += $12 + $13 } END { print n + 0 }'
}
memory_kib() {
  local pid
  for pid; do cat "/proc/$pid/status" 2>/dev/null || true; done | awk '/VmRSS/ { n += $2 } END { print n + 0 }'
}
# share NAME PID...: share of a core over SECONDS_MEASURED, and memory.
share() {
  local name=$1 before after
  shift
  before=$(cpu_ticks "$@")
  sleep "$SECONDS_MEASURED"
  after=$(cpu_ticks "$@")
  figure "$name" cpu "$(awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" -v s="$SECONDS_MEASURED" 'BEGIN { printf "%.2f", 100 * t / hz / s }')"
  figure "$name" memory "$(awk -v k="$(memory_kib "$@")" 'BEGIN { printf "%.1f", k / 1024 }')"
}

measure() { # NAME plain|gzip
  local name=$1 before_ticks before_served ticks samples
  mkdir -p "$work/$name.$2"
  "scrape_$name" "$work/$name.$2"
  sleep "$WARM_SECONDS"
  before_served=$(served)
  before_ticks=$(cpu_ticks "$server")
  sleep "$SECONDS_MEASURED"
  samples=$(($(served) - before_served))
  ticks=$(($(cpu_ticks "$server") - before_ticks))
  figure "$name" "$2" "$(awk -v n="$samples" -v t="$ticks" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.0f", (t > 0 ? n * hz / t : 0) }')"
  figure "$name" "$2_seconds" "$(awk -v n="$samples" -v s="$SECONDS_MEASURED" 'BEGIN { printf "%.0f", n / s }')"
  end_server
}

scraping() { # plain|gzip
  local part=$1 name key what
  printf '%s series of %s targets every %s s, %s\n' "$SERIES" "$TARGETS" "$INTERVAL" "$part"
  printf '%-34s%14s%14s%10s\n' '' ours prometheus ratio
  start_pages "$part"
  scrape_config >"$work/scrape.yml"
  for name in $SERVERS; do measure "$name" "$part"; done
  end_started
  for key in "$part" "${part}_seconds"; do
    what="samples per CPU second"
    [ "$key" = "$part" ] || what="samples per second"
    printf '%-34s%14s%14s%10s\n' "$what" "$(value ours "$key")" "$(value prometheus "$key")" \
      "$(awk -v a="$(value ours "$key")" -v b="$(value prometheus "$key")" 'BEGIN { if (b > 0) printf "%.2f", a / b; else print "-" }')"
  done
  for name in $SERVERS; do
    [ "$(value "$name" "$part")" != 0 ] || { echo "$name scraped nothing" >&2 && exit 1; }
  done
}

start_receiver() { # data
  printf 'server: {rate_limit: {link: 0, ingest: 0}}\ncollect: {host: {enabled: false}, engines: {enabled: false}}\n' >"$work/receiver.yaml"
  "$BIN/binnacle" server --config "$work/receiver.yaml" --data "$1" --listen "127.0.0.1:$2" >>"$work/receiver.log" 2>&1 &
  server=$!
  wait_ready ours "http://127.0.0.1:$2"
}

start_netdata() {
  local folder=$work/netdata
  mkdir -p "$folder"/{cache,lib,log,etc}
  printf '%s\n' '[global]' '  run as user = root' '[directories]' "  cache = $folder/cache" "  lib = $folder/lib" \
    "  log = $folder/log" "  config = $folder/etc" '[db]' '  mode = ram' '[ml]' '  enabled = no' '[web]' \
    "  bind to = 127.0.0.1:$(free_port)" >"$folder/etc/netdata.conf"
  setsid netdata -D -c "$folder/etc/netdata.conf" -P "$folder/pid" >"$work/netdata.log" 2>&1 &
  until [ -s "$folder/pid" ]; do sleep 0.1; done
  netdata=$(cat "$folder/pid")
}

# sleeper NAME: a process with that command line.
sleeper() {
  (exec -a "$1" sleep infinity) &
  started+=("$!")
}
# In order, and removed the other way round; those that are there already stay.
make_control_group() {
  local one
  for one; do
    [ ! -d "$one" ] || continue
    mkdir "$one" 2>/dev/null || return
    control_groups=("$one" "${control_groups[@]}")
  done
}
start_neighbours() {
  local name i id controller
  for name in VLLM::Worker sglang::scheduler llama-server ollama text-generation-launcher trtllm-serve tritonserver \
    lmdeploy mlx_lm.server exo dllama torchrun raylet 'python3 train.py'; do
    sleeper "$name"
    sleeper "$name"
  done
  for ((i = 0; i < CONTAINERS; i++)); do
    id=$(printf '%064x' "$((0xbe4c0000 + i))")
    sleeper "service-$i"
    for controller in '' cpu cpuacct memory blkio pids; do
      name=/sys/fs/cgroup/$controller
      [ -e "$name/cgroup.procs" ] || continue
      if ! make_control_group "$name/docker" "$name/docker/$id" || ! echo "${started[-1]}" >"$name/docker/$id/cgroup.procs"; then
        echo "no control groups could be made below $name: fewer series than meant" >&2
        return
      fi
    done
  done
}

agent() {
  local port agent_pid series
  start_neighbours
  port=$(free_port)
  start_receiver "$work/agent.server" "$port"
  printf 'agent: {interval: 1s}\n' >"$work/agent.yaml"
  "$BIN/binnacle" agent --config "$work/agent.yaml" --server "http://127.0.0.1:$port" --name bench --data "$work/agent.data" >"$work/agent.log" 2>&1 &
  agent_pid=$!
  started+=("$agent_pid")
  sleep 15 # the slow parts have come round
  share agent "$agent_pid"
  series=$(curl -sf "http://127.0.0.1:$port/api/v1/query?query=count(%7Bnode%3D%22bench%22%7D)" | grep -o '"[0-9]*"\]' | tr -dc 0-9)
  kill "$agent_pid"
  wait "$agent_pid" || true
  unset 'started[-1]'
  end_server
  printf 'one machine every second, %s series\n%-34s%14s%14s\n' "$series" '' ours netdata
  if command -v netdata >/dev/null; then
    start_netdata
    sleep 15
    # shellcheck disable=SC2046 # one word each
    share netdata $(ps -o pid= -s "$netdata")
    kill "$netdata"
  fi
  end_started
  printf '%-34s%14s%14s\n' 'percent of a core' "$(value agent cpu)" "$(value netdata cpu)" \
    'resident memory, MiB' "$(value agent memory)" "$(value netdata memory)"
}

agents() {
  local port sender
  port=$(free_port)
  start_receiver "$work/agents.server" "$port"
  "$BIN/simulated_agents" "http://127.0.0.1:$port" "$AGENTS" "$AGENT_SERIES" "$((SECONDS_MEASURED + 20))" >"$work/agents" &
  sender=$!
  started+=("$sender")
  until grep -q standing "$work/agents"; do
    kill -0 "$sender" 2>/dev/null || { cat "$work/agents" >&2 && exit 1; }
    sleep 0.2
  done
  sleep 12 # every series is known
  share agents "$server"
  wait "$sender" || { cat "$work/agents" >&2 && exit 1; }
  unset 'started[-1]'
  end_server
  printf '%s agents, %s series each every 10 s: %s %% of a core, %s MiB; %s us a node and second\n' "$AGENTS" "$AGENT_SERIES" \
    "$(value agents cpu)" "$(value agents memory)" "$(awk -v c="$(value agents cpu)" -v n="$AGENTS" 'BEGIN { printf "%.0f", c * 1e4 / n }')"
  tail -n +2 "$work/agents"
}

for part in $PARTS; do
  case $part in
    plain | gzip) scraping "$part" ;;
    agent | agents) "$part" ;;
    *) echo "no such part: $part" >&2 && exit 2 ;;
  esac
done
