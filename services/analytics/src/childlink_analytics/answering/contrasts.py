"""The difference and the ratio of any two groups or times, or of two measures, from the protected
cells of a release. Rule: a release in, figures out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from childlink_catalogue.measures import Measure

from childlink_analytics.answering import estimates
from childlink_analytics.answering.analyses import INTERVALS, NOT_AN_EFFECT
from childlink_analytics.answering.estimates import Estimate, Figured
from childlink_analytics.answering.question import Answer, AnswerCell, Question, answer
from childlink_analytics.errors import QuestionError
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.disclosure import Shown
from childlink_analytics.shared.release_files import Release

Kept = Mapping[str, tuple[str, ...]]
"""Categories kept, by dimension."""
COUNT: Final = "count"
_OVERLAP: Final = (
    "One may be in both groups. The interval is that of separate groups, so it may be too wide or"
    " too narrow."
)
_MISSING: Final[Mapping[str, str]] = {
    "small": "a group is too small to be shown",
    "suppressed": "a group is withheld",
    "small_base": "a group is too small",
    "all_or_none": "nearly all or none of a group are counted",
    "not_collected": "not collected",
    "no_population": "there is no public count of the population",
}


def why_withheld(reason: str) -> str:
    """Why a figure of a group is withheld, in words."""
    return _MISSING.get(reason, "it is withheld")


@dataclass(frozen=True)
class ContrastRow:
    """Two groups, and what lies between them."""

    category: str
    """The category of the breakdown; empty without one."""
    of: AnswerCell
    against: AnswerCell
    difference: Estimate
    ratio: Estimate
    beyond_first: Estimate | None = None
    """Its difference minus that of the first row: a difference in differences if the groups are two
    times.
    """


@dataclass(frozen=True)
class Contrast:
    """Two groups side by side."""

    measure: Measure
    against: Measure
    figure: str
    """What is compared: the kind of estimate, or count."""
    by: str
    rows: list[ContrastRow]
    notes: list[str]


def contrast(
    release: Release, measure_id: str, by: str, of: Kept, against: Kept, per: str = ""
) -> Contrast:
    """Contrast the group `of` with the group `against`, of the same measure or, with `per`, of
    another one. Raises QuestionError.
    """
    other = per or measure_id
    if other == measure_id and dict(of) == dict(against):
        raise QuestionError("against", "both groups are the same", [])
    breakdown = (by,) if by else ()
    first, second = (
        answer(release, Question(name, breakdown, _whole(kept, by)))
        for name, kept in ((measure_id, of), (other, against))
    )
    figure = _figure_of(first, second)
    titles = second.measure.dimensions[by].categories if by else {}
    if by and list(first.measure.dimensions[by].categories) != list(titles):
        raise QuestionError("by", f"{by} has other categories in {other}", [])
    rows = [
        _row(one, two, figure, first, second)
        for one, two in zip(first.cells, second.cells, strict=True)
    ]
    if figure == COUNT and first.measure.unit != second.measure.unit:
        units = Estimate(None, withheld="the units differ")
        rows = [replace(row, difference=units) for row in rows]
    rows = [*rows[:1], *(replace(row, beyond_first=_beyond(row, rows[0])) for row in rows[1:])]
    notes = [*dict.fromkeys([*first.notes[:1], *second.notes[:1]]), INTERVALS]
    if figure == COUNT and per:
        notes.append(
            f"The ratio is of {first.measure.unit} to {second.measure.unit}: two counts, each with"
            " its own interval."
        )
    sorted_by = [first.measure.dimensions[name] for name in {*of, *against}] if not per else []
    everybody = not per and not (of and against)
    if everybody or any(item.overlapping for item in sorted_by):
        notes.append(_OVERLAP)
    if not per:
        notes.append(NOT_AN_EFFECT)
    return Contrast(first.measure, second.measure, figure, by, rows, notes)


def _whole(kept: Kept, by: str) -> dict[str, tuple[str, ...]]:
    if by in kept:
        raise QuestionError("by", f"{by} is both the breakdown and a group", [])
    return dict(kept)


def _figure_of(first: Answer, second: Answer) -> str:
    """What can be compared: the estimate, if both have the same kind, and otherwise the counts."""
    kinds = {item.measure.estimate for item in (first, second)}
    kind = kinds.pop()
    have = all(cell.estimate for item in (first, second) for cell in item.cells)
    return kind if kind and not kinds and have else COUNT


def _row(
    one: AnswerCell, two: AnswerCell, figure: str, first: Answer, second: Answer
) -> ContrastRow:
    category = one.categories[0] if one.categories else ""
    for cell in (one, two):
        shown = cell.count if figure == COUNT else cell.estimate
        if shown is None or shown.value is None:
            why = why_withheld(shown.withheld if shown else "")
            missing = Estimate(None, withheld=why)
            return ContrastRow(category, one, two, missing, missing)
    figures = [_figured(cell, figure, item) for cell, item in ((one, first), (two, second))]
    return ContrastRow(
        category,
        one,
        two,
        estimates.difference_of(figures[0], figures[1]),
        estimates.ratio_of(figures[0], figures[1]),
    )


def _beyond(row: ContrastRow, first: ContrastRow) -> Estimate:
    figures = [
        (item.value, item.low, item.high)
        for item in (row.difference, first.difference)
        if item.value is not None and item.low is not None and item.high is not None
    ]
    if len(figures) < 2:
        return Estimate(None, withheld="a difference that it needs is withheld")
    return estimates.difference_of(figures[0], figures[1])


def _figured(cell: AnswerCell, figure: str, of: Answer) -> Figured:
    """A shown figure with its interval. A count of a table has none: it is what its source says."""
    if figure != COUNT:
        value = _value(cell.estimate)
        return (value, *(cell.interval or (value, value)))
    value = _value(cell.count)
    if of.published.policy == disclosure.PUBLIC or not value:
        return (value, value, value)
    return (value, *estimates.of_count(value, of.published.rounding_sd))


def _value(shown: Shown | None) -> float:
    return float(shown.value) if shown and shown.value is not None else 0.0
