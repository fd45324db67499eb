# shellcheck shell=bash
# How ./dev speaks: plain lines, colour on a terminal alone, elapsed time on everything that takes long.

if [ -t 1 ]; then
  bold=$'\033[1m' red=$'\033[31m' green=$'\033[32m' plain=$'\033[0m'
else
  bold='' red='' green='' plain=''
fi

say() { printf '%s\n' "$*"; }
heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
fail() {
  printf '%s./dev: %s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}

# duration SECONDS: 75 becomes "1 min 15 s".
duration() {
  if [ "$1" -lt 60 ]; then
    printf '%d s' "$1"
  else
    printf '%d min %d s' $(($1 / 60)) $(($1 % 60))
  fi
}

# Prints how far a quiet command is, until it is killed or its parent is gone.
tick() {
  local title=$1 log=$2 start=$SECONDS last
  while kill -0 $$ 2>/dev/null; do
    if [ -t 1 ]; then
      last=$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | cut -c1-60)
      printf '\r\033[K%s: %s  %s' "$title" "$(duration $((SECONDS - start)))" "$last"
      sleep 1 >&- 2>&-
    else
      sleep 30 >&- 2>&-  # an orphaned sleep must not hold our output open
      printf '%s: %s so far\n' "$title" "$(duration $((SECONDS - start)))"
    fi
  done
}

# step TITLE LOG COMMAND...: runs the command with its output in LOG, shows the elapsed time, and on failure
# the end of the log. Returns the command's status.
step() {
  local title=$1 log=$2 start=$SECONDS status=0 ticker
  shift 2
  mkdir -p "$(dirname "$log")"
  : >"$log"
  tick "$title" "$log" &
  ticker=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  [ -t 1 ] && printf '\r\033[K'
  if [ "$status" -eq 0 ]; then
    say "$title: done in $(duration $((SECONDS - start)))"
  else
    say "${red}$title: failed after $(duration $((SECONDS - start))) (exit $status). The end of $log:${plain}" >&2
    tail -n 30 "$log" >&2
  fi
  return "$status"
}
