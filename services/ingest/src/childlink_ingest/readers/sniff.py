"""Detects the encoding and the delimiter of a text file, for `map`."""

import csv
from pathlib import Path
from typing import Final

from childlink_ingest.errors import ExtractError
from childlink_ingest.readers.record import Source

AUTO: Final = "auto"
"""An encoding or delimiter that is to be found by content."""
_SAMPLE_BYTES = 1024 * 1024


def sniff(path: Path) -> Source:
    """Detect the source options of a file. Spreadsheets, Parquet files and queries need none.

    Raises ExtractError if the file cannot be read.
    """
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet", ".sql"):
        return Source()
    try:
        with path.open("rb") as file:
            sample = file.read(_SAMPLE_BYTES)
    except OSError as error:
        raise ExtractError(
            f"{path} cannot be read: {error.strerror}.", "Check the path and the permissions."
        ) from None
    text, encoding = _decode(sample)
    lines = "\n".join(text.splitlines()[:200])
    try:
        delimiter = csv.Sniffer().sniff(lines, delimiters=",;\t|^~").delimiter
    except csv.Error:
        delimiter = ","
    return Source(encoding=encoding, delimiter=delimiter)


def _decode(sample: bytes) -> tuple[str, str]:
    for encoding in (
        ("utf-16",) if sample[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8", "cp1252")
    ):
        try:
            return sample.decode(encoding), encoding
        except UnicodeDecodeError as error:
            # The sample may end inside a character.
            if (
                encoding == "utf-8"
                and error.start > len(sample) - 4
                and len(sample) == _SAMPLE_BYTES
            ):
                return sample[: error.start].decode(encoding), encoding
    return sample.decode("latin-1"), "latin-1"
