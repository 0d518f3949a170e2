ARG BASE
FROM ${BASE}
RUN apt-get update -q && apt-get install -qy --no-install-recommends ca-certificates python3 python3-venv && rm -rf /var/lib/apt/lists/*
