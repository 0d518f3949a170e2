"""Comparisons, changes, pathways, trends and inequality, from the protected cells of a release.
Rule: a release in, figures out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from childlink_catalogue.measures import Measure

from childlink_analytics.answering import estimates
from childlink_analytics.answering.estimates import Counts, Estimate
from childlink_analytics.answering.question import Answer, Question, answer, count, find_measure
from childlink_analytics.errors import QuestionError
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.release_files import Published, Release

_SMALL: Final = Estimate(
    None, withheld=f"a group has fewer than {disclosure.FEWEST_EVENTS} with or without the outcome"
)
_SUPPRESSED: Final = Estimate(None, withheld="a count that it needs is withheld")
_NOT_COLLECTED: Final = Estimate(None, withheld="not collected")
_MOST_MISSED: Final = 0.5
_MISSED: Final = (
    "Corrected: as if {} of the first group were counted in the other because their link is missed,"
    " whatever their outcome. Missed links hide a difference. The asker gives the share: it has no"
    " interval of its own."
)
INTERVALS: Final = "Intervals are 95% and allow for chance and rounding."
NOT_AN_EFFECT: Final = (
    "A difference between groups is not by itself an effect: the groups may also differ in ways"
    " that no one recorded."
)


@dataclass(frozen=True)
class Compared:
    """Two groups' shares of an outcome."""

    measure: Measure
    shares: tuple[Estimate, Estimate]
    crude_odds_ratio: Estimate
    adjusted_odds_ratio: Estimate
    crude_risk_ratio: Estimate
    adjusted_risk_ratio: Estimate
    strata_used: int
    strata: int
    notes: list[str]
    missed: float = 0.0
    """The share of the first group that is counted in the other, because their link is missed."""
    corrected_odds_ratio: Estimate | None = None
    """The adjusted odds ratio, corrected for missed links. None if none are supposed."""
    corrected_risk_ratio: Estimate | None = None


@dataclass(frozen=True)
class ChangeRow:
    """The change of one group."""

    category: str
    count: disclosure.Shown
    change: estimates.Change


@dataclass(frozen=True)
class Pathway:
    """A first service and the services that followed it."""

    first_service: str
    families: disclosure.Shown
    went_on: Estimate
    next: list[tuple[str, int]]
    others_withheld: bool


@dataclass(frozen=True)
class Unequal:
    """Inequality of an outcome over an ordered dimension."""

    measure: Measure
    over: str
    ends: tuple[str, str]
    gap: Estimate
    ratio: Estimate
    slope_index: Estimate
    relative_index: Estimate
    notes: list[str]


def compare(release: Release, measure_id: str, missed: float = 0.0) -> Compared:
    """Compare two groups, crude and adjusted. With `missed`, the adjusted ratios are also corrected
    for missed links. Raises QuestionError if the measure has no comparison.
    """
    if not 0.0 <= missed < _MOST_MISSED:
        raise QuestionError("missed", f"a share from 0 to below {_MOST_MISSED} is needed", [])
    published = find_measure(release, measure_id)
    measure, rule = published.measure, published.measure.compare
    if rule is None or measure.share is None:
        able = [name for name, item in release.measures.items() if item.measure.compare]
        raise QuestionError("measure_id", f"{measure_id} has no groups to compare", able)
    published = published.asked({rule.dimension, rule.strata})
    strata = list(measure.dimensions[rule.strata].categories)
    crude = groups_of(published, [{rule.dimension: (side,)} for side in (rule.of, rule.against)])
    by_stratum = [
        groups_of(
            published,
            [
                {rule.dimension: (side,), rule.strata: (stratum,)}
                for side in (rule.of, rule.against)
            ],
        )
        for stratum in strata
    ]
    used = [pair for pair in by_stratum if is_large_enough(pair)]
    shares = [as_figure(published, estimates.share, [group], ratio=False) for group in crude]
    stacked = [group for pair in used for group in pair]
    few_strata = Estimate(None, withheld="every stratum is too small")
    adjusted = [
        as_figure(published, figure, stacked, crude) if used else few_strata
        for figure in (estimates.odds_ratio, estimates.risk_ratio)
    ]
    corrected: list[Estimate | None] = [
        _corrected(published, figure, stacked, crude, missed) if used else few_strata
        for figure in (estimates.odds_ratio, estimates.risk_ratio)
    ]
    notes = [
        _policy(published),
        (
            "The odds ratio is not the risk ratio. If the outcome is common, the odds ratio is much"
            " further from 1."
        ),
        (
            "Adjusted: Mantel-Haenszel over fifths of a score fitted, without the outcome, on "
            f"{', '.join(rule.adjusted_for)}; {len(used)} of {len(strata)} strata are large enough."
        ),
        *([_MISSED.format(f"{missed * 100:g}%")] if missed else []),
        INTERVALS,
        NOT_AN_EFFECT,
    ]
    return Compared(
        measure,
        (shares[0], shares[1]),
        as_figure(published, estimates.odds_ratio, crude),
        adjusted[0],
        as_figure(published, estimates.risk_ratio, crude),
        adjusted[1],
        len(used),
        len(strata),
        notes,
        missed,
        *(corrected if missed else [None, None]),
    )


