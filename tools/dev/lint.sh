# shellcheck shell=bash
# ./dev lint and ./dev fmt.

cpp_files() {
  local tops=() top
  for top in src engine tests bench; do [ -d "$top" ] && tops+=("$top"); done
  find "${tops[@]}" \( -name '*.h' -o -name '*.cc' \) | sort
}

fmt() {
  ensure_packages lint
  cpp_files | xargs -r clang-format-16 -i
}

# Everything; ./dev test runs the parts of it that are not tests already.
lint() {
  local failed=0
  ensure_packages build test lint
  heading "layout"
  layout || failed=1
  heading "scripts"
  scripts || failed=1
  heading "clang-tidy"
  tidy "$@" || failed=1
  heading "house rules"
  run_ctest dev -L house --no-tests=error || failed=1
  [ "$failed" -eq 0 ] || fail "lint found something; ./dev fmt mends layout"
  say "${green}lint: clean in $(duration $SECONDS)${plain}"
}

layout() { cpp_files | xargs -r clang-format-16 --dry-run -Werror; }

# Through dev the parts in tools/dev are read as well.
scripts() {
  local found
  mapfile -t found < <(find bench tools -maxdepth 1 -name '*.sh')
  shellcheck -x dev .ci/run "${found[@]}"
}

# tidy [SUBSTRING]: needs the compile commands and the dependencies of a build.
tidy() {
  build_preset dev || return
  python3 -B tools/tidy.py build/dev "$(job_count)" "$@"
}
