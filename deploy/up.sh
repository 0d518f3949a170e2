#!/usr/bin/env bash
# `make up`: starts the stack with two example partners. You can run it again: existing data is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
started=$SECONDS
say() { printf '%3d:%02d  %s\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)) "$1" >&2; }
cat >&2 <<'PLAN'
This starts the whole of childlink on this machine, with made-up data: 10 services in containers, on ports of this
machine alone. It needs about 5 GB of disk. The first start builds five images, which takes 10 to 15 minutes. Later ones
are short. You can stop it (Ctrl-C) and start it again.
PLAN
say "1 of 5: images"
deploy/images/build.sh
say "2 of 5: keys, certificates and settings"
.venv/bin/python deploy/stack.py prepare
say "3 of 5: starting the services"
.venv/bin/python deploy/stack.py up
say "4 of 5: two sites send their data, and a release is cut"
.venv/bin/python deploy/stack.py load
say "5 of 5: ready"
.venv/bin/python deploy/stack.py addresses
