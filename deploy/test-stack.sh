#!/usr/bin/env bash
# `make test-stack`: images of this checkout, a stack of its own, tests/stack, and everything away again. Then an upgrade of another.
set -euo pipefail
cd "$(dirname "$0")/.."
export CHILDLINK_TEST_STACK=1 CHILDLINK_STACK=$PWD/.cache/stack-test CHILDLINK_STACK_CHILDREN=${CHILDLINK_STACK_CHILDREN:-500}
tag=test
for name in ingest linker analytics answers ops; do export "CHILDLINK_${name^^}_IMAGE=childlink/$name:$tag"; done
deploy/images/build.sh "$tag"
timeout 900 .venv/bin/python -m pytest tests/stack --ignore=tests/stack/test_upgrade.py -o timeout=600 -o addopts="-q --strict-markers --import-mode=importlib" "$@"
exec deploy/test-upgrade.sh "$@"
