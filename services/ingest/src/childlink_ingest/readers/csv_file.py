"""Reads delimited text: any one-character delimiter, any encoding that Python knows, quoted
newlines, with or without a BOM.
"""

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TextIO

from childlink_ingest.errors import ExtractError
from childlink_ingest.readers.record import UNREADABLE, Source, header_and_rows
from childlink_ingest.readers.sniff import AUTO, sniff

# A large field is only one bad row. Beyond this size the file is not an extract.
_LARGEST_FIELD = 64 * 1024 * 1024
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"PK": "zip",
    b"BZ": "bzip2",
    b"\xfd7": "xz",
    b"7z": "7-zip",
    b"\x28\xb5": "zstandard",
}


_SPREADSHEET_PARTS = (b"xl/", b"content.xml", b"[Content_Types].xml")
# A quoted value has at most so many lines. More is a quote that was never closed.
_MOST_LINES_OF_A_ROW: Final = 100


@contextmanager
def open_csv(
    path: Path, source: Source
) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """Yield the header and the numbered rows of a CSV file. A row that cannot be read is
    `UNREADABLE`. Raises ExtractError.
    """
    if AUTO in (source.encoding, source.delimiter):
        found = sniff(path)
        source = replace(
            source,
            encoding=found.encoding if source.encoding == AUTO else source.encoding,
            delimiter=found.delimiter if source.delimiter == AUTO else source.delimiter,
        )
    _check(source)
    csv.field_size_limit(_LARGEST_FIELD)
    plain = source.encoding.lower().replace("_", "-")
    try:
        with path.open("rb") as raw:
            begin = raw.read(4096)
        file = path.open(
            encoding="utf-8-sig" if plain in ("utf-8", "utf8") else source.encoding, newline=""
        )
    except OSError as error:
        raise ExtractError(
            f"{path} cannot be read: {error.strerror}.", "Check the path and the permissions."
        ) from None
    with file:
        _refuse_other_kinds(path, begin)
        lines = _decoded(file, path, source.encoding)
        yield header_and_rows(_rows(lines, source.delimiter), source, path.name)


def _refuse_other_kinds(path: Path, begin: bytes) -> None:
    if begin[:2] == b"PK" and any(part in begin for part in _SPREADSHEET_PARTS):
        raise ExtractError(
            f"{path.name} is a spreadsheet, not a text file.",
            "Rename it to end with .xlsx (or .ods), or save it as CSV.",
        )
    if begin[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise ExtractError(
            f"{path.name} is an old or password-protected Office file, not a text file.",
            "If it has a password, save it without one. Otherwise rename it to end with .xls.",
        )
    if kind := _COMPRESSED.get(begin[:2]):
        raise ExtractError(
            f"{path.name} is a {kind} archive.",
            "Unpack it first. childlink never unpacks archives.",
        )
    if begin.lstrip()[:1] == b"<" and b"<html" in begin.lower():
        raise ExtractError(
            f"{path.name} is a web page (HTML).",
            "Open it in a spreadsheet, and save it as CSV or .xlsx.",
        )


def _decoded(file: TextIO, path: Path, encoding: str) -> Iterator[str]:
    try:
        yield from file
    except UnicodeError:
        raise _not_decodable(path, encoding) from None


class _Lines:
    """The lines of a file, with those of the row that is being read. They can be given back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._back: deque[str] = deque()
        self.row: list[str] = []
        self.number = 0
        """Number of the last line that was read."""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.row) >= _MOST_LINES_OF_A_ROW:
            raise _TooManyLinesError
        line = self._back.popleft() if self._back else next(self._lines)
        self.row.append(line)
        self.number += 1
        return line

    def give_back(self) -> None:
        """Give back all lines of the row but the first."""
        self._back.extendleft(reversed(self.row[1:]))
        self.number -= len(self.row) - 1


class _TooManyLinesError(Exception):
    pass


def _rows(decoded: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows, with the number of their last line.

    A stray quote costs the row in which it stands: if a quoted value is not closed, or is closed
    where no delimiter follows, the row's first line is unreadable, and reading goes on with the
    next line.
    """
    lines = _Lines(decoded)
    width = 0
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.row.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooManyLinesError):
            lines.give_back()
            yield lines.number, UNREADABLE
            # After an error within a quoted value, the reader would take the next line for a part
            # of it.
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        if len(lines.row) > 1 and width and len(cells) != width:
            lines.give_back()
            yield lines.number, UNREADABLE
            continue
        width = len(cells) or width
        yield lines.number, cells


def _check(source: Source) -> None:
    try:
        if not codecs.lookup(source.encoding)._is_text_encoding:
            raise LookupError
    except LookupError:
        raise ExtractError(
            f"{source.encoding!r} is not an encoding.", "Use utf-8, cp1252 or latin-1."
        ) from None
    if len(source.delimiter) != 1 or source.delimiter in '"\r\n':
        raise ExtractError(
            f"The delimiter must be one character, not {source.delimiter!r}.",
            "Correct the mapping.",
        )


def _not_decodable(path: Path, encoding: str) -> ExtractError:
    other = "cp1252" if encoding.lower().startswith("utf") else "utf-8"
    line = _first_bad_line(path, encoding)
    return ExtractError(
        f"{path.name}, line {line} is not {encoding}.",
        f'Set `encoding = "{other}"` in the mapping.',
    )


def _first_bad_line(path: Path, encoding: str) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return number
    return 0
