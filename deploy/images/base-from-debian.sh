#!/usr/bin/env bash
# Builds local replacements of the public base images, for machines that cannot pull images. It uses Debian packages and,
# for Kafka, Maven's jars. It writes the variables that name the images to .cache/images/local.env. Images made from the
# same files are not built again. Needs root, debootstrap, and Java with Maven. Not for production: these images get no
# security updates.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=deploy/images/stand-ins
work=.cache/images
docker=$(deploy/docker.sh cli)
tag=$(cat deploy/images/base-from-debian.sh $here/* | sha256sum | cut -c1-12)
mkdir -p "$work"

have() { "$docker" image inspect "$1" >/dev/null 2>&1; }

base=childlink-local/debian:$tag
if ! have "$base"; then
  command -v debootstrap >/dev/null ||
    { timeout 300 apt-get update -q >&2; timeout 600 apt-get install -qy --no-install-recommends debootstrap >&2; }
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  timeout 600 debootstrap --variant=minbase bookworm "$root" >"$work/debootstrap.log" 2>&1 ||
    { tail -20 "$work/debootstrap.log" >&2; exit 1; }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/usr/share/{doc,man,locale}/* "$root"/var/log/*
  tar --numeric-owner -C "$root" -c . | "$docker" import - "$base" >/dev/null
  echo "made $base" >&2
fi
if ! have "childlink-local/kafka:$tag"; then
  rm -rf "$work/kafka" && mkdir -p "$work/kafka"
  timeout 600 mvn -q -B -Dstyle.color=never -f "$here/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$PWD/$work/kafka/libs"
fi
for name in python postgres prometheus kafka; do
  image=childlink-local/$name:$tag
  if ! have "$image"; then
    context=$here
    [ "$name" = kafka ] && context=$work/kafka
    DOCKER_BUILDKIT=1 timeout 900 "$docker" build --quiet --build-arg "BASE=$base" -f "$here/$name.Dockerfile" -t "$image" \
      "$context" >/dev/null
    echo "made $image" >&2
  fi
  echo "CHILDLINK_${name^^}_IMAGE=$image"
done >"$work/local.env.part"
mv "$work/local.env.part" "$work/local.env"
