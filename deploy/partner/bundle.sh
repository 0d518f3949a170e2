#!/usr/bin/env bash
# Builds the bundle for a site without a registry. deploy/partner/bundle.sh [IMAGE] writes
# .cache/partner-bundle/childlink-partner-VERSION.tar with the image, the compose file, the settings, the checklist,
# the bill of materials (if `make sbom` made one), and checksums of all files.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' services/ingest/pyproject.toml)
image=${1:-childlink/ingest:$version}
docker=$(deploy/docker.sh cli)
out=.cache/partner-bundle name=childlink-partner-$version
rm -rf "$out" && mkdir -p "$out/$name/etc/mappings" "$out/$name/srv/inbox"
cp deploy/partner/docker-compose.yml deploy/partner/CHECKLIST.md LICENCE "$out/$name/"
cp deploy/partner/ingest.toml "$out/$name/etc/"
if [ -f .cache/sbom/childlink-ingest.cdx.json ]; then cp .cache/sbom/childlink-ingest.cdx.json "$out/$name/"; fi
"$docker" image inspect "$image" >/dev/null
"$docker" save "$image" | gzip -n >"$out/$name/childlink-ingest.tar.gz"
(cd "$out/$name" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS)
# Reproducible: the same files give the same bytes, without owner and time.
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$out" -cf "$out/$name.tar" "$name"
echo "$out/$name.tar"
echo "tell the site by telephone: $(sha256sum "$out/$name/SHA256SUMS" | cut -c1-64)"
