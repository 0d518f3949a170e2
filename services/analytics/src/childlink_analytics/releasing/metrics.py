"""All metrics of the process that stores and releases. Labels are partners, outcomes, reasons and
measures. None can identify a person.
"""

from collections.abc import Mapping, Sequence

from childlink_bus.observing import BATCH_AGES
from childlink_core import __version__
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, start_http_server


class StoreMetrics:
    """Metrics of `consume` and `release cut`. Also observes the stream processor."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # The version of analytics.
        self.build = Info(
            "childlink_analytics_build", "Version of analytics.", registry=self.registry
        )
        self.build.info({"version": __version__})
        # Batches by sender and outcome (accepted, refused, duplicate). A refused batch also has a
        # reason.
        self.batches = Counter(
            "childlink_analytics_batches",
            "Batches read, by outcome.",
            ["sender", "outcome", "reason"],
            registry=self.registry,
        )
        # Seconds from when a sender (a partner or the linker) sealed a batch until it was stored.
        self.batch_age = Histogram(
            "childlink_analytics_batch_age_seconds",
            "From sealed to stored.",
            ["sender"],
            buckets=BATCH_AGES,
            registry=self.registry,
        )
        # Observations and links by sender and outcome.
        self.records = Counter(
            "childlink_analytics_records",
            "Records in accepted batches, by outcome.",
            ["sender", "outcome", "reason"],
            registry=self.registry,
        )
        # Topics that analytics has stopped reading, because too many of their messages were refused
        # for good.
        self.suspensions = Counter(
            "childlink_analytics_topic_suspensions",
            "Topics suspended.",
            ["topic"],
            registry=self.registry,
        )
        # Topics whose log on the broker ended before the position that was already read, for
        # example after a lost disk or a deleted topic. Analytics reads them from the beginning.
        self.logs_lost = Counter(
            "childlink_analytics_logs_lost",
            "Topics read from their beginning again.",
            ["topic"],
            registry=self.registry,
        )
        # Messages written to the dead-letter topic.
        self.dead_letter_messages = Counter(
            "childlink_analytics_dead_letters", "Messages refused for good.", registry=self.registry
        )
        # Messages not read yet, by topic.
        self.lag_messages = Gauge(
            "childlink_analytics_consumer_lag_messages",
            "Messages not read yet.",
            ["topic"],
            registry=self.registry,
        )
        # Rows in the store. "waiting" counts observations without a linked reference.
        self.held = Gauge(
            "childlink_analytics_held", "Rows held.", ["kind"], registry=self.registry
        )
        # Releases by state. Drafts and releases that are being retracted wait for a second person.
        self.releases = Gauge(
            "childlink_analytics_releases", "Releases, by state.", ["state"], registry=self.registry
        )
        # Publication time of the newest published release, and the end of its last day of data, in
        # Unix seconds.
        self.release_at = Gauge(
            "childlink_analytics_newest_release_timestamp_seconds",
            "Of the newest release.",
            ["of"],
            registry=self.registry,
        )
        # Entries of the audit trail, by action. They include cuts that the attacker stopped
        # ("release cut: failed"), and cuts by other processes.
        self.audited = Gauge(
            "childlink_analytics_audited_actions",
            "Entries of the audit trail.",
            ["action"],
            registry=self.registry,
        )
        # Database connections: in use, and the configured maximum.
        self.database_connections = Gauge(
            "childlink_analytics_database_connections",
            "Connections.",
            ["state"],
            registry=self.registry,
        )
        # Messages that the broker has not accepted yet.
        self.outbox = Gauge(
            "childlink_analytics_outbox_messages", "Messages to be sent.", registry=self.registry
        )
        # Scheduled cuts that failed.
        self.scheduled_cut_failures = Counter(
            "childlink_analytics_scheduled_cut_failures",
            "Scheduled cuts that failed.",
            registry=self.registry,
        )
        # Refused calls of the release service, by method and reason.
        self.turned_away = Counter(
            "childlink_analytics_calls_refused",
            "Calls turned away.",
            ["method", "reason"],
            registry=self.registry,
        )

    def serve(self, port: int, address: str) -> None:
        """Serve the registry, when a port is set."""
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

    def suspended(self, topic: str) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.suspensions.labels(topic).inc()

    def log_lost(self, topic: str) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.logs_lost.labels(topic).inc()

    def dead_letters(self, count: int) -> None:
        """See `childlink_bus.stream_processor.Observer`."""
        self.dead_letter_messages.inc(count)

    def lag(self, lag: dict[str, int]) -> None:
        """Set the lag gauges. Remove the gauges of topics that are no longer assigned here."""
        self.lag_messages.clear()
        for topic, messages in lag.items():
            self.lag_messages.labels(topic).set(messages)

    def refused(self, _who: str, method: str, why: str) -> None:
        """Count a refused call."""
        self.turned_away.labels(method.rpartition("/")[2], why).inc()

    def holdings(self, observations: int, links: int, waiting: int) -> None:
        """Set the gauges for what the store holds."""
        for kind, count in (("observation", observations), ("link", links), ("waiting", waiting)):
            self.held.labels(kind).set(count)

    def workings(self, waiting_messages: int, connections: Mapping[str, int]) -> None:
        """Set the number of messages waiting for the broker, and of database connections by
        state.
        """
        self.outbox.set(waiting_messages)
        for state, count in connections.items():
            self.database_connections.labels(state).set(count)

    def managed(
        self, states: Mapping[str, int], actions: Mapping[str, int], newest: Mapping[str, float]
    ) -> None:
        """Set the number of releases by state, the number of audit entries by action, and the times
        of the newest release.
        """
        for state in ("draft", "published", "recalling", "recalled"):
            self.releases.labels(state).set(states.get(state, 0))
        for action, count in actions.items():
            self.audited.labels(action).set(count)
        for what, at in newest.items():
            self.release_at.labels(what).set(at)
