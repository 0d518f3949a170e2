#!/usr/bin/env bash
# The second half of `make test-stack`: a stack of an earlier commit, with that commit's images, is upgraded in place to the images that the
# first half built (tests/stack/test_upgrade.py). CHILDLINK_UPGRADE_FROM names the commit; without it, it is the one before the last that
# changed what images are made of. Without a history there is nothing to upgrade from: that is said loudly and is no failure.
set -euo pipefail
cd "$(dirname "$0")/.."
from=${CHILDLINK_UPGRADE_FROM:-$(git log -1 --format=%H~1 -- proto libs services apps requirements.lock deploy/images docker-compose.yml || true)}
if ! commit=$(git rev-parse --quiet --verify "$from^{commit}"); then
  echo "############################################################################################" >&2
  echo "# tests/stack/test_upgrade.py DID NOT RUN: no earlier commit is here to upgrade from        #" >&2
  echo "# ('$from'; a shallow clone, or no clone?). Nothing is known about upgrades from this run." >&2
  echo "############################################################################################" >&2
  [ -z "${CHILDLINK_UPGRADE_FROM:-}" ]
  exit
fi
site=$PWD/.cache/upgrade/site
rm -rf "$site" && mkdir -p "$site"
git archive "$commit" | tar -x -C "$site"
ln -s "$PWD/.venv" "$site/.venv"
"$site/deploy/images/build.sh" older
echo "upgrading from $(git log -1 --format='%h %s' "$commit")" >&2
export CHILDLINK_STACK=$PWD/.cache/upgrade/stack CHILDLINK_UPGRADE_SITE=$site CHILDLINK_STACK_CHILDREN=300
timeout 600 .venv/bin/python -m pytest tests/stack/test_upgrade.py -o timeout=500 -o addopts="-q --strict-markers --import-mode=importlib" "$@"
