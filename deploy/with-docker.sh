#!/usr/bin/env bash
# Runs a command with a Docker engine, docker compose and base images: deploy/with-docker.sh COMMAND...
#   CHILDLINK_START_ENGINE=1     as root on Debian: installs and starts an engine if none answers (exits 69 if that fails)
#   CHILDLINK_BASE_IMAGES=debian builds local replacements of the public base images from Debian packages instead of pulling them
set -euo pipefail
cd "$(dirname "$0")/.."
deploy/docker.sh start || exit 69
if engine=$(deploy/docker.sh address); then export DOCKER_HOST=$engine; fi
if docker compose version >/dev/null 2>&1; then
  export CHILDLINK_COMPOSE="docker compose"
else
  export CHILDLINK_COMPOSE=$PWD/.tools/stack/bin/docker-compose
fi
if [ "${CHILDLINK_BASE_IMAGES:-public}" = debian ]; then
  deploy/images/base-from-debian.sh
  set -a
  # shellcheck source=/dev/null
  . .cache/images/local.env
  set +a
fi
exec "$@"
