"""Dimensions: the categories that tables are broken down by. Values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.language import DimensionKeys, PeriodKeys, PeriodUnit, StepsKeys

EARLIER = "earlier"
"""The category of everything before the single periods."""
NOT_RECORDED = "not_recorded"
"""The category of those of whom nothing is recorded."""
_QUARTERS = ("January to March", "April to June", "July to September", "October to December")
_FIRST_MONTH: Mapping[PeriodUnit, int] = {
    "quarter": 1,
    "calendar_year": 1,
    "financial_year": 4,
    "school_year": 9,
}
"""The month in which the first period of a year begins: the financial year on 1 April, the school
year on 1 September.
"""


@dataclass(frozen=True)
class Dimension:
    """Sorts each counted person or family into exactly one category, or into several if
    overlapping.
    """

    id: str
    title: str
    categories: Mapping[str, str]
    """Title by category id, in order."""
    midpoints: Mapping[str, float] | None = None
    """For bands: the midpoint of each."""
    overlapping: bool = False
    """Whether people may be in several categories (services, quarters).

    The counts of distinct people then do not add up, so the total is a separate count.
    """
    within: str = ""
    """An overlapping dimension that must be in every cube with this one, because this dimension
    describes a person within it.
    """
    once: str = ""
    """The category that holds each person exactly once, over all of `within`."""
    same: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Categories that hold exactly the people of a category of another dimension."""
    ordered: bool = False
    """Whether the categories (except `not_recorded`) are ordered, so that inequality can be
    measured.
    """
    parts: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """Categories that are made up of categories of a finer dimension (an area of its wards)."""
    period: PeriodUnit | None = None
    """The unit of time, if categories are periods."""
    first_month: str = ""
    """Of periods: the first month ("YYYY-MM") of the first single one."""


def dimension_of(
    name: str, keys: DimensionKeys, until: date, lists: Mapping[str, Mapping[str, str]], where: str
) -> Dimension:
    """A dimension, with periods up to a day. `lists` are the titles of services and instruments.
    Raises CatalogueError.
    """
    midpoints: Mapping[str, float] | None = keys.midpoints or None
    first_month = ""
    if keys.steps:
        categories, midpoints = _steps(keys.steps)
    elif keys.period:
        categories = periods(keys.period, until)
        first_month = _first_month(keys.period, until)
    elif keys.categories_from:
        if keys.categories_from not in lists:
            raise CatalogueError(
                f"{where}: dimension {name} takes its categories from {keys.categories_from}, and"
                " there are none.",
                f"Use: {', '.join(lists)}; or declare them in areas.toml.",
            )
        categories = dict(lists[keys.categories_from])
        if missing := sorted(set(keys.only) - set(categories)):
            raise CatalogueError(
                f"{where}: dimension {name} takes {missing[0]} from {keys.categories_from}, which"
                " does not have it.",
                f"Use: {', '.join(categories)}.",
            )
        categories = {
            key: title for key, title in categories.items() if key in keys.only or not keys.only
        }
    else:
        categories = dict(keys.categories)
    shown = {**keys.before, **categories, **keys.after}
    if unknown := sorted(set(midpoints or {}) - set(shown)):
        raise CatalogueError(
            f"{where}: dimension {name} has a midpoint of {unknown[0]}, and no such category.",
            f"Its categories are: {', '.join(shown)}.",
        )
    return Dimension(
        name,
        keys.title,
        shown,
        midpoints,
        keys.overlapping,
        keys.within or "",
        keys.once or "",
        dict(keys.same),
        keys.ordered,
        {category: (other, tuple(fine)) for category, (other, fine) in keys.parts.items()},
        keys.period.unit if keys.period else None,
        first_month,
    )


def _steps(keys: StepsKeys) -> tuple[dict[str, str], dict[str, float]]:
    lows = range(keys.first, keys.last + 1, keys.step)
    # Centred bands contain scores on both sides of the middle. Otherwise whole numbers at a band's
    # edge would shift its mean.
    half = keys.step // 2 if keys.centred else 0
    last = keys.step - 1 if keys.whole else keys.step
    categories = {
        str(low): f"{low - half} to {low - half + last}" if last else str(low) for low in lows
    }
    return categories, {str(low): low - half + last / 2 for low in lows}


def periods(keys: PeriodKeys, until: date) -> dict[str, str]:
    """The last periods up to a day, oldest first, after one category for all earlier time.

    >>> periods(PeriodKeys(unit="quarter", last=2), date(2024, 5, 1))
    {'earlier': 'Before 2024', '2024-Q1': 'January to March 2024', '2024-Q2': 'April to June 2024'}
    >>> periods(PeriodKeys(unit="school_year", last=2), date(2024, 5, 1))
    {'earlier': 'Before September 2022', '2022/23': '2022/23', '2023/24': '2023/24'}
    """
    names = dict.fromkeys(
        period_of(keys.unit, month) for month in _months(_first_month(keys, until), until)
    )
    year, month = map(int, _first_month(keys, until).split("-"))
    before = f"Before {year}" if month == 1 else f"Before {date(year, month, 1):%B %Y}"
    return {EARLIER: before, **{name: _title(keys.unit, name) for name in names}}


def period_of(unit: PeriodUnit, month: str) -> str:
    """The period of a month.

    >>> period_of("quarter", "2024-05"), period_of("calendar_year", "2024-05")
    ('2024-Q2', '2024')
    >>> period_of("financial_year", "2024-03"), period_of("financial_year", "2024-04")
    ('2023/24', '2024/25')
    """
    year, number = int(month[:4]), int(month[5:7])
    if unit == "quarter":
        return f"{year}-Q{(number + 2) // 3}"
    if unit == "calendar_year":
        return f"{year}"
    begins = year if number >= _FIRST_MONTH[unit] else year - 1
    return f"{begins}/{(begins + 1) % 100:02d}"


def _first_month(keys: PeriodKeys, until: date) -> str:
    at = until.year * 12 + until.month - 1
    if keys.unit == "quarter":
        first = at // 3 * 3 - 3 * (keys.last - 1)
    else:
        offset = _FIRST_MONTH[keys.unit] - 1
        first = (at - offset) // 12 * 12 + offset - 12 * (keys.last - 1)
    return f"{first // 12}-{first % 12 + 1:02d}"


def _months(first: str, until: date) -> list[str]:
    begins = int(first[:4]) * 12 + int(first[5:7]) - 1
    return [f"{at // 12}-{at % 12 + 1:02d}" for at in range(begins, until.year * 12 + until.month)]


def _title(unit: PeriodUnit, name: str) -> str:
    return f"{_QUARTERS[int(name[6]) - 1]} {name[:4]}" if unit == "quarter" else name
