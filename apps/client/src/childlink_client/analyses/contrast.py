"""The difference and the ratio of any two groups or times of a measure, or of two measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from childlink_client.analyses.kind import Kind
from childlink_client.errors import ClientError
from childlink_client.found import Found
from childlink_client.shown import Estimate, Intervals, Shown, Table
from childlink_client.values import Cell, Dimension, Measure, Release

if TYPE_CHECKING:
    from childlink.analytics.v1 import analytics_pb2 as pb

    from childlink_client.client import Client
    from childlink_client.questions import Question

_COUNT: Final = "count"
_SHARES: Final = ("share", "rate")


@dataclass(frozen=True)
class ContrastRow:
    """Two groups, and what lies between them."""

    category: str
    of: Cell
    against: Cell
    difference: Estimate
    ratio: Estimate
    beyond_first: Estimate | None = None
    """Its difference minus that of the first row: a difference in differences if the groups are two
    times.
    """


@dataclass(frozen=True)
class Contrast(Found):
    """Two groups side by side: their difference and ratio, with intervals."""

    release: Release
    measure: Measure
    against_measure: Measure
    figure: str
    by: str
    groups: tuple[str, str]
    """What both groups are, in words."""
    results: tuple[ContrastRow, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, message: pb.ContrastResponse, question: Question) -> Contrast:
        """Build from the protobuf message and the question that it answers."""
        measure, other = Measure.of(message.measure), Measure.of(message.against_measure)
        groups = (_titled(measure, question.where), _titled(other, question.against))
        if measure.id != other.id:
            groups = tuple(  # type: ignore[assignment]
                f"{item.title}{f' ({kept})' if kept != _ALL else ''}"
                for item, kept in zip((measure, other), groups, strict=True)
            )
        return cls(
            Release.of(message.release),
            measure,
            other,
            message.figure,
            message.by,
            (groups[0], groups[1]),
            tuple(
                ContrastRow(
                    row.category_id,
                    Cell.of(row.of),
                    Cell.of(row.against),
                    Estimate.of(row.difference),
                    Estimate.of(row.ratio),
                    Estimate.of(row.beyond_first) if row.HasField("beyond_first") else None,
                )
                for row in message.rows
            ),
            tuple(message.notes),
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per category, with both figures, the difference and the ratio."""
        for row in self.results:
            yield {
                **({self.by: self._title(row)} if self.by else {}),
                "of": self._value(row.of),
                "against": self._value(row.against),
                **row.difference.columns("difference"),
                **row.ratio.columns("ratio"),
                **((row.beyond_first or _NOTHING).columns("beyond_first") if self.by else {}),
            }

    def table(self) -> Table:
        """Both figures, the difference and the ratio with their intervals."""
        head = (self._dimension.title,) if self.by else ("Group",)
        kind = "" if self.figure == _COUNT else self.figure
        rows = [
            (
                Shown(self._title(row)),
                *(
                    Shown(
                        cell.estimate_with_interval(kind) if kind else cell.count_text(),
                        self._value(cell) is None,
                    )
                    for cell in (row.of, row.against)
                ),
                self._apart(row.difference),
                row.ratio.shown(),
                *([self._apart(row.beyond_first)] if self.by else []),
            )
            for row in self.results
        ]
        points = ", percentage points" if kind in _SHARES else ""
        beyond = (f"Beyond {self._title(self.results[0])}",) if self.by else ()
        return Table((*head, *self.groups, f"Difference{points}", "Ratio", *beyond), tuple(rows))

    def describe(self) -> str:
        """Describe the ratio, or the reason why there is none."""
        shown = [row for row in self.results if row.ratio.value is not None]
        if not shown:
            return f"The ratio is withheld: {self.results[0].ratio.withheld}."
        if self.by:
            most = max(shown, key=lambda row: row.ratio.value or 0)
            return f"The ratio is largest for {self._title(most)}: {most.ratio.text()}."
        [row] = shown
        certain = (
            ""
            if self.measure.id != self.against_measure.id
            else f" {row.ratio.certainty(1.0, 'no difference')}"
        )
        return f"Ratio, {self.groups[0]} to {self.groups[1]}: {row.ratio.text()}.{certain}"

    def chart(self) -> Intervals:
        """The ratio of each category."""
        neutral = 1.0 if self.measure.id == self.against_measure.id else None
        return Intervals(
            "Ratio", [(self._title(row), row.ratio) for row in self.results], neutral, "{:.2f}"
        )

    def drawn(self, client: Client) -> Found | None:
        """A chart of several ratios. A single one is said in words."""
        return self if len(self.results) > 1 else None

    def _apart(self, estimate: Estimate | None) -> Shown:
        if estimate is None:
            return Shown("")
        shares = self.figure in _SHARES
        return estimate.points() if shares else estimate.shown(self._style)

    @property
    def _style(self) -> str:
        return "{:+,.0f}" if self.figure == _COUNT else "{:+.2f}"

    @property
    def _dimension(self) -> Dimension:
        return self.measure.dimensions[self.by]

    def _title(self, row: ContrastRow) -> str:
        return self._dimension.categories[row.category] if self.by else "All"

    def _value(self, cell: Cell) -> float | None:
        return cell.count if self.figure == _COUNT else cell.estimate


_ALL: Final = "All"
_NOTHING: Final = Estimate(None, None, None, "")


def _titled(measure: Measure, kept: Mapping[str, tuple[str, ...]]) -> str:
    """What is kept, in words."""
    words = [
        " or ".join(measure.dimensions[name].categories[category] for category in categories)
        for name, categories in kept.items()
    ]
    return ", ".join(words) or _ALL


def _put(client: Client, question: Question, release: str) -> Contrast:
    from childlink.analytics.v1 import analytics_pb2 as pb

    from childlink_client.client import filters

    if not question.where and not question.against and not question.per:
        raise ClientError(
            "A contrast needs two groups: --where DIMENSION=CATEGORY for the first, and --against"
            " DIMENSION=CATEGORY for the other (or --per MEASURE). A group that is not named is"
            " everybody."
        )
    request = pb.ContrastRequest(
        release_id=release,
        measure_id=question.measure,
        by=question.by[0] if question.by else "",
        of=filters(question.where),
        against=filters(question.against),
        per_measure_id=question.per,
    )
    return Contrast.of(client.call("Contrast", request), question)


KIND: Final = Kind(
    name="contrast",
    title="Two groups",
    help=(
        "Difference and ratio of two groups or times: childlink contrast asq3_overall --where"
        " priority=priority --against priority=others. Of two measures: childlink contrast spending"
        " --per reach_families"
    ),
    takes=("measure", "by", "where", "against", "per", "release"),
    fits=lambda measure: bool(measure.dimensions),
    put=_put,
)
