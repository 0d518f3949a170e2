# Where the public image has them: java on the path, jars in /opt/kafka/libs.
ARG BASE
FROM ${BASE}
RUN apt-get update -q && apt-get install -qy --no-install-recommends openjdk-17-jre-headless && rm -rf /var/lib/apt/lists/*
COPY libs/ /opt/kafka/libs/
USER 10001:10001
