#!/bin/sh
# Generates proto/gen from proto/childlink. Only services get gRPC stubs, so that ingest needs no grpcio.
set -eu
cd "$(dirname "$0")"
out=${1:-gen}
rm -rf "$out/childlink"
mkdir -p "$out"
protos=$(find childlink -name '*.proto' | sort)
services=$(grep -l '^service ' $protos)
python -m grpc_tools.protoc -I. --python_out="$out" --pyi_out="$out" $protos
python -m grpc_tools.protoc -I. --grpc_python_out="$out" --mypy_grpc_out="$out" $services
touch "$out/childlink/py.typed"
