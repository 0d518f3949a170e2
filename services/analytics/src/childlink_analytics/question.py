"""Answers a question from one release by summing protected cells. Rule: values in, values out; no state between questions."""

import difflib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from childlink_analytics import disclosure
from childlink_analytics.cubes import Cell
from childlink_analytics.errors import QuestionError
from childlink_analytics.measures import Measure
from childlink_analytics.releases import Published, Release


@dataclass(frozen=True)
class Question:
    """What is asked of a release."""

    measure_id: str
    by: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class AnswerCell:
    """One cell of an answer."""

    categories: tuple[str, ...]
    count: disclosure.Shown
    estimate: disclosure.Shown | None


@dataclass(frozen=True)
class Answer:
    """An answer, with what its reader must know."""

    measure: Measure
    by: tuple[str, ...]
    cells: list[AnswerCell]
    notes: list[str]


def answer(release: Release, question: Question) -> Answer:
    """Answer, or raise QuestionError that names the field and what may stand there.

    >>> from childlink_analytics.measures import catalogue
    >>> reach = catalogue()["reach_adults"]
    >>> cells = {(): 35, (("residence", "area"),): 30, (("residence", "borough"),): 5}
    >>> release = Release("2026-Q1", 1, {}, {"reach_adults": Published(reach, cells)})
    >>> [cell.count.value for cell in answer(release, Question("reach_adults", ("residence",))).cells[:2]]
    [30, None]
    """
    published = _measure(release, question.measure_id)
    measure = published.measure
    where = dict(question.where or {})
    _check(measure, question.by, where)
    _cube_for(measure, {*question.by, *where})
    shown = [where.get(name) or tuple(measure.dimensions[name].categories) for name in question.by]
    others = {name: categories for name, categories in where.items() if name not in question.by}
    cells = []
    for categories in itertools.product(*shown):
        group = {name: (category,) for name, category in zip(question.by, categories, strict=True)} | others
        cells.append(AnswerCell(categories, disclosure.show_count(_sum(published, group)), _estimate(published, group)))
    return Answer(measure, question.by, cells, _notes(measure, cells))


def _measure(release: Release, measure_id: str) -> Published:
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
                    field, f"{measure.id} has no dimension {name!r}", _nearest(name, measure.dimensions)
                )
    if len(set(by)) != len(by):
        raise QuestionError("by", "a dimension is named twice", [])
    for name, categories in where.items():
        if not categories:
            raise QuestionError("where", f"{name} keeps no category", list(measure.dimensions[name].categories))
        if len(set(categories)) != len(categories):
            raise QuestionError("where", f"a category of {name} is named twice", [])
        for category in categories:
            if category not in measure.dimensions[name].categories:
                raise QuestionError(
                    "where",
                    f"{name} has no category {category!r}",
                    _nearest(category, measure.dimensions[name].categories),
                )


def _cube_for(measure: Measure, names: set[str]) -> tuple[str, ...]:
    needed = names | ({measure.share[0]} if measure.share else set()) | ({measure.mean} if measure.mean else set())
    for cube in measure.cubes:
        if needed <= set(cube):
            return cube
    together = "; ".join(" x ".join(cube) for cube in measure.cubes)
    raise QuestionError("by", f"{measure.id} is not published by {' x '.join(sorted(names))} together", [together])


def _sum(published: Published, group: Mapping[str, Iterable[str]]) -> int:
    """Sum of protected cells over the groups of categories; dimensions not named are summed by their margin."""
    names = sorted(group)
    return sum(
        published.cells.get(_cell(names, categories), 0)
        for categories in itertools.product(*(tuple(group[name]) for name in names))
    )


def _cell(names: Sequence[str], categories: Sequence[str]) -> Cell:
    return tuple(zip(names, categories, strict=True))


def _estimate(published: Published, group: Mapping[str, tuple[str, ...]]) -> disclosure.Shown | None:
    measure = published.measure
    if measure.share:
        name, numerator, complement = measure.share
        if name in group:
            return None
        part, rest_of_group = (_sum(published, {**group, name: (c,)}) for c in (numerator, complement))
        return disclosure.show_share(part, part + rest_of_group)
    if measure.mean:
        midpoints = measure.dimensions[measure.mean].midpoints or {}
        rest = {key: value for key, value in group.items() if key != measure.mean}
        bands = group.get(measure.mean, tuple(midpoints))
        counts = {band: _sum(published, rest | {measure.mean: (band,)}) for band in bands}
        return disclosure.show_mean(sum(midpoints[band] * n for band, n in counts.items()), sum(counts.values()))
    return None


def _notes(measure: Measure, cells: Sequence[AnswerCell]) -> list[str]:
    notes = [disclosure.POLICY_TEXT, f"Counts are of distinct {measure.unit}."]
    if any(cell.count.withheld for cell in cells):
        notes.append("<10: fewer than 10, possibly none.")
    if any(cell.estimate and cell.estimate.withheld == "all_or_none" for cell in cells):
        notes.append("An estimate is withheld where nearly all or nearly none of a group are counted in it.")
    if any(cell.estimate and cell.estimate.withheld == "small_base" for cell in cells):
        notes.append(f"An estimate is withheld for groups under {disclosure.FEWEST_IN_BASE}.")
    return notes


def _nearest(word: str, known: Iterable[str]) -> list[str]:
    names = list(known)
    return difflib.get_close_matches(word, names, n=3, cutoff=0.5) or names
