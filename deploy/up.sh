#!/usr/bin/env bash
# `make up`: starts the stack with two example partners. You can run it again: existing data is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
deploy/images/build.sh
for step in prepare up load addresses; do
  .venv/bin/python deploy/stack.py "$step"
done
