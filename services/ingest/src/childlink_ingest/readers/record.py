"""The result of every reader: a header and records."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from childlink_ingest.model.rows import Rejection


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

    def __iter__(self) -> Iterator[Record | Rejection]:
        """The records."""
        return self.records


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
