#!/usr/bin/env bash
# `make test-stack`: builds this checkout's images, starts a separate stack, runs tests/stack and removes the stack.
# Then tests the upgrade of an older stack.
set -euo pipefail
cd "$(dirname "$0")/.."
export CHILDLINK_TEST_STACK=1 CHILDLINK_STACK=$PWD/.cache/stack-test CHILDLINK_STACK_CHILDREN=${CHILDLINK_STACK_CHILDREN:-500}
tag=test
for name in ingest linker analytics answers ops; do export "CHILDLINK_${name^^}_IMAGE=childlink/$name:$tag"; done
deploy/images/build.sh "$tag"
timeout 1500 .venv/bin/python -m pytest tests/stack --ignore=tests/stack/test_upgrade.py -o timeout=600 -o addopts="-q --strict-markers --import-mode=importlib" "$@"
exec deploy/test-upgrade.sh "$@"
