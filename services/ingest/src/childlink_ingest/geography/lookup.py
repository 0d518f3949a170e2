"""The area look-up: one SQLite file (about 2.7 million postcodes, 150 MB).

It is built once from the published ONS Postcode Directory and indices of deprivation.
"""

import csv
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from childlink_ingest.errors import ExtractError
from childlink_ingest.geography.derive import AreaLookup, Place

# The Postcode Directory renames its columns with each geography. The first name found is used.
_POSTCODE: Final = ("pcds", "pcd8", "pcd7", "pcd", "pcd2")
_LSOA: Final = ("lsoa21cd", "lsoa21", "lsoa11cd", "lsoa11")
_WARD: Final = (r"(osward|wd\d\dcd)",)
_DISTRICT: Final = (r"(oslaua|lad\d\dcd)",)
_IMD_LSOA: Final = (r"lsoa code.*", r"lsoa\d\dcd", r"featurecode")
_IMD_DECILE: Final = (r"index of multiple deprivation.*decile.*", r"imd.*decile.*", r"imd_decile")
_SCHEMA: Final = """
CREATE TABLE postcode (postcode TEXT PRIMARY KEY, lsoa TEXT NOT NULL, ward TEXT NOT NULL, district TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE decile (lsoa TEXT PRIMARY KEY, decile INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE source (name TEXT PRIMARY KEY, file TEXT NOT NULL, rows INTEGER NOT NULL);
"""  # noqa: E501


@contextmanager
def open_lookup(path: Path) -> Iterator[AreaLookup]:
    """Open a look-up. Raises ExtractError if the file is not a look-up."""
    if not path.is_file():
        raise ExtractError(
            f"The area look-up {path} does not exist.",
            "Build it: childlink-ingest area build --help",
        )
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    try:
        sources = dict(db.execute("SELECT name, file FROM source ORDER BY name"))
        query = (
            "SELECT lsoa, ward, district, decile FROM postcode LEFT JOIN decile USING (lsoa) WHERE"
            " postcode = ?"
        )

        @lru_cache(maxsize=100_000)
        def find(postcode: str) -> Place | None:
            row = db.execute(query, (postcode,)).fetchone()
            return Place(*row) if row else None

        yield AreaLookup(sources, find)
    except sqlite3.DatabaseError:
        raise ExtractError(
            f"{path} is not an area look-up.", "Build it again: childlink-ingest area build --help"
        ) from None
    finally:
        db.close()


def build_lookup(
    postcodes: Path, deprivation: Path, output: Path, progress: Callable[[int], None]
) -> tuple[int, int]:
    """Build a look-up from the two published files. Returns the numbers of postcodes and
    neighbourhoods.

    Raises ExtractError.
    """
    unfinished = output.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(unfinished)
    try:
        db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
        deciles = _read(deprivation, (_IMD_LSOA, _IMD_DECILE), lambda _n: None)
        db.executemany(
            "INSERT OR REPLACE INTO decile VALUES (?, ?)",
            ((code, int(d)) for code, d in deciles if d.isdigit()),
        )
        rows = _read(postcodes, (_POSTCODE, _LSOA, _WARD, _DISTRICT), progress)
        db.executemany(
            "INSERT OR REPLACE INTO postcode VALUES (?, ?, ?, ?)",
            (
                (pc.replace(" ", "").upper(), lsoa, ward, district)
                for pc, lsoa, ward, district in rows
                if lsoa
            ),
        )
        counts = tuple(
            db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("postcode", "decile")
        )
        if not all(counts):
            raise ExtractError(
                "The files contain no postcode or no neighbourhood.",
                "Use the unchanged CSV files as published.",
            )
        db.executemany(
            "INSERT INTO source VALUES (?, ?, ?)",
            [
                ("postcodes", postcodes.name, counts[0]),
                ("deprivation", deprivation.name, counts[1]),
            ],
        )
        db.commit()
    except (sqlite3.Error, ExtractError) as error:
        db.close()
        unfinished.unlink(missing_ok=True)
        if isinstance(error, ExtractError):
            raise
        raise ExtractError(
            f"{output} cannot be written ({error}).", "Check the path and the free disk space."
        ) from None
    db.close()
    unfinished.replace(output)
    return counts[0], counts[1]


def _read(
    path: Path, wanted: tuple[tuple[str, ...], ...], progress: Callable[[int], None]
) -> Iterator[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip().lower() for name in next(reader, [])]
            at = [_column(header, names, path) for names in wanted]
            for number, row in enumerate(reader):
                if len(row) == len(header):
                    yield [row[index].strip() for index in at]
                if number % 50_000 == 0:
                    progress(number)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ExtractError(
            f"{path} cannot be read ({type(error).__name__}).",
            "Use the unchanged CSV file as published.",
        ) from None


def _column(header: list[str], names: tuple[str, ...], path: Path) -> int:
    for name in names:
        for index, column in enumerate(header):
            if re.fullmatch(name, column):
                return index
    raise ExtractError(
        f"{path.name} has no column such as {names[0]}.",
        "Use the CSV of the ONS Postcode Directory, and the indices' file of ranks and deciles.",
    )
