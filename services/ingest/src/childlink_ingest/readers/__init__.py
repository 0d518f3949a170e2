"""Reads an extract row by row: CSV, Excel, Parquet or the result of a database query.

Memory use does not grow with the extract. No other module opens an extract. Each value is a text,
as a CSV file would contain it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from childlink_ingest.errors import ExtractError
from childlink_ingest.model.rows import Rejection
from childlink_ingest.readers.csv_file import open_csv
from childlink_ingest.readers.record import Extract, Record, Source

__all__ = ["Extract", "Record", "Source", "open_extract"]

LONGEST_VALUE: Final = 10_000
"""In characters. No contract has nearly such long fields; a longer value is a broken quote or an
attack.
"""
# A spreadsheet would run these as a formula. No name, number or date starts like this.
_FORMULA: Final = ("=", "@", "\t=", "+cmd", "-cmd")


@contextmanager
def open_extract(path: Path, source: Source) -> Iterator[Extract]:
    """Open an extract with the reader for its kind.

    Raises ExtractError if it cannot be read, or changes while it is read.
    """
    opener = _opener(path)
    before = _state(path)
    with opener(path, source) as (header, rows):
        names = [name.strip() for name in header]
        if not any(names):
            raise ExtractError(f"{path.name} is empty.", "Export it again, with a header line.")
        yield Extract(path, names, _checked(names, rows))
    if _state(path) != before:
        raise ExtractError(
            f"{path.name} changed while it was read.",
            "Nothing was sent. Wait until the export is complete, then run again.",
        )


def _checked(
    header: list[str], rows: Iterator[tuple[int, list[str]]]
) -> Iterator[Record | Rejection]:
    width = len(header)
    for number, cells in rows:
        if not any(cells):
            continue
        if len(cells) != width:
            yield Rejection(
                number,
                "(row)",
                f"has {len(cells)} fields where the header has {width}",
                "Quote fields that hold the delimiter.",
            )
        elif (problem := _problem(header, cells)) is not None:
            yield Rejection(number, *problem)
        else:
            yield Record(number, dict(zip(header, cells, strict=True)))


def _problem(header: list[str], cells: list[str]) -> tuple[str, str, str] | None:
    whole = "".join(cells)
    if "\0" in whole:
        return "(row)", "contains a NUL byte", "Export the row again."
    if len(whole) > LONGEST_VALUE:
        for name, cell in zip(header, cells, strict=True):
            if len(cell) > LONGEST_VALUE:
                return (
                    name,
                    f"is longer than {LONGEST_VALUE:,} characters",
                    "Look for an unclosed quote.",
                )
    if "=" in whole or "@" in whole or "cmd" in whole:
        for name, cell in zip(header, cells, strict=True):
            if cell.startswith(_FORMULA):
                return name, "contains a spreadsheet formula", "Export values, not formulas."
    return None


def _opener(
    path: Path,
) -> Callable[
    [Path, Source], AbstractContextManager[tuple[list[str], Iterator[tuple[int, list[str]]]]]
]:
    suffix = path.suffix.lower()
    try:
        if suffix in (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"):
            from childlink_ingest.readers.excel import open_excel

            return open_excel
        if suffix == ".parquet":
            from childlink_ingest.readers.parquet import open_parquet

            return open_parquet
        if suffix == ".sql":
            from childlink_ingest.readers.sql import open_sql

            return open_sql
    except ImportError as error:
        extra = {".parquet": "parquet", ".sql": "sql"}.get(suffix, "excel")
        raise ExtractError(
            f"Reading {suffix} files needs {error.name}, which is not installed.",
            f"Install it with: pip install 'childlink-ingest[{extra}]'",
        ) from None
    return open_csv


def _state(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError as error:
        raise ExtractError(
            f"{path} cannot be read: {error.strerror}.", "Check the path and the permissions."
        ) from None
    return state.st_size, state.st_mtime_ns
