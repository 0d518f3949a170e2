"""How unequal an outcome is across an ordered dimension."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from childlink_client.analyses.kind import Kind
from childlink_client.found import Found
from childlink_client.shown import Estimate, Intervals, Shown, Table
from childlink_client.values import Measure, Release

if TYPE_CHECKING:
    from childlink.analytics.v1 import analytics_pb2 as pb

    from childlink_client.client import Client
    from childlink_client.questions import Question

_ORDERED: Final = "imd_quintile"


@dataclass(frozen=True)
class Inequality(Found):
    """How unequal an outcome is across an ordered dimension."""

    release: Release
    measure: Measure
    over: str
    ends: tuple[str, ...]
    gap: Estimate
    ratio: Estimate
    slope_index: Estimate
    relative_index: Estimate
    notes: tuple[str, ...]

    @classmethod
    def of(cls, message: pb.InequalityResponse) -> Inequality:
        """Build from the protobuf message."""
        return cls(
            Release.of(message.release),
            Measure.of(message.measure),
            message.over,
            tuple(message.ends),
            Estimate.of(message.gap),
            Estimate.of(message.ratio),
            Estimate.of(message.slope_index),
            Estimate.of(message.relative_index),
            tuple(message.notes),
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per figure."""
        for name in ("gap", "ratio", "slope_index", "relative_index"):
            yield {"figure": name.replace("_", " "), **asdict(getattr(self, name))}

    def table(self) -> Table:
        """Gap, ratio and both indices with their intervals."""
        first, last = self._ends()
        return Table(
            ("Figure", "With 95% interval"),
            (
                (Shown(f"Gap in percentage points: {last} minus {first}"), self.gap.points()),
                (Shown(f"Ratio: {last} to {first}"), self.ratio.shown()),
                (Shown("Slope index of inequality, percentage points"), self.slope_index.points()),
                (Shown("Relative index of inequality"), self.relative_index.shown("{:+.2f}")),
            ),
        )

    def describe(self) -> str:
        """Describe the gap between the first and the last category."""
        first, last = self._ends()
        if self.gap.value is None:
            return f"The gap is withheld: {self.gap.withheld}."
        gap = self.gap.times(100).text("{:+.1f}")
        return f"{last} minus {first}: {gap} percentage points. {self.gap.certainty(0.0, 'no gap')}"

    def chart(self) -> Intervals:
        """The gap and the slope index."""
        points = [
            ("Gap", self.gap.times(100)),
            ("Slope index of inequality", self.slope_index.times(100)),
        ]
        return Intervals("Percentage points", points, 0.0, "{:+.1f}")

    def drawn(self, client: Client) -> Found | None:
        """Return the shares behind the indices: they show the gradient best."""
        return client.ask(self.measure.id, [self.over], release=self.release.id)

    def _ends(self) -> tuple[str, ...]:
        return tuple(self.measure.dimensions[self.over].categories[end] for end in self.ends)


def _put(client: Client, question: Question, release: str) -> Inequality:
    from childlink.analytics.v1 import analytics_pb2 as pb

    over = question.by[0] if question.by else ""
    request = pb.InequalityRequest(release_id=release, measure_id=question.measure, over=over)
    return Inequality.of(client.call("Inequality", request))


KIND: Final = Kind(
    name="inequality",
    title="Inequality",
    help="Gap, ratio, slope and relative index of inequality: childlink inequality asq3_overall",
    takes=("measure", "over", "release"),
    fits=lambda measure: measure.estimate == "share" and _ORDERED in measure.dimensions,
    put=_put,
    by_help="An ordered dimension; deprivation by default.",
)
