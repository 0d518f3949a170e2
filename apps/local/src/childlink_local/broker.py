"""librdkafka's mock broker in this process. It speaks the Kafka protocol on a loopback port, needs
no installation and stores nothing on disk.

The mock broker keeps at most 5 MiB of each topic, so senders must not run far ahead of their
readers (`window_bytes`).
"""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO

from confluent_kafka import Producer

# The Kafka API version of the mock broker, which cannot negotiate one.
API_VERSION = (2, 3)
WINDOW_BYTES = 4 * 1024 * 1024


@contextmanager
def mock_broker() -> Iterator[str]:
    """Start a broker. Yields its host:port."""
    with redirect_stderr(StringIO()):
        producer = Producer(
            {"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 0}
        )
    try:
        broker = next(iter(producer.list_topics(timeout=10).brokers.values()))
        yield f"{broker.host}:{broker.port}"
    finally:
        producer.flush(1)
