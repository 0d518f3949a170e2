"""All metrics of the process that stores and releases. Labels are partners, outcomes, reasons and
measures. None can identify a person.
"""

from collections.abc import Mapping

from childlink_bus.stream_metrics import StreamMetrics
from prometheus_client import Counter, Gauge


class StoreMetrics(StreamMetrics):
    """Metrics of `consume` and `release cut`. Also observes the stream processor."""

    def __init__(self) -> None:
        super().__init__("childlink_analytics")
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
        # Scheduled cuts that failed.
        self.scheduled_cut_failures = Counter(
            "childlink_analytics_scheduled_cut_failures",
            "Scheduled cuts that failed.",
            registry=self.registry,
        )

    def holdings(self, observations: int, links: int, waiting: int) -> None:
        """Set the gauges for what the store holds."""
        for kind, count in (("observation", observations), ("link", links), ("waiting", waiting)):
            self.held.labels(kind).set(count)

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
