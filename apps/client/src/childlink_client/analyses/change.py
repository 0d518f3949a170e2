"""Mean changes from before to after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from childlink_client.analyses.kind import Kind
from childlink_client.found import Found
from childlink_client.shown import (
    Estimate,
    Intervals,
    Shown,
    Table,
    count_shown,
    hidden,
    none_shown,
)
from childlink_client.values import Dimension, Measure, Release, why_suppressed

if TYPE_CHECKING:
    from childlink.analytics.v1 import analytics_pb2 as pb

    from childlink_client.client import Client
    from childlink_client.questions import Question

# This dimension marks a measure of change: the mean over its bands is the change from before to
# after.
_BAND: Final = "band"
_LEAST_P: Final = 0.001


@dataclass(frozen=True)
class ChangeRow:
    """One group's change from before to after."""

    category: str
    count: int | None
    count_withheld: str
    mean: Estimate
    standardised: Estimate
    p_value: float | None


@dataclass(frozen=True)
class Change(Found):
    """Mean changes."""

    release: Release
    measure: Measure
    by: str
    changes: tuple[ChangeRow, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, message: pb.ChangeResponse) -> Change:
        """Build from the protobuf message."""
        rows = tuple(
            ChangeRow(
                row.category_id,
                row.count if row.HasField("count") else None,
                why_suppressed(row.withheld),
                Estimate.of(row.mean),
                Estimate.of(row.standardised),
                row.p_value if row.HasField("p_value") else None,
            )
            for row in message.rows
        )
        return cls(
            Release.of(message.release),
            Measure.of(message.measure),
            message.by,
            rows,
            tuple(message.notes),
        )

    def title(self, row: ChangeRow) -> str:
        """Title of a row's group."""
        return self.measure.dimensions[self.by].categories[row.category] if self.by else "All"

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per group."""
        for row in self.changes:
            yield {
                "group": self.title(row),
                "count": row.count,
                "count_withheld": row.count_withheld,
                "mean_change": row.mean.value,
                "low": row.mean.low,
                "high": row.mean.high,
                "standardised": row.standardised.value,
                "p": row.p_value,
                "withheld": row.mean.withheld,
            }

    def table(self) -> Table:
        """One row per group."""
        rows = [
            (
                Shown(self.title(row)),
                count_shown(row.count, row.count_withheld),
                row.mean.shown("{:.1f}"),
                row.standardised.shown() if row.mean.value is not None else Shown(""),
                Shown(_p_text(row.p_value)),
            )
            for row in self.changes
        ]
        head = (
            "Group",
            "Both questionnaires",
            "Mean change, % of scale",
            "In standard deviations",
            "p",
        )
        return Table(head, tuple(rows))

    def describe(self) -> str:
        """Describe the largest and the smallest change of those shown."""
        shown = [row for row in self.changes if row.mean.value is not None]
        if not shown:
            return none_shown(row.mean.withheld for row in self.changes)
        ranked = sorted(shown, key=lambda row: row.mean.value or 0.0)
        low, high = ranked[0], ranked[-1]
        rest = hidden(len(self.changes) - len(shown), len(self.changes))
        said = f"{high.mean.text('{:+.1f}')} percent of the scale"
        if low is high:
            return f"{self.title(high)}: {said}. {high.mean.certainty(0.0, 'no change')}{rest}"
        return (
            f"Most: {self.title(high)}, {said}. "
            f"Least of those shown: {self.title(low)}, {low.mean.text('{:+.1f}')}.{rest}"
        )

    def chart(self) -> Intervals:
        """One mean per group."""
        changes = [(self.title(row), row.mean) for row in self.changes]
        return Intervals("Mean change, % of the scale", changes, 0.0, "{:+.1f}")


def _p_text(p: float | None) -> str:
    if p is None:
        return ""
    return f"<{_LEAST_P}" if p < _LEAST_P else f"{p:.3f}"


def _put(client: Client, question: Question, release: str) -> Change:
    from childlink.analytics.v1 import analytics_pb2 as pb

    by = question.by[0] if question.by else ""
    return Change.of(
        client.call(
            "Change", pb.ChangeRequest(release_id=release, measure_id=question.measure, by=by)
        )
    )


def _dimensions(measure: Measure) -> list[Dimension]:
    """Dimensions that a change can be broken down by: those published together with its bands."""
    return [
        d
        for name, d in measure.dimensions.items()
        if name != _BAND and measure.published({_BAND, name})
    ]


KIND: Final = Kind(
    name="change",
    title="Change",
    help="The mean change from before to after, with a paired test: "
    "childlink change change_mental_health --by programme",
    takes=("measure", "by", "release"),
    fits=lambda measure: _BAND in measure.dimensions,
    put=_put,
    by_help="A dimension to break down by, for example programme.",
    dimensions=_dimensions,
)
