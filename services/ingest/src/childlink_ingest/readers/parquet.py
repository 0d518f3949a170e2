"""Reads Parquet files with pyarrow, one record batch at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from childlink_ingest.errors import ExtractError
from childlink_ingest.readers.record import Source, as_text

_ROWS_AT_A_TIME = 5_000


@contextmanager
def open_parquet(
    path: Path, source: Source
) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """Yield the column names and the numbered rows (from 1: there is no header line).

    Raises ExtractError.
    """
    try:
        with pq.ParquetFile(path) as file:
            yield list(file.schema_arrow.names), _rows(file, path)
    except (pa.ArrowInvalid, OSError) as error:
        raise ExtractError(
            f"{path.name} cannot be read as Parquet ({type(error).__name__}).", "Export it again."
        ) from None


def _rows(file: pq.ParquetFile, path: Path) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for batch in file.iter_batches(batch_size=_ROWS_AT_A_TIME):
            columns = [column.to_pylist() for column in batch.columns]
            for values in zip(*columns, strict=True):
                number += 1
                yield number, [as_text(value) for value in values]
    except (pa.ArrowException, OSError) as error:
        raise ExtractError(
            f"{path.name}, after row {number}: {type(error).__name__}.", "Export it again."
        ) from None
