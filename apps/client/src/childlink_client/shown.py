"""What is shown: tables of text, charts, and parts of sentences, as plain values. Renderers know
these and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from childlink.analytics.v1 import analytics_pb2 as pb

# A figure with its interval is shorter than this.
_LONGEST_FIGURE: Final = 28


@dataclass(frozen=True)
class Shown:
    """A cell of a table: a figure as text, or why there is none."""

    text: str
    withheld: bool = False
    why: tuple[str, ...] = ()
    """Rule by rule, where the question asked for it."""


@dataclass(frozen=True)
class Table:
    """Text in rows; the first `labels` columns name the row."""

    header: tuple[str, ...]
    rows: tuple[tuple[Shown, ...], ...]
    labels: int = 1

    @property
    def wordy(self) -> frozenset[int]:
        """Columns of words rather than figures, from 1: those read from the left."""
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
    """A figure with its 95% interval, or why there is none."""

    value: float | None
    low: float | None
    high: float | None
    withheld: str

    @classmethod
    def of(cls, message: pb.Estimate) -> Estimate:
        """From the wire."""
        found = {
            name: getattr(message, name) if message.HasField(name) else None
            for name in ("value", "low", "high")
        }
        return cls(found["value"], found["low"], found["high"], message.withheld)

    def text(self, style: str = "{:.2f}") -> str:
        """The figure and its interval, or why there is none."""
        if self.value is None:
            return f"withheld: {self.withheld}"
        if self.low is None or self.high is None:
            return style.format(self.value)
        return f"{style.format(self.value)} ({style.format(self.low)} to {style.format(self.high)})"

    def times(self, factor: float) -> Estimate:
        """The same in another unit, for example a share in percent."""
        value, low, high = (
            None if end is None else end * factor for end in (self.value, self.low, self.high)
        )
        return Estimate(value, low, high, self.withheld)

    def shown(self, style: str = "{:.2f}") -> Shown:
        """As a cell of a table."""
        return Shown(self.text(style), self.value is None)

    def points(self) -> Shown:
        """A difference of shares in percentage points: a per cent sign would read as a ratio."""
        return self.times(100).shown("{:+.1f}")

    def certainty(self, neutral: float, what: str) -> str:
        """Whether the interval leaves room for no difference, as a sentence; empty without an
        interval.
        """
        if self.low is None or self.high is None:
            return ""
        if self.low <= neutral <= self.high:
            return f"The interval includes {neutral:g}: the figures fit {what} as well."
        return f"The interval excludes {neutral:g}."


Point = tuple[str, float | None, str]
"""A place on an axis, a value, and what stands there where it is withheld."""


@dataclass(frozen=True)
class Bars:
    """Bars that lie, so that long names can be read: one group of bars a row, one bar a series."""

    axis: str
    groups: tuple[str, ...]
    series: Mapping[str, Sequence[tuple[float | None, str] | None]]
    """For each series (its name empty where there is one): value and text of each group's bar, None
    where there is no bar.
    """
    legend: str = ""


@dataclass(frozen=True)
class Lines:
    """Lines over time, with a gap where a figure is withheld."""

    axis: str
    lines: Mapping[str, Sequence[Point]]


@dataclass(frozen=True)
class Intervals:
    """One point with its interval a row; `neutral` is where there is no difference."""

    axis: str
    rows: Sequence[tuple[str, Estimate]]
    neutral: float | None
    style: str


Chart = Bars | Lines | Intervals


def count_shown(count: int | None, withheld: str) -> Shown:
    """A count as a cell of a table."""
    return Shown(withheld, True) if count is None else Shown(f"{count:,}")


def none_shown(reasons: Iterable[str]) -> str:
    """Why nothing is shown, of the reasons of all groups."""
    why = sorted(set(reasons))
    if set(why) <= {"<10", "group too small"}:
        return "Every group is too small to be shown."
    return (
        "Every group is withheld:"
        f" {'; '.join('it would let a small count be worked out' if w == 'c' else w for w in why)}."
    )


def hidden(count: int, groups: int) -> str:
    """How many groups are withheld, as a sentence; empty for none."""
    return f" {count} of {groups} groups {'is' if count == 1 else 'are'} withheld." if count else ""
