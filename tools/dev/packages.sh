# shellcheck shell=bash
# Installs what packaging/debian-packages.txt lists and this machine lacks; never asks.

PACKAGE_LIST=packaging/debian-packages.txt

# Lines "package attribute..." of the given sections, without comments.
list_packages() {
  local line section=''
  while IFS= read -r line; do
    line=${line%%#*}
    case $line in
      \[*\]*) section=${line#[} section=${section%%]*} ;;
      *[![:space:]]*) [[ " $* " == *" $section "* ]] && echo "$line" ;;
    esac
  done <"$PACKAGE_LIST"
  return 0
}

# Names of the given sections' packages that are not installed and have no stand-in on the PATH.
missing_packages() {
  local listed installed package attributes stand_in
  listed=$(list_packages "$@")
  # shellcheck disable=SC2016  # dpkg's own variables
  installed=$(awk '{ print $1 }' <<<"$listed" |
    xargs dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null | awk '$1 == "installed" { print $2 }') || true  # dpkg-query fails where any is unknown
  while read -r package attributes; do
    grep -qx -- "$package" <<<"$installed" && continue
    stand_in=$(attribute command "$attributes")
    [ -n "$stand_in" ] && command -v "$stand_in" >/dev/null && continue
    echo "$package"
  done <<<"$listed"
  return 0
}

# attribute NAME "a=b c=d": the value, or nothing.
attribute() {
  local pair
  for pair in $2; do
    [ "${pair%%=*}" = "$1" ] && echo "${pair#*=}"
  done
  return 0
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 --no-install-recommends "$@"
}

# Says in one line what apt would fetch and for how long, from its own sums.
announce_install() {
  local plan fetch disk seconds
  plan=$(apt --assume-no install "$@" 2>&1) || true
  grep -q '^After this operation' <<<"$plan" || {
    printf '%s\n' "$plan" | tail -n 15 >&2
    fail "apt cannot install: $*. Without network? On Debian 12? The end of what apt says is above."
  }
  fetch=$(sed -n 's/^Need to get \(.*\) of archives.*/\1/p' <<<"$plan")
  disk=$(sed -n 's/^After this operation, \(.*\) of additional.*/\1/p' <<<"$plan")
  # 10 MB/s of network and 25 MB/s of unpacking are what a small machine does.
  seconds=$(awk -v fetch="$(megabytes "${fetch%%/*}")" -v disk="$(megabytes "$disk")" \
    'BEGIN { print int(fetch / 10 + disk / 25) + 5 }')
  say "Installs $# Debian packages and what they need: ${fetch:-nothing} to fetch, ${disk:-nothing} on disk, about $(duration "$seconds")."
  require_room $(($(megabytes "$disk") + 1000)) "installing"
}

# "1,234 kB" becomes 1, "1.5 GB" becomes 1500.
megabytes() {
  awk -v text="$1" 'BEGIN {
    gsub(",", "", text); split(text, part, " ")
    factor = part[2] == "GB" ? 1000 : part[2] == "kB" ? 0.001 : part[2] == "B" ? 0 : 1
    print int(part[1] * factor) }'
}

# The services that the named packages bring.
services_of() {
  local package attributes
  while read -r package attributes; do
    [[ " $* " == *" $package "* ]] && attribute service "$attributes"
  done < <(list_packages build test bench lint)
  return 0
}

# A package that brings a service starts it when it is installed, unless policy-rc.d forbids it.
install_quietly() {
  local policy=/usr/sbin/policy-rc.d made='' status=0 service
  if [ ! -e $policy ]; then
    made=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
  fi
  apt -y install "$@" || status=$?
  [ -z "$made" ] || as_root rm -f $policy
  for service in $(services_of "$@"); do
    [ -d /run/systemd/system ] && as_root systemctl disable --quiet "$service"
  done
  return "$status"
}

# ensure_packages SECTION...: returns at once when nothing is missing.
ensure_packages() {
  local missing names
  names=$(missing_packages "$@")
  [ -n "$names" ] || return 0
  mapfile -t missing <<<"$names"
  command -v apt-get >/dev/null ||
    fail "this is no Debian: install what packaging/debian-packages.txt lists by hand (missing: ${missing[*]})"
  find_root "${missing[@]}"
  require_room 1500 "installing"
  # A mirror that cannot be reached shows in the plan below; another broken source must not stop us.
  step "Reading Debian's package lists" build/logs/apt-update.log apt update || true
  announce_install "${missing[@]}"
  step "Installing ${#missing[@]} packages" build/logs/apt-install.log install_quietly "${missing[@]}" ||
    fail "installing failed; the whole of it is in build/logs/apt-install.log"
}
