"""Every metric of the linker. Labels are partners, outcomes and reasons: none can single out a
person.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from childlink_bus.observing import BATCH_AGES
from childlink_core import __version__
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, start_http_server


class LinkerMetrics:
    """Create one per process; `registry` is what is served. Also the processor's observer."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Which version runs here, with which match parameters.
        self.build = Info(
            "childlink_linker_build", "Version of the linker.", registry=self.registry
        )
        self.build.info({"version": __version__})
        # Batches by sender and outcome (accepted, refused, duplicate); a refused batch has a
        # reason.
        self.batches = Counter(
            "childlink_linker_batches",
            "Batches read, by outcome.",
            ["sender", "outcome", "reason"],
            registry=self.registry,
        )
        # Seconds from the moment that a partner sealed a batch until its links were made.
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
        # Topics from which nothing is read any more, because too many of their messages were
        # refused for good.
        self.suspensions = Counter(
            "childlink_linker_topic_suspensions",
            "Topics suspended.",
            ["topic"],
            registry=self.registry,
        )
        # Topics whose log on the broker ended before what was read of it (a lost disk, a topic made
        # anew): read from the beginning.
        self.logs_lost = Counter(
            "childlink_linker_logs_lost",
            "Topics read from their beginning again.",
            ["topic"],
            registry=self.registry,
        )
        # Messages put on the dead-letter topic.
        self.dead_letter_messages = Counter(
            "childlink_linker_dead_letters", "Messages refused for good.", registry=self.registry
        )
        # Records that were new or changed, and links that left because of them.
        self.changed = Counter(
            "childlink_linker_changed_records", "Records new or changed.", registry=self.registry
        )
        self.links = Counter(
            "childlink_linker_links", "Links sent to analytics.", registry=self.registry
        )
        # Identifiers that disappeared into another, and new ones that came out of an old.
        self.merges = Counter(
            "childlink_linker_merges", "Identifiers merged into another.", registry=self.registry
        )
        self.splits = Counter(
            "childlink_linker_splits", "Identifiers split off another.", registry=self.registry
        )
        # Match weights of compared pairs, in bits: two humps are healthy, a hill between the
        # thresholds is not.
        self.weights = Histogram(
            "childlink_linker_match_weight_bits",
            "Weights of compared pairs.",
            buckets=(-30, -20, -15, -10, -6, -3, 0, 2, 4, 6, 8, 10, 15, 20, 30),
            registry=self.registry,
        )
        # What the store holds.
        self.identifiers = Gauge(
            "childlink_linker_identifiers", "Identifiers in use.", ["kind"], registry=self.registry
        )
        self.review = Gauge(
            "childlink_linker_review_pairs",
            "Pairs that wait for a data steward.",
            registry=self.registry,
        )
        # How long the pair that waits longest has waited for a data steward.
        self.review_age = Gauge(
            "childlink_linker_review_oldest_seconds",
            "Age of the oldest pair that waits.",
            registry=self.registry,
        )
        # Connections to the database: in use, and the most there may be.
        self.database_connections = Gauge(
            "childlink_linker_database_connections",
            "Connections.",
            ["state"],
            registry=self.registry,
        )
        # Messages that the broker has not taken yet.
        self.outbox = Gauge(
            "childlink_linker_outbox_messages", "Messages to be sent.", registry=self.registry
        )
        # gRPC calls turned away: unauthenticated, revoked, denied, too_many, no_deadline or
        # unreadable (malformed, too large, compressed).
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
        """A micro-batch was linked."""
        self.changed.inc(records)
        self.links.inc(links)
        self.merges.inc(merges)
        self.splits.inc(splits)
        self._observe(weights)

    def refused(self, _who: str, method: str, why: str) -> None:
        """A gRPC call was turned away."""
        self.calls_refused.labels(method.rpartition("/")[2], why).inc()

    def lag(self, lag: dict[str, int]) -> None:
        """Set the lag gauges; of topics that are no longer ours to read, nothing more is said."""
        self.lag_messages.clear()
        for topic, messages in lag.items():
            self.lag_messages.labels(topic).set(messages)

    def holdings(
        self, children: int, adults: int, families: int, review_pairs: int, oldest_pair_s: float
    ) -> None:
        """Set what the store holds."""
        for kind, count in (("child", children), ("adult", adults), ("family", families)):
            self.identifiers.labels(kind).set(count)
        self.review.set(review_pairs)
        self.review_age.set(oldest_pair_s)

    def workings(self, waiting_messages: int, connections: Mapping[str, int]) -> None:
        """Set what waits for the broker, and the database's connections by state."""
        self.outbox.set(waiting_messages)
        for state, count in connections.items():
            self.database_connections.labels(state).set(count)

    def _observe(self, weights: np.ndarray) -> None:
        # A sample keeps the shape of the histogram at a bounded cost.
        for weight in weights[:: max(1, len(weights) // 200)].tolist():
            self.weights.observe(weight)
