#!/usr/bin/env bash
# Builds childlink's images: deploy/images/build.sh [TAG]. CHILDLINK_PYTHON_IMAGE sets the base image.
# If package registries need this machine's own CA or settings, pass them as build secrets:
# CHILDLINK_BUILD_CA (default: SSL_CERT_FILE), CHILDLINK_BUILD_PIP (a pip.conf), CHILDLINK_BUILD_UV (a uv.toml).
set -euo pipefail
cd "$(dirname "$0")/../.."
tag=${1:-$(sed -n 's/^version = "\(.*\)"/\1/p' services/linker/pyproject.toml)}
docker=$(deploy/docker.sh cli)
secrets=()
for secret in "ca=${CHILDLINK_BUILD_CA:-${SSL_CERT_FILE:-}}" "pip=${CHILDLINK_BUILD_PIP:-}" "uv=${CHILDLINK_BUILD_UV:-}"; do
  [ -n "${secret#*=}" ] && secrets+=(--secret "id=${secret%%=*},src=${secret#*=}")
done
targets=(ingest linker analytics answers ops)
for target in "${targets[@]}"; do
  echo "building childlink/$target:$tag" >&2
  DOCKER_BUILDKIT=1 timeout 900 "$docker" build --quiet -f deploy/images/Dockerfile --target "$target" -t "childlink/$target:$tag" \
    --build-arg "PYTHON_IMAGE=${CHILDLINK_PYTHON_IMAGE:-python:3.11-slim}" \
    --label "org.opencontainers.image.revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
    ${secrets[@]+"${secrets[@]}"} . >/dev/null
  echo "built childlink/$target:$tag ($("$docker" image inspect --format '{{.Size}}' "childlink/$target:$tag" | awk '{printf "%d MB", $1 / 1e6}'))" >&2
done
