"""Answers a question from one release by summing protected cells. Rule: values in, values out. It
keeps no state between questions.
"""

import difflib
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from childlink_catalogue.dimensions import NOT_RECORDED
from childlink_catalogue.measures import Measure

from childlink_analytics.answering import estimates
from childlink_analytics.errors import QuestionError
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.release_files import Published, Release

MOST_CELLS_ASKED: Final = 5_000
Group = Mapping[str, tuple[str, ...]]
"""Categories kept, by dimension."""


@dataclass(frozen=True)
class Question:
    """A question about a release."""

    measure_id: str
    by: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] | None = None
    explain: bool = False
    """Explain for each cell, rule by rule, why it is shown or withheld."""


@dataclass(frozen=True)
class AnswerCell:
    """One cell of an answer."""

    categories: tuple[str, ...]
    count: disclosure.Shown
    estimate: disclosure.Shown | None
    interval: tuple[float, float] | None = None
    """The 95% interval of a shown estimate, for chance and rounding."""


@dataclass(frozen=True)
class Answer:
    """An answer, with notes for its reader."""

    published: Published
    by: tuple[str, ...]
    cells: list[AnswerCell]
    notes: list[str]
    explain: bool = False

    @property
    def measure(self) -> Measure:
        """The measure that was asked."""
        return self.published.measure

    def explained(self) -> list[tuple[AnswerCell, list[str]]]:
        """Each cell, with the rules that decided about it if the question asked for them."""
        return [(cell, explain(self.measure, cell) if self.explain else []) for cell in self.cells]


def answer(release: Release, question: Question) -> Answer:
    """Answer a question. Raises QuestionError that names the wrong field and the allowed values.

    >>> from childlink_catalogue.catalogue import catalogue
    >>> reach = catalogue()["reach_adults"]
    >>> cells = {(): 35, (("residence", "area"),): 30, (("residence", "borough"),): 5}
    >>> release = Release("2026-Q1", 1, {}, {"reach_adults": Published(reach, cells)})
    >>> found = answer(release, Question("reach_adults", ("residence",)))
    >>> [cell.count.value for cell in found.cells[:2]]
    [30, None]
    """
    published = find_measure(release, question.measure_id)
    measure = published.measure
    where = dict(question.where or {})
    _check(measure, question.by, where)
    _cube_for(measure, {*question.by, *where})
    published = published.asked({*question.by, *where})
    shown = [where.get(name) or tuple(measure.dimensions[name].categories) for name in question.by]
    _check_size(shown)
    others = {name: categories for name, categories in where.items() if name not in question.by}
    cells = []
    for categories in itertools.product(*shown):
        group = {
            name: (category,) for name, category in zip(question.by, categories, strict=True)
        } | others
        cells.append(_answer_cell(published, categories, group))
    return Answer(
        published, question.by, cells, _notes(published, cells, question.by), question.explain
    )


def explain(measure: Measure, cell: AnswerCell) -> list[str]:
    """Explain, rule by rule, why a cell is shown or withheld. Reveals nothing else about the
    count.
    """
    shown = "public" if measure.table else "shown"
    said = [disclosure.RULES[cell.count.withheld or shown]]
    if cell.estimate is not None:
        what = {"share": "share", "mean": "mean", "rate": "share of the population"}[
            measure.estimate
        ]
        rule = disclosure.RULES[f"estimate {cell.estimate.withheld or 'shown'}"]
        said.append(f"The {what}: {rule}")
    return said


def _answer_cell(published: Published, categories: tuple[str, ...], group: Group) -> AnswerCell:
    if not published.collected:
        missing = disclosure.Shown(None, "not_collected")
        return AnswerCell(categories, missing, missing if published.measure.estimate else None)
    shown, interval = _estimate(published, group)
    return AnswerCell(
        categories,
        disclosure.show_count(count(published, group)),
        shown,
        interval if shown and shown.value is not None else None,
    )