def _corrected(
    published: Published,
    figure: estimates.Figure,
    stacked: "Groups",
    crude: "Groups",
    missed: float,
) -> Estimate:
    counted: Counts = np.array([[part.protected for part in pair] for pair in crude], dtype=float)
    most = estimates.most_missed(counted, disclosure.FEWEST_EVENTS)
    if missed > most:
        return Estimate(
            None,
            withheld=f"so many cannot be missed: with more than {most:.1%}, fewer than"
            f" {disclosure.FEWEST_EVENTS} with or without the outcome would be left in the other"
            " group",
        )
    return as_figure(published, estimates.corrected(figure, missed), stacked, crude)


def change(
    release: Release, measure_id: str, by: str
) -> tuple[Measure, list[ChangeRow], list[str]]:
    """Mean changes, for all people or by a dimension. Raises QuestionError if the measure is not a
    change.
    """
    published = find_measure(release, measure_id)
    measure = published.measure
    if measure.mean != "band":
        able = [name for name, item in release.measures.items() if item.measure.mean == "band"]
        raise QuestionError(
            "measure_id", f"{measure_id} does not measure a change from before to after", able
        )
    # `answer` checks `by` and raises the error.
    published = answer(release, Question(measure_id, (by,) if by else ())).published
    midpoints = measure.dimensions["band"].midpoints or {}
    rows = []
    for category in measure.dimensions[by].categories if by else ("",):
        group = {by: (category,)} if by else {}
        counted = [count(published, group | {"band": (band,)}) for band in midpoints]
        shown = disclosure.show_count(count(published, group))
        counts = [item.protected for item in counted]
        found = estimates.change(list(midpoints.values()), counts, published.rounding_sd)
        if any(item.hidden for item in counted):
            found = estimates.Change(_SUPPRESSED, _SUPPRESSED, None)
        if not published.collected:
            shown, found = (
                disclosure.Shown(None, "not_collected"),
                estimates.Change(_NOT_COLLECTED, _NOT_COLLECTED, None),
            )
        rows.append(ChangeRow(category, shown, found))
    notes = [
        _policy(published),
        (
            "Change is in percent of the scale's range, in the good direction. It is calculated"
            " from bands of ten points. p is from a paired t test."
        ),
        INTERVALS,
        (
            "Without a comparison group, a change is not by itself an effect. People tend to come"
            " when they are low, and many would recover anyway."
        ),
    ]
    return measure, rows, notes


def pathways(release: Release, first_service: str) -> tuple[Measure, list[Pathway], list[str]]:
    """What followed each first service, or one of them. Raises QuestionError."""
    published = find_measure(release, "pathways")
    measure = published.measure
    services = measure.dimensions["first_service"].categories
    if first_service:
        answer(release, Question("pathways", (), {"first_service": (first_service,)}))
    found = []
    for service in [first_service] if first_service else services:
        families = disclosure.show_count(count(published, {"first_service": (service,)}))
        if not published.collected:
            families = disclosure.Shown(None, "not_collected")
        groups = groups_of(published, [{"first_service": (service,)}])
        following = [
            (name, shown.value)
            for name in measure.dimensions["next_service"].categories
            if name != "none"
            and (
                shown := disclosure.show_count(
                    count(published, {"first_service": (service,), "next_service": (name,)})
                )
            ).value
        ]
        shown_next = sorted(
            ((name, int(value or 0)) for name, value in following),
            key=lambda item: (-item[1], item[0]),
        )
        hidden = len(shown_next) < len(measure.dimensions["next_service"].categories) - 1
        went_on = as_figure(published, estimates.share, groups, ratio=False)
        found.append(Pathway(service, families, went_on, shown_next, hidden))
    notes = [
        _policy(published),
        "Next: the next other service that the family used, if any.",
        INTERVALS,
    ]
    return measure, found, notes


