"""Chooses the rows of an extract, and makes several of one, as the mapping says: `where`, `newest`
and `each`. No I/O: the caller reads the extract.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from childlink_ingest.mapping.dates import DATE_FORMATS, parse_date
from childlink_ingest.mapping.definition import COPY, Column, Mapping
from childlink_ingest.model.rows import Rejection
from childlink_ingest.readers.record import Record

BY_WHERE: Final = "by the mapping's `where`"
NOT_NEWEST: Final = "by the mapping's `newest`: the history has a newer row"
NO_COPY: Final = "by the mapping's `each`: the columns of every table are empty"


def newest_rows(records: Iterable[Record | Rejection], mapping: Mapping) -> frozenset[int] | None:
    """Numbers of the rows that `newest` keeps; None if the mapping has no `newest`. Of equal rows,
    the last is kept.
    """
    if mapping.newest is None:
        return None
    by, order = mapping.newest.by, mapping.newest.order
    best: dict[tuple[str, ...], tuple[tuple[int, float, str], int]] = {}
    for record in records:
        if isinstance(record, Rejection) or not _is_wanted(record, mapping):
            continue
        key = tuple(record.values[name].strip() for name in by)
        rank = _rank(record.values[order].strip())
        if key not in best or best[key][0] <= rank:
            best[key] = (rank, record.number)
    return frozenset(number for _, number in best.values())


def shape(
    records: Iterable[Record | Rejection],
    mapping: Mapping,
    newest: frozenset[int] | None,
    left_out: Counter[str],
) -> Iterator[Record | Rejection]:
    """The rows to map. Counts those that are left out, by reason."""
    copies = [[column for column in copy.values() if column.columns] for copy in mapping.each]
    for record in records:
        if isinstance(record, Rejection):
            yield record
        elif not _is_wanted(record, mapping):
            left_out[BY_WHERE] += 1
        elif newest is not None and record.number not in newest:
            left_out[NOT_NEWEST] += 1
        elif not mapping.each:
            yield record
        else:
            made = [
                number
                for number, columns in enumerate(copies)
                if any(_has_value(record, column) for column in columns)
            ]
            for number in made:
                yield Record(record.number, {**record.values, COPY: str(number)})
            if not made:
                left_out[NO_COPY] += 1


def _is_wanted(record: Record, mapping: Mapping) -> bool:
    return all(
        item.holds("" if (text := record.values[item.column].strip()) in mapping.null else text)
        for item in mapping.where
    )


def _has_value(record: Record, column: Column) -> bool:
    texts = (record.values[name].strip() for name in column.columns)
    return any(text and text not in column.null for text in texts)


def _rank(text: str) -> tuple[int, float, str]:
    """The order of a text: dates by day, numbers by size, others by letters; no value comes
    first.
    """
    if not text:
        return 0, 0.0, ""
    if (day := parse_date(text, DATE_FORMATS)) is not None:
        return 3, float(day.toordinal()), text
    try:
        return 2, float(text), text
    except ValueError:
        return 1, 0.0, text