def find_measure(release: Release, measure_id: str) -> Published:
    """A release's measure. Raises QuestionError."""
    if measure_id not in release.measures:
        raise QuestionError(
            "measure_id",
            f"release {release.release_id} has no measure {measure_id!r}",
            _nearest(measure_id, release.measures),
            True,
        )
    return release.measures[measure_id]


def _check(measure: Measure, by: Sequence[str], where: Mapping[str, tuple[str, ...]]) -> None:
    for field, names in (("by", by), ("where", where)):
        for name in names:
            if name not in measure.dimensions:
                raise QuestionError(
                    field,
                    f"{measure.id} has no dimension {name!r}",
                    _nearest(name, measure.dimensions),
                )
    if len(set(by)) != len(by):
        raise QuestionError("by", "a dimension is named twice", [])
    for name in {*by, *where}:
        within = measure.dimensions[name].within
        if within and within not in by and len(where.get(within, ())) != 1:
            raise QuestionError(
                "by",
                f"{name} belongs to a single {within}: break down by {within} too, or keep only"
                " one",
                [],
            )
    for name, categories in where.items():
        if not categories:
            raise QuestionError(
                "where", f"{name} keeps no category", list(measure.dimensions[name].categories)
            )
        if len(set(categories)) != len(categories):
            raise QuestionError("where", f"a category of {name} is named twice", [])
        if (
            measure.dimensions[name].overlapping
            and 1 < len(categories) < len(measure.dimensions[name].categories)
            and name not in by
        ):
            raise QuestionError(
                "where",
                f"distinct {measure.unit} do not sum over {name}: one can be in several of its"
                f" categories. Keep one, keep all, or break down by {name}",
                [],
            )
        for category in categories:
            if category not in measure.dimensions[name].categories:
                raise QuestionError(
                    "where",
                    f"{name} has no category {category!r}",
                    _nearest(category, measure.dimensions[name].categories),
                )


def _check_size(shown: Sequence[Sequence[str]]) -> None:
    """Refuse a large question before it uses resources. Raises QuestionError."""
    size = math.prod(len(categories) for categories in shown)
    if size > MOST_CELLS_ASKED:
        raise QuestionError(
            "by",
            f"the answer would have {size:,} cells, more than {MOST_CELLS_ASKED:,}: keep fewer"
            " categories",
            [],
        )


def _cube_for(measure: Measure, names: set[str]) -> tuple[str, ...]:
    needed = (
        names
        | ({measure.share[0]} if measure.share else set())
        | ({measure.mean} if measure.mean else set())
    )
    for cube in measure.cubes:
        if needed <= set(cube):
            return cube
    together = "; ".join(" x ".join(cube) for cube in measure.cubes)
    raise QuestionError(
        "by", f"{measure.id} is not published by {' x '.join(sorted(names))} together", [together]
    )


def count(published: Published, group: Group) -> disclosure.Group:
    """The sum of the protected cells of a group. Dimensions that are not named, or that keep all
    categories, are summed by their margin.
    """
    measure = published.measure
    names = [
        name
        for name in sorted(group)
        if len(group[name]) < len(measure.dimensions[name].categories)
        or measure.dimensions[name].within
    ]
    cells = (
        published.cells.get(tuple(zip(names, categories, strict=True)), 0)
        for categories in itertools.product(*(group[name] for name in names))
    )
    return disclosure.group(cells, published.policy)


_Interval = tuple[float, float] | None


def _estimate(published: Published, group: Group) -> tuple[disclosure.Shown | None, _Interval]:
    """The estimate of a group, with its interval. None: the measure has none here."""
    measure = published.measure
    if measure.share:
        return _share(published, group, measure.share)
    if measure.mean:
        return _mean(published, group, measure.mean)
    if published.population:
        counted, population = count(published, group), _population(published, group)
        shown = disclosure.show_rate(counted, population)
        if shown.value is None or not population:
            return shown, None
        sd = published.rounding_sd * math.sqrt(counted.cells)
        return shown, estimates.of_rate(counted.protected, population, sd)
    return None, None


