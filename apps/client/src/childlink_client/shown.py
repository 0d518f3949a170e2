"""Tables of text, charts and parts of sentences as plain values. Renderers know only these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from childlink.analytics.v1 import analytics_pb2 as pb

# A figure with its interval is at most this many characters long.
_LONGEST_FIGURE: Final = 28


@dataclass(frozen=True)
class Shown:
    """A cell of a table: a figure as text, or the reason why there is none."""

    text: str
    withheld: bool = False
    why: tuple[str, ...] = ()
    """The explanation, rule by rule. Only if the question asked for it."""


@dataclass(frozen=True)
class Table:
    """Rows of text. The first `labels` columns name the row."""

    header: tuple[str, ...]
    rows: tuple[tuple[Shown, ...], ...]
    labels: int = 1

    @property
    def wordy(self) -> frozenset[int]:
        """Columns that hold words and not figures, counted from 1. They are aligned left."""
        return frozenset(
            number
            for number in range(self.labels + 1, len(self.header) + 1)
            if any(
                len(row[number - 1].text) > _LONGEST_FIGURE
                for row in self.rows
                if not row[number - 1].withheld
            )
        )


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval, or the reason why there is none."""

    value: float | None
    low: float | None
    high: float | None
    withheld: str

    @classmethod
    def of(cls, message: pb.Estimate) -> Estimate:
        """Build from the protobuf message."""
        found = {
            name: getattr(message, name) if message.HasField(name) else None
            for name in ("value", "low", "high")
        }
        return cls(found["value"], found["low"], found["high"], message.withheld)

    def columns(self, name: str) -> dict[str, float | str | None]:
        """The figure, its ends and the reason as columns of a table, under a name."""
        ends = ("", "_low", "_high", "_withheld")
        values = (self.value, self.low, self.high, self.withheld)
        return {f"{name}{end}": value for end, value in zip(ends, values, strict=True)}

    def text(self, style: str = "{:.2f}") -> str:
        """The figure and its interval, or the reason why there is none."""
        if self.value is None:
            return f"withheld: {self.withheld}"
        if self.low is None or self.high is None:
            return style.format(self.value)
        return f"{style.format(self.value)} ({style.format(self.low)} to {style.format(self.high)})"

    def times(self, factor: float) -> Estimate:
        """The same estimate in another unit, for example a share in percent."""
        value, low, high = (
            None if end is None else end * factor for end in (self.value, self.low, self.high)
        )
        return Estimate(value, low, high, self.withheld)

    def shown(self, style: str = "{:.2f}") -> Shown:
        """The estimate as a cell of a table."""
        return Shown(self.text(style), self.value is None)

    def points(self) -> Shown:
        """A difference between shares in percentage points. A per cent sign would read as a
        ratio.
        """
        return self.times(100).shown("{:+.1f}")

    def certainty(self, neutral: float, what: str) -> str:
        """A sentence that says whether the interval includes `neutral`; empty if there is no
        interval.
        """
        if self.low is None or self.high is None:
            return ""
        if self.low <= neutral <= self.high:
            return (
                f"The interval includes {neutral:g}: the figures are also consistent with {what}."
            )
        return f"The interval excludes {neutral:g}."


class Point(NamedTuple):
    """A point on a line."""

    at: str
    """Its label on the axis."""
    value: float | None
    text: str
    """The text to show if it is withheld."""
    low: float | None = None
    """Lower end of its interval."""
    high: float | None = None


class Bar(NamedTuple):
    """A bar: its value, and the text beside it."""

    value: float | None
    text: str
    low: float | None = None
    """Lower end of its interval."""
    high: float | None = None


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, so that long names stay readable. Each row is a group, each series one bar
    in it.
    """

    axis: str
    groups: tuple[str, ...]
    series: Mapping[str, Sequence[Bar | None]]
    """For each series (its name is empty if there is only one): each group's bar, or None if there
    is none.
    """
    legend: str = ""
    ordered: bool = False
    """Whether the series have an order, so that their colours do too."""

    @property
    def empty(self) -> bool:
        """Whether every figure is withheld, so that there is nothing to draw."""
        bars = [bar for series in self.series.values() for bar in series]
        return all(bar is None or bar.value is None for bar in bars)


@dataclass(frozen=True)
class Lines:
    """Lines over time, with a gap where a figure is withheld."""

    axis: str
    lines: Mapping[str, Sequence[Point]]

    @property
    def empty(self) -> bool:
        """Whether every figure is withheld, so that there is nothing to draw."""
        return all(point.value is None for points in self.lines.values() for point in points)


@dataclass(frozen=True)
class Intervals:
    """A point with its interval per row. `neutral` is the value that means no difference."""

    axis: str
    rows: Sequence[tuple[str, Estimate]]
    neutral: float | None
    style: str

    @property
    def empty(self) -> bool:
        """Whether every figure is withheld, so that there is nothing to draw."""
        return all(estimate.value is None for _, estimate in self.rows)


Shape = tuple[tuple[tuple[tuple[float, float], ...], ...], ...]
"""An area on a map: polygons, each of rings of points (x, y). The first ring of a polygon is its
outline, the others are holes.
"""


@dataclass(frozen=True)
class Map:
    """Areas in colours (a choropleth map). Withheld areas are hatched and never coloured."""

    axis: str
    areas: Sequence[tuple[str, Bar, Shape]]
    """Each area's title, figure and shape."""
    elsewhere: tuple[str, ...] = ()
    """Groups that have no place on the map."""

    @property
    def empty(self) -> bool:
        """Whether every figure is withheld, so that there is nothing to draw."""
        return all(bar.value is None for _, bar, _ in self.areas)


Chart = Bars | Lines | Intervals | Map


def count_shown(count: int | None, withheld: str) -> Shown:
    """A count as a cell of a table."""
    return Shown(withheld, True) if count is None else Shown(f"{count:,}")


def none_shown(reasons: Iterable[str]) -> str:
    """One sentence on why nothing is shown, from the reasons of all groups."""
    why = sorted(set(reasons))
    if set(why) <= {"<10", "group too small"}:
        return "Every group is too small to be shown."
    return (
        "Every group is withheld:"
        f" {'; '.join('it would let a small count be worked out' if w == 'c' else w for w in why)}."
    )


def hidden(count: int, groups: int) -> str:
    """How many groups are withheld, as a sentence; empty if none are."""
    return f" {count} of {groups} groups {'is' if count == 1 else 'are'} withheld." if count else ""
