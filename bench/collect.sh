#!/usr/bin/env bash
# Collecting: what a scraped sample costs, ours beside Debian's Prometheus. Each scrapes the same prepared pages
# (bench/scrape_pages.cc, on core 1) at the same interval and stores them, on core 0. Ours is scraping and the metric
# store put together (bench/scrape_node.cc). Prints samples per CPU second of the process and the ratio.
#
#   PARTS="plain gzip"   pages as they are, and compressed
#   SERIES=100000 TARGETS=10 INTERVAL=1 SECONDS_MEASURED=20
set -euo pipefail
BIN=${BIN:?the folder of the bench binaries}
PARTS=${PARTS:-plain gzip}
SERIES=${SERIES:-100000}
TARGETS=${TARGETS:-10}
INTERVAL=${INTERVAL:-1}
SECONDS_MEASURED=${SECONDS_MEASURED:-20}
WARM_SECONDS=$((5 * INTERVAL)) # all series are known by then
SERVERS="ours prometheus"

# shellcheck source=bench/servers.bash
source "$(dirname "${BASH_SOURCE[0]}")/servers.bash"

# Programs of ours run until their standard input ends: as long as this script.
mkfifo "${work:?}/input"
exec 9<>"$work/input"

start_pages() { # plain|gzip
  taskset -c 1 "$BIN/scrape_pages" "$SERIES" "$TARGETS" "$1" <&9 >"$work/pages.address" &
  pages=$!
  local i
  for ((i = 0; i < START_SECONDS * 10; i++)); do
    [ ! -s "$work/pages.address" ] || break
    sleep 0.1
  done
  address=$(cat "$work/pages.address")
}
end_pages() {
  { kill -9 "$pages" && wait "$pages"; } 2>/dev/null || true
}

scrape_ours() { # data
  taskset -c 0 "$BIN/scrape_node" "$1" "$address" "$TARGETS" $((INTERVAL * 1000)) <&9 >>"$work/ours.log" 2>&1 &
  server=$!
}
scrape_prometheus() {
  local i
  {
    printf 'global: {scrape_interval: %ss, scrape_timeout: %ss}\nscrape_configs:\n' "$INTERVAL" "$INTERVAL"
    printf -- '- job_name: bench\n  static_configs:\n'
    for ((i = 0; i < TARGETS; i++)); do
      printf -- "  - {targets: ['%s'], labels: {__metrics_path__: /metrics/%d, instance: '%d'}}\n" "$address" "$i" "$i"
    done
  } >"$work/scrape.yml"
  GOMAXPROCS=1 taskset -c 0 prometheus --config.file="$work/scrape.yml" --storage.tsdb.path="$1" \
    --web.listen-address="127.0.0.1:$(free_port)" >>"$work/prometheus.log" 2>&1 &
  server=$!
}

served() { curl -sf "http://$address/served"; }
# In clock ticks, user and system.
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$server/stat"; }

measure() { # NAME plain|gzip
  local name=$1 before_ticks before_served ticks samples
  mkdir -p "$work/$name.$2"
  "scrape_$name" "$work/$name.$2"
  sleep "$WARM_SECONDS"
  before_served=$(served)
  before_ticks=$(cpu_ticks)
  sleep "$SECONDS_MEASURED"
  samples=$(($(served) - before_served))
  ticks=$(($(cpu_ticks) - before_ticks))
  figure "$name" "$2" "$(awk -v n="$samples" -v t="$ticks" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.0f", (t > 0 ? n * hz / t : 0) }')"
  figure "$name" "$2_seconds" "$(awk -v n="$samples" -v s="$SECONDS_MEASURED" 'BEGIN { printf "%.0f", n / s }')"
  end_server
}

printf '%s series of %s targets every %s s\n' "$SERIES" "$TARGETS" "$INTERVAL"
printf '%-34s%14s%14s%10s\n' '' ours prometheus ratio
for part in $PARTS; do
  start_pages "$part"
  for name in $SERVERS; do measure "$name" "$part"; done
  end_pages
  for key in "$part" "${part}_seconds"; do
    what="samples per CPU second, $part"
    [ "$key" = "$part" ] || what="samples per second, $part"
    printf '%-34s%14s%14s%10s\n' "$what" "$(value ours "$key")" "$(value prometheus "$key")" \
      "$(awk -v a="$(value ours "$key")" -v b="$(value prometheus "$key")" 'BEGIN { if (b > 0) printf "%.2f", a / b; else print "-" }')"
  done
done
for name in $SERVERS; do
  [ "$(value "$name" "${PARTS%% *}")" != 0 ] || { echo "$name scraped nothing" >&2 && exit 1; }
done
