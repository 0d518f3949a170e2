"""What publishing proposed measures would take: a cut of the populations that they count, without
a release. Its results are true sizes, for release managers alone.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from childlink_catalogue.measures import Measure

from childlink_analytics.releasing.counting.counting import Counter
from childlink_analytics.releasing.release.cut import (
    CutPlan,
    Dropped,
    count_population,
    protect_all,
)
from childlink_analytics.shared import disclosure

_FIRST_TO_GO = 9


@dataclass(frozen=True)
class PlannedPopulation:
    """A population that a proposal counts."""

    population: str
    people: int
    cells: int
    """Linked cells with the proposals."""
    before: int
    """Linked cells without them."""
    small: int
    """True counts of 1 to 7 with the proposals."""


@dataclass(frozen=True)
class Plan:
    """What fits and what would have to go."""

    proposed: Collection[str]
    populations: Sequence[PlannedPopulation]
    not_protected: Sequence[Dropped]
    seconds: float


def plan_proposals(
    today: Mapping[str, Measure],
    proposed: Mapping[str, Measure],
    plan: CutPlan,
    counter: Counter,
    secret: bytes,
    progress: Callable[[str], None],
) -> Plan:
    """Count and protect the populations of the proposed measures, and those that share counts with
    them. Proposed measures lose their breakdowns before those of today.
    """
    begun = time.monotonic()
    everything = {**today, **{n: replace(m, rank=_FIRST_TO_GO) for n, m in proposed.items()}}
    views = _related({measure.view for measure in proposed.values()}, everything.values())
    wanted = {name: m for name, m in everything.items() if m.view in views}
    outcomes = protect_all(wanted, plan, counter, secret, progress)
    populations = []
    for population in dict.fromkeys(measure.population for measure in proposed.values()):
        with_them = [m for m in wanted.values() if m.population == population]
        counts = count_population(with_them, plan, counter).linked.counts
        without = [m for m in with_them if m.id not in proposed]
        populations.append(
            PlannedPopulation(
                population,
                counts[()],
                len(counts),
                len(count_population(without, plan, counter).linked.counts) if without else 0,
                sum(1 for n in counts.values() if n in disclosure.SMALL),
            )
        )
    dropped = [item for _, lost in outcomes for item in lost]
    return Plan(frozenset(proposed), populations, dropped, time.monotonic() - begun)


def _related(views: set[str], measures: Collection[Measure]) -> set[str]:
    """These populations and all that share protected counts with them."""
    ties = {(measure.view, other) for measure in measures for *_, other in measure.equals}
    found = set(views)
    while more := {b for a, b in ties if a in found} | {a for a, b in ties if b in found}:
        if more <= found:
            break
        found |= more
    return found
