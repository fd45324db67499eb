# shellcheck shell=bash
# What this machine offers: jobs, disk, memory, the right to install.

# Free memory in MB, within the limit of the container when there is one.
free_memory_mb() {
  local available limit used
  available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [ "$limit" != max ]; then
    used=$(cat /sys/fs/cgroup/memory.current 2>/dev/null || echo 0)
    limit=$(((limit - used) / 1048576))
    [ "$limit" -lt "$available" ] && available=$limit
  fi
  echo "$available"
}

# One compiler wants up to 2 GB. BINNACLE_JOBS overrides it.
job_count() {
  local jobs by_memory
  if [ -n "${BINNACLE_JOBS:-}" ]; then
    echo "$BINNACLE_JOBS"
    return
  fi
  jobs=$(nproc)
  by_memory=$(($(free_memory_mb) / 2048))
  [ "$by_memory" -lt "$jobs" ] && jobs=$by_memory
  [ "$jobs" -lt 1 ] && jobs=1
  echo "$jobs"
}

free_disk_mb() { df -Pm "$1" | awk 'NR == 2 { print $4 }'; }

# require_room MB WHAT_FOR: refuses before anything is begun, not half way.
require_room() {
  local disk memory
  disk=$(free_disk_mb "$ROOT")
  [ "$disk" -ge "$1" ] ||
    fail "not enough disk: $2 needs about $1 MB under $ROOT, $disk MB are free. Free some, or clone to a larger disk."
  memory=$(free_memory_mb)
  [ "$memory" -ge 1500 ] ||
    fail "not enough memory: one compiler needs about 1500 MB, $memory MB are free. Stop something, or add swap."
}

# Runs a command as root. find_root has said before whether that works.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# Fails with the way out when this user can become root by no means. Where sudo wants a password and there is
# a terminal, sudo itself asks for it here, once, before anything is shown as running.
find_root() {
  local packages=$*
  [ "$(id -u)" -eq 0 ] && return
  command -v sudo >/dev/null ||
    fail "installing needs root and there is no sudo. As root: apt-get install --no-install-recommends $packages"
  sudo -n true 2>/dev/null && return
  { [ -t 0 ] && sudo -v; } ||
    fail "sudo wants a password and there is no terminal. Run as root: apt-get install --no-install-recommends $packages"
}
