"""What the service answers, as plain values: nothing to learn about protobuf or gRPC."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from childlink.analytics.v1 import analytics_pb2 as pb

from childlink_client.errors import ClientError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from matplotlib.figure import Figure

WITHHELD: Final = {
    pb.WITHHELD_UNSPECIFIED: "",
    pb.WITHHELD_SMALL: "<10",
    pb.WITHHELD_SMALL_BASE: "group too small",
    pb.WITHHELD_ALL_OR_NONE: "nearly all or none",
    pb.WITHHELD_NOT_COLLECTED: "not collected",
    pb.WITHHELD_SUPPRESSED: "c",
    pb.WITHHELD_NO_POPULATION: "no population count",
}


@dataclass(frozen=True)
class Release:
    """A release in one line."""

    id: str
    number: int
    data_until: str
    policy: str
    sha256: str

    @classmethod
    def of(cls, message: pb.ReleaseSummary) -> "Release":
        """From the wire."""
        return cls(message.release_id, message.number, message.data_until, message.policy_id, message.content_sha256)

    def citation(self) -> str:
        """How it is named under a table, chart or report."""
        return f"childlink release {self.id} (data until {self.data_until}), policy {self.policy}."


@dataclass(frozen=True)
class Dimension:
    """A dimension: its categories' titles by id, in order. Over an overlapping one, distinct people do not sum."""

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
    def of(cls, message: pb.Measure) -> "Measure":
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
            message.measure_id, message.title, message.description, message.unit, message.estimate, dimensions,
            tuple(tuple(cube.dimension_ids) for cube in message.cubes), tuple(message.compares), message.collected,
        )  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One cell. `count` and `estimate` are None where withheld; then the reason stands beside."""

    categories: tuple[str, ...]
    count: int | None
    count_withheld: str
    estimate: float | None
    estimate_withheld: str
    explanation: tuple[str, ...] = ()
    """Rule by rule, why it is shown or not; where the question asked for it."""

    @classmethod
    def of(cls, message: pb.Cell) -> "Cell":
        """From the wire."""
        return cls(
            tuple(message.category_ids),
            message.count if message.HasField("count") else None,
            WITHHELD.get(message.withheld, "withheld"),
            message.estimate if message.HasField("estimate") else None,
            WITHHELD.get(message.estimate_withheld, "withheld"),
            tuple(message.explanation),
        )


def estimate_of(measure: Measure, cells: Iterable[Cell]) -> str:
    """What cells' estimates are; empty where there are none: in a table by the very levels that a share is made of, or by groups of
    which nobody has counted the population."""
    none = {"", WITHHELD[pb.WITHHELD_NO_POPULATION]}
    said = any(cell.estimate is not None or cell.estimate_withheld not in none for cell in cells)
    return measure.estimate if said else ""


@dataclass(frozen=True)
class Answer:
    """An answer: cells in the order of the question, and what to know about them."""

    release: Release
    measure: Measure
    by: tuple[str, ...]
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, message: pb.QueryResponse) -> "Answer":
        """From the wire."""
        cells = tuple(map(Cell.of, message.cells))
        return cls(
            Release.of(message.release), Measure.of(message.measure), tuple(message.by), cells, tuple(message.notes)
        )

    @property
    def estimate(self) -> str:
        """What the cells' estimates are; empty where there are none."""
        return estimate_of(self.measure, self.cells)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One flat dictionary per cell: category titles, count, why withheld, estimate, why withheld."""
        for cell in self.cells:
            row: dict[str, Any] = {
                name: self.measure.dimensions[name].categories[category]
                for name, category in zip(self.by, cell.categories, strict=True)
            }
            row |= {"count": cell.count, "count_withheld": cell.count_withheld}
            if self.measure.estimate:
                row |= {
                    self.measure.estimate: cell.estimate,
                    f"{self.measure.estimate}_withheld": cell.estimate_withheld,
                }
            yield row

    def cell(self, *categories: str) -> Cell:
        """The cell of these categories (ids, in the order of `by`)."""
        for cell in self.cells:
            if cell.categories == categories:
                return cell
        raise ClientError(f"The answer has no cell {categories}.")

    def citation(self) -> str:
        """What to write under a table or chart."""
        return f"{self.measure.title}. {self.release.citation()}"

    def to_json(self) -> str:
        """JSON for programs."""
        return json.dumps(
            {
                "release": vars(self.release), "measure": self.measure.id, "unit": self.measure.unit, "by": list(self.by),
                "rows": list(self.rows()), "notes": list(self.notes),
            },
            indent=2, ensure_ascii=False,
        )  # fmt: skip

    def to_csv(self) -> str:
        """CSV text with a header."""
        return csv_text(self.rows())

    def to_pandas(self) -> "pd.DataFrame":
        """A DataFrame; counts are nullable integers, so that withheld is missing, not zero."""
        try:
            import pandas as pd
        except ImportError:
            raise ClientError("pandas is not installed: pip install 'childlink-client[pandas]'.") from None
        return pd.DataFrame(list(self.rows())).astype({"count": "Int64"})

    def to_polars(self) -> "pl.DataFrame":
        """A Polars DataFrame; withheld is null, not zero."""
        try:
            import polars as pl
        except ImportError:
            raise ClientError("Polars is not installed: pip install 'childlink-client[polars]'.") from None
        return pl.DataFrame(list(self.rows()), infer_schema_length=None)

    def plot(self) -> "Figure":
        """A bar chart as a matplotlib Figure; a notebook shows it."""
        from childlink_client.charts import draw

        return draw(self)

    def _repr_html_(self) -> str:
        from childlink_client.render import as_html

        return as_html(self)

    def save_parquet(self, path: str | Path) -> None:
        """Write a Parquet file."""
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise ClientError("pyarrow is not installed: pip install 'childlink-client[parquet]'.") from None
        pq.write_table(pa.Table.from_pylist(list(self.rows())), path)

    def save_chart(self, path: str | Path) -> None:
        """Write a bar chart as PNG or SVG, by the file's ending."""
        from childlink_client.charts import check_chart, save

        check_chart(self.by, Path(path))
        save(self.plot(), Path(path))

    def __str__(self) -> str:
        from childlink_client.render import render

        return render(self)


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows of the same columns as CSV text with a header."""
    found = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(found[0]) if found else ["count"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue()
