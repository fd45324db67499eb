# shellcheck shell=bash
# ./dev bench: NAME is bench/NAME.sh, run with BIN naming the folder of release binaries, or else the program
# bench/NAME_bench.cc. A bench prints its own figures beside its peers' of the same run, and exits with an error
# when it could not measure.

bench() {
  local names=() name
  mapfile -t names < <(bench_names)
  if [ $# -gt 0 ]; then
    [[ " ${names[*]} " == *" $1 "* ]] || fail "no such bench: $1 (there are: ${names[*]})"
    names=("$1")
    shift
  fi
  ensure_packages build bench
  build_preset bench || fail "the build failed; the first error is above"
  for name in "${names[@]}"; do
    heading "bench $name"
    if [ -f "bench/$name.sh" ]; then
      BIN=$ROOT/build/bench/bin bash "bench/$name.sh" "$@"
    else
      "build/bench/bin/${name}_bench" "$@"
    fi
  done
}

bench_names() {
  find bench -maxdepth 1 \( -name '*.sh' -o -name '*_bench.cc' \) -printf '%f\n' | sed -E 's/(\.sh|_bench\.cc)$//' | sort -u
}
