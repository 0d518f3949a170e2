"""Dates as sources write them: formats, times of day, day numbers of Excel, and dates of which only
a part is known. No I/O.
"""

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from childlink_ingest.mapping.language import (
    EXCEL,
)
from childlink_ingest.model.rows import Precision

DATE_FORMATS: Final = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%Y%m%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
)
# Dates of birth of which a source knows only the month and year, or the year.
PARTIAL_FORMATS: Final[tuple[tuple[str, Precision], ...]] = (
    ("%Y-%m", "month"),
    ("%m/%Y", "month"),
    ("%b %Y", "month"),
    ("%B %Y", "month"),
    ("%Y", "year"),
)
_TIME_OF_DAY: Final = re.compile(
    r"^(.*?\d)(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AP]M)?(?:Z| ?[+-]\d{2}:?\d{2})?)$",
    re.IGNORECASE,
)
_EXCEL_START: Final = date(1899, 12, 30)
_LATEST_OF_EXCEL: Final = 2_958_465


@lru_cache(maxsize=100_000)
def parse_date(text: str, formats: tuple[str, ...]) -> date | None:
    """Parse a date with the first of `formats` that fits. Returns None if none fits.

    A time of day behind the date is ignored.

    >>> parse_date("2019-03-17 00:00:00.0000000", ("%Y-%m-%d",))
    datetime.date(2019, 3, 17)
    >>> parse_date("43541", ("excel",)), parse_date("17/03/2019 09:30", ("%d/%m/%Y",))
    (datetime.date(2019, 3, 17), datetime.date(2019, 3, 17))
    """
    for form in formats:
        if form == EXCEL:
            whole = text.removesuffix(".0")
            if whole.isdigit() and 0 < int(whole) <= _LATEST_OF_EXCEL:
                return _EXCEL_START + timedelta(days=int(whole))
            continue
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    timed = _TIME_OF_DAY.match(text)
    return parse_date(timed[1].strip(), formats) if timed else None


@lru_cache(maxsize=100_000)
def parse_partial_date(text: str, form: str | None) -> tuple[date, Precision] | None:
    """Parse a date without its day, or without its day and month. Returns None for any other text.

    `form` is the format of whole dates. If they are in several columns, the empty ones are unknown.

    >>> parse_partial_date("June 2015", None), parse_partial_date("2015", "%d/%m/%Y")
    ((datetime.date(2015, 6, 1), 'month'), (datetime.date(2015, 1, 1), 'year'))
    >>> parse_partial_date("1962|5|", "%Y|%m|%d"), parse_partial_date("01/06/2015", None)
    ((datetime.date(1962, 5, 1), 'month'), None)
    """
    if form and "|" in form and text.count("|") == form.count("|"):
        parts = zip(text.split("|"), form.split("|"), strict=True)
        known = {directive: part for part, directive in parts if part}
        text = "-".join(known.get(directive, "") for directive in ("%Y", "%m")).rstrip("-")
        if "%d" in known and "%m" in known:
            return None
    for partial, precision in PARTIAL_FORMATS:
        if found := parse_date(text, (partial,)):
            return found, precision
    return None


def is_date_format(form: str) -> bool:
    """Whether a format keeps day, month and year."""
    if form == EXCEL:
        return True
    try:
        return parse_date(date(2019, 12, 31).strftime(form), (form,)) == date(2019, 12, 31)
    except ValueError:
        return False
