"""Every metric of the process that stores and releases. Labels are partners, outcomes, reasons and
measures: none can single out a person.
"""

from collections.abc import Mapping, Sequence

from childlink_bus.observing import BATCH_AGES
from childlink_core import __version__
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, start_http_server


class StoreMetrics:
    """Of `consume` and `cut`. Also the processor's observer."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Which version runs here.
        self.build = Info(
            "childlink_analytics_build", "Version of analytics.", registry=self.registry
        )
        self.build.info({"version": __version__})
        # Batches by sender and outcome (accepted, refused, duplicate); a refused batch has a
        # reason.
        self.batches = Counter(
            "childlink_analytics_batches",
            "Batches read, by outcome.",
            ["sender", "outcome", "reason"],
            registry=self.registry,
        )
        # Seconds from the moment that a sender (a partner, or the linker) sealed a batch until it
        # was in the store.
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
        # Topics from which nothing is read any more, because too many of their messages were
        # refused for good.
        self.suspensions = Counter(
            "childlink_analytics_topic_suspensions",
            "Topics suspended.",
            ["topic"],
            registry=self.registry,
        )
        # Topics whose log on the broker ended before what was read of it (a lost disk, a topic made
        # anew): read from the beginning.
        self.logs_lost = Counter(
            "childlink_analytics_logs_lost",
            "Topics read from their beginning again.",
            ["topic"],
            registry=self.registry,
        )
        # Messages put on the dead-letter topic.
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
        # What the store holds; waiting: observations none of whose references is linked yet.
        self.held = Gauge(
            "childlink_analytics_held", "Rows held.", ["kind"], registry=self.registry
        )
        # Releases by state: drafts wait for a second person, those being retracted too.
        self.releases = Gauge(
            "childlink_analytics_releases", "Releases, by state.", ["state"], registry=self.registry
        )
        # When the newest published release was published, and the last day that its data are of,
        # Unix seconds: how old what can be asked is.
        self.release_at = Gauge(
            "childlink_analytics_newest_release_timestamp_seconds",
            "Of the newest release.",
            ["of"],
            registry=self.registry,
        )
        # What the audit trail holds, by what was done: also cuts that the attacker refused
        # ("release cut: failed"), from whichever process.
        self.audited = Gauge(
            "childlink_analytics_audited_actions",
            "Entries of the audit trail.",
            ["action"],
            registry=self.registry,
        )
        # Connections to the database: in use, and the most there may be.
        self.database_connections = Gauge(
            "childlink_analytics_database_connections",
            "Connections.",
            ["state"],
            registry=self.registry,
        )
        # Messages that the broker has not taken yet.
        self.outbox = Gauge(
            "childlink_analytics_outbox_messages", "Messages to be sent.", registry=self.registry
        )
        # Cuts that the schedule asked for and that failed.
        self.scheduled_cut_failures = Counter(
            "childlink_analytics_scheduled_cut_failures",
            "Scheduled cuts that failed.",
            registry=self.registry,
        )
        # Calls of the release service that were turned away, by method and why.
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
        """Set the lag gauges; of topics that are no longer ours to read, nothing more is said."""
        self.lag_messages.clear()
        for topic, messages in lag.items():
            self.lag_messages.labels(topic).set(messages)

    def refused(self, _who: str, method: str, why: str) -> None:
        """A call was turned away."""
        self.turned_away.labels(method.rpartition("/")[2], why).inc()

    def holdings(self, observations: int, links: int, waiting: int) -> None:
        """Set what the store holds."""
        for kind, count in (("observation", observations), ("link", links), ("waiting", waiting)):
            self.held.labels(kind).set(count)

    def workings(self, waiting_messages: int, connections: Mapping[str, int]) -> None:
        """Set what waits for the broker, and the database's connections by state."""
        self.outbox.set(waiting_messages)
        for state, count in connections.items():
            self.database_connections.labels(state).set(count)

    def managed(
        self, states: Mapping[str, int], actions: Mapping[str, int], newest: Mapping[str, float]
    ) -> None:
        """Set how many releases are in each state, how often each action was done, and of when the
        newest release is.
        """
        for state in ("draft", "published", "recalling", "recalled"):
            self.releases.labels(state).set(states.get(state, 0))
        for action, count in actions.items():
            self.audited.labels(action).set(count)
        for what, at in newest.items():
            self.release_at.labels(what).set(at)
