"""Chooses the rows of an extract, and makes several of one or one of several, as the mapping says:
`where`, `newest`, `pivot` and `each`. No I/O: the caller reads the extract.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Final

from childlink_ingest.mapping.dates import DATE_FORMATS, parse_date
from childlink_ingest.mapping.definition import COPY, Column, Mapping, Newest, Pivot, stands_for
from childlink_ingest.model.rows import Rejection
from childlink_ingest.readers.record import Record

BY_WHERE: Final = "by the mapping's `where`"
NOT_NEWEST: Final = "by the mapping's `newest`: the history has a newer row"
NO_COPY: Final = "by the mapping's `each`: the columns of every table are empty"


JOINED: Final = "by the mapping's `pivot`: they became part of another row"
NO_CELL: Final = "by the mapping's `pivot`: no column takes a value from a row of this name"
OTHER_VALUE: Final = "by the mapping's `pivot`: an earlier row of this name has another value"


@dataclass(frozen=True)
class Choice:
    """What a first reading of an extract chose."""

    kept: Map[int, Map[str, str]]
    """The numbers of the rows that stay, each with the values that other rows add to it."""
    others: Map[int, str]
    """Why other rows do not stay, where it is not `otherwise`."""
    otherwise: str


def choose(records: Iterable[Record | Rejection], mapping: Mapping) -> Choice | None:
    """What `newest` or `pivot` keeps; None if the mapping has neither, so one reading is enough."""
    wanted = (
        record
        for record in records
        if not isinstance(record, Rejection) and _is_wanted(record, mapping)
    )
    if mapping.newest is not None:
        kept: dict[int, Map[str, str]] = {at: {} for at in _newest(wanted, mapping.newest)}
        return Choice(kept, {}, NOT_NEWEST)
    if mapping.pivot is not None:
        return _joined(wanted, mapping.pivot, mapping.null)
    return None


def _newest(records: Iterable[Record], newest: Newest) -> list[int]:
    """Numbers of the newest rows. Of equal rows, the last is kept."""
    best: dict[tuple[str, ...], tuple[tuple[int, float, str], int]] = {}
    for record in records:
        key = tuple(record.values[name].strip() for name in newest.by)
        rank = _rank(record.values[newest.order].strip())
        if key not in best or best[key][0] <= rank:
            best[key] = (rank, record.number)
    return [number for _, number in best.values()]


def _joined(records: Iterable[Record], pivot: Pivot, null: frozenset[str]) -> Choice:
    """The first row of each group, with the values of all its rows. A row without a key stays by
    itself, because nothing says whose it is.
    """
    nothing = dict.fromkeys(pivot.cells, "")
    first: dict[tuple[str, ...], int] = {}
    kept: dict[int, dict[str, str]] = {}
    others: dict[int, str] = {}
    for record in records:
        key = tuple(record.values[name].strip() for name in pivot.by)
        at = first.setdefault(key, record.number) if any(key) else record.number
        cells = kept.setdefault(at, dict(nothing))
        why = _fill(cells, record, pivot, null)
        if at != record.number and why != JOINED:
            others[record.number] = why
    return Choice(kept, others, JOINED)


def _fill(cells: dict[str, str], record: Record, pivot: Pivot, null: frozenset[str]) -> str:
    """Put a row's values where they belong. Returns what became of the row."""
    name = record.values[pivot.name].strip()
    why = NO_CELL
    for cell, (column, rows) in pivot.cells.items():
        if not any(stands_for(row, name) for row in rows):
            continue
        text = record.values[column].strip()
        text = "" if text in null else text
        if text and cells[cell] and cells[cell] != text:
            why = OTHER_VALUE
        else:
            cells[cell] = text or cells[cell]
            why = JOINED if why == NO_CELL else why
    return why


def shape(
    records: Iterable[Record | Rejection],
    mapping: Mapping,
    choice: Choice | None,
    left_out: Counter[str],
) -> Iterator[Record | Rejection]:
    """The rows to map. Counts those that are left out, by reason."""
    copies = [[column for column in copy.values() if column.columns] for copy in mapping.each]
    for record in records:
        if isinstance(record, Rejection):
            yield record
        elif not _is_wanted(record, mapping):
            left_out[BY_WHERE] += 1
        elif choice is not None and record.number not in choice.kept:
            left_out[choice.others.get(record.number, choice.otherwise)] += 1
        else:
            added = choice.kept[record.number] if choice is not None else {}
            whole = Record(record.number, {**record.values, **added}) if added else record
            yield from _copies(whole, copies, left_out) if copies else (whole,)


def _copies(record: Record, copies: list[list[Column]], left_out: Counter[str]) -> Iterator[Record]:
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
