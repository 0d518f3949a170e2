"""An answer: counts and estimates by group, with a table, a chart and a summary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from childlink_client.errors import ClientError
from childlink_client.found import Found, Reason
from childlink_client.shown import (
    Bar,
    Bars,
    Chart,
    Lines,
    Map,
    Point,
    Shown,
    Table,
    hidden,
    none_shown,
)
from childlink_client.values import (
    EARLIER,
    Cell,
    Measure,
    Release,
    axis_of,
    estimate_of,
    estimate_title,
)

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from childlink.analytics.v1 import analytics_pb2 as pb

    from childlink_client.boundaries import Boundaries
    from childlink_client.client import Client

MOST_DRAWN: Final = 2
TOO_MANY: Final = (
    "A chart shows at most two dimensions. Break down by fewer, or filter with `where`."
)
_FEWEST_MAPPED: Final = 2
_REST: Final = ("not_recorded", "other", "others")
"""Categories that come last, however large they are."""


@dataclass(frozen=True)
class Answer(Found):
    """An answer: cells in the order of the question, and the notes that go with them."""

    release: Release
    measure: Measure
    by: tuple[str, ...]
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, message: pb.QueryResponse) -> Answer:
        """Build from the protobuf message."""
        cells = tuple(map(Cell.of, message.cells))
        return cls(
            Release.of(message.release),
            Measure.of(message.measure),
            tuple(message.by),
            cells,
            tuple(message.notes),
        )

    @property
    def estimate(self) -> str:
        """The kind of the cells' estimates; empty if there are none."""
        return estimate_of(self.measure, self.cells)

    def cell(self, *categories: str) -> Cell:
        """The cell of these categories (ids, in the order of `by`). Raises ClientError if there is
        none.
        """
        for cell in self.cells:
            if cell.categories == categories:
                return cell
        raise ClientError(f"The answer has no cell {categories}.")

    def titles(self, cell: Cell) -> list[str]:
        """Titles of a cell's categories."""
        return [
            self.measure.dimensions[n].categories[c]
            for n, c in zip(self.by, cell.categories, strict=True)
        ]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One flat dictionary per cell: category titles, the count and the reason if it is
        withheld, the estimate with its 95% interval and the reason if it is withheld.
        """
        for cell in self.cells:
            row: dict[str, Any] = dict(zip(self.by, self.titles(cell), strict=True))
            row |= {"count": cell.count, "count_withheld": cell.count_withheld}
            if self.measure.estimate:
                row |= {
                    self.measure.estimate: cell.estimate,
                    f"{self.measure.estimate}_low": cell.low,
                    f"{self.measure.estimate}_high": cell.high,
                    f"{self.measure.estimate}_withheld": cell.estimate_withheld,
                }
            yield row

    def table(self) -> Table:
        """A cross table for counts by two dimensions; otherwise one row per cell."""
        kind = self.estimate
        if len(self.by) == MOST_DRAWN and not kind:
            return self._cross_table()
        head = [self.measure.dimensions[name].title for name in self.by] or ["Group"]
        head += [self.measure.unit.capitalize()]
        head += [estimate_title(self.measure, kind)] if kind else []
        rows = []
        for cell in self.cells:
            shown = [Shown(text) for text in self.titles(cell) or ["All"]]
            shown.append(_count(cell))
            if kind:
                shown.append(
                    Shown(
                        cell.estimate_with_interval(kind),
                        cell.estimate is None,
                        cell.explanation[1:],
                    )
                )
            rows.append(tuple(shown))
        return Table(tuple(head), tuple(rows), max(len(self.by), 1))

    def describe(self) -> str:
        """Describe the largest and the smallest group of those shown."""
        kind, unit = self.estimate, self.measure.unit
        if not self.measure.collected:
            return "Not collected: no partner has sent the data for this measure."
        shown = [cell for cell in self.cells if (cell.estimate if kind else cell.count) is not None]
        if not shown:
            return none_shown(
                cell.estimate_withheld if kind else cell.count_withheld for cell in self.cells
            )
        said = {
            id(cell): (cell.estimate_with_interval(kind) if kind else f"{cell.count_text()} {unit}")
            for cell in shown
        }
        if not self.by:
            return f"{said[id(shown[0])]}."
        ranked = sorted(shown, key=lambda cell: (cell.estimate if kind else cell.count) or 0)
        low, high = ranked[0], ranked[-1]
        rest = hidden(len(self.cells) - len(shown), len(self.cells))
        if low is high:
            return f"{self._named(high)}: {said[id(high)]}.{rest}"
        if said[id(low)] == said[id(high)]:
            return f"Each group that is shown: {said[id(high)]}.{rest}"
        apart = (
            " Their intervals overlap, so the order may be chance."
            if kind and None not in (low.high, high.low) and (low.high or 0) >= (high.low or 0)
            else ""
        )
        return (
            f"Most: {self._named(high)}, {said[id(high)]}. "
            f"Least of those shown: {self._named(low)}, {said[id(low)]}.{apart}{rest}"
        )

    def chart(self) -> Chart:
        """Bars, grouped for two dimensions; lines if one of them is time. Raises ClientError for
        more than two dimensions.
        """
        if len(self.by) > MOST_DRAWN:
            raise ClientError(TOO_MANY)
        axis = axis_of(self.measure, self.estimate)
        if any(self.measure.dimensions[name].time for name in self.by):
            return Lines(axis, self._over_time())
        groups = self._in_order(list(dict.fromkeys(cell.categories[:1] for cell in self.cells)))
        series = list(dict.fromkeys(cell.categories[1:] for cell in self.cells))
        cells = {cell.categories: cell for cell in self.cells}
        bars = {
            self._title(1, part): [
                self._bar(cells[group + part]) if group + part in cells else None
                for group in groups
            ]
            for part in series
        }
        second = self.measure.dimensions[self.by[1]] if len(self.by) == MOST_DRAWN else None
        titles = tuple(self._title(0, group) or "All" for group in groups)
        return Bars(
            axis,
            titles,
            bars,
            second.title if second else "",
            ordered=second is not None and second.ordered,
        )

    def mapped(self, boundaries: Boundaries) -> Map | None:
        """A map of the groups of one dimension. None if the boundaries have fewer than two of
        them.
        """
        if len(self.by) != 1 or not (shapes := boundaries.of(self.measure.dimensions[self.by[0]])):
            return None
        placed = [(cell, shapes.get(cell.categories[0])) for cell in self.cells]
        areas = [
            (self._named(cell), self._bar(cell), shape)
            for cell, shape in placed
            if shape is not None
        ]
        if len(areas) < _FEWEST_MAPPED:
            return None
        elsewhere = tuple(self._named(cell) for cell, shape in placed if shape is None)
        return Map(axis_of(self.measure, self.estimate), areas, elsewhere)

    def drawn(self, client: Client) -> Found | None:
        """The answer itself if it has groups to draw; otherwise None."""
        drawable = 1 <= len(self.by) <= MOST_DRAWN and any(
            cell.count is not None for cell in self.cells
        )
        return self if drawable else None

    def reasons(self) -> list[Reason]:
        """Why figures are withheld: each reason once, with the groups that it applies to."""
        groups: dict[tuple[str, str], list[str]] = {}
        for cell in self.cells:
            # The first text explains the count, the second the estimate.
            texts = (
                (cell.count is None, cell.count_withheld),
                (bool(cell.estimate_withheld), cell.estimate_withheld),
            )
            for (withheld, shown), why in zip(texts, cell.explanation, strict=False):
                if withheld:
                    groups.setdefault((shown, why), []).append(
                        ", ".join(self.titles(cell)) or "All"
                    )
        return [Reason(shown, why, tuple(held)) for (shown, why), held in groups.items()]

    def explanations(self) -> Iterator[str]:
        """For each cell, rule by rule, why it is shown or withheld. Only if the question asked for
        it.
        """
        for cell in self.cells:
            if cell.explanation:
                yield f"{', '.join(self.titles(cell)) or 'All'}: {' '.join(cell.explanation)}"

    def to_pandas(self) -> pd.DataFrame:
        """A DataFrame. Counts are nullable integers, so a withheld count is missing, not zero.
        Categories keep their order, and can be compared if they have one. `attrs` holds the release
        and the notes.
        """
        frame = super().to_pandas()
        import pandas as pd

        for name in self.by:
            dimension = self.measure.dimensions[name]
            titles = list(dict.fromkeys(dimension.categories.values()))
            frame[name] = pd.Categorical(
                frame[name], titles, ordered=dimension.ordered or dimension.time
            )
        return frame.astype({"count": "Int64"})

    def exported(self) -> Iterator[dict[str, Any]]:
        """The rows of a file: beside each title, the category's id."""
        for cell, row in zip(self.cells, self.rows(), strict=True):
            named: dict[str, Any] = {}
            for name, category in zip(self.by, cell.categories, strict=True):
                named |= {f"{name}_id": category, name: row.pop(name)}
            yield named | row

    def to_polars(self) -> pl.DataFrame:
        """A Polars DataFrame. A withheld figure is null, not zero."""
        try:
            import polars as pl
        except ImportError:
            raise ClientError(
                "Polars is not installed: pip install 'childlink-client[polars]'."
            ) from None
        return pl.DataFrame(list(self.rows()), infer_schema_length=None)

    def save_parquet(self, path: str | Path) -> None:
        """Write a Parquet file."""
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise ClientError(
                "pyarrow is not installed: pip install 'childlink-client[parquet]'."
            ) from None
        pq.write_table(pa.Table.from_pylist(list(self.rows())), path)

    def _facts(self) -> dict[str, Any]:
        facts = super()._facts()
        return {
            "release": facts["release"],
            "measure": facts["measure"],
            "unit": self.measure.unit,
            "by": list(self.by),
            "rows": facts["rows"],
            "notes": facts["notes"],
        }

    def _cross_table(self) -> Table:
        down, across = (self.measure.dimensions[name] for name in self.by)
        shown = list(dict.fromkeys(cell.categories[1] for cell in self.cells))
        rows = [
            (Shown(down.categories[row]), *(_count(self.cell(row, column)) for column in shown))
            for row in dict.fromkeys(cell.categories[0] for cell in self.cells)
        ]
        return Table((down.title, *(across.categories[column] for column in shown)), tuple(rows))

    def _bar(self, cell: Cell) -> Bar:
        return Bar(*cell.figure(self.estimate), *cell.ends(self.estimate))

    def _in_order(self, groups: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """The groups of one breakdown, largest first, unless their categories have an order."""
        if len(self.by) != 1 or self.measure.dimensions[self.by[0]].ordered:
            return groups
        values = {cell.categories: cell.figure(self.estimate)[0] for cell in self.cells}
        last = _REST if any(values[group] is not None for group in groups) else ()

        def key(group: tuple[str, ...]) -> tuple[bool, bool, float]:
            value = values[group]
            return group[0] in last, value is None, -(value or 0.0)

        return sorted(groups, key=key)

    def _over_time(self) -> dict[str, list[Point]]:
        lines: dict[str, list[Point]] = {}
        [at, *_] = [
            number for number, name in enumerate(self.by) if self.measure.dimensions[name].time
        ]
        for cell in self.cells:
            if cell.categories[at] == EARLIER:
                continue
            time = self._title(at, (cell.categories[at],))
            name = "" if len(self.by) == 1 else self._title(1 - at, (cell.categories[1 - at],))
            lines.setdefault(name, []).append(Point(time, *self._bar(cell)))
        return lines

    def _title(self, position: int, category: tuple[str, ...]) -> str:
        return (
            self.measure.dimensions[self.by[position]].categories[category[0]] if category else ""
        )

    def _named(self, cell: Cell) -> str:
        """A group's name for use in a sentence. A title that starts with a digit gets its dimension
        in front: alone, it would mean nothing.
        """
        named = [
            f"{self.measure.dimensions[name].title.lower()} {title}"
            if title[:1].isdigit()
            else title
            for name, title in zip(self.by, self.titles(cell), strict=True)
        ]
        return ", ".join(named) or "All"


def _count(cell: Cell) -> Shown:
    return Shown(cell.count_text(), cell.count is None, cell.explanation[:1])
