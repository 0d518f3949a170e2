#!/usr/bin/env bash
# The Docker engine and client that the other scripts use.
#   deploy/docker.sh cli            prints a docker client that can build with BuildKit
#   deploy/docker.sh start          if no engine answers and CHILDLINK_START_ENGINE=1: installs Debian's and starts it for this checkout
#   deploy/docker.sh stop           stops the engine that `start` started, and nothing else
#   deploy/docker.sh address        prints that engine's address, if `start` started one
# `start` exits 69 if no engine can be started. The engine has its own image store; everything else is in .cache/docker.
set -euo pipefail
cd "$(dirname "$0")/.."
state=$PWD/.cache/docker

address() { [ -S "$state/docker.sock" ] && echo "unix://$state/docker.sock"; }

answers() { local cli; cli=$(cli) && timeout 20 "$cli" info >/dev/null 2>&1; }

cli() {
  local client
  for client in docker /usr/bin/docker; do
    command -v "$client" >/dev/null || continue
    # Since version 23 the client needs its buildx plugin. Older clients include BuildKit.
    if "$client" buildx version >/dev/null 2>&1 ||
      [ "$("$client" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')" -lt 23 ]; then
      echo "$client"
      return
    fi
  done
  echo "No docker client that can build images. Install docker with buildx, or docker.io of Debian 12." >&2
  return 69
}

start() {
  if answers; then echo "A Docker engine already runs." >&2; return; fi
  if [ -S "$state/docker.sock" ]; then
    export DOCKER_HOST="unix://$state/docker.sock"
    if answers; then echo "The engine of this checkout already runs." >&2; return; fi
  fi
  if [ "${CHILDLINK_START_ENGINE:-}" != 1 ]; then
    echo "No Docker engine answers. Start Docker, or set CHILDLINK_START_ENGINE=1 to install and start an engine (as root on Debian)." >&2
    return 69
  fi
  if ! command -v dockerd >/dev/null || ! cli >/dev/null; then
    timeout 300 apt-get update -q >&2 || true
    timeout 600 apt-get install -qy --no-install-recommends docker.io iptables debootstrap >&2 || return 69
  fi
  rm -rf "$state" && mkdir -p "$state"
  # Use a separate socket, so that other tests on this machine do not use this engine.
  nohup dockerd --host "unix://$state/docker.sock" --pidfile "$state/docker.pid" --exec-root "$state/exec" \
    --data-root "${CHILDLINK_ENGINE_STORE:-/var/lib/docker}" >"$state/dockerd.log" 2>&1 </dev/null &
  export DOCKER_HOST="unix://$state/docker.sock"
  for _ in $(seq 60); do
    if answers; then echo "Started a Docker engine at $DOCKER_HOST" >&2; return; fi
    sleep 1
  done
  echo "dockerd did not start; the end of $state/dockerd.log:" >&2
  tail -20 "$state/dockerd.log" >&2
  return 69
}

stop() {
  [ -f "$state/docker.pid" ] || return 0
  local pid
  pid=$(cat "$state/docker.pid")
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 30); do kill -0 "$pid" 2>/dev/null || return 0; sleep 1; done
  kill -9 "$pid" 2>/dev/null || true
}

"$1"
