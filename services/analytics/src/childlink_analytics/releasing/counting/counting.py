"""Counts the inner cells of all cubes with DuckDB, in memory. Adapter."""

import fcntl
import itertools
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
from childlink_catalogue.catalogue import Catalogue, current
from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.measures import Comparison, Measure

from childlink_analytics.releasing.counting import compiler

_SPILL: Final = "childlink-cut-"
# File that stays locked while the process runs.
_HELD: Final = "held"


class Counter:
    """The views of one cut, ready for counting."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db
        self._once: dict[str, bool] = {}

    def partners(self, measure: Measure) -> list[str]:
        """Partners whose own rows include some of the people that a measure counts, but not all of
        them.
        """
        [(everybody,)] = self._counted(measure, [], "")
        rows = self._db.execute("SELECT DISTINCT partner FROM known ORDER BY partner").fetchall()
        return [p for (p,) in rows if 0 < self._counted(measure, [], p)[0][0] < everybody]

    def inner_cells(
        self, measure: Measure, cube: tuple[str, ...], known_to: str = ""
    ) -> dict[tuple[str | None, ...], int]:
        """Count the distinct people or families in each non-empty inner cell of a cube. For
        overlapping dimensions, also count all categories together (None).

        With `known_to`, counts only people who are in this partner's own rows of the measure's
        datasets. Raises CatalogueError if a person is in two categories of a dimension that must
        place each person once, or if a category is not in the catalogue.
        """
        overlapping = [name for name in cube if measure.dimensions[name].overlapping]
        cells: dict[tuple[str | None, ...], int] = {}
        for count in range(len(overlapping) + 1):
            for kept in itertools.combinations(overlapping, count):
                left_out = {name for name in overlapping if name not in kept}
                left_out |= {name for name in cube if measure.dimensions[name].within in left_out}
                cells |= self._grouped(measure, cube, left_out, known_to)
        return cells

    def _grouped(
        self, measure: Measure, cube: tuple[str, ...], left_out: set[str], known_to: str
    ) -> dict[tuple[str | None, ...], int]:
        """Counts of a cube without some of its dimensions."""
        columns = {
            name: f"coalesce(\"{measure.columns.get(name, name)}\", 'not_recorded')"
            for name in cube
        }
        shown = [columns[name] for name in cube if name not in left_out]
        overlapping = [
            columns[name]
            for name in cube
            if name not in left_out and measure.dimensions[name].overlapping
        ]
        cells: dict[tuple[str | None, ...], int] = {}
        for *found, persons in self._counted(measure, shown, known_to):
            categories = iter(found)
            cell = tuple(None if name in left_out else next(categories) for name in cube)
            for name, category in zip(cube, cell, strict=True):
                if category is not None and category not in measure.dimensions[name].categories:
                    raise CatalogueError(
                        f"measure {measure.id}: {name} has no category {category!r}.",
                        "Add it to dimensions.toml.",
                    )
            cells[cell] = persons
        if sum(cells.values()) != sum(
            persons for *_, persons in self._counted(measure, overlapping, known_to)
        ):
            raise CatalogueError(
                f"measure {measure.id}: its view places someone in two categories of"
                f" {' x '.join(cube)}.",
                "Declare the dimension as overlapping, or place everyone once.",
            )
        return cells

    def attendances(
        self, measure: Measure, cube: tuple[str, ...]
    ) -> dict[tuple[str | None, ...], tuple[int, int, int]]:
        """For each cell of a cube of attendances, including margins (None): the number of
        attendances, the number of people, and the largest number of one person.
        """
        columns = {
            name: f"coalesce(\"{measure.columns.get(name, name)}\", 'not_recorded')"
            for name in cube
        }
        cells: dict[tuple[str | None, ...], tuple[int, int, int]] = {}
        for count in range(len(cube) + 1):
            for kept in itertools.combinations(cube, count):
                shown = "".join(f'{columns[name]} AS "{name}", ' for name in kept)
                query = (
                    "SELECT * EXCLUDE (id, n), coalesce(sum(n), 0)::BIGINT, count(*),"  # noqa: S608
                    " coalesce(max(n), 0) FROM "
                    f"(SELECT {shown}id, count(*) AS n FROM {measure.view} WHERE {measure.where}"
                    " GROUP BY ALL) GROUP BY ALL ORDER BY ALL"
                )
                for *found, total, contributors, largest in self._db.execute(query).fetchall():
                    categories = iter(found)
                    cell = tuple(next(categories) if name in kept else None for name in cube)
                    cells[cell] = (total, contributors, largest)
        return cells

    def _counted(
        self, measure: Measure, columns: list[str], known_to: str
    ) -> list[tuple[Any, ...]]:
        known, arguments = "", []
        if known_to:
            of = " AND dataset IN (SELECT unnest(?))"
            known = f" AND id IN (SELECT id FROM known WHERE partner = ?{of})"  # noqa: S608 - fixed text
            arguments = [known_to, list(measure.datasets)]
        persons = "count(*)" if self._is_once(measure.view) else "count(DISTINCT id)"
        query = (
            f"SELECT {', '.join([*columns, persons])} FROM {measure.view} "  # noqa: S608 - names from the catalogue
            f"WHERE ({measure.where}){known} GROUP BY ALL ORDER BY ALL"
        )
        return self._db.execute(query, arguments).fetchall()

    def _is_once(self, view: str) -> bool:
        """Whether everybody has one row in a population, so that rows can be counted."""
        if view not in self._once:
            query = f"SELECT count(*) = count(DISTINCT id) FROM {view}"  # noqa: S608 - a name of the catalogue
            [(self._once[view],)] = self._db.execute(query).fetchall()
        return self._once[view]

    def rows_by_dataset(self) -> dict[str, int]:
        """Linked observations by dataset."""
        return dict(
            self._db.execute(
                "SELECT dataset, count(*) FROM fact GROUP BY dataset ORDER BY dataset"
            ).fetchall()
        )

    def rows_by_quarter(self) -> dict[tuple[str, str, str], int]:
        """Linked observations by dataset, partner and quarter of the event (2024-Q3)."""
        return {
            (dataset, partner, f"{number // 4}-Q{number % 4 + 1}"): count
            for dataset, partner, number, count in self._db.execute(
                "SELECT dataset, partner, (number - 1) // 3 AS quarter, count(*) FROM fact"
                " WHERE number IS NOT NULL GROUP BY ALL ORDER BY ALL"
            ).fetchall()
        }


@contextmanager
def _spill_folder() -> Iterator[Path]:
    """A temporary folder for linked rows that do not fit into memory. Also removes the folders that
    killed processes left.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_SPILL}*"):
        with suppress(OSError), (left / _HELD).open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(prefix=_SPILL) as name,
        (Path(name) / _HELD).open("wb") as mine,
    ):
        fcntl.flock(mine, fcntl.LOCK_EX)
        yield Path(name)


