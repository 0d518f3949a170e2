"""The duration of a release of the whole catalogue: counting, protecting and auditing. Also
compares counting with PostgreSQL. Prints one JSON line per step.

Children and observations are written straight to Arrow, at most a few hundred thousand rows at a
time, so that the measured memory is that of building the release. PostgreSQL gets the same views as
tables, analysed, and the same COUNT(DISTINCT) GROUP BY queries in the same run.

    make bench-release
    python -m tests.bench.bench_release [children] [--against-postgres CHILDREN]
"""

import argparse
import io
import json
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa
from childlink_analytics.releasing.counting.counting import Counter, open_counter
from childlink_analytics.releasing.release.cut import CutPlan, cut_release
from childlink_catalogue.catalogue import catalogue
from childlink_catalogue.measures import Measure

from tests.support.postgres import postgres

UNTIL = date(2024, 12, 31)
# Ten observations per child: five attendances, and one of each of five other datasets.
_ROWS = """
SELECT partner, dataset, printf('%d-%02d', month // 12, month % 12 + 1) AS month, encode(printf('c%015d', child)) AS child_reference,
       CASE WHEN adult THEN encode(printf('a%015d', child)) END AS adult_reference, attributes
FROM (
  SELECT child, kind, hash(child * 31 + kind) AS h, 24228 + (hash(child) % 36)::INTEGER AS born,
    '"ethnicity":"' || ['asian','black','mixed','white','white','white','other'][1 + (hash(child + 7) % 7)::INTEGER]
      || '","imd_quintile":' || (1 + (hash(child + 9) % 5))::VARCHAR
      || ',"residence":"' || ['area','area','area','borough','outside'][1 + (hash(child + 11) % 5)::INTEGER]
      || '","sex":"' || ['female','male'][1 + (hash(child + 13) % 2)::INTEGER] || '"' AS home
  FROM range({low}, {high}) AS c(child), range(10) AS k(kind)
) AS made, LATERAL (SELECT
  CASE WHEN kind < 5 THEN 'attendance' WHEN kind = 5 THEN 'asq3' WHEN kind = 6 THEN 'eyfs' WHEN kind = 7 THEN 'ncmp'
       WHEN kind = 8 THEN 'maternity' ELSE 'immunisation' END AS dataset,
  CASE WHEN kind < 5 THEN 'charity' WHEN kind IN (6, 7) THEN 'council' WHEN kind = 9 THEN 'gp' ELSE 'trust' END AS partner,
  kind < 5 AS adult,
  born + CASE WHEN kind < 5 THEN (h % 30)::INTEGER WHEN kind = 8 THEN 0 ELSE 26 END AS month,
  '{{' || CASE WHEN kind < 5 THEN '"service":"' || {services}[1 + (hash(child * 7 + h % 2) % 15)::INTEGER] || '",' || home
     WHEN kind = 5 THEN '"communication":' || (h % 10 > 1) || ',"fine_motor":' || (h % 11 > 1) || ',"gross_motor":' || (h % 13 > 1)
       || ',"personal_social":' || (h % 17 > 1) || ',"problem_solving":' || (h % 19 > 1) || ',"universal_plus":' || (h % 7 = 1) || ',' || home
     WHEN kind = 6 THEN '"english_additional_language":' || (h % 3 = 1) || ',"good_level_of_development":' || (h % 3 > 0) || ',' || home
     WHEN kind = 7 THEN '"weight_status":"'
       || ['healthy','healthy','overweight','very_overweight','underweight'][1 + (h % 5)::INTEGER] || '",' || home
     WHEN kind = 8 THEN '"birth_weight":' || (2000 + h % 2500) || ',"gestation":' || (34 + h % 8) || ',' || home
     ELSE '"up_to_date":' || (h % 9 > 0) END || '}}' AS attributes) AS said
"""  # noqa: E501
_A_TIME = 20_000


def observations(children: int) -> Iterator[pa.RecordBatch]:
    """Ten observations of each child."""
    services = str(list(catalogue(UNTIL)["reach_children"].dimensions["service"].categories))
    with duckdb.connect(":memory:") as db:
        for low in range(0, children, _A_TIME):
            sql = _ROWS.format(low=low, high=min(low + _A_TIME, children), services=services)
            yield from db.sql(sql).to_arrow_table().to_batches()


