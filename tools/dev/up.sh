# shellcheck shell=bash
# ./dev up: from a clone to a page that lives. The server runs in the foreground; Ctrl-C ends it.

BINARY=build/release/bin/binnacle

up() {
  local listen=127.0.0.1:8080 data=build/data address port
  while [ $# -gt 0 ]; do
    case $1 in
      --listen) listen=${2:?--listen wants ADDR:PORT} && shift ;;
      --listen=*) listen=${1#*=} ;;
      --data) data=${2:?--data wants a folder} && shift ;;
      --data=*) data=${1#*=} ;;
      *) fail "unknown argument: $1 (./dev up [--listen ADDR:PORT] [--data DIR])" ;;
    esac
    shift
  done
  address=${listen%:*} port=${listen##*:}
  [[ $port =~ ^[0-9]+$ && $listen == *:* ]] || fail "--listen wants ADDR:PORT, as in 127.0.0.1:8080 (got $listen)"
  address=${address:-0.0.0.0}
  ensure_packages build
  announce_build release
  build_preset release || fail "the build failed; the first error is above"
  mkdir -p "$data"
  refuse_second_server "$data"
  choose_port "$port"
  serve "$address" "$chosen_port" "$data"
}

# listener_inode PORT: the socket that listens there, or nothing; /proc alone, a fresh machine has no ss.
listener_inode() {
  local hex
  hex=$(printf '%04X' "$1")
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10; exit }'
}

# The process that holds a socket; other users' processes show only to root.
holder_of() {
  local fd
  fd=$(find /proc/[0-9]*/fd -maxdepth 1 -lname "socket:\[$1\]" -print -quit 2>/dev/null || true)
  [ -n "$fd" ] && cut -d/ -f3 <<<"$fd"
  return 0
}

describe_process() {
  if [ -n "$1" ]; then
    echo "$(cat "/proc/$1/comm" 2>/dev/null || echo a process) (process $1)"
  else
    echo "a process of another user"
  fi
}

# Sets chosen_port to the given port, or to the next free one when a process has it.
choose_port() {
  local inode
  chosen_port=$1
  inode=$(listener_inode "$chosen_port")
  [ -n "$inode" ] || return 0
  while [ -n "$(listener_inode "$chosen_port")" ]; do chosen_port=$((chosen_port + 1)); done
  [ "$chosen_port" -le 65535 ] || fail "no port from $1 up is free"
  say "Port $1 is taken by $(describe_process "$(holder_of "$inode")"); taking $chosen_port."
}

# Two servers on one data folder would fight for it; the second says where the first is.
refuse_second_server() {
  local pid
  for pid in $(pids_of_binary); do
    tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF -- "$(realpath "$1")" || continue
    fail "Binnacle already runs on $1 (process $pid). Stop it with Ctrl-C where it runs or kill $pid, or give --data another folder."
  done
}

# Processes whose program is this tree's binary, even when it was rebuilt under them.
pids_of_binary() {
  find /proc/[0-9]*/exe -maxdepth 0 \( -lname "$ROOT/$BINARY" -o -lname "$ROOT/$BINARY (deleted)" \) 2>/dev/null |
    cut -d/ -f3 || true
}

is_loopback() { case $1 in 127.* | localhost | '[::1]') true ;; *) false ;; esac; }

serve() {
  local address=$1 port=$2 data server status=0
  data=$(realpath "$3")
  is_loopback "$address" || ensure_admin_key "$data"
  "$BINARY" server --data "$data" --listen "$address:$port" &
  server=$!
  trap 'kill -TERM $server 2>/dev/null' INT TERM
  if await_ready "$server" "$address" "$port"; then
    announce_address "$address" "$port" "$data"
  fi
  # A signal interrupts the first wait; the second one gets the server's own status after its drain.
  wait "$server" || status=$?
  if kill -0 "$server" 2>/dev/null; then
    status=0
    wait "$server" || status=$?
  fi
  trap - INT TERM
  return "$status"
}

# True once /ready answers 200; false when the server ended before.
await_ready() {
  local host=$2 tries=0
  case $host in 0.0.0.0) host=127.0.0.1 ;; '[::]') host=::1 ;; esac
  host=${host#[} host=${host%]}
  while kill -0 "$1" 2>/dev/null; do
    [ "$(http_status "$host" "$3" /ready)" = 200 ] && return
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { say "The server is not ready after 30 s; its log is above." && return 1; }
    sleep 0.1
  done
  return 1
}

# http_status HOST PORT PATH: 000 when nothing answers. A fresh machine has no curl.
http_status() {
  (
    exec 3<>"/dev/tcp/$1/$2" || exit 1
    printf 'GET %s HTTP/1.1\r\nHost: localhost:%s\r\nConnection: close\r\n\r\n' "$3" "$2" >&3
    read -r -t 2 _ status _ <&3 && printf '%s' "$status"
  ) 2>/dev/null || printf 000
}

announce_address() {
  local address=$1 port=$2 shown=$1 link
  case $address in 0.0.0.0 | '[::]') shown=$(hostname -I 2>/dev/null | awk '{ print $1 }') ;; esac
  shown=${shown:-$address}
  say ""
  say "${bold}Binnacle: http://$shown:$port${plain}   (Ctrl-C stops it)"
  # Without an admin key there is nothing to log in with, and on loopback no need to.
  if link=$("$BINARY" key login-link --data "$3" --url "http://$shown:$port" 2>/dev/null); then
    say "Log in with this address; it works once: $link"
  fi
  ! is_loopback "$address" || ssh_line "$port"
  say ""
}

# Over SSH a loopback address is on the wrong machine; the tunnel brings it to the right one.
ssh_line() {
  local server_ip
  [ -n "${SSH_CONNECTION:-}" ] || return 0
  server_ip=$(awk '{ print $3 }' <<<"$SSH_CONNECTION")
  say "From your own machine: ssh -L $1:127.0.0.1:$1 $(id -un)@$server_ip   then open http://127.0.0.1:$1"
}

# An address that others can reach needs a key; the server refuses to bind it without one.
ensure_admin_key() {
  "$BINARY" key list --data "$1" --format json | grep '"role": *"admin"' >/dev/null && return
  say "Made an admin key; it is shown this once: $("$BINARY" key create --data "$1" --role admin --name dev-up)"
}
