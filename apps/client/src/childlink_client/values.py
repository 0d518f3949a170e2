"""Releases, measures and cells of the service as plain values. You need not know protobuf or
gRPC.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from childlink.analytics.v1 import analytics_pb2 as pb


@cache
def why_suppressed(code: int) -> str:
    """The text shown in place of a figure, by the code in the protobuf message."""
    from childlink.analytics.v1 import analytics_pb2 as pb

    shown = {
        pb.WITHHELD_UNSPECIFIED: "",
        pb.WITHHELD_SMALL: "<10",
        pb.WITHHELD_SMALL_BASE: "group too small",
        pb.WITHHELD_ALL_OR_NONE: "nearly all or none",
        pb.WITHHELD_NOT_COLLECTED: "not collected",
        pb.WITHHELD_SUPPRESSED: "c",
        pb.WITHHELD_NO_POPULATION: NO_POPULATION,
    }
    return shown.get(code, "withheld")  # type: ignore[call-overload, no-any-return]


NO_POPULATION = "no population count"


@dataclass(frozen=True)
class Release:
    """A release in one line."""

    id: str
    number: int
    data_until: str
    policy: str
    sha256: str

    @classmethod
    def of(cls, message: pb.ReleaseSummary) -> Release:
        """Build from the protobuf message."""
        return cls(
            message.release_id,
            message.number,
            message.data_until,
            message.policy_id,
            message.content_sha256,
        )

    def citation(self, *, policy: bool = True) -> str:
        """How to cite the release under a table, chart or report, with its policy."""
        protected = f", policy {self.policy}" if policy else ""
        return f"childlink release {self.id} (data until {self.data_until}){protected}."


@dataclass(frozen=True)
class Dimension:
    """A dimension. `categories` maps ids to titles, in order. If it is overlapping, distinct people
    do not sum over it.
    """

    id: str
    title: str
    categories: dict[str, str]
    overlapping: bool = False
    within: str = ""
    ordered: bool = False
    """Whether its categories have an order."""
    time: bool = False
    """Whether its categories are periods, oldest first."""


EARLIER = "earlier"
"""The category of everything before the single periods. It ends at another day in each release."""
_QUARTERS = ("January to March", "April to June", "July to September", "October to December")


def period_title(category: str) -> str:
    """The title of a period, from its id. An older release may have periods that a newer lacks.

    >>> period_title("2021-Q3"), period_title("2021/22")
    ('July to September 2021', '2021/22')
    """
    year, quarter, number = category.partition("-Q")
    return f"{_QUARTERS[int(number) - 1]} {year}" if quarter else category


@dataclass(frozen=True)
class Measure:
    """A measure: something you can ask for."""

    id: str
    title: str
    description: str
    unit: str
    estimate: str
    dimensions: dict[str, Dimension]
    cubes: tuple[tuple[str, ...], ...] = ()
    """Sets of dimensions that one question may use together."""
    compares: tuple[str, ...] = ()
    collected: bool = True
    table: bool = False
    """Whether its figures come from a table that stands beside, and are not of linked people."""
    estimate_of: str = ""
    """What the estimate is of, in words."""
    share_dimension: str = ""
    """The dimension whose categories a share is made of."""

    @classmethod
    def of(cls, message: pb.Measure) -> Measure:
        """Build from the protobuf message. Every answer holds one, so the last ones are kept."""
        return _measure(message.FromString, message.SerializeToString(deterministic=True))

    def published(self, names: set[str]) -> bool:
        """Whether it is published by these dimensions together."""
        return not names or any(names <= set(cube) for cube in self.cubes)


@lru_cache(maxsize=500)
def _measure(parse: Callable[[bytes], pb.Measure], packed: bytes) -> Measure:
    message = parse(packed)
    dimensions = {
        item.dimension_id: Dimension(
            item.dimension_id,
            item.title,
            {c.category_id: c.title for c in item.categories},
            item.overlapping,
            item.within,
            item.ordered,
            item.time,
        )
        for item in message.dimensions
    }
    return Measure(
        message.measure_id,
        message.title,
        message.description,
        message.unit,
        message.estimate,
        dimensions,
        tuple(tuple(cube.dimension_ids) for cube in message.cubes),
        tuple(message.compares),
        message.collected,
        message.table,
        message.estimate_of,
        message.share_dimension_id,
    )


@dataclass(frozen=True)
class Cell:
    """One cell. `count` and `estimate` are None if suppressed; the matching `_withheld` field then
    gives the reason.
    """

    categories: tuple[str, ...]
    count: int | None
    count_withheld: str
    estimate: float | None
    estimate_withheld: str
    explanation: tuple[str, ...] = ()
    """The explanation, rule by rule. Only if the question asked for it."""
    low: float | None = None
    """Lower end of the estimate's 95% interval, which allows for chance and rounding."""
    high: float | None = None

    @classmethod
    def of(cls, message: pb.Cell) -> Cell:
        """Build from the protobuf message."""
        return cls(
            tuple(message.category_ids),
            message.count if message.HasField("count") else None,
            why_suppressed(message.withheld),
            message.estimate if message.HasField("estimate") else None,
            why_suppressed(message.estimate_withheld),
            tuple(message.explanation),
            message.estimate_low if message.HasField("estimate_low") else None,
            message.estimate_high if message.HasField("estimate_high") else None,
        )

    def count_text(self) -> str:
        """The count, or the reason why there is none."""
        return f"{self.count:,}" if self.count is not None else self.count_withheld

    def estimate_text(self, kind: str) -> str:
        """A share as a percentage or a mean with one decimal, or the reason why there is none."""
        return self.estimate_withheld if self.estimate is None else _figure(self.estimate, kind)

    def estimate_with_interval(self, kind: str) -> str:
        """The same with its 95% interval."""
        shown = self.estimate_text(kind)
        if self.estimate is None or self.low is None or self.high is None:
            return shown
        return f"{shown} ({_figure(self.low, kind)} to {_figure(self.high, kind)})"

    def figure(self, kind: str) -> tuple[float | None, str]:
        """The value that a chart draws (shares in percent) and the text beside it. With an empty
        `kind` it is the count.
        """
        if not kind:
            return self.count, self.count_text()
        percent = self.estimate is not None and kind in ("share", "rate")
        return (
            self.estimate * 100 if percent and self.estimate is not None else self.estimate
        ), self.estimate_text(kind)

    def ends(self, kind: str) -> tuple[float | None, float | None]:
        """Both ends of the interval of what a chart draws (shares in percent)."""
        if not kind or self.estimate is None or self.low is None or self.high is None:
            return None, None
        times = 100 if kind in ("share", "rate") else 1
        return self.low * times, self.high * times


def _figure(value: float, kind: str) -> str:
    return f"{value:.1%}" if kind in ("share", "rate") else f"{value:.1f}"


def estimate_of(measure: Measure, cells: Iterable[Cell]) -> str:
    """The kind of the cells' estimates; empty if there are none. There are none in a table by the
    levels that a share is made of, or for groups without a population count.
    """
    none = {"", NO_POPULATION}
    said = any(cell.estimate is not None or cell.estimate_withheld not in none for cell in cells)
    return measure.estimate if said else ""


def axis_of(measure: Measure, kind: str) -> str:
    """The axis title of a chart of counts, or of estimates of a kind."""
    units = {"share": ", %", "rate": ", %"}
    return estimate_title(measure, kind) + units.get(kind, "")


def estimate_title(measure: Measure, kind: str) -> str:
    """What counts or estimates of a kind are, in words: a share says of what."""
    of = f": {measure.estimate_of}" if measure.estimate_of and kind == measure.estimate else ""
    named = {"share": f"Share{of}", "mean": f"Mean{of}", "rate": "Share of the population"}
    return named.get(kind, measure.unit.capitalize())


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Write rows with the same columns as CSV text with a header."""
    found = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(
        out, fieldnames=list(found[0]) if found else ["count"], lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue()
