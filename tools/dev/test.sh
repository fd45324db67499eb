# shellcheck shell=bash
# ./dev test: everything that must hold, the same here and in CI.

# The rooms with threads of their own whose races ThreadSanitizer looks for; it is too slow for all.
RACE_ROOMS='store|net|watch'

run_tests() {
  local filter='' chaos=''
  while [ $# -gt 0 ]; do
    case $1 in
      --chaos) chaos=yes ;;
      -*) fail "unknown argument: $1 (./dev test [FILTER] [--chaos])" ;;
      *) filter=$1 ;;
    esac
    shift
  done
  if [ -n "$filter" ]; then ensure_packages build test; else ensure_packages build test lint; fi
  require_room 3000 "testing"
  rm -rf build/logs/closing
  mkdir -p build/logs/closing
  failed_parts=()
  if [ -n "$filter" ]; then
    part "tests matching $filter" test_dev "$chaos" -R "$filter"
    if grep -qsE -- "$filter" web/test/*.test.mjs; then
      part "page tests matching $filter" test_page "$filter"
    elif grep -q '^No tests were found' build/logs/9-ctest.log; then
      fail "no test matches $filter (ctest --test-dir build/dev -N lists them)"
    fi
  else
    part "layout and scripts" layout_and_scripts
    part "build and tests" test_dev "$chaos"
    part "page" test_page ''
    part "address and undefined-behaviour sanitizers" test_sanitized asan-ubsan 'unit|fuzz' ''
    part "thread sanitizer ($RACE_ROOMS)" test_sanitized tsan unit "$RACE_ROOMS"
  fi
  closing
}

# part TITLE COMMAND...: a failing part does not hide the next one; the end says which failed.
part() {
  local title=$1 start=$SECONDS
  shift
  heading "$title"
  if "$@"; then
    say "${green}$title: passed in $(duration $((SECONDS - start)))${plain}"
  else
    failed_parts+=("$title")
    say "${red}$title: failed after $(duration $((SECONDS - start)))${plain}"
  fi
}

# Runs a command whose output is shown and whose closing lines are shown once more at the very end.
runner() {
  local name=$1 status=0
  shift
  "$@" 2>&1 | tee "build/logs/$name.log" || status=$?
  awk '/tests passed|tests failed out of|^No tests were found|^# tests |^ℹ tests / { found = 1 } found' "build/logs/$name.log" >"build/logs/closing/$name"
  return "$status"
}

run_ctest() {
  local preset=$1
  shift
  (cd "build/$preset" && ctest --output-on-failure -j "$(job_count)" "$@")
}

test_dev() {
  local chaos=$1
  shift
  build_preset dev || return
  [ -n "$chaos" ] || set -- -LE chaos "$@"
  runner 9-ctest run_ctest dev "$@"
}

# test_sanitized PRESET LABELS ROOMS: the unit tests of these rooms (all without any), and where LABELS say so
# the replay of the fuzz corpora, built with that preset.
test_sanitized() {
  local preset=$1 labels=$2 pattern="^(${3:-.*})(_[a-z0-9_]+)?" programs='_test$|_fuzz_replay$' targets
  [ -n "$3" ] && programs='_test$'
  configure "$preset"
  mapfile -t targets < <(ninja -C "build/$preset" -t targets all | sed -n 's,^bin/\([a-z0-9_]*\): CXX_EXECUTABLE.*,\1,p' |
    grep -E "$pattern($programs)")
  build_preset "$preset" "${targets[@]}" || return
  export ASAN_SYMBOLIZER_PATH=/usr/lib/llvm-16/bin/llvm-symbolizer
  export TSAN_OPTIONS=external_symbolizer_path=$ASAN_SYMBOLIZER_PATH:suppressions=$ROOT/tools/tsan_suppressions.txt
  export UBSAN_OPTIONS=print_stacktrace=1
  # What a hostile query may take of time and memory is no question for a sanitizer, and takes it minutes.
  runner "1-$preset" run_ctest "$preset" -L "$labels" -LE chaos -E HostileQueries -R "$pattern\\."
}

# The page's own tests; npm runs only when the lock file changed.
test_page() {
  [ -f web/package.json ] || return 0
  if ! cmp -s web/package-lock.json web/node_modules/installed.stamp; then
    (cd web && npm ci --no-audit --no-fund) || return
    cp web/package-lock.json web/node_modules/installed.stamp
  fi
  runner 5-page run_node "$1"
}

# The tests that need a server take the one that was just built.
run_node() {
  export BINNACLE_BIN=$ROOT/build/dev/bin/binnacle
  cd web || return
  if [ -n "$1" ]; then
    node --test-name-pattern="$1" --test test/*.test.mjs
  else
    npm run --silent check && node --test test/*.test.mjs
  fi
}

layout_and_scripts() {
  layout && scripts
}

closing() {
  local log
  heading "summary after $(duration $SECONDS)"
  [ "${#failed_parts[@]}" -eq 0 ] || printf 'failed: %s\n' "${failed_parts[@]}"
  for log in build/logs/closing/*; do
    [ -s "$log" ] || continue
    say "-- ${log##*/[0-9]-}"
    cat "$log"
  done
  [ "${#failed_parts[@]}" -eq 0 ]
}
