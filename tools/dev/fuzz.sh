# shellcheck shell=bash
# ./dev fuzz: libFuzzer on each target's corpus. What it learns goes to build/fuzz/corpus/<what>, inputs that
# break the code to build/fuzz/findings/; a finding worth keeping moves to tests/corpus/<what>/, which the
# normal test run replays.

fuzz() {
  local target='' seconds=60 argument program failed=()
  for argument in "$@"; do
    case $argument in
      *[!0-9]*) target=${argument%_fuzz} ;;
      *) seconds=$argument ;;
    esac
  done
  ensure_packages build test
  build_preset fuzz || fail "the build failed; the first error is above"
  [ -z "$target" ] || [ -x "build/fuzz/bin/${target}_fuzz" ] ||
    fail "no such fuzz target: $target (there are:$(fuzz_targets | tr '\n' ' '))"
  for program in ${target:-$(fuzz_targets)}; do
    heading "fuzz $program for $(duration "$seconds")"
    fuzz_one "$program" "$seconds" || failed+=("$program")
  done
  [ "${#failed[@]}" -eq 0 ] || fail "broke: ${failed[*]}; the inputs are in build/fuzz/findings/"
}

fuzz_targets() {
  find build/fuzz/bin -maxdepth 1 -name '*_fuzz' -printf ' %f\n' | sed 's/_fuzz$//' | sort
}

fuzz_one() {
  local learned=build/fuzz/corpus/$1 findings=build/fuzz/findings corpora
  mkdir -p "$learned" "$findings"
  corpora=("$learned")
  [ -d "tests/corpus/$1" ] && corpora+=("tests/corpus/$1")
  "build/fuzz/bin/$1_fuzz" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$findings/$1-" "${corpora[@]}"
}
