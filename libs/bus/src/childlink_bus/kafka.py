"""Kafka through kafka-python. Each topic has one partition. The reader stores its own position."""

import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from childlink_core.envelope import LARGEST_BATCH_BYTES
from childlink_core.settings import ServiceSettings
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from childlink_bus.ports import BusError, Message

_SEND_TIMEOUT_S: Final = 30
# How long to wait before looking for missing topics again: at first, and at most. Each wait is
# twice as long as the one before. Less than a second at first would find a topic that is created
# meanwhile before its first messages are all there.
_FIRST_LOOK_S: Final = 1.0
_LOOK_EVERY_S: Final = 5.0
_EVERYTHING: Final = 2**31
_KNOCK_TIMEOUT_S: Final = 5.0


class KafkaPublisher:
    """See `ports.Publisher`. Idempotent and ordered: acknowledged messages are on every in-sync
    replica.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._producer = self._connect()

    def _connect(self) -> Any:
        return connect(
            KafkaProducer,
            self._settings,
            acks="all",
            enable_idempotence=True,
            max_request_size=LARGEST_BATCH_BYTES + 10_000,
            linger_ms=5,
            batch_size=512 * 1024,
            delivery_timeout_ms=_SEND_TIMEOUT_S * 1000,
            request_timeout_ms=_SEND_TIMEOUT_S * 1000 - 1000,
            max_block_ms=_SEND_TIMEOUT_S * 1000,
        )

    def publish(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """See `ports.Publisher.publish`."""
        if self._producer is None:
            self._producer = self._connect()
        try:
            futures = [self._producer.send(topic, value, partition=0) for topic, value in messages]
            self._producer.flush(timeout=_SEND_TIMEOUT_S)
            for future in futures:
                future.get(timeout=_SEND_TIMEOUT_S)
        except KafkaError as error:
            # kafka-python 3.0.12: after a network failure, a producer with unanswered messages
            # never sends again and keeps what it is given. Therefore connect again.
            self.close()
            raise _bus_error("Kafka did not take the messages", error) from None

    def close(self) -> None:
        """See `ports.Publisher.close`."""
        if self._producer is not None:
            self._producer.close(timeout=2)
        self._producer = None


class KafkaSubscriber:
    """See `ports.Subscriber`. Looks for missing topics again, at last every few seconds.

    kafka-python returns all fetched messages of one topic, possibly thousands, before those of the
    next topic. Therefore this class takes everything at once and serves the topics in turn. A topic
    with enough messages here is paused.
    """

    def __init__(
        self, settings: ServiceSettings, positions: Mapping[str, int], max_messages: int = 16
    ) -> None:
        self._waiting = dict(positions)
        self._assigned: list[TopicPartition] = []
        self._fetched: dict[str, deque[Message]] = {topic: deque() for topic in positions}
        self._turns: deque[str] = deque()
        self._max_messages = max_messages
        self._look_at, self._wait_s = 0.0, _FIRST_LOOK_S
        self._rewound: dict[str, int] = {}
        self._missing: set[str] = set()
        self._consumer = connect(
            KafkaConsumer,
            settings,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # At most two fetches per topic are in memory: one taken, one on its way.
            max_partition_fetch_bytes=2 * LARGEST_BATCH_BYTES,
            fetch_max_wait_ms=100,
        )
        # Look at once, before other clients write to a topic that was created again.
        try:
            self._look_for_topics()
        except KafkaError as error:
            raise _bus_error("Kafka could not be asked for its topics", error) from None

    def poll(self, timeout_s: float) -> list[Message]:
        """See `ports.Subscriber.poll`."""
        try:
            self._look_for_topics()
            if not self._assigned:
                time.sleep(min(timeout_s, 1.0))
                return []
            self._fetch(0 if self._turns else int(timeout_s * 1000))
        except KafkaError as error:
            raise _bus_error("Kafka could not be read", error) from None
        messages: list[Message] = []
        while self._turns and len(messages) < self._max_messages:
            topic = self._turns.popleft()
            messages.append(self._fetched[topic].popleft())
            if self._fetched[topic]:
                self._turns.append(topic)
        return messages

    def lag(self) -> dict[str, int]:
        """See `ports.Subscriber.lag`."""
        try:
            ends = self._consumer.end_offsets(self._assigned) if self._assigned else {}
            ahead = {at: end - self._consumer.position(at) for at, end in ends.items()}
            return {
                at.topic: max(0, count) + len(self._fetched[at.topic])
                for at, count in ahead.items()
            }
        except KafkaError as error:
            raise _bus_error("Kafka could not be asked for its offsets", error) from None

    def rewound(self) -> dict[str, int]:
        """See `ports.Subscriber.rewound`."""
        told, self._rewound = self._rewound, {}
        return told

    def close(self) -> None:
        """See `ports.Subscriber.close`."""
        self._consumer.close()

    def _fetch(self, timeout_ms: int) -> None:
        # Always take everything: kafka-python 3.0.12 can forget the remaining messages of a topic
        # that is then paused.
        polled = self._consumer.poll(timeout_ms=timeout_ms, max_records=_EVERYTHING)
        for at, records in polled.items():
            if not self._fetched[at.topic]:
                self._turns.append(at.topic)
            self._fetched[at.topic] += [
                Message(at.topic, record.offset, bytes(record.value or b"")) for record in records
            ]
        full = {
            at for at in self._assigned if len(self._fetched[at.topic]) >= 2 * self._max_messages
        }
        paused = self._consumer.paused()
        self._consumer.pause(*(full - paused))
        self._consumer.resume(*(paused - full))

    def _look_for_topics(self) -> None:
        if not self._waiting or time.monotonic() < self._look_at:
            return
        existing = self._consumer.topics()
        found = [topic for topic in self._waiting if topic in existing]
        if found:
            partitions = [TopicPartition(topic, 0) for topic in found]
            # Ask for the end offsets before reading. Once the new log is longer than what was read
            # of the lost one, its length no longer reveals the loss. The same applies to a topic
            # that is created again while we wait for it. A topic that was read before and is
            # missing now was lost, too.
            ends = self._consumer.end_offsets(partitions)
            self._assigned += partitions
            self._consumer.assign(self._assigned)
            for at in partitions:
                wanted = self._waiting.pop(at.topic)
                if wanted > ends[at] or (wanted and at.topic in self._missing):
                    self._rewound[at.topic] = wanted
                    self._consumer.seek_to_beginning(at)
                else:
                    self._consumer.seek(at, wanted)
        self._missing |= self._waiting.keys()
        self._wait_s = _FIRST_LOOK_S if found else min(2 * self._wait_s, _LOOK_EVERY_S)
        self._look_at = time.monotonic() + self._wait_s


def connect(client: type[Any], settings: ServiceSettings, **options: Any) -> Any:
    """Connect a kafka-python client with these settings. Raises BusError."""
    security: dict[str, Any] = {"security_protocol": "PLAINTEXT"}
    if settings.kafka_tls_ca:
        security = {
            "security_protocol": "SSL",
            "ssl_cafile": str(settings.kafka_tls_ca),
            "ssl_certfile": (
                str(settings.kafka_tls_certificate) if settings.kafka_tls_certificate else None
            ),
            "ssl_keyfile": str(settings.kafka_tls_key) if settings.kafka_tls_key else None,
        }
        _check_files(settings.kafka_tls_ca, settings.kafka_tls_certificate, settings.kafka_tls_key)
    if settings.kafka_api_version:
        options["api_version"] = settings.kafka_api_version
    if settings.kafka_proxy:
        options["proxy_url"] = settings.kafka_proxy
    _knock(
        urlsplit(settings.kafka_proxy).netloc.rpartition("@")[2]
        if settings.kafka_proxy
        else settings.bootstrap_servers
    )
    try:
        return client(
            bootstrap_servers=settings.bootstrap_servers.split(","), **security, **options
        )
    except (KafkaError, OSError) as error:
        raise _bus_error("Kafka cannot be reached", error, settings.bootstrap_servers) from None


def _check_files(ca: Path, certificate: Path | None, key: Path | None) -> None:
    """Raise BusError unless the TLS files can be used.

    A consumer with unusable TLS files would ask the brokers for ever.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
        if certificate:
            context.load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        raise _bus_error("The TLS files of Kafka cannot be used", error) from None


def _knock(servers: str) -> None:
    """Raise BusError unless at least one broker accepts a connection.

    kafka-python would try for ever without an error.
    """
    problem: OSError = OSError()
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=_KNOCK_TIMEOUT_S):
                return
        except ValueError:
            raise BusError(f"{server!r} is not host:port.", "Correct bootstrap_servers.") from None
        except OSError as error:
            problem = error
    raise _bus_error("Kafka cannot be reached", problem, servers)


def _bus_error(what: str, error: Exception, where: str = "") -> BusError:
    at = f" at {where}" if where else ""
    return BusError(
        f"{what}{at} ({type(error).__name__}).",
        "Check bootstrap_servers, the network and the certificates. Unsent messages are kept and"
        " sent on the next run.",
    )


def existing_topics(settings: ServiceSettings) -> set[str]:
    """Names of the topics that this client may see. Raises BusError."""
    consumer = connect(KafkaConsumer, settings)
    try:
        return set(consumer.topics())
    except KafkaError as error:
        raise _bus_error("Kafka could not be asked for its topics", error) from None
    finally:
        consumer.close()
