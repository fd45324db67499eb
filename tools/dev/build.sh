# shellcheck shell=bash
# Configure and build by preset. Each preset has its own folder build/<preset>.

# configure PRESET: only when it never was, or the presets changed since.
configure() {
  local stamp=build/$1/presets.stamp
  if [ -f "build/$1/build.ninja" ] && cmp -s CMakePresets.json "$stamp"; then
    return
  fi
  step "Configuring $1" "build/logs/configure-$1.log" cmake --preset "$1" ||
    fail "configuring $1 failed; the whole of it is in build/logs/configure-$1.log"
  cp CMakePresets.json "$stamp"
}

# build_preset PRESET [TARGET...]: ninja shows progress and elapsed time by itself.
build_preset() {
  local preset=$1 jobs
  shift
  configure "$preset"
  jobs=$(job_count)
  NINJA_STATUS='[%f/%t, %e s] ' ninja -C "build/$preset" -j "$jobs" "$@"
}

build() {
  local preset=release
  case ${1:-} in
    '') ;;
    debug) preset=dev ;;
    *) fail "unknown argument: $1 (./dev build or ./dev build debug)" ;;
  esac
  if [ "$preset" = dev ]; then ensure_packages build test; else ensure_packages build; fi
  announce_build "$preset"
  build_preset "$preset" || fail "the build failed; the first error is above"
  [ "$preset" = dev ] || say "Built build/release/bin/binnacle and binnacle-engine ($(duration $SECONDS))."
}

# One line before a first build, which takes minutes; nothing before a later one.
announce_build() {
  local files jobs
  [ -f "build/$1/build.ninja" ] && return
  require_room 3000 "building"
  files=$(find src -name '*.cc' ! -name '*_test.cc' ! -name '*_fuzz.cc' | wc -l)
  jobs=$(job_count)
  say "Builds $files files with $jobs jobs, about $(duration $((files * 4 / jobs + 20)))."
}

clean() {
  case ${1:-} in
    --all) rm -rf build ;;
    '') find build -mindepth 1 -maxdepth 1 ! -name data -exec rm -rf {} + 2>/dev/null || true ;;
    *) fail "unknown argument: $1 (./dev clean or ./dev clean --all)" ;;
  esac
}
