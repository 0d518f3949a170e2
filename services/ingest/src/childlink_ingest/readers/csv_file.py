"""Reads delimited text: any one-character delimiter, any encoding that Python knows, quoted
newlines, with or without a BOM.
"""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from childlink_ingest.errors import ExtractError
from childlink_ingest.readers.record import Source

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


@contextmanager
def open_csv(
    path: Path, source: Source
) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """Yield the header and the numbered rows of a CSV file. Raises ExtractError."""
    _check(source)
    csv.field_size_limit(_LARGEST_FIELD)
    plain = source.encoding.lower().replace("_", "-")
    try:
        with path.open("rb") as raw:
            kind = _COMPRESSED.get(raw.read(2))
        file = path.open(
            encoding="utf-8-sig" if plain in ("utf-8", "utf8") else source.encoding, newline=""
        )
    except OSError as error:
        raise ExtractError(
            f"{path} cannot be read: {error.strerror}.", "Check the path and the permissions."
        ) from None
    with file:
        if kind:
            raise ExtractError(
                f"{path.name} is a {kind} archive.",
                "Unpack it first. childlink never unpacks archives.",
            )
        reader = csv.reader(file, delimiter=source.delimiter, strict=True)
        rows = _rows(reader, path, source.encoding)
        header: list[str] = []
        for number, cells in rows:
            if number >= source.header_row:
                header = cells
                break
        yield header, rows


def _rows(reader: Any, path: Path, encoding: str) -> Iterator[tuple[int, list[str]]]:
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except UnicodeError:
            raise _not_decodable(path, encoding) from None
        except csv.Error as error:
            raise ExtractError(
                f"{path.name}, near line {line}: {error}.",
                "Look for a stray quote, or export the file again.",
            ) from None
        line = reader.line_num
        yield line, cells


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
