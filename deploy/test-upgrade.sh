#!/usr/bin/env bash
# The second half of `make test-stack`: upgrades a stack of an earlier commit in place to the images that the first half
# built (tests/stack/test_upgrade.py). CHILDLINK_UPGRADE_FROM names the commit. By default it is the commit before the
# last change of the images' content. Without a git history it prints a warning and succeeds.
set -euo pipefail
cd "$(dirname "$0")/.."
from=${CHILDLINK_UPGRADE_FROM:-$(git log -1 --format=%H~1 -- proto libs services apps requirements.lock deploy/images docker-compose.yml || true)}
if ! commit=$(git rev-parse --quiet --verify "$from^{commit}"); then
  echo "############################################################################################" >&2
  echo "# tests/stack/test_upgrade.py DID NOT RUN: there is no earlier commit to upgrade from       #" >&2
  echo "# ('$from'; a shallow clone, or no clone?). This run did not test upgrades." >&2
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
