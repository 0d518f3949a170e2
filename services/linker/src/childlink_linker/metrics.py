"""All metrics of the linker. Labels are partners, outcomes and reasons. None can identify a
person.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from childlink_bus.observing import BATCH_AGES
from childlink_core import __version__
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, start_http_server


class LinkerMetrics:
    """Create one per process; `registry` is what is served. Also observes the stream processor."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # The version of the linker.
        self.build = Info(
            "childlink_linker_build", "Version of the linker.", registry=self.registry
        )
        self.build.info({"version": __version__})
        # Batches by sender and outcome (accepted, refused, duplicate). A refused batch also has a
        # reason.
        self.batches = Counter(
            "childlink_linker_batches",
            "Batches read, by outcome.",
            ["sender", "outcome", "reason"],
            registry=self.registry,
        )
        # Seconds from when a partner sealed a batch until its links were made.
        self.batch_age = Histogram(
            "childlink_linker_batch_age_seconds",
            "From sealed to linked.",
            ["sender"],
            buckets=BATCH_AGES,
            registry=self.registry,
        )
        # Records by sender and outcome.
        self.records = Counter(
            "childlink_linker_records",
            "Records in accepted batches, by outcome.",
            ["sender", "outcome", "reason"],
            registry=self.registry,
        )
        # Topics that the linker has stopped reading, because too many of their messages were
        # refused for good.
        self.suspensions = Counter(
            "childlink_linker_topic_suspensions",
            "Topics suspended.",
            ["topic"],
            registry=self.registry,
        )
        # Topics whose log on the broker ended before the position that was already read, for
        # example after a lost disk or a deleted topic. The linker reads them from the beginning.
        self.logs_lost = Counter(
            "childlink_linker_logs_lost",
            "Topics read from their beginning again.",
            ["topic"],
            registry=self.registry,
        )
        # Messages written to the dead-letter topic.
        self.dead_letter_messages = Counter(
            "childlink_linker_dead_letters", "Messages refused for good.", registry=self.registry
        )
        # Records that were new or changed, and the links that were sent because of them.
        self.changed = Counter(
            "childlink_linker_changed_records", "Records new or changed.", registry=self.registry
        )
        self.links = Counter(
            "childlink_linker_links", "Links sent to analytics.", registry=self.registry
        )
        # Identifiers that were merged into another, and new identifiers that were split off.
        self.merges = Counter(
            "childlink_linker_merges", "Identifiers merged into another.", registry=self.registry
        )
        self.splits = Counter(
            "childlink_linker_splits", "Identifiers split off another.", registry=self.registry
        )
        # Match weights of compared pairs, in bits. Two separate peaks are healthy. Many pairs
        # between the thresholds are a warning sign.
        self.weights = Histogram(
            "childlink_linker_match_weight_bits",
            "Weights of compared pairs.",
            buckets=(-30, -20, -15, -10, -6, -3, 0, 2, 4, 6, 8, 10, 15, 20, 30),
            registry=self.registry,
        )
        # Child, adult and family identifiers in use, and pairs that wait for a data steward.
        self.identifiers = Gauge(
            "childlink_linker_identifiers", "Identifiers in use.", ["kind"], registry=self.registry
        )
        self.review = Gauge(
            "childlink_linker_review_pairs",
            "Pairs that wait for a data steward.",
            registry=self.registry,
        )
        # Seconds that the oldest waiting pair has waited for a data steward.
        self.review_age = Gauge(
            "childlink_linker_review_oldest_seconds",
            "Age of the oldest pair that waits.",
            registry=self.registry,
        )
        # Database connections: in use, and the configured maximum.
        self.database_connections = Gauge(
            "childlink_linker_database_connections",
            "Connections.",
            ["state"],
            registry=self.registry,
        )
        # Messages that the broker has not accepted yet.
        self.outbox = Gauge(
            "childlink_linker_outbox_messages", "Messages to be sent.", registry=self.registry
        )
        # Refused gRPC calls: unauthenticated, revoked, denied, too_many, no_deadline or unreadable
        # (malformed, too large, compressed).
        self.calls_refused = Counter(
            "childlink_linker_calls_refused",
            "gRPC calls turned away.",
            ["method", "reason"],
            registry=self.registry,
        )
        # Messages not read yet, by topic.
        self.lag_messages = Gauge(
            "childlink_linker_consumer_lag_messages",
            "Messages not read yet.",
            ["topic"],
            registry=self.registry,
        )

    def serve(self, port: int, address: str) -> None:
        """Serve the registry, when a port is set."""
        if port:
            start_http_server(port, addr=address, registry=self.registry)

    def batch(self, sender: str, outcome: str, reason: str) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.batches.labels(sender, outcome, reason).inc()

    def suspended(self, topic: str) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.suspensions.labels(topic).inc()

    def log_lost(self, topic: str) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.logs_lost.labels(topic).inc()

    def dead_letters(self, count: int) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.dead_letter_messages.inc(count)

    def batch_settled(self, sender: str, age_s: float) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.batch_age.labels(sender).observe(age_s)

    def records_done(self, sender: str, accepted: int, refused: Sequence[str]) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.records.labels(sender, "accepted", "").inc(accepted)
        for reason in refused:
            self.records.labels(sender, "refused", reason).inc()

    def linked(
        self, records: int, links: int, merges: int, splits: int, weights: np.ndarray
    ) -> None:
        """Count a linked micro-batch."""
        self.changed.inc(records)
        self.links.inc(links)
        self.merges.inc(merges)
        self.splits.inc(splits)
        self._observe(weights)

    def refused(self, _who: str, method: str, why: str) -> None:
        """Count a refused gRPC call."""
        self.calls_refused.labels(method.rpartition("/")[2], why).inc()

    def lag(self, lag: dict[str, int]) -> None:
        """Set the lag gauges. Remove the gauges of topics that are no longer assigned here."""
        self.lag_messages.clear()
        for topic, messages in lag.items():
            self.lag_messages.labels(topic).set(messages)

    def holdings(
        self, children: int, adults: int, families: int, review_pairs: int, oldest_pair_s: float
    ) -> None:
        """Set the gauges for what the store holds."""
        for kind, count in (("child", children), ("adult", adults), ("family", families)):
            self.identifiers.labels(kind).set(count)
        self.review.set(review_pairs)
        self.review_age.set(oldest_pair_s)

    def workings(self, waiting_messages: int, connections: Mapping[str, int]) -> None:
        """Set the number of messages waiting for the broker, and of database connections by
        state.
        """
        self.outbox.set(waiting_messages)
        for state, count in connections.items():
            self.database_connections.labels(state).set(count)

    def _observe(self, weights: np.ndarray) -> None:
        # A sample keeps the shape of the histogram and limits the cost.
        for weight in weights[:: max(1, len(weights) // 200)].tolist():
            self.weights.observe(weight)
