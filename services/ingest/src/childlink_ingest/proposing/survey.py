"""Finds what a mapping has to say so that an extract can be read: where the header is, which rows
are no data, and which texts mean that there is no value. No I/O.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from childlink_ingest.mapping.bind import named
from childlink_ingest.mapping.dates import DATE_FORMATS, parse_date

_ROWS_ABOVE: Final = 30
_HEADER_FILLED: Final = 0.8
_HEADER_WORDS: Final = 0.8
_MOST_INSTRUCTIONS: Final = 3
_PROSE: Final = frozenset(
    ["required", "optional", "mandatory", "must", "format", "leave", "enter", "example", "should"]
)
_NULLS: Final = frozenset(
    [
        "NULL",
        "null",
        "(null)",
        "<null>",
        "\\N",
        "N/A",
        "n/a",
        "#N/A",
        "NaN",
        "nan",
        "None",
        "NK",
        "Not Known",
        "Not known",
        "-",
        "--",
        "?",
        ".",
    ]
)
_COLUMNS_OF_A_NULL: Final = 2
_ODD: Final = 0.5
"""A row with less than this share of the usual number of values is no row of data."""
_MOST_ODD: Final = 0.05


@dataclass(frozen=True)
class Survey:
    """What was found in the first and last rows of an extract."""

    header: list[str]
    """A name for each column."""
    rows: list[dict[str, str]]
    """Rows of data, without texts that mean that there is no value."""
    odd: list[dict[str, str]]
    """Rows with few values, such as totals."""
    options: dict[str, object]
    """Keys of the mapping that are needed to read the extract."""
    questions: list[str]


def survey(raw: Sequence[Sequence[str]], tail: Sequence[Sequence[str]] = ()) -> Survey:
    """Survey the first rows of an extract, from its first line, and its last rows.

    >>> rows = [["Report of May"], ["NHS No", "Name"], ["9990000018", "Nia"], ["9990000026", "Li"]]
    >>> survey(rows).options
    {'header_row': 'find'}
    """
    at = _header_at(raw)
    header = named(raw[at]) if raw else []
    skip = _instructions(raw[at + 1 :])
    options: dict[str, object] = {}
    questions = []
    if at:
        options["header_row"] = "find"
    if skip:
        options["skip_rows"] = skip
        questions.append(
            f"{skip} row below the header looks like instructions, and is left out. Is that right?"
        )
    body = [_fitted(cells, len(header)) for cells in raw[at + 1 + skip :] if any(cells)]
    ends = [_fitted(cells, len(header)) for cells in tail if any(cells)]
    null = _null_texts(body)
    if null:
        options["null"] = null
    nothing = frozenset(null)
    clean = [[_clean(cell, nothing) for cell in cells] for cells in body]
    clean_ends = [[_clean(cell, nothing) for cell in cells] for cells in ends]
    usual = median([sum(map(bool, cells)) for cells in clean]) if clean else 0.0

    def is_odd(cells: Sequence[str]) -> bool:
        return sum(map(bool, cells)) < _ODD * usual

    odd = [cells for cells in clean if is_odd(cells)]
    odd += [cells for cells in clean_ends if is_odd(cells) and cells not in odd]
    if len(odd) > max(_MOST_ODD * len(clean), _MOST_INSTRUCTIONS):
        odd = []
    normal = [cells for cells in clean if cells not in odd]
    shorter = [cells for cells in [*raw[at + 1 + skip :], *tail] if 0 < len(cells) < len(header)]
    if any(map(any, shorter)):
        options["short_rows"] = "pad"
    return Survey(
        header,
        [dict(zip(header, cells, strict=True)) for cells in normal],
        [dict(zip(header, cells, strict=True)) for cells in odd],
        options,
        questions,
    )


def _header_at(raw: Sequence[Sequence[str]]) -> int:
    """Number of the row with the header, from 0: the first row that is nearly as full as any, and
    holds words.
    """
    first = raw[:_ROWS_ABOVE]
    most = max((len(_filled(cells)) for cells in first), default=0)
    for at, cells in enumerate(first):
        filled = _filled(cells)
        words = sum(1 for cell in filled if _is_title(cell))
        if len(filled) >= _HEADER_FILLED * most and words >= _HEADER_WORDS * len(filled):
            return at
    return 0


def _is_title(text: str) -> bool:
    return bool(re.search(r"[^\W\d_]", text)) and parse_date(text, DATE_FORMATS) is None


def _filled(cells: Sequence[str]) -> set[str]:
    """The different texts of a row."""
    return {cell.strip() for cell in cells if cell.strip()}


def _instructions(below: Sequence[Sequence[str]]) -> int:
    """Number of rows below the header that are instructions."""
    for number, cells in enumerate(below[:_MOST_INSTRUCTIONS]):
        filled = [cell.lower() for cell in cells if cell.strip()]
        prose = sum(1 for cell in filled if _PROSE & set(re.findall(r"[a-z]+", cell)))
        if not filled or prose < 0.3 * len(filled):
            return number
    return 0


def _fitted(cells: Sequence[str], width: int) -> list[str]:
    return [cell.strip() for cell in [*cells[:width], *[""] * (width - len(cells))]]


def _null_texts(rows: Sequence[Sequence[str]]) -> list[str]:
    """Texts for missing values that stand in several columns."""
    columns: Counter[str] = Counter()
    for column in zip(*rows, strict=True):
        columns.update(set(column) & _NULLS)
    return sorted(text for text, count in columns.items() if count >= _COLUMNS_OF_A_NULL)


def _clean(text: str, null: frozenset[str]) -> str:
    return "" if text in null else text
