"""All metrics of the linker. Labels are partners, outcomes and reasons. None can identify a
person.
"""

import numpy as np
from childlink_bus.stream_metrics import StreamMetrics
from prometheus_client import Counter, Gauge, Histogram


class LinkerMetrics(StreamMetrics):
    """Create one per process; `registry` is what is served. Also observes the stream processor."""

    def __init__(self) -> None:
        super().__init__("childlink_linker")
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

        # How many children share a date of birth, and for how many the profile is issued.
        self.children_of_a_date = Gauge(
            "childlink_linker_children_of_a_date",
            "Children of one date of birth: the median over dates.",
            registry=self.registry,
        )
        self.births_a_day = Gauge(
            "childlink_linker_profile_births_a_day",
            "Births a day for which the encoding profile is issued.",
            registry=self.registry,
        )

    def dates(self, usual: int, issued_for: int) -> None:
        """Set how many children share a date of birth."""
        self.children_of_a_date.set(usual)
        self.births_a_day.set(issued_for)

    def linked(
        self, records: int, links: int, merges: int, splits: int, weights: np.ndarray
    ) -> None:
        """Count a linked micro-batch."""
        self.changed.inc(records)
        self.links.inc(links)
        self.merges.inc(merges)
        self.splits.inc(splits)
        self._observe(weights)

    def holdings(
        self, children: int, adults: int, families: int, review_pairs: int, oldest_pair_s: float
    ) -> None:
        """Set the gauges for what the store holds."""
        for kind, count in (("child", children), ("adult", adults), ("family", families)):
            self.identifiers.labels(kind).set(count)
        self.review.set(review_pairs)
        self.review_age.set(oldest_pair_s)

    def _observe(self, weights: np.ndarray) -> None:
        # A sample keeps the shape of the histogram and limits the cost.
        for weight in weights[:: max(1, len(weights) // 200)].tolist():
            self.weights.observe(weight)