@contextmanager
def open_counter(
    observations: Iterable[pa.RecordBatch],
    links: Iterable[pa.RecordBatch],
    until: date,
    memory_limit: str = "",
    declared: Catalogue | None = None,
) -> Iterator[Counter]:
    """Load the store's tables, and make the populations of a catalogue (default: the current one)
    of what happened up to the month of `until`. With a limit ("2GB"), data that does not fit into
    memory is written to a temporary folder.
    """
    declared = declared or current()
    measures, dimensions = declared.measures(until), declared.dimensions(until)
    with _spill_folder() as folder, duckdb.connect(":memory:") as db:
        db.execute(f"SET temp_directory = '{folder}'")
        if memory_limit:
            db.execute("SET memory_limit = ?", [memory_limit])
        db.execute("CREATE TABLE cut (last_month VARCHAR)")
        db.execute("INSERT INTO cut VALUES (?)", [f"{until:%Y-%m}"])
        _load(
            db,
            "observation",
            observations,
            "partner VARCHAR, dataset VARCHAR, month VARCHAR, child_reference BLOB, adult_reference"
            " BLOB, attributes VARCHAR",
        )
        _load(db, "link", links, "partner VARCHAR, reference BLOB, person BLOB, family BLOB")
        db.execute(compiler.FACTS)
        for statement in compiler.compile_characteristics(declared.around):
            db.execute(statement)
        needed = _needed(measures.values(), declared)
        for name in needed:
            population = declared.populations[name]
            for statement in compiler.compile_population(
                population, dimensions, declared.instruments, needed[name]
            ):
                db.execute(statement)
        by_view: dict[str, list[tuple[str, Comparison, str]]] = {}
        for view, column, compare, exposed in _scores(measures.values()):
            by_view.setdefault(view, []).append((column, compare, exposed))
        for view, scores in by_view.items():
            _score(db, view, scores)
        yield Counter(db)


