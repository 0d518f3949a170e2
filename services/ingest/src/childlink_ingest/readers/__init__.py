"""Reads an extract row by row: CSV, Excel, Parquet or the result of a database query.

Memory use does not grow with the extract. No other module opens an extract. Each value is a text,
as a CSV file would contain it.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from childlink_ingest.errors import ExtractError
from childlink_ingest.model.rows import Rejection
from childlink_ingest.readers.csv_file import open_csv
from childlink_ingest.readers.record import UNREADABLE, Extract, Record, Source

__all__ = ["Extract", "Record", "Source", "open_extract"]

LONGEST_VALUE: Final = 10_000
"""In characters. No contract has nearly such long fields; a longer value is a broken quote or an
attack.
"""
_FEWEST_ROWS, _MOST_CELLS = 200, 500_000
# A spreadsheet would run these as a formula. No name, number or date starts like this.
_FORMULA: Final = ("=", "@", "\t=", "+cmd", "-cmd")
# A number that is wrapped so that a spreadsheet keeps it as a text.
_WRAPPED: Final = re.compile(r'="?[0-9 ]+"?')


Bind = Callable[[Sequence[str]], list[str]]
"""Gives the columns of a header the names that a mapping knows them by."""


@contextmanager
def open_extract(
    path: Path,
    source: Source,
    bind: Bind | None = None,
    used: frozenset[str] | None = None,
) -> Iterator[Extract]:
    """Open an extract with the reader for its kind.

    `used`: the columns that a mapping reads. Others may hold anything. Raises ExtractError if it
    cannot be read, or changes while it is read.
    """
    opener = _opener(path)
    before = _state(path)
    with opener(path, source) as (header, rows):
        names = [name.strip() for name in header]
        if not any(names):
            raise ExtractError(f"{path.name} is empty.", "Export it again, with a header line.")
        names = bind(names) if bind else names
        yield Extract(path, names, _checked(names, rows, source, used))
    if _state(path) != before:
        raise ExtractError(
            f"{path.name} changed while it was read.",
            "Nothing was sent. Wait until the export is complete, then run again.",
        )


def read_ends(
    path: Path, source: Source, most: int, last: int
) -> tuple[list[list[str]], list[list[str]]]:
    """The first `most` rows of an extract as they are, with whatever stands above its header, and
    the last rows that are not among them. Fewer rows of a very wide extract. Raises ExtractError.
    """
    opener = _opener(path)
    with opener(path, replace(source, header_row=1)) as (header, rows):
        first = [header]
        tail: deque[list[str]] = deque(maxlen=last)
        for _, cells in rows:
            if cells is UNREADABLE:
                continue
            fits = len(first) < min(most, max(_FEWEST_ROWS, _MOST_CELLS // max(len(cells), 1)))
            (first if fits else tail).append(cells)
    return first, list(tail)


def _checked(
    header: list[str],
    rows: Iterator[tuple[int, list[str]]],
    source: Source,
    used: frozenset[str] | None,
) -> Iterator[Record | Rejection]:
    width = len(header)
    looked_at = [(at, name) for at, name in enumerate(header) if used is None or name in used]
    for number, cells in rows:
        if cells is UNREADABLE:
            yield Rejection(
                number,
                "(row)",
                "has a quote that is not closed, or stands inside a value",
                "Write a quote inside quotes twice, or export the file again.",
            )
            continue
        if not any(cells):
            continue
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]  # noqa: PLW2901 - empty fields behind the last column
        elif len(cells) < width and source.pad_short_rows:
            cells = [*cells, *[""] * (width - len(cells))]  # noqa: PLW2901
        if len(cells) != width:
            yield Rejection(
                number,
                "(row)",
                f"has {len(cells)} fields where the header has {width}",
                "Quote fields that hold the delimiter. If the end is missing, write short_rows ="
                ' "pad" in the mapping.',
            )
        elif (problem := _problem(looked_at, cells)) is not None:
            yield Rejection(number, *problem)
        else:
            yield Record(number, dict(zip(header, cells, strict=True)))


def _problem(looked_at: list[tuple[int, str]], cells: list[str]) -> tuple[str, str, str] | None:
    whole = "".join(cells)
    if "\0" in whole:
        return "(row)", "contains a NUL byte", "Export the row again."
    if len(whole) > LONGEST_VALUE:
        for at, name in looked_at:
            if len(cells[at]) > LONGEST_VALUE:
                return (
                    name,
                    f"is longer than {LONGEST_VALUE:,} characters",
                    "Look for an unclosed quote.",
                )
    if "=" in whole or "@" in whole or "cmd" in whole:
        for at, name in looked_at:
            if cells[at].startswith(_FORMULA) and not _WRAPPED.fullmatch(cells[at]):
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
