#!/usr/bin/env bash
# Runs a command in a fresh Debian 12 that holds only bash and git, with this repository cloned into it:
#
#   sudo tools/fresh_debian.sh [--dirty] [--again] [COMMAND...]      default: ./dev test
#
# --dirty copies the working tree instead of cloning the last commit; --again enters the last one once more, to
# see that second runs are quick. It needs root, debootstrap and 15 GB under FRESH (default /var/tmp/fresh). The
# mirror, proxies, certificates and the npm registry are this machine's own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

FRESH=${FRESH:-/var/tmp/fresh}
dirty='' again=''
while [[ ${1:-} == --* ]]; do
  case $1 in
    --dirty) dirty=yes ;;
    --again) again=yes ;;
    *) echo "unknown argument: $1" >&2 && exit 2 ;;
  esac
  shift
done
[ $# -gt 0 ] || set -- ./dev test
[ "$(id -u)" -eq 0 ] || { echo "a chroot needs root: sudo $0 $*" >&2 && exit 1; }

# "deb URI SUITE COMPONENT" of every Debian 12 source that apt knows here.
# shellcheck disable=SC2016  # apt expands these
debian_sources() {
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Origin: Debian' 'Identifier: Packages' |
    grep ' bookworm' | sort -u
}

make_base() {
  local mirror
  [ -e "$FRESH/base.done" ] && return
  command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap" >&2 && exit 1; }
  mirror=$(debian_sources | awk '$3 == "bookworm" { print $2; exit }')
  rm -rf "$FRESH/base"
  mkdir -p "$FRESH"
  debootstrap --variant=minbase --include=bash,git bookworm "$FRESH/base" "${mirror:?no bookworm source in apt}"
  touch "$FRESH/base.done"
}

# What lets the machine reach its mirrors must do so from inside as well.
take_network_settings() {
  local root=$1
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  debian_sources >"$root/etc/apt/sources.list"
  apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries)' >"$root/etc/apt/apt.conf.d/90host" || true
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/host-certificates.crt"
}

make_machine() {
  rm -rf --one-file-system "$FRESH/machine"
  cp -a "$FRESH/base" "$FRESH/machine"
  take_network_settings "$FRESH/machine"
  if [ -n "$dirty" ]; then
    mkdir -p "$FRESH/machine/root/binnacle"
    git ls-files -z -co --exclude-standard |
      tar --null --no-recursion -T - -c | tar -x -C "$FRESH/machine/root/binnacle" --no-same-owner
  else
    git clone --quiet . "$FRESH/machine/root/binnacle"
  fi
}

# Mounts and processes live in namespaces of their own and end with the command.
enter() {
  local root=$FRESH/machine
  # shellcheck disable=SC2016  # expanded inside
  unshare --mount --pid --fork --kill-child bash -c '
    root=$1; shift
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" /usr/bin/env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
      ${REGISTRY:+npm_config_registry="$REGISTRY"} NODE_EXTRA_CA_CERTS=/etc/host-certificates.crt \
      bash -c "cd /root/binnacle && exec \"\$@\"" bash "$@"
  ' bash "$root" "$@"
}

REGISTRY=$(npm config get registry 2>/dev/null || true)
export REGISTRY
if [ -z "$again" ]; then
  make_base
  make_machine
fi
enter "$@"
