"""Counts the inner cells of every cube with DuckDB, in memory. Adapter."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files

import duckdb
import pyarrow as pa
from childlink_core.datasets import instruments

from childlink_analytics.errors import CatalogueError
from childlink_analytics.measures import Measure


class Counter:
    """The views of one cut."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db

    def inner_cells(self, measure: Measure, cube: tuple[str, ...]) -> dict[tuple[str, ...], int]:
        """Distinct persons or families of each inner cell of a cube that has any.

        Raises CatalogueError when the view holds someone twice, or a category that the catalogue does not know.
        """
        columns = [f"coalesce(\"{measure.columns.get(name, name)}\", 'not_recorded')" for name in cube]
        rows = self._db.execute(
            f"SELECT {', '.join(columns)}, count(DISTINCT id), count(*) FROM {measure.view} "  # noqa: S608 - names from the catalogue
            f"WHERE {measure.where} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        cells: dict[tuple[str, ...], int] = {}
        for *categories, persons, total in rows:
            for name, category in zip(cube, categories, strict=True):
                if category not in measure.dimensions[name].categories:
                    raise CatalogueError(
                        f"measure {measure.id}: {name} has no category {category!r}.", "Add it to dimensions.toml."
                    )
            if persons != total:
                raise CatalogueError(
                    f"measure {measure.id}: its view holds someone twice.", "One row per person or family."
                )
            cells[tuple(categories)] = persons
        return cells

    def rows_by_dataset(self) -> dict[str, int]:
        """Linked observations by dataset."""
        return dict(self._db.execute("SELECT dataset, count(*) FROM fact GROUP BY dataset ORDER BY dataset").fetchall())


@contextmanager
def open_counter(observations: Iterable[pa.RecordBatch], links: Iterable[pa.RecordBatch]) -> Iterator[Counter]:
    """Load the store's tables into memory and build the views."""
    with duckdb.connect(":memory:") as db:
        _load(
            db,
            "observation",
            observations,
            "partner VARCHAR, dataset VARCHAR, month VARCHAR, child_reference BLOB, adult_reference BLOB, attributes VARCHAR",
        )
        _load(db, "link", links, "partner VARCHAR, reference BLOB, person BLOB, family BLOB")
        db.execute("CREATE TABLE instrument (code VARCHAR, domain VARCHAR, low DOUBLE, high DOUBLE, direction INTEGER)")
        db.executemany(
            "INSERT INTO instrument VALUES (?, ?, ?, ?, ?)",
            [(code, i.domain, *i.range, 1 if i.better == "higher" else -1) for code, i in instruments().items()],
        )
        db.execute((files("childlink_analytics") / "catalogue" / "views.sql").read_text(encoding="utf-8"))
        yield Counter(db)


def _load(db: duckdb.DuckDBPyConnection, table: str, batches: Iterable[pa.RecordBatch], columns: str) -> None:
    db.execute(f"CREATE TABLE {table} ({columns})")
    for batch in batches:
        db.register("incoming", pa.Table.from_batches([batch]))
        db.execute(f"INSERT INTO {table} SELECT * FROM incoming")  # noqa: S608 - fixed names
        db.unregister("incoming")