def links(children: int) -> Iterator[pa.RecordBatch]:
    """Every partner's reference to a child or its mother points to the same person. Each family has
    two children.
    """
    with duckdb.connect(":memory:") as db:
        for low in range(0, children, 10 * _A_TIME):
            sql = f"""SELECT partner, encode(printf(kind || '%015d', n)) AS reference, encode(printf(kind || '%015d', n)) AS person,
              encode(printf('f%015d', n // 2)) AS family FROM range({low}, {min(low + 10 * _A_TIME, children)}) AS c(n),
              (VALUES ('charity', 'c'), ('charity', 'a'), ('council', 'c'), ('trust', 'c'), ('gp', 'c')) AS who(partner, kind)"""  # noqa: E501
            yield from db.sql(sql).to_arrow_table().to_batches()


def line(**values: object) -> None:
    """One result, with the peak memory so far."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"bench": "release", **values, "peak_mb": memory}), flush=True)


def release(children: int) -> None:
    """Build a whole release."""
    started = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_counter(observations(children), links(children), UNTIL, "2GB") as counter,
    ):
        loaded = time.perf_counter()
        line(step="made, loaded and joined", children=children, seconds=round(loaded - started, 1))
        measures = catalogue(UNTIL)
        for measure in people(measures):
            for cube in measure.cubes:
                counter.inner_cells(measure, cube)
        counted = time.perf_counter()
        line(step="counted, whole catalogue", children=children, seconds=round(counted - loaded, 1))
        cut = cut_release(
            CutPlan("bench", 1, UNTIL.isoformat(), measures), counter, b"s" * 32, Path(folder)
        )
        done = time.perf_counter()
        line(
            step="counted again, protected, attacked and written",
            children=children,
            seconds=round(done - counted, 1),
            cells=sum(len(item.cells.counts) for item in cut.populations),
            attacked=sum(item.attack.attacked for item in cut.populations),
            found=sum(len(item.attack.too_tight) for item in cut.populations),
        )
        line(
            step="whole",
            children=children,
            observations=10 * children,
            seconds=round(done - started, 1),
        )


def people(measures: Mapping[str, Measure]) -> list[Measure]:
    """The measures that count people or families. Attendances are summed and never distinct."""
    return [measure for measure in measures.values() if measure.unit != "attendances"]


def against_postgres(children: int) -> None:
    """The same counts by DuckDB and by PostgreSQL, on the same tables."""
    measures = catalogue(UNTIL)
    with (
        open_counter(observations(children), links(children), UNTIL, "2GB") as counter,
        postgres() as url,
    ):
        asked: list[str] = []
        seconds = _recorded(
            counter,
            asked,
            lambda: [counter.inner_cells(m, cube) for m in people(measures) for cube in m.cubes],
        )
        with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as db:
            for view in sorted({measure.view for measure in measures.values()}):
                _copy(counter, db, view)
            db.execute("ANALYZE")
            db.execute("SET work_mem = '256MB'")
            begun = time.perf_counter()
            for sql in asked:
                db.execute(sql.replace("GROUP BY ALL ORDER BY ALL", _grouping(sql))).fetchall()
            theirs = time.perf_counter() - begun
    line(
        step="beside PostgreSQL",
        children=children,
        queries=len(asked),
        childlink_s=round(seconds, 2),
        postgresql_s=round(theirs, 2),
        times=round(theirs / seconds, 1),
    )


def _recorded(counter: Counter, asked: list[str], work: object) -> float:
    """Seconds for counting. The queries are kept."""
    db = counter._db

    class Recording:
        def execute(self, sql: str, *more: object) -> object:
            asked.append(sql)
            return db.execute(sql, *more)

    counter._db = Recording()  # type: ignore[assignment]
    begun = time.perf_counter()
    work()  # type: ignore[operator]
    seconds = time.perf_counter() - begun
    counter._db = db
    return seconds


def _copy(counter: Counter, db: psycopg.Connection, view: str) -> None:
    table = counter._db.sql(f"SELECT * REPLACE (hex(id) AS id) FROM {view}").to_arrow_table()
    columns = ", ".join(f'"{name}" TEXT' for name in table.column_names)
    db.execute(f'CREATE TABLE "{view}" ({columns})')
    text = io.StringIO()
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        text.write("\t".join("\\N" if value is None else str(value) for value in row) + "\n")
    with db.cursor().copy(f'COPY "{view}" FROM STDIN') as copy:
        copy.write(text.getvalue())


def _grouping(sql: str) -> str:
    columns = sql.removeprefix("SELECT ").split("count(")[0].count("coalesce(")
    places = ", ".join(str(at + 1) for at in range(columns))
    return f"GROUP BY {places} ORDER BY {places}" if columns else ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("children", type=int, nargs="?", default=1_000_000)
    parser.add_argument(
        "--against-postgres",
        type=int,
        default=100_000,
        help="children in the comparison; 0 leaves it out",
    )
    options = parser.parse_args()
    if options.against_postgres:
        against_postgres(options.against_postgres)
    if options.children:
        release(options.children)
