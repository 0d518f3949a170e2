"""What the service tells of releases, measures and cells, as plain values: nothing to learn about
protobuf or gRPC.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from childlink.analytics.v1 import analytics_pb2 as pb


@cache
def why_suppressed(code: int) -> str:
    """What is shown in place of a figure, by the wire's code."""
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
        """From the wire."""
        return cls(
            message.release_id,
            message.number,
            message.data_until,
            message.policy_id,
            message.content_sha256,
        )

    def citation(self) -> str:
        """How it is named under a table, chart or report."""
        return f"childlink release {self.id} (data until {self.data_until}), policy {self.policy}."


@dataclass(frozen=True)
class Dimension:
    """A dimension: its categories' titles by id, in order. Over an overlapping one, distinct people
    do not sum.
    """

    id: str
    title: str
    categories: dict[str, str]
    overlapping: bool = False
    within: str = ""


@dataclass(frozen=True)
class Measure:
    """What can be asked."""

    id: str
    title: str
    description: str
    unit: str
    estimate: str
    dimensions: dict[str, Dimension]
    cubes: tuple[tuple[str, ...], ...] = ()
    """Dimensions that may stand together in one question."""
    compares: tuple[str, ...] = ()
    collected: bool = True

    @classmethod
    def of(cls, message: pb.Measure) -> Measure:
        """From the wire."""
        dimensions = {
            item.dimension_id: Dimension(
                item.dimension_id,
                item.title,
                {c.category_id: c.title for c in item.categories},
                item.overlapping,
                item.within,
            )
            for item in message.dimensions
        }
        return cls(
            message.measure_id,
            message.title,
            message.description,
            message.unit,
            message.estimate,
            dimensions,
            tuple(tuple(cube.dimension_ids) for cube in message.cubes),
            tuple(message.compares),
            message.collected,
        )

    def published(self, names: set[str]) -> bool:
        """Whether it is published by these dimensions together."""
        return not names or any(names <= set(cube) for cube in self.cubes)


@dataclass(frozen=True)
class Cell:
    """One cell. `count` and `estimate` are None where suppressed; then the reason stands beside."""

    categories: tuple[str, ...]
    count: int | None
    count_withheld: str
    estimate: float | None
    estimate_withheld: str
    explanation: tuple[str, ...] = ()
    """Rule by rule, why it is shown or not; where the question asked for it."""

    @classmethod
    def of(cls, message: pb.Cell) -> Cell:
        """From the wire."""
        return cls(
            tuple(message.category_ids),
            message.count if message.HasField("count") else None,
            why_suppressed(message.withheld),
            message.estimate if message.HasField("estimate") else None,
            why_suppressed(message.estimate_withheld),
            tuple(message.explanation),
        )

    def count_text(self) -> str:
        """The count, or why there is none."""
        return f"{self.count:,}" if self.count is not None else self.count_withheld

    def estimate_text(self, kind: str) -> str:
        """A share as a percentage, a mean with one decimal, or why there is none."""
        if self.estimate is None:
            return self.estimate_withheld
        return f"{self.estimate:.1%}" if kind in ("share", "rate") else f"{self.estimate:.1f}"

    def figure(self, kind: str) -> tuple[float | None, str]:
        """What a chart draws of it (shares in percent), and what it writes beside. Without a kind
        of estimate: the count.
        """
        if not kind:
            return self.count, self.count_text()
        percent = self.estimate is not None and kind in ("share", "rate")
        return (
            self.estimate * 100 if percent and self.estimate is not None else self.estimate
        ), self.estimate_text(kind)


def estimate_of(measure: Measure, cells: Iterable[Cell]) -> str:
    """What cells' estimates are; empty where there are none: in a table by the very levels that a
    share is made of, or by groups whose population nobody has counted.
    """
    none = {"", NO_POPULATION}
    said = any(cell.estimate is not None or cell.estimate_withheld not in none for cell in cells)
    return measure.estimate if said else ""


def axis_of(measure: Measure, kind: str) -> str:
    """What the axis of a chart of counts, or of estimates of a kind, is called."""
    named = {"share": "Share, %", "mean": "Mean", "rate": "Share of the population, %"}
    return named.get(kind, measure.unit.capitalize())


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows of the same columns as CSV text with a header."""
    found = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(
        out, fieldnames=list(found[0]) if found else ["count"], lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue()
