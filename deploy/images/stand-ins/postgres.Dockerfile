# As much of the public image's contract as docker-compose.yml uses: POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD_FILE, uid 999.
ARG BASE
FROM ${BASE}
RUN groupadd -g 999 postgres && useradd -u 999 -g 999 -d /var/lib/postgresql postgres && apt-get update -q && \
    apt-get install -qy --no-install-recommends postgresql-15 && rm -rf /var/lib/apt/lists/* && \
    mkdir -p /var/lib/postgresql/data && chown -R 999:999 /var/lib/postgresql /var/run/postgresql
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
COPY postgres.sh /usr/local/bin/
USER 999:999
ENTRYPOINT ["/bin/sh", "/usr/local/bin/postgres.sh"]
CMD ["postgres"]
