#!/usr/bin/env bash
# Writes a CycloneDX bill of materials for the Python part of each image, from the same environment as in the image.
set -euo pipefail
cd "$(dirname "$0")/.."
out=.cache/sbom
rm -rf "$out" && mkdir -p "$out"
for spec in services/ingest:excel,parquet,postgresql,sqlserver,tracing services/linker:tracing services/analytics:releasing,tracing services/analytics:answers apps/ops:; do
  member=${spec%%:*} name=$(basename "${spec%%:*}") extras=${spec#*:}
  if [ "$extras" = answers ]; then name=answers extras=; fi
  sh deploy/images/install.sh service "$member" "$extras" "$out/env-$name" .tools/bin/uv
  .tools/stack/bin/cyclonedx-py environment --output-reproducible --validate --of JSON --pyproject "$member/pyproject.toml" \
    -o "$out/childlink-$name.cdx.json" "$out/env-$name/bin/python"
  rm -rf "$out/env-$name"
  echo "$out/childlink-$name.cdx.json"
done
