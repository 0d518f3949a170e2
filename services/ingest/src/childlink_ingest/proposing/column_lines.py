"""Columns of an extract, and the lines of a mapping that read them: formats of dates, codes and
numbers. No I/O.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from childlink_catalogue.catalogue import codings
from childlink_catalogue.datasets import Field

from childlink_ingest.mapping.apply import completed_weeks
from childlink_ingest.mapping.dates import DATE_FORMATS, parse_date
from childlink_ingest.mapping.language import EXCEL
from childlink_ingest.proposing.header_words import ADULT_WORDS, CHILD_WORDS, words_of

ENOUGH: Final = 0.8
_MOST_CODES: Final = 40
_MOST_UNKNOWN_CODES: Final = 0.5
_DATES: Final = 0.95
_FIRST_SERIAL: Final = date(1980, 1, 1)
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2100, 1, 1)
_FORMATS: Final = (
    *DATE_FORMATS,
    "%d/%m/%y",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d %B %Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%Y/%m/%d",
)


@dataclass(frozen=True)
class ExtractColumn:
    """A column of the extract: its header, the words of it, and its values without empty ones."""

    name: str
    words: frozenset[str]
    values: list[str]

    @property
    def role(self) -> str | None:
        if self.words & ADULT_WORDS:
            return "adult"
        return "child" if self.words & CHILD_WORDS else None

    def share(self, test: Callable[[str], object]) -> float:
        return (
            sum(1 for value in self.values if test(value)) / len(self.values)
            if self.values
            else 0.0
        )


def coded_share(field: Field, column: ExtractColumn) -> float:
    """The share of values that the field's coding knows."""
    table = codings()[field.coding]
    return column.share(lambda v: v.lower() in table)


def line_for(field: Field, column: ExtractColumn) -> str | None:
    """The mapping line from the column to the field; None if the values do not fit."""
    distinct = Counter(column.values)
    if field.name == "imd_quintile" and "decile" in column.words:
        deciles = {str(decile) for decile in range(1, 11)}
        if not distinct.keys() <= deciles:
            return None
        quintiles = ", ".join(f'"{d}" = {(d + 1) // 2}' for d in range(1, 11))
        return f"{{ column = {quoted(column.name)}, codes = {{ {quintiles} }} }}"
    match field.type:
        case "month":
            return date_line(column) if formats_of(column.values) else None
        case "integer" | "number":
            weeks = "weeks" in field.unit
            numbers = [completed_weeks(v) if weeks else v for v in column.values]
            form = r"-?\d+(\.0+)?" if field.type == "integer" else r"-?\d+(\.\d+)?"
            low, high = field.range or (-math.inf, math.inf)
            fits = [v for v in numbers if re.fullmatch(form, v)]
            good = len(fits) / len(numbers)
            inside = sum(low <= float(v) <= high for v in fits) / len(numbers)
            return quoted(column.name) if good >= ENOUGH and inside >= ENOUGH else None
        case "flag":
            if {v.lower() for v in distinct} <= {"true", "false", "yes", "no", "y", "n", "1", "0"}:
                return quoted(column.name)
            table = {
                "above": True,
                "at or above": True,
                "met": True,
                "achieved": True,
                "pass": True,
                "expected": True,
                "below": False,
                "not met": False,
                "fail": False,
                "emerging": False,
            }
            known = {
                **{k: v == "true" if v else "" for k, v in codings().get(field.coding, {}).items()},
                **table,
            }
        case _:
            known = dict(codings().get(field.coding, {code: code for code in field.codes}))
            known |= {code.replace("_", " "): code for code in field.codes}
            if set(distinct) <= set(field.codes):
                return quoted(column.name)
    if len(distinct) > _MOST_CODES:
        return None
    codes = {
        value: known.get(
            value.lower(), known.get(re.sub(r"[^a-z0-9]+", " ", value.lower()).strip(), "?")
        )
        for value in distinct
    }
    unknown = sum(count for value, count in distinct.items() if codes[value] == "?")
    if unknown > _MOST_UNKNOWN_CODES * len(column.values) and not column.words & words_of(
        field.name
    ):
        return None
    if not any(code not in ("", "?") for code in codes.values()):
        return None
    pairs = ", ".join(f"{quoted(v)} = {_value(codes[v])}" for v in sorted(distinct))
    return f"{{ column = {quoted(column.name)}, codes = {{ {pairs} }} }}"


def formats_of(values: Sequence[str]) -> tuple[str, ...]:
    """The formats that fit nearly all values; () if none do.

    If both day-first and month-first could fit, some value decides. Several formats are found only
    where no date fits two of them.
    """
    sample = values[:500]
    if not sample:
        return ()
    enough = _DATES * len(sample)

    def fitting(form: str) -> frozenset[int]:
        days = [parse_date(value, (form,)) for value in sample]
        return frozenset(at for at, day in enumerate(days) if day and _is_plausible(day, form))

    fits = {form: fitting(form) for form in (*_FORMATS, EXCEL)}
    best = max(fits, key=lambda form: len(fits[form]))  # of equal ones the first
    if len(fits[best]) >= enough:
        return (best,)
    found, covered = [best], fits[best]
    for form in sorted(fits, key=lambda form: -len(fits[form])):
        if fits[form] and not fits[form] & covered:
            found.append(form)
            covered |= fits[form]
    return tuple(found) if len(covered) >= enough else ()


def _is_plausible(day: date, form: str) -> bool:
    return (_FIRST_SERIAL if form == EXCEL else _FIRST_DAY) <= day <= _LAST_DAY


def date_line(column: ExtractColumn) -> str:
    """The line that reads a column of dates."""
    formats = formats_of(column.values)
    said = quoted(formats[0]) if len(formats) == 1 else as_toml(list(formats))
    return f"{{ column = {quoted(column.name)}, format = {said} }}"


def quoted(text: str) -> str:
    """A text as TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def as_toml(value: object) -> str:
    """A value as TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(quoted, value))}]"
    return quoted(value) if isinstance(value, str) else str(value)


def _value(code: object) -> str:
    return ("true" if code else "false") if isinstance(code, bool) else quoted(str(code))
