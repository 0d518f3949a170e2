"""librdkafka's mock broker in this process: the same Kafka protocol on a loopback port, nothing
installed, nothing kept.

It keeps at most 5 MiB of each topic, so senders must not run far ahead of their readers
(`window_bytes`).
"""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO

from confluent_kafka import Producer

# What the mock broker speaks; it cannot negotiate.
API_VERSION = (2, 3)
WINDOW_BYTES = 4 * 1024 * 1024


@contextmanager
def mock_broker() -> Iterator[str]:
    """Start a broker; yields its host:port."""
    with redirect_stderr(StringIO()):
        producer = Producer(
            {"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 0}
        )
    try:
        broker = next(iter(producer.list_topics(timeout=10).brokers.values()))
        yield f"{broker.host}:{broker.port}"
    finally:
        producer.flush(1)
