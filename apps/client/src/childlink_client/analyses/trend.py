"""One question, asked of every release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from childlink_client.analyses.kind import Kind
from childlink_client.found import Found
from childlink_client.shown import Lines, Point, Shown, Table
from childlink_client.values import (
    EARLIER,
    Cell,
    Measure,
    Release,
    axis_of,
    estimate_of,
    period_title,
)

if TYPE_CHECKING:
    from childlink.analytics.v1 import analytics_pb2 as pb

    from childlink_client.client import Client
    from childlink_client.questions import Question


@dataclass(frozen=True)
class TrendPoint:
    """One release's answer."""

    release: Release
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Trend(Found):
    """One question, asked of every release, oldest first."""

    measure: Measure
    by: tuple[str, ...]
    points: tuple[TrendPoint, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, message: pb.TrendResponse) -> Trend:
        """Build from the protobuf message."""
        measure, by = Measure.of(message.measure), tuple(message.by)
        times = [at for at, name in enumerate(by) if measure.dimensions[name].time]

        def compared(cell: Cell) -> bool:
            """Whether it means the same in every release: what is earlier does not."""
            return all(cell.categories[at] != EARLIER for at in times)

        points = tuple(
            TrendPoint(Release.of(p.release), tuple(filter(compared, map(Cell.of, p.cells))))
            for p in message.points
        )
        return cls(measure, by, points, tuple(message.notes))

    @property
    def release(self) -> Release:  # type: ignore[override]
        """The newest release."""
        return self.points[-1].release

    @property
    def estimate(self) -> str:
        """The kind of the cells' estimates; empty if there are none."""
        return estimate_of(self.measure, (cell for point in self.points for cell in point.cells))

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per release and cell."""
        for point in self.points:
            for cell in point.cells:
                titles = self.titles(cell.categories)
                row: dict[str, Any] = {
                    "release": point.release.id,
                    "data_until": point.release.data_until,
                    **titles,
                }
                row |= {"count": cell.count, "count_withheld": cell.count_withheld}
                if self.measure.estimate:
                    row |= {
                        self.measure.estimate: cell.estimate,
                        f"{self.measure.estimate}_low": cell.low,
                        f"{self.measure.estimate}_high": cell.high,
                        f"{self.measure.estimate}_withheld": cell.estimate_withheld,
                    }
                yield row

    def titles(self, categories: Sequence[str]) -> dict[str, str]:
        """Category titles by dimension. A later release may have categories, such as quarters, that
        an earlier one lacks.
        """
        return {
            name: self.measure.dimensions[name].categories.get(category)
            or (period_title(category) if self.measure.dimensions[name].time else category)
            for name, category in zip(self.by, categories, strict=True)
        }

    def table(self) -> Table:
        """One row per group, one column per release."""
        kind = self.estimate
        header: Sequence[str] = [self.measure.dimensions[name].title for name in self.by] or [
            "Group"
        ]
        found: dict[tuple[str, ...], list[Shown]] = {}
        for number, point in enumerate(self.points):
            for cell in point.cells:
                row = found.setdefault(
                    cell.categories, [Shown("not there", True)] * len(self.points)
                )
                value = cell.estimate if kind else cell.count
                row[number] = Shown(cell.figure(kind)[1], value is None)
        rows = [
            (*(Shown(text) for text in list(self.titles(categories).values()) or ["All"]), *values)
            for categories, values in sorted(found.items(), key=lambda row: self._place(row[0]))
        ]
        return Table(
            (*header, *(point.release.id for point in self.points)), tuple(rows), len(header)
        )

    def _place(self, categories: Sequence[str]) -> tuple[tuple[int, str], ...]:
        """Where a row stands: periods by time, other categories in their order."""
        known = [list(self.measure.dimensions[name].categories) for name in self.by]
        return tuple(
            (0, category)
            if self.measure.dimensions[name].time
            else (order.index(category) if category in order else len(order), category)
            for name, category, order in zip(self.by, categories, known, strict=True)
        )

    def describe(self) -> str:
        """Describe the change from the first release to the last."""
        releases = [point.release.id for point in self.points]
        if len(releases) == 1:
            return f"There is one release with this measure, {releases[0]}: a trend needs two."
        if self.by:
            return f"{len(releases)} releases, from {releases[0]} to {releases[-1]}."
        begun, ended = (
            point.cells[0].figure(self.estimate)[1] for point in (self.points[0], self.points[-1])
        )
        return f"From {begun} in {releases[0]} to {ended} in {releases[-1]}."

    def chart(self) -> Lines:
        """One line per group over the releases."""
        lines: dict[str, list[Point]] = {}
        for point in self.points:
            for cell in point.cells:
                name = ", ".join(self.titles(cell.categories).values())
                drawn = (*cell.figure(self.estimate), *cell.ends(self.estimate))
                lines.setdefault(name, []).append(Point(point.release.id, *drawn))
        return Lines(axis_of(self.measure, self.estimate), lines)


def _put(client: Client, question: Question, release: str) -> Trend:
    from childlink.analytics.v1 import analytics_pb2 as pb

    from childlink_client.client import filters

    request = pb.TrendRequest(
        measure_id=question.measure, by=list(question.by), where=filters(question.where)
    )
    return Trend.of(client.call("Trend", request))


KIND: Final = Kind(
    name="trend",
    title="Over releases",
    help="Ask every release one question: childlink trend reach_children --by residence",
    takes=("measure", "several-by", "where"),
    fits=lambda measure: True,
    put=_put,
)