def _scores(measures: Iterable[Measure]) -> Iterator[tuple[str, str, Comparison, str]]:
    """The scores to fit: the population, the column of the strata, and what is compared."""
    seen: dict[tuple[str, str], Comparison] = {}
    for item in measures:
        if item.compare is None:
            continue
        column = item.columns.get(item.compare.strata, item.compare.strata)
        known = seen.setdefault((item.view, column), item.compare)
        if known is item.compare:
            exposed = item.columns.get(item.compare.dimension, item.compare.dimension)
            yield item.view, column, item.compare, exposed
        elif known != item.compare:
            raise CatalogueError(
                f"measure {item.id}: the strata {column} of {item.view} are fitted for another"
                " comparison.",
                f'Give them another column: columns = {{ {item.compare.strata} = "..." }}.',
            )


def _needed(measures: Iterable[Measure], declared: Catalogue) -> dict[str, set[str]]:
    """The variables of each population that a measure needs."""
    found: dict[str, set[str]] = {}
    for item in measures:
        names = found.setdefault(item.view, set())
        names.update(item.columns.get(name, name) for name in item.dimensions)
        names.update(declared.measure_keys[item.id].where)
        if item.compare:
            names.update(item.compare.adjusted_for)
            names.add(item.columns.get(item.compare.dimension, item.compare.dimension))
            names.discard(item.columns.get(item.compare.strata, item.compare.strata))
    return found


def _score(
    db: duckdb.DuckDBPyConnection, view: str, scores: list[tuple[str, Comparison, str]]
) -> None:
    """Add the strata of confounder scores to a population: (column, what is compared, the variable
    of the groups).
    """
    # Imported here because it takes seconds to load, and only a cut needs it.
    from childlink_analytics.releasing.counting.confounders import strata

    joins, columns = [], []
    for number, (column, compare, exposed) in enumerate(scores):
        covariates, table = compare.adjusted_for, f'"{view}_strata_{number}"'
        names = ", ".join(covariates)
        rows = db.execute(
            f'SELECT {names}, count(*) FILTER ("{exposed}" = ?), count(*) FROM {view}'  # noqa: S608
            " GROUP BY ALL ORDER BY ALL",
            [compare.of],
        ).fetchall()
        patterns = [row[:-2] for row in rows]
        found = strata(patterns, [row[-2] for row in rows], [row[-1] for row in rows])
        kinds = ", ".join(f"{name} VARCHAR" for name in (*covariates, "stratum"))
        db.execute(f"CREATE TABLE {table} ({kinds})")
        if rows:
            marks = ", ".join("?" for _ in range(len(covariates) + 1))
            db.executemany(
                f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 - fixed names
                [[*pattern, stratum] for pattern, stratum in zip(patterns, found, strict=True)],
            )
        same = " AND ".join(f"{table}.{name} = counted.{name}" for name in covariates)
        joins.append(f"JOIN {table} ON {same}")
        columns.append(f'{table}.stratum AS "{column}"')
    db.execute(
        f"CREATE OR REPLACE TABLE {view} AS SELECT counted.*, {', '.join(columns)}"  # noqa: S608
        f" FROM {view} counted {' '.join(joins)}"
    )
    for number in range(len(scores)):
        db.execute(f'DROP TABLE "{view}_strata_{number}"')


def _load(
    db: duckdb.DuckDBPyConnection, table: str, batches: Iterable[pa.RecordBatch], columns: str
) -> None:
    db.execute(f"CREATE TABLE {table} ({columns})")
    for batch in batches:
        db.register("incoming", pa.Table.from_batches([batch]))
        db.execute(f"INSERT INTO {table} SELECT * FROM incoming")  # noqa: S608 - fixed names
        db.unregister("incoming")
