ARG BASE
FROM ${BASE}
RUN apt-get update -q && apt-get install -qy --no-install-recommends prometheus && rm -rf /var/lib/apt/lists/*
USER 65534:65534
ENTRYPOINT ["/usr/bin/prometheus"]
