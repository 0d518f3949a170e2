"""Reads an extract row by row; memory stays flat. Adapter: the only module that opens an extract."""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from childlink_ingest.errors import ExtractError
from childlink_ingest.rows import Rejection


@dataclass(frozen=True)
class Record:
    """A record of the extract: its line in the file and its values by column."""

    number: int
    values: dict[str, str]


@dataclass(frozen=True)
class CsvExtract:
    """An open CSV file: its header, then its records. A ragged row comes as a Rejection."""

    path: Path
    header: list[str]
    size: int
    _reader: Iterator[list[str]]
    _encoding: str
    _line: "list[int]"

    def __iter__(self) -> Iterator[Record | Rejection]:
        """Yield each record once."""
        width = len(self.header)
        while True:
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except UnicodeError:
                raise _not_decodable(self.path, self._encoding) from None
            except csv.Error as error:
                raise ExtractError(
                    f"{self.path.name}, near line {self._line[0]}: {error}.",
                    "Export the file again; look for a stray quote.",
                ) from None
            number = self._reader.line_num  # type: ignore[attr-defined]
            self._line[0] = number
            if not cells:
                continue
            if len(cells) != width:
                yield Rejection(
                    number,
                    "(row)",
                    f"has {len(cells)} fields where the header has {width}",
                    "Quote fields that hold the delimiter.",
                )
            elif any("\0" in cell for cell in cells):
                yield Rejection(number, "(row)", "holds a NUL byte", "Export the row again.")
            else:
                yield Record(number, dict(zip(self.header, cells, strict=True)))


@contextmanager
def open_csv(path: Path, encoding: str = "utf-8", delimiter: str = ",") -> Iterator[CsvExtract]:
    """Open a CSV extract. Raises ExtractError when it cannot be read as one."""
    try:
        if not codecs.lookup(encoding)._is_text_encoding:
            raise LookupError
    except LookupError:
        raise ExtractError(f"{encoding!r} is not an encoding.", "Use utf-8, cp1252 or latin-1.") from None
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ExtractError(f"The delimiter must be one character, not {delimiter!r}.", "Correct the mapping.")
    try:
        size = path.stat().st_size
        file = path.open(
            encoding="utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding, newline=""
        )
    except OSError as error:
        raise ExtractError(f"{path} cannot be read: {error.strerror}.", "Check the path and the permissions.") from None
    with file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
        except UnicodeError:
            raise _not_decodable(path, encoding) from None
        except csv.Error as error:
            raise ExtractError(f"{path.name}, line 1: {error}.", "Is this a CSV file?") from None
        if not any(header):
            raise ExtractError(f"{path.name} is empty.", "Export it again, with a header line.")
        yield CsvExtract(path, header, size, reader, encoding, [1])


def _not_decodable(path: Path, encoding: str) -> ExtractError:
    other = "cp1252" if encoding.lower().startswith("utf") else "utf-8"
    line = _first_bad_line(path, encoding)
    return ExtractError(f"{path.name}, line {line} is not {encoding}.", f'Set `encoding = "{other}"` in the mapping.')


def _first_bad_line(path: Path, encoding: str) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return number
    return 0
