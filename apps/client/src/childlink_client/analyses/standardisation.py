"""Shares of groups as they would be if all groups were mixed alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from childlink_client.analyses.kind import Kind
from childlink_client.errors import ClientError
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
from childlink_client.values import Measure, Release, why_suppressed

if TYPE_CHECKING:
    from childlink.analytics.v1 import analytics_pb2 as pb

    from childlink_client.client import Client
    from childlink_client.questions import Question

STANDARDISE: Final = "standardise"


@dataclass(frozen=True)
class StandardisedRow:
    """A group's share, as it is and standardised."""

    category: str
    count: int | None
    count_withheld: str
    crude: Estimate
    standardised: Estimate


@dataclass(frozen=True)
class Standardised(Found):
    """Shares of groups, as they are and standardised."""

    release: Release
    measure: Measure
    by: str
    standard: str
    results: tuple[StandardisedRow, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, message: pb.StandardiseResponse) -> Standardised:
        """Build from the protobuf message."""
        return cls(
            Release.of(message.release),
            Measure.of(message.measure),
            message.by,
            message.standard,
            tuple(
                StandardisedRow(
                    row.category_id,
                    row.count if row.HasField("count") else None,
                    why_suppressed(row.withheld),
                    Estimate.of(row.crude),
                    Estimate.of(row.standardised),
                )
                for row in message.rows
            ),
            tuple(message.notes),
        )

    def title(self, row: StandardisedRow) -> str:
        """Title of a row's group."""
        return self.measure.dimensions[self.by].categories[row.category]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per group."""
        for row in self.results:
            yield {
                self.by: self.title(row),
                "count": row.count,
                "count_withheld": row.count_withheld,
                **row.crude.columns("crude"),
                **row.standardised.columns("standardised"),
            }

    def table(self) -> Table:
        """One row per group."""
        rows = [
            (
                Shown(self.title(row)),
                count_shown(row.count, row.count_withheld),
                row.crude.shown("{:.1%}"),
                row.standardised.shown("{:.1%}"),
            )
            for row in self.results
        ]
        head = self.measure.dimensions[self.by].title
        unit = self.measure.unit.capitalize()
        return Table(
            (head, unit, "Share as it is", f"Standardised for {self._strata}"), tuple(rows)
        )

    def describe(self) -> str:
        """Describe the largest and the smallest standardised share of those shown."""
        shown = [row for row in self.results if row.standardised.value is not None]
        if not shown:
            return none_shown(row.standardised.withheld for row in self.results)
        ranked = sorted(shown, key=lambda row: row.standardised.value or 0.0)
        low, high = ranked[0], ranked[-1]
        rest = hidden(len(self.results) - len(shown), len(self.results))
        said = f"Standardised for {self._strata}. {self.title(high)}: {self._text(high)}"
        if low is high:
            return f"{said}.{rest}"
        one, other = low.standardised, high.standardised
        if (one.high or 0.0) >= (other.low or 0.0):
            rest = f" Their intervals overlap, so the order may be chance.{rest}"
        return f"{said}. {self.title(low)}: {self._text(low)}.{rest}"

    def chart(self) -> Intervals:
        """The standardised shares, in percent."""
        shares = [(self.title(row), row.standardised.times(100)) for row in self.results]
        return Intervals(f"Share, %, standardised for {self._strata}", shares, None, "{:.0f}")

    @property
    def _strata(self) -> str:
        return self.measure.dimensions[self.standard].title.lower()

    @staticmethod
    def _text(row: StandardisedRow) -> str:
        return f"{row.standardised.text('{:.1%}')} (as it is {row.crude.text('{:.1%}')})"


def _put(client: Client, question: Question, release: str) -> Standardised:
    from childlink.analytics.v1 import analytics_pb2 as pb

    if len(question.by) != 2:
        raise ClientError(
            "To standardise, name two dimensions: the groups, and what they are made alike in."
        )
    by, standard = question.by
    request = pb.StandardiseRequest(
        release_id=release, measure_id=question.measure, by=by, standard=standard
    )
    return Standardised.of(client.call("Standardise", request))


def pairs(measure: Measure) -> list[tuple[str, str]]:
    """Groups and strata that are published together: ordered pairs of dimensions."""
    able = [name for name in measure.dimensions if name != measure.share_dimension]
    return [
        (by, standard)
        for by in able
        for standard in able
        if by != standard
        and not measure.dimensions[standard].overlapping
        and measure.published({by, standard, measure.share_dimension})
    ]


KIND: Final = Kind(
    name=STANDARDISE,
    title="Standardise",
    help=(
        "Shares of groups as if all were mixed alike: childlink standardise asq3_overall --by"
        " ethnicity --for imd_quintile"
    ),
    takes=("measure", "by", "for", "release"),
    fits=lambda measure: measure.estimate == "share" and bool(pairs(measure)),
    put=_put,
    by_help="The dimension whose categories are the groups.",
)
