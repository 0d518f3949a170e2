"""The result of every reader: a header and records."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Final

from childlink_ingest.errors import ExtractError
from childlink_ingest.model.rows import Rejection

UNREADABLE: Final[list[str]] = ["unreadable"]
"""The cells of a row that a reader cannot read."""
_LAST_LINE_OF_HEADER: Final = 100


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the extract: its line (or row) number, and its values by column."""

    number: int
    values: dict[str, str]


@dataclass(frozen=True)
class Source:
    """How to read an extract, as the mapping says."""

    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""
    header_row: int = 1
    """Line of the header. 0: the first line that has one of each of `headers`."""
    skip_rows: int = 0
    """Lines below the header that are no data."""
    pad_short_rows: bool = False
    """Whether a row with fewer fields than the header is filled up."""
    headers: tuple[frozenset[str], ...] = ()
    url_file: Path | None = None
    """File with the SQLAlchemy URL of a database."""


@dataclass(frozen=True)
class Extract:
    """An open extract: its header and its records. The records can be read once.

    A row that is not a valid record comes as a Rejection.
    """

    path: Path
    header: list[str]
    records: Iterator[Record | Rejection]
    left_out: Counter[str] = field(default_factory=Counter)
    """Number of rows that the mapping leaves out, by reason. It grows while records are read."""

    def __iter__(self) -> Iterator[Record | Rejection]:
        """The records."""
        return self.records


def header_and_rows(
    rows: Iterator[tuple[int, list[str]]], source: Source, name: str
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Find the header in numbered rows. Raises ExtractError if it cannot be found."""
    header: list[str] = []
    at = 0
    for number, cells in rows:
        if source.header_row:
            if number < source.header_row:
                continue
        elif not _is_header(cells, source.headers):
            if number > _LAST_LINE_OF_HEADER:
                break
            continue
        header, at = cells, number
        break
    if not header and not source.header_row:
        wanted = ", ".join(sorted(min(names) for names in source.headers))
        raise ExtractError(
            f"{name}: none of the first {_LAST_LINE_OF_HEADER} lines is a header with {wanted}.",
            "Correct the mapping, or export the file again.",
        )
    return header, (row for row in rows if row[0] > at + source.skip_rows)


def _is_header(cells: list[str], headers: tuple[frozenset[str], ...]) -> bool:
    texts = {cell.strip() for cell in cells}
    return all(names & texts for names in headers)


def as_text(value: object) -> str:
    """A cell's value as text, as a CSV file would contain it.

    >>> as_text(12.0), as_text(None), as_text(datetime(2020, 1, 2)), as_text(True), as_text(1.5)
    ('12', '', '2020-01-02', 'true', '1.5')
    """
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if math.isnan(value):  # an empty cell of a data frame
            return ""
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime() if value.time() == time(0):
            return value.date().isoformat()
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case date():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", errors="replace")
        case _:
            return str(value)
