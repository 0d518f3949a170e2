#!/usr/bin/env bash
# The charts' and the stack's tests on a bare machine: an engine of Debian's if none answers, base images made here, and both away again.
# Where no engine can be had, that is said loudly and is no failure; with CHILDLINK_STACK_REQUIRED=1 it is one.
set -euo pipefail
cd "$(dirname "$0")/.."
make setup .tools/stack/.ready
if command -v go >/dev/null; then
  timeout --kill-after=30 900 make check-helm
else
  echo "# tests/helm DID NOT RUN: there is no Go here to build helm with."
fi
trap 'deploy/docker.sh stop' EXIT
outcome=0
stack() {
  CHILDLINK_START_ENGINE=1 CHILDLINK_BASE_IMAGES=debian timeout --kill-after=60 1800 deploy/with-docker.sh deploy/test-stack.sh
}
stack || outcome=$?
if [ "$outcome" != 0 ] && [ "$outcome" != 69 ]; then
  echo "# THE STACK'S TESTS FAILED. Once more, with a new engine:"
  deploy/docker.sh stop
  outcome=0
  stack || outcome=$?
fi
if [ "$outcome" = 69 ] && [ "${CHILDLINK_STACK_REQUIRED:-}" != 1 ]; then
  echo "############################################################################################"
  echo "# tests/stack DID NOT RUN: no Docker engine could be installed or started here (see above). #"
  echo "# Nothing is known about images, compose, certificates and isolation from this run.         #"
  echo "############################################################################################"
  exit 0
fi
exit "$outcome"
