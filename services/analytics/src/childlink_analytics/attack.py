"""The attacker that gates every cut: bounds each small count with all that an analyst can learn, and must fail.

It knows every protected count (sums of withheld cells reveal them), that margins add up, that counts are whole and not
negative, and the largest error of the rounding. Linear-programming bounds are at least as tight as any differencing of
published tables (Dobra & Fienberg 2000); here every bound that is too tight is confirmed with whole numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from childlink_analytics import disclosure
from childlink_analytics.cubes import Cell, LinkedCells
from childlink_analytics.rounding import Programme, solve

_TIME_LIMIT_S = 20.0


@dataclass(frozen=True)
class AttackReport:
    """What the attacker found: small counts attacked, and those bounded more tightly than the policy allows."""

    attacked: int
    too_tight: list[Cell]
    narrowest: int
    """Width of the tightest interval found for a small count."""


def attack(linked: LinkedCells, protected: Mapping[Cell, int]) -> AttackReport:
    """Try to bound every small count. Truth is used only to choose and score the targets."""
    cells = sorted(linked.counts)
    index = {cell: at for at, cell in enumerate(cells)}
    shown = np.array([protected[cell] for cell in cells], dtype=float)
    programme = Programme(
        cost=np.zeros(len(cells)),
        lower=np.maximum(0.0, shown - disclosure.LARGEST_ERROR),
        upper=shown + disclosure.LARGEST_ERROR,
        integer=np.zeros(len(cells), dtype=bool),
        rows=[
            (0.0, 0.0, [index[m], *(index[p] for p in parts)], [1.0, *(-1.0 for _ in parts)])
            for m, parts in linked.sums
        ],
    )
    targets = [cell for cell in cells if linked.counts[cell] in disclosure.SMALL]
    too_tight = []
    narrowest = 2 * disclosure.LARGEST_ERROR
    for cell in targets:
        width = _width(programme, index[cell])
        narrowest = min(narrowest, width)
        if width < disclosure.NARROWEST_INTERVAL:
            too_tight.append(cell)
    return AttackReport(len(targets), too_tight, narrowest)


def _width(programme: Programme, target: int) -> int:
    """Width of the target's interval; bounds that come out tight are recomputed with whole numbers."""
    width = _bound(programme, target, whole=False)
    return _bound(programme, target, whole=True) if width < disclosure.LARGEST_ERROR else width


def _bound(programme: Programme, target: int, *, whole: bool) -> int:
    cost = np.zeros(len(programme.cost))
    cost[target] = 1.0
    question = Programme(cost, programme.lower, programme.upper, np.full(len(cost), whole), programme.rows)
    low, high = solve(question, _TIME_LIMIT_S), solve(question, _TIME_LIMIT_S, maximise=True)
    if low is None or high is None:
        # The attacker ran out of time: count what is certain, nothing.
        return 0
    return int(np.floor(high[target] + 1e-6) - np.ceil(low[target] - 1e-6))
