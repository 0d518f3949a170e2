"""What an attacker tries from inside a partner's container. The file is sent there as text and run
by the container's own Python.

    python - write TOPIC        writes a byte
    python - oversize TOPIC     writes more than a message may hold
    python - read TOPIC         reads from the start
    python - topics             lists the visible topics
    python - keep-reading TOPIC reads until it is refused
    python - plaintext          speaks Kafka without TLS
    python - tls FOLDER         does a TLS handshake with a certificate of FOLDER (ca.pem, tls.pem,
                                tls.key); '-' for none
    python - old-tls            offers TLS 1.2 with the site's own certificate
    python - reach HOST:PORT... opens connections

Prints one line with the result.
"""

import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BROKER = ("kafka", 9093)
ETC = Path("/etc/childlink")


def _settings():
    from childlink_ingest.settings import IngestSettings

    return IngestSettings.load(ETC / "ingest.toml")


def _consumer():
    from childlink_bus.kafka import connect
    from kafka import KafkaConsumer

    return connect(
        KafkaConsumer, _settings(), enable_auto_commit=False, auto_offset_reset="earliest"
    )


def write(topic, message=b"x"):
    from childlink_bus.kafka import connect
    from kafka import KafkaProducer

    patience = {"max_block_ms": 8000, "delivery_timeout_ms": 8000, "request_timeout_ms": 7000}
    producer = connect(
        KafkaProducer, _settings(), acks="all", max_request_size=2 * len(message) + 1000, **patience
    )
    try:
        return f"written at {producer.send(topic, message, partition=0).get(timeout=10).offset}"
    finally:
        producer.close(timeout=1)


def oversize(topic):
    from childlink_core.envelope import LARGEST_BATCH_BYTES

    return write(topic, b"x" * (LARGEST_BATCH_BYTES + 100_000))


def read(topic):
    from kafka import TopicPartition

    consumer = _consumer()
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    return f"read {sum(map(len, consumer.poll(timeout_ms=6000).values()))}"


def topics():
    return "sees: " + " ".join(sorted(_consumer().topics()))


def keep_reading(topic):
    from kafka import TopicPartition
    from kafka.errors import TopicAuthorizationFailedError

    consumer = _consumer()
    consumer.assign([TopicPartition(topic, 0)])
    if topic not in consumer.topics():
        return "never let in"
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        # The client may learn it from the poll or from the list of topics, whichever asks first.
        try:
            consumer.poll(timeout_ms=500)
        except TopicAuthorizationFailedError:
            return "refused"
        if topic not in consumer.topics():
            return "refused"
    return "never refused"


def plaintext():
    with socket.create_connection(BROKER, timeout=10) as sock:
        # ApiVersions, version 0, correlation 1, client "x".
        sock.sendall(b"\x00\x00\x00\x0b\x00\x12\x00\x00\x00\x00\x00\x01\x00\x01x")
        sock.settimeout(10)
        answer = sock.recv(100)
    # A TLS alert is record type 21. A Kafka answer would start with its length and our correlation
    # id.
    return "answered" if answer[4:8] == b"\x00\x00\x00\x01" else "refused"


def _shake(context):
    with (
        socket.create_connection(BROKER, timeout=10) as sock,
        context.wrap_socket(sock, server_hostname=BROKER[0]) as tls,
    ):
        # With TLS 1.3 the server checks the client's certificate after the handshake. Only an
        # answer proves that the client has access.
        tls.sendall(b"\x00\x00\x00\x0b\x00\x12\x00\x00\x00\x00\x00\x01\x00\x01x")
        tls.settimeout(10)
        return "answered" if tls.recv(100) else "closed"


def tls(folder):
    own = ETC if folder == "-" else Path(folder)
    context = ssl.create_default_context(cafile=str(ETC / "ca.pem"))
    if folder != "-":
        context.load_cert_chain(own / "tls.pem", own / "tls.key")
    return _shake(context)


def old_tls():
    context = ssl.create_default_context(cafile=str(ETC / "ca.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(ETC / "tls.pem", ETC / "keys" / "tls.key")
    return _shake(context)


def reach(*targets):
    def one(target):
        host, port = target.rsplit(":", 1)
        try:
            with socket.create_connection((host, int(port)), timeout=3):
                return target
        except OSError:
            return None

    with ThreadPoolExecutor(len(targets)) as pool:
        return "reached: " + " ".join(filter(None, pool.map(one, targets)))


if __name__ == "__main__":
    try:
        print(globals()[sys.argv[1].replace("-", "_")](*sys.argv[2:]))
    except Exception as error:
        print(f"refused: {type(error).__name__}")