def _share(
    published: Published, group: Group, said: tuple[str, tuple[str, ...], tuple[str, ...]]
) -> tuple[disclosure.Shown | None, _Interval]:
    name, numerator, complement = said
    if name in group:
        return None, None
    part, rest = (count(published, {**group, name: kept}) for kept in (numerator, complement))
    shown = disclosure.show_share(part, rest, harmless=published.measure.harmless)
    if shown.value is None:
        return shown, None
    sds = (published.rounding_sd * math.sqrt(item.cells) for item in (part, rest))
    return shown, estimates.of_share(part.protected, rest.protected, *sds)


def _mean(
    published: Published, group: Group, name: str
) -> tuple[disclosure.Shown | None, _Interval]:
    midpoints = published.measure.dimensions[name].midpoints or {}
    rest = {key: value for key, value in group.items() if key != name}
    bands = [band for band in group.get(name, tuple(midpoints)) if band in midpoints]
    counted = {band: count(published, rest | {name: (band,)}) for band in bands}
    if any(item.hidden for item in counted.values()):
        return disclosure.Shown(None, "suppressed"), None
    people = [item.protected for item in counted.values()]
    at = [midpoints[band] for band in counted]
    total = sum(middle * n for middle, n in zip(at, people, strict=True))
    shown = disclosure.show_mean(total, sum(people))
    if shown.value is None:
        return shown, None
    cells = max((item.cells for item in counted.values()), default=1)
    return shown, estimates.of_mean(at, people, published.rounding_sd * math.sqrt(cells))


def _population(published: Published, group: Group) -> int | None:
    """Public count of a group's population, or None if the denominators do not have it."""
    kept = {
        k: v for k, v in group.items() if len(v) < len(published.measure.dimensions[k].categories)
    }
    total = 0
    for categories in itertools.product(*(kept[name] for name in sorted(kept))):
        cell = tuple(zip(sorted(kept), categories, strict=True))
        if cell not in published.population:
            return None
        total += published.population[cell]
    return total


def _notes(published: Published, cells: Sequence[AnswerCell], by: Sequence[str]) -> list[str]:
    measure = published.measure
    notes = [disclosure.POLICIES[published.policy]]
    if not measure.table:
        distinct = "" if measure.unit == "attendances" else "distinct "
        notes.append(f"Counts are of {distinct}{measure.unit}.")
    if measure.mean and NOT_RECORDED in measure.dimensions[measure.mean].categories:
        notes.append("The mean is of those with a recorded value. The count is of everybody.")
    if any(cell.interval for cell in cells):
        notes.append("Intervals are 95% and allow for chance and rounding.")
    overlapping = [name for name in by if measure.dimensions[name].overlapping]
    if overlapping and not measure.table:
        notes.append(
            f"Over {' and '.join(overlapping)} they do not sum: one can be in several categories."
        )
    if any(cell.count.withheld == "small" for cell in cells):
        notes.append("<10: under 10 after rounding, possibly none.")
    if any(cell.count.withheld == "suppressed" for cell in cells):
        notes.append("c: withheld, because it is small or would reveal a small count.")
    if any(cell.estimate and cell.estimate.withheld == "all_or_none" for cell in cells):
        notes.append(
            "An estimate is withheld if it would count nearly all or nearly none of a group."
        )
    if any(cell.estimate and cell.estimate.withheld == "small_base" for cell in cells):
        notes.append(f"An estimate is withheld for groups under {disclosure.FEWEST_IN_BASE}.")
    if any(cell.count.withheld == "not_collected" for cell in cells):
        missing = "its table" if measure.table else "the data for this"
        notes.append(f"Not collected: no partner has sent {missing}. That is not zero.")
    if any(cell.estimate and cell.estimate.withheld == "no_population" for cell in cells):
        notes.append("Without a public count of the population, no share of it is given.")
    return notes


def _nearest(word: str, known: Iterable[str]) -> list[str]:
    names = list(known)
    return difflib.get_close_matches(word, names, n=3, cutoff=0.5) or names
