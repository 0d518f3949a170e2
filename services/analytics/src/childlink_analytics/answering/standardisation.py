"""Shares of groups as they would be if all groups were mixed alike, from the protected cells of a
release. Rule: a release in, figures out.

Direct standardisation (OHID's technical guide; Breslow & Day 1987): a group's share in each stratum
is weighted by how common the stratum is among all people of the measure.
"""

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from childlink_catalogue.measures import Measure

from childlink_analytics.answering.analyses import (
    INTERVALS,
    NOT_AN_EFFECT,
    Groups,
    as_figure,
    groups_of,
    is_large_enough,
)
from childlink_analytics.answering.contrasts import why_withheld
from childlink_analytics.answering.estimates import Estimate, Figure
from childlink_analytics.answering.question import AnswerCell, Question, answer, find_measure
from childlink_analytics.errors import QuestionError
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.disclosure import Shown
from childlink_analytics.shared.release_files import Published, Release

NOT_RECORDED: Final = "not_recorded"
LEAST_COVERED: Final = 0.8
"""A group takes part if its large enough strata hold so much of all people. Else it would take
strata away from the others.
"""
_STRATA: Final = Estimate(None, withheld="its strata are too small")
_HIDDEN: Final = Estimate(None, withheld="the size of a stratum is withheld")
_NOT_RECORDED: Final = Estimate(None, withheld="people of no recorded group are left out")


@dataclass(frozen=True)
class StandardisedRow:
    """One group."""

    category: str
    count: Shown
    crude: Estimate
    standardised: Estimate


@dataclass(frozen=True)
class Standardised:
    """Shares of groups, as they are and standardised."""

    measure: Measure
    by: str
    standard: str
    rows: list[StandardisedRow]
    notes: list[str]


def standardise(release: Release, measure_id: str, by: str, standard: str) -> Standardised:
    """Shares of the categories of `by`, standardised for `standard`. Raises QuestionError."""
    published = _asked(release, measure_id, by, standard)
    strata = _strata(published, by, standard)
    rows = []
    for cell in answer(release, Question(measure_id, (by,))).cells:
        [category] = cell.categories
        crude = _share_of(cell)
        standardised = _figure(published, by, category, strata) if published.collected else crude
        rows.append(StandardisedRow(category, cell.count, crude, standardised))
    of_standard = published.measure.dimensions[standard]
    titles = list(itertools.compress(of_standard.categories.values(), strata.used))
    notes = [
        disclosure.POLICIES[published.policy],
        (
            f"Standardised for {of_standard.title.lower()}: each group's share is calculated in"
            " each stratum, and weighted by how many of all people are in it (direct"
            f" standardisation). {len(titles)} of {len(of_standard.categories)} strata are large"
            f" enough in every group that takes part ({', '.join(titles) or 'none'}). They hold"
            f" {strata.weights[strata.used].sum():.0%} of all people."
        ),
        INTERVALS,
        NOT_AN_EFFECT,
    ]
    return Standardised(published.measure, by, standard, rows, notes)


def _asked(release: Release, measure_id: str, by: str, standard: str) -> Published:
    """What the question is asked of. Raises QuestionError."""
    measure = find_measure(release, measure_id).measure
    if measure.share is None:
        able = [name for name, item in release.measures.items() if item.measure.share]
        raise QuestionError("measure_id", f"{measure_id} has no share", able)
    able = [item for item in measure.dimensions if item != measure.share[0]]
    for name, value in (("by", by), ("standard", standard)):
        if not value:
            raise QuestionError(name, "two dimensions are needed: groups, and strata", able)
    if measure.share[0] in (by, standard):
        raise QuestionError("by", f"the share is of {measure.share[0]}", able)
    if by == standard:
        raise QuestionError("standard", f"{by} is both the groups and the strata", [])
    published = answer(release, Question(measure_id, (by, standard))).published
    if measure.dimensions[standard].overlapping:
        raise QuestionError("standard", f"one may be in several categories of {standard}", [])
    return published


@dataclass(frozen=True)
class _Strata:
    """Groups in strata: who takes part, and with which strata."""

    groups: Mapping[str, Groups]
    """For each group, its people in each stratum."""
    weights: np.ndarray
    """The share of all people in each stratum."""
    taking_part: Collection[str]
    used: np.ndarray
    """Which strata are large enough in each group that takes part."""
    hidden: bool
    """Whether the size of a stratum is withheld. Then no one takes part."""


def _strata(published: Published, by: str, standard: str) -> _Strata:
    of_all = _in_strata(published, {}, standard)
    hidden = any(part.hidden for pair in of_all for part in pair)
    everybody = np.array([sum(part.protected for part in pair) for pair in of_all], dtype=float)
    weights = everybody / max(everybody.sum(), 1.0)
    groups = {
        category: _in_strata(published, {by: (category,)}, standard)
        for category in published.measure.dimensions[by].categories
    }
    large = {
        category: np.array([is_large_enough([pair]) for pair in strata])
        for category, strata in groups.items()
    }
    taking_part = [
        category
        for category, enough in large.items()
        if not hidden and category != NOT_RECORDED and weights[enough].sum() >= LEAST_COVERED
    ]
    used = np.logical_and.reduce([large[category] for category in taking_part] or [weights < 0])
    return _Strata(groups, weights, taking_part, used, hidden)


def _figure(published: Published, by: str, category: str, strata: _Strata) -> Estimate:
    """The standardised share of a group, or why there is none."""
    if category == NOT_RECORDED:
        return _NOT_RECORDED
    if strata.hidden:
        return _HIDDEN
    if category not in strata.taking_part or not strata.used.any():
        return _STRATA
    used = list(itertools.compress(strata.groups[category], strata.used))
    whole = groups_of(published, [{by: (category,)}])
    return as_figure(published, _weighted(strata.weights[strata.used]), used, whole, ratio=False)


def _in_strata(
    published: Published, group: dict[str, tuple[str, ...]], standard: str
) -> list[tuple[disclosure.Group, disclosure.Group]]:
    strata = published.measure.dimensions[standard].categories
    return list(groups_of(published, [group | {standard: (name,)} for name in strata]))


def _weighted(weights: np.ndarray) -> Figure:
    """The share of groups' strata, weighted."""
    shares = weights / weights.sum()
    return lambda x: float((shares * x[:, 0] / x.sum(axis=1)).sum())


def _share_of(cell: AnswerCell) -> Estimate:
    """A cell's share with its interval, as every answer gives it."""
    shown = cell.estimate
    if shown is None or shown.value is None or cell.interval is None:
        return Estimate(None, withheld=why_withheld(shown.withheld if shown else ""))
    return Estimate(float(shown.value), *cell.interval)
