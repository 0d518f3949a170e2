#!/bin/sh
# Installs one service with only its own dependencies, at the versions and hashes of requirements.lock.
#   install.sh tools [FOLDER]                        uv, with pip, into FOLDER (default /tools)
#   install.sh service MEMBER [EXTRAS] [APP] [UV]    MEMBER and its dependencies, into the virtual environment APP (default /app)
# Runs in the image build, and on a developer's machine for `make sbom`. Run it in the repository's root.
set -eu
if [ -f /run/secrets/ca ]; then
  export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca
fi
if [ -f /run/secrets/pip ]; then export PIP_CONFIG_FILE=/run/secrets/pip; fi
if [ -f /run/secrets/uv ]; then export UV_CONFIG_FILE=/run/secrets/uv; fi
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 UV_LINK_MODE=copy PIP_DISABLE_PIP_VERSION_CHECK=1

if [ "$1" = tools ]; then
  target=${2:-/tools}
  python3 -m venv "$target"
  exec "$target/bin/pip" install --quiet --no-cache-dir --require-hashes -r deploy/images/tools.lock
fi

member=$2 extras=${3:-} app=${4:-/app} uv=${5:-/tools/bin/uv}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The member and its dependencies in this repository, including those of the requested extras.
parts=$(python3 - "$member" "$extras" <<'PYTHON'
import pathlib, re, sys, tomllib

def folder(name):
    return next(str(path) for top in (".", "libs", "services", "apps") if (path := pathlib.Path(top, name)).is_dir())

def add(part, extras):
    found.setdefault(part, None)
    project = tomllib.loads(pathlib.Path(part, "pyproject.toml").read_text())["project"]
    wanted = list(project.get("dependencies", []))
    for extra in extras:
        wanted += project.get("optional-dependencies", {}).get(extra, [])
    for item in wanted:
        match = re.match(r"childlink-([a-z]+)(?:\[([a-z,]+)\])?", item)
        if match:
            add(folder(match[1]), match[2].split(",") if match[2] else [])

found = {}
add(sys.argv[1], [extra for extra in sys.argv[2].split(",") if extra])
print(" ".join(found))
PYTHON
)

# The locked packages that this member needs, as names and versions. The hashes come from the lock file, below.
set -- --quiet --no-annotate --no-header -c requirements.lock
for name in $(echo "$extras" | tr ',' ' '); do set -- "$@" --extra "$name"; done
for part in $parts; do set -- "$@" --no-emit-package "childlink-$(basename "$part")"; done
"$uv" pip compile "$@" "$member/pyproject.toml" -o "$work/wanted.txt" >/dev/null

"$uv" venv --quiet --python python3 "$app"
"$uv" pip install --quiet --python "$app/bin/python" --no-cache --compile-bytecode \
  --require-hashes -c requirements.lock -r "$work/wanted.txt"
for part in $parts; do
  "$uv" build --quiet --no-cache --wheel --build-constraints deploy/images/build.lock --require-hashes -o "$work/wheels" "$part"
done
"$uv" pip install --quiet --python "$app/bin/python" --no-cache --compile-bytecode --no-deps "$work"/wheels/*.whl
