#!/usr/bin/env bash
# `make up`: the stack with two example partners. Run again at any time: what exists is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
deploy/images/build.sh
for step in prepare up load addresses; do
  .venv/bin/python deploy/stack.py "$step"
done