def trend(
    releases: Sequence[Release], question: Question
) -> tuple[list[tuple[Release, Answer]], list[str]]:
    """Answer the question from every release that can answer it, oldest first. If none can, raises
    the newest release's QuestionError.
    """
    points = []
    for release in sorted(releases, key=lambda item: item.number):
        try:
            points.append((release, answer(release, question)))
        except QuestionError as error:
            problem = error
    if not points:
        raise problem
    notes = [
        *{disclosure.POLICIES[found.published.policy]: None for _, found in points},
        (
            f"A protected count is off by up to {disclosure.LARGEST_ERROR}. Smaller differences"
            " between releases mean nothing."
        ),
        (
            "Later releases also include late data and corrected links. They revise earlier figures"
            " as well as adding to them."
        ),
    ]
    return points, notes


def inequality(release: Release, measure_id: str, over: str) -> Unequal:
    """Inequality of the outcome over an ordered dimension. Raises QuestionError."""
    published = find_measure(release, measure_id)
    measure = published.measure
    over = over or "imd_quintile"
    if measure.share is None:
        able = [name for name, item in release.measures.items() if item.measure.share]
        raise QuestionError("measure_id", f"{measure_id} has no share", able)
    published = answer(release, Question(measure_id, (over,))).published
    ordered = [name for name in measure.dimensions[over].categories if name != "not_recorded"]
    if not measure.dimensions[over].ordered:
        able = [name for name, item in measure.dimensions.items() if item.ordered]
        raise QuestionError("over", f"the categories of {over} have no order", able)
    groups = groups_of(published, [{over: (name,)} for name in ordered])
    figures = [
        as_figure(published, figure, groups, ratio=ratio)
        for figure, ratio in (
            (estimates.gap, False),
            (estimates.share_ratio, True),
            (estimates.slope_index, False),
            (estimates.relative_index, False),
        )
    ]
    notes = [
        _policy(published),
        (
            "Slope index: the difference between the two ends of the ranked population, by least"
            " squares weighted by size. Relative index: the slope index divided by the mean share"
            " (Mackenbach & Kunst 1997). People with no recorded category are left out."
        ),
        INTERVALS,
    ]
    return Unequal(
        measure,
        over,
        (ordered[0], ordered[-1]),
        figures[0],
        figures[1],
        figures[2],
        figures[3],
        notes,
    )


def _policy(published: Published) -> str:
    return disclosure.POLICIES[published.policy]


Groups = Sequence[tuple[disclosure.Group, disclosure.Group]]
"""For each group, the people with the outcome and those without."""


def groups_of(published: Published, groups: Sequence[dict[str, tuple[str, ...]]]) -> Groups:
    """The people with and without the outcome of each group (a group is the categories kept)."""
    assert published.measure.share is not None  # noqa: S101 - the callers checked
    name, numerator, complement = published.measure.share
    return [
        (count(published, group | {name: numerator}), count(published, group | {name: complement}))
        for group in groups
    ]


def is_large_enough(groups: Groups) -> bool:
    """Whether each group is large enough for a stratum: its base is not small, and none of its
    counts is suppressed.
    """
    return all(
        not (part.hidden or rest.hidden)
        and part.protected + rest.protected >= disclosure.FEWEST_IN_BASE
        for part, rest in groups
    )


def as_figure(
    published: Published,
    figure: estimates.Figure,
    groups: Groups,
    gate: Groups | None = None,
    *,
    ratio: bool = True,
) -> Estimate:
    """Calculate a figure, or withhold it.

    It is withheld if a count it needs is suppressed, or if a group has too few people with or
    without the outcome. The check uses the groups of `gate`, or `groups` if it is not given.
    """
    if not published.collected:
        return _NOT_COLLECTED
    gates = [part for group in gate or groups for part in group]
    if any(part.hidden for part in [*gates, *(part for group in groups for part in group)]):
        return _SUPPRESSED
    if any(
        part.protected < disclosure.FEWEST_EVENTS or disclosure.show_count(part).withheld
        for part in gates
    ):
        return _SMALL
    counts: Counts = np.array(
        [(part.protected, rest.protected) for part, rest in groups], dtype=float
    )
    cells: Counts = np.array([(part.cells, rest.cells) for part, rest in groups], dtype=float)
    rounding = published.rounding_sd * np.sqrt(cells)
    return estimates.interval(figure, counts, rounding, ratio=ratio)
