#!/bin/sh
# Starts PostgreSQL with TLS. It takes a key only from a file that nobody else can read and that its own user owns, so the
# mounted key is copied into memory (/tmp is a tmpfs). A renewed certificate is used after a restart of the container.
set -eu
install -m 600 /etc/childlink/tls.key /tmp/tls.key
entrypoint=$(command -v docker-entrypoint.sh || echo "/bin/sh /usr/local/bin/postgres.sh")
exec $entrypoint postgres \
  -c shared_buffers=128MB \
  -c ssl=on \
  -c ssl_min_protocol_version=TLSv1.3 \
  -c ssl_cert_file=/etc/childlink/tls.pem \
  -c ssl_key_file=/tmp/tls.key \
  -c hba_file=/opt/childlink/pg_hba.conf
