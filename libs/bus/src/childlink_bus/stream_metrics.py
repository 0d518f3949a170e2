"""The metrics that every service with a store and a stream has (extra `sql`). Labels are partners,
outcomes and reasons. None can identify a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from childlink_core import __version__
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, start_http_server

BATCH_AGES: Final = (1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600)
"""Buckets of a batch's age in seconds, up to a site that was offline for a week."""


class StreamMetrics:
    """Create one per process; `registry` is what is served. Also observes the stream processor.

    `prefix` begins each metric's name, for example "childlink_linker".
    """

    def __init__(self, prefix: str) -> None:
        self.registry = CollectorRegistry()
        # The version that runs here.
        self.build = Info(f"{prefix}_build", "Version of the service.", registry=self.registry)
        self.build.info({"version": __version__})
        # Batches by sender and outcome (accepted, refused, duplicate). A refused batch also has a
        # reason.
        self.batches = Counter(
            f"{prefix}_batches",
            "Batches read, by outcome.",
            ["sender", "outcome", "reason"],
            registry=self.registry,
        )
        # Seconds from when a sender (a partner or the linker) sealed a batch until the service had
        # dealt with it.
        self.batch_age = Histogram(
            f"{prefix}_batch_age_seconds",
            "From sealed to settled.",
            ["sender"],
            buckets=BATCH_AGES,
            registry=self.registry,
        )
        # Records by sender and outcome.
        self.records = Counter(
            f"{prefix}_records",
            "Records in accepted batches, by outcome.",
            ["sender", "outcome", "reason"],
            registry=self.registry,
        )
        # Topics that the service does not read now, because too many of their messages were refused
        # for good or an operator said so. Read from the store, so a restart does not hide it.
        self.suspended_topics = Gauge(
            f"{prefix}_topic_suspended", "1: not read.", ["topic"], registry=self.registry
        )
        # When the loop last came round, as Unix time. It stands still while the loop is stuck, for
        # example at a lock in the database.
        self.last_step = Gauge(
            f"{prefix}_last_step_timestamp_seconds",
            "When the loop last came round.",
            registry=self.registry,
        )
        self.last_step.set_to_current_time()
        # Topics whose log on the broker ended before the position that was already read, for
        # example after a lost disk or a deleted topic. The service reads them from the beginning.
        self.logs_lost = Counter(
            f"{prefix}_logs_lost",
            "Topics read from their beginning again.",
            ["topic"],
            registry=self.registry,
        )
        # Messages written to the dead-letter topic.
        self.dead_letter_messages = Counter(
            f"{prefix}_dead_letters", "Messages refused for good.", registry=self.registry
        )
        # Connections to the database: in use, and the limit.
        self.database_connections = Gauge(
            f"{prefix}_database_connections", "Connections.", ["state"], registry=self.registry
        )
        # Messages that the broker has not accepted yet.
        self.outbox = Gauge(
            f"{prefix}_outbox_messages", "Messages to be sent.", registry=self.registry
        )
        # gRPC calls that were refused: unauthenticated, revoked, no_revocation_list, denied,
        # too_many, no_deadline or unreadable (malformed, too large, compressed).
        self.calls_refused = Counter(
            f"{prefix}_calls_refused",
            "gRPC calls refused.",
            ["method", "reason"],
            registry=self.registry,
        )
        # When the last backup of the store succeeded, as Unix time; 0 if none has. Only if the
        # setting `backup_stamp` names a file.
        self.last_backup = Gauge(
            f"{prefix}_last_backup_timestamp_seconds",
            "When the last backup succeeded.",
            ["store"],
            registry=self.registry,
        )
        # Messages that are not read yet, by topic.
        self.lag_messages = Gauge(
            f"{prefix}_consumer_lag_messages",
            "Messages not read yet.",
            ["topic"],
            registry=self.registry,
        )

    def serve(self, port: int, address: str) -> None:
        """Serve the registry, if a port is set."""
        if port:
            start_http_server(port, addr=address, registry=self.registry)

    def batch(self, sender: str, outcome: str, reason: str) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.batches.labels(sender, outcome, reason).inc()

    def batch_settled(self, sender: str, age_s: float) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.batch_age.labels(sender).observe(age_s)

    def records_done(self, sender: str, accepted: int, refused: Sequence[str]) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.records.labels(sender, "accepted", "").inc(accepted)
        for reason in refused:
            self.records.labels(sender, "refused", reason).inc()

    def stepped(self) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.last_step.set_to_current_time()

    def backups(self, stamp: Path | None) -> None:
        """Tell when the last backup succeeded: when its file was last written."""
        if stamp is None:
            return
        try:
            at = stamp.stat().st_mtime
        except OSError:
            at = 0.0
        self.last_backup.labels("database").set(at)

    def log_lost(self, topic: str) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.logs_lost.labels(topic).inc()

    def dead_letters(self, count: int) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.dead_letter_messages.inc(count)

    def refused(self, _who: str, method: str, why: str) -> None:
        """A gRPC call was refused."""
        self.calls_refused.labels(method.rpartition("/")[2], why).inc()

    def lag(self, lag: dict[str, int]) -> None:
        """Set the lag gauges. Topics that this process no longer reads have none."""
        self.lag_messages.clear()
        for topic, messages in lag.items():
            self.lag_messages.labels(topic).set(messages)

    def workings(
        self, waiting_messages: int, connections: Mapping[str, int], suspended: Iterable[str]
    ) -> None:
        """Set what waits for the broker, the database's connections by state, and the topics that
        are not read.
        """
        self.suspended_topics.clear()
        for topic in suspended:
            self.suspended_topics.labels(topic).set(1)
        self.outbox.set(waiting_messages)
        for state, count in connections.items():
            self.database_connections.labels(state).set(count)
