"""What an answer or a study says, in a sentence or two; never of a figure that is withheld."""

from collections.abc import Iterable

from childlink_client.answers import Answer, Cell
from childlink_client.studies import Change, Comparison, Inequality, Pathways, Trend
from childlink_client.study import Estimate, Study
from childlink_client.tables import show_count, show_estimate, titles


def in_words(found: Answer | Study) -> str:
    """The gist: for groups the largest and the smallest that are shown, for a study its main figure."""
    if isinstance(found, Answer):
        return _answer(found)
    if isinstance(found, Comparison):
        return _comparison(found)
    if isinstance(found, Change):
        return _change(found)
    if isinstance(found, Pathways):
        return _pathways(found)
    if isinstance(found, Trend):
        return _trend(found)
    assert isinstance(found, Inequality)  # noqa: S101 - there is no other
    first, last = (found.measure.dimensions[found.over].categories[end] for end in found.ends)
    if found.gap.value is None:
        return f"The gap is withheld: {found.gap.withheld}."
    gap = found.gap.times(100)
    return f"{last} less {first}: {gap.text('{:+.1f}')} percentage points. {_certain(found.gap, 0.0, 'no gap')}"


def _answer(answer: Answer) -> str:
    kind, unit = answer.estimate, answer.measure.unit
    if not answer.measure.collected:
        return "Not collected: no partner has sent what this is made from."
    shown = [cell for cell in answer.cells if (cell.estimate if kind else cell.count) is not None]
    if not shown:
        return none_shown(cell.estimate_withheld if kind else cell.count_withheld for cell in answer.cells)
    said = {id(cell): show_estimate(cell, kind) if kind else f"{show_count(cell)} {unit}" for cell in shown}
    if not answer.by:
        return f"{said[id(shown[0])]}."
    ranked = sorted(shown, key=lambda cell: (cell.estimate if kind else cell.count) or 0)
    low, high = ranked[0], ranked[-1]
    rest = _hidden(len(answer.cells) - len(shown), len(answer.cells))
    if low is high:
        return f"{_named(answer, high)}: {said[id(high)]}.{rest}"
    return f"Most: {_named(answer, high)}, {said[id(high)]}. Least of those shown: {_named(answer, low)}, {said[id(low)]}.{rest}"


def none_shown(reasons: Iterable[str]) -> str:
    """Why nothing is shown, of the reasons of all groups."""
    why = sorted(set(reasons))
    if set(why) <= {"<10", "group too small"}:
        return "Every group is too small to be shown."
    return f"Every group is withheld: {'; '.join('it would let a small count be worked out' if w == 'c' else w for w in why)}."


def _named(answer: Answer, cell: Cell) -> str:
    """A group as a sentence names it: a bare number says nothing without its dimension."""
    named = [
        f"{answer.measure.dimensions[name].title.lower()} {title}" if title[:1].isdigit() else title
        for name, title in zip(answer.by, titles(answer, cell), strict=True)
    ]
    return ", ".join(named) or "All"


def _comparison(study: Comparison) -> str:
    dimension = next(d for d in study.measure.dimensions.values() if set(study.groups) <= set(d.categories))
    shares = "; ".join(
        f"{dimension.categories[group]}: {share.text('{:.1%}')}"
        for group, share in zip(study.groups, study.shares, strict=True)
    )
    odds, risk = study.adjusted_odds_ratio, study.adjusted_risk_ratio
    if odds.value is None:
        return f"{shares}. The adjusted ratios are withheld: {odds.withheld}."
    return (
        f"{shares}. Adjusted for who came to be in each group, the odds ratio is {odds.text()} and the risk ratio {risk.text()}. "
        f"{_certain(odds, 1.0, 'no difference')}"
    )


def _change(study: Change) -> str:
    shown = [row for row in study.changes if row.mean.value is not None]
    if not shown:
        return none_shown(row.mean.withheld for row in study.changes)
    ranked = sorted(shown, key=lambda row: row.mean.value or 0.0)
    low, high = ranked[0], ranked[-1]
    rest = _hidden(len(study.changes) - len(shown), len(study.changes))
    said = f"{high.mean.text('{:+.1f}')} percent of the scale"
    if low is high:
        return f"{study.title(high)}: {said}. {_certain(high.mean, 0.0, 'no change')}{rest}"
    return f"Most: {study.title(high)}, {said}. Least of those shown: {study.title(low)}, {low.mean.text('{:+.1f}')}.{rest}"


def _pathways(study: Pathways) -> str:
    first, following = (study.measure.dimensions[name].categories for name in ("first_service", "next_service"))
    shown = [item for item in study.pathways if item.went_on.value is not None]
    if not shown:
        return "Of every first service, too few families are known for a share of those who went on."
    if len(study.pathways) == 1:
        [item] = shown
        after = f", most often to {following[item.next[0][0]]} ({item.next[0][1]:,})" if item.next else ""
        families = "Of the families" if item.families is None else f"Of {item.families:,} families"
        share = item.went_on.text("{:.0%}")
        return f"{families} whose first contact was {first[item.first_service]}, {share} went on to another service{after}."
    ranked = sorted(shown, key=lambda item: item.went_on.value or 0.0)
    low, high = ranked[0], ranked[-1]
    rest = _hidden(len(study.pathways) - len(shown), len(study.pathways))
    return (
        f"Families went on most often after {first[high.first_service]}, {high.went_on.text('{:.0%}')}; least often of those shown after "
        f"{first[low.first_service]}, {low.went_on.text('{:.0%}')}.{rest}"
    )


def _trend(study: Trend) -> str:
    releases = [point.release.id for point in study.points]
    if len(releases) == 1:
        return f"There is one release with this measure, {releases[0]}: a trend needs two."
    if study.by:
        return f"{len(releases)} releases, from {releases[0]} to {releases[-1]}."
    kind = study.estimate
    first, last = (point.cells[0] for point in (study.points[0], study.points[-1]))
    begun, ended = (show_estimate(cell, kind) if kind else show_count(cell) for cell in (first, last))
    return f"From {begun} in {releases[0]} to {ended} in {releases[-1]}."


def _hidden(hidden: int, groups: int) -> str:
    return f" {hidden} of {groups} groups {'is' if hidden == 1 else 'are'} withheld." if hidden else ""


def _certain(estimate: Estimate, neutral: float, what: str) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    if estimate.low <= neutral <= estimate.high:
        return f"The interval includes {neutral:g}: the figures fit {what} as well."
    return f"The interval excludes {neutral:g}."
