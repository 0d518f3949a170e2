"""The disclosure audit that every cut must pass: it acts as an attacker and tries to bound each
small count from all that an analyst can learn. The attack must fail.

The attacker knows these facts:

* every protected count, including those of withheld cells, because sums reveal them;
* that margins add up, and that a union of services is at most their sum;
* that counts are whole numbers of at least 0;
* the rounding rule;
* every earlier release. If a count changed by few, the attacker is assumed to know by how many.

Targets are small counts, and small differences of counts of which one is within the other: all
children but those of one group, those reached by any service but not by one of them.

The attack is repeated as each partner, who also knows its own rows. Linear-programming bounds are
at least as tight as any differencing of published tables (Dobra & Fienberg 2000). Every bound that
is too tight is confirmed with whole numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from childlink_analytics.releasing.protection.rounding import Programme, inequalities, load
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.cubes import Cell, LinkedCells

_TIME_LIMIT_S = 20.0
_DIRECTIONS = 12


@dataclass(frozen=True)
class AttackReport:
    """The attack's result: the number of small counts attacked, and the cells that were bounded
    more tightly than the policy allows.
    """

    attacked: int
    too_tight: list[Cell]
    narrowest: int
    """Width of the narrowest interval of a small count: it is at least this wide."""


@dataclass(frozen=True)
class PriorRelease:
    """A population's cells in an earlier release."""

    counts: Mapping[Cell, int]
    protected: Mapping[Cell, int]


def attack(
    linked: LinkedCells,
    protected: Mapping[Cell, int],
    earlier: Sequence[PriorRelease] = (),
    possible: Callable[[int], tuple[int, int]] = disclosure.possible_counts,
    unsafe: Mapping[Cell, int] | None = None,
) -> AttackReport:
    """Try to bound every small count, and every `unsafe` cell, which has a minimum width of its
    own.

    True counts are used only to choose and score the targets, and for changes between releases.
    `possible` gives the range of the true count behind a published count.
    """
    bounds = {
        cell: _known(cell, count, protected[cell], earlier, possible)
        for cell, count in linked.counts.items()
    }
    wanted = {
        cell: disclosure.NARROWEST_INTERVAL
        for cell, n in linked.counts.items()
        if n in disclosure.SMALL
    }
    return _attack_with_differences(linked, bounds, wanted | dict(unsafe or {}))


def attack_as_partner(
    linked: LinkedCells,
    protected: Mapping[Cell, int],
    own: Mapping[Cell, int],
    earlier: Sequence[PriorRelease] = (),
    possible: Callable[[int], tuple[int, int]] = disclosure.possible_counts,
) -> AttackReport:
    """Attack as a partner, who subtracts the people known from its own rows. The targets are cells
    where 1 to 7 other people are left.
    """
    others, bounds = {}, {}
    for cell, count in linked.counts.items():
        mine = own.get(cell, 0)
        low, high = _known(cell, count, protected[cell], earlier, possible)
        others[cell], bounds[cell] = count - mine, (max(0, low - mine), high - mine)
    wanted = {
        cell: disclosure.NARROWEST_INTERVAL
        for cell, count in others.items()
        if count in disclosure.SMALL and own.get(cell, 0) > 0
    }
    left = LinkedCells(others, linked.sums, linked.covers, linked.nested)
    return _attack_with_differences(left, bounds, wanted)


def _attack_with_differences(
    linked: LinkedCells, bounds: Mapping[Cell, tuple[int, int]], wanted: Mapping[Cell, int]
) -> AttackReport:
    """Attack the `wanted` cells, and every small difference of two counts of which one is within
    the other. A difference that is found counts as both of its cells.
    """
    between = small_differences(linked)
    extended = LinkedCells(
        linked.counts
        | {
            cell: linked.counts[whole] - linked.counts[part]
            for cell, (part, whole) in between.items()
        },
        [*linked.sums, *((whole, [part, cell]) for cell, (part, whole) in between.items())],
        linked.covers,
        linked.nested,
    )
    room = {cell: (0, bounds[whole][1]) for cell, (_, whole) in between.items()}
    report = _bound(
        extended,
        {**bounds, **room},
        {**wanted, **dict.fromkeys(between, disclosure.NARROWEST_INTERVAL)},
    )
    found = {one for cell in report.too_tight for one in between.get(cell, (cell,))}
    return AttackReport(report.attacked, sorted(found), report.narrowest)


def small_differences(linked: LinkedCells) -> dict[Cell, tuple[Cell, Cell]]:
    """Names for the differences of 1 to 7, each with the cell that is within the other, and that
    other cell.
    """
    pairs = dict.fromkeys(
        [
            *linked.nested,
            *((part, union) for union, parts in linked.covers for part in parts),
            # Of two parts, one is the other's difference.
            *((part, margin) for margin, parts in linked.sums if len(parts) > 2 for part in parts),
        ]
    )
    small = [
        (part, whole)
        for part, whole in pairs
        if linked.counts[whole] - linked.counts[part] in disclosure.SMALL
    ]
    return {(("difference", str(number)),): pair for number, pair in enumerate(small)}


def _bound(
    linked: LinkedCells, bounds: Mapping[Cell, tuple[int, int]], wanted: Mapping[Cell, int]
) -> AttackReport:
    """Bound the `wanted` cells, with their minimum widths, by all relations between cells."""
    if not wanted:
        return AttackReport(0, [], 2 * disclosure.LARGEST_ERROR)
    index = {cell: at for at, cell in enumerate(sorted(linked.counts))}
    solver = load(programme_of(linked, bounds), _TIME_LIMIT_S)
    seen = _Seen(solver, {index[cell] for cell in wanted})
    seen.explore()
    unclear: list[Cell] = []
    narrowest = 2 * disclosure.LARGEST_ERROR
    for cell, enough in sorted(wanted.items()):
        clear, (low, high) = max(enough, disclosure.LARGEST_ERROR), bounds[cell]
        width = seen.width(index[cell])
        if width < clear <= high - low:
            width = seen.exact_width(index[cell])
        if width < clear:
            unclear.append(cell)
        else:
            narrowest = min(narrowest, width)
    if not unclear:
        return AttackReport(len(wanted), [], narrowest)
    # Counts are whole, so these intervals may be narrower still. Each whole solution also tells of
    # all of them.
    solver = load(programme_of(linked, bounds, whole=True), _TIME_LIMIT_S)
    seen = _Seen(solver, {index[cell] for cell in unclear})
    seen.explore()
    too_tight = []
    for cell in unclear:
        width = seen.width(index[cell])
        if width < wanted[cell]:
            width = seen.exact_width(index[cell])
        narrowest = min(narrowest, width)
        if width < wanted[cell]:
            too_tight.append(cell)
    return AttackReport(len(wanted), too_tight, narrowest)


def programme_of(
    linked: LinkedCells, bounds: Mapping[Cell, tuple[int, int]], *, whole: bool = False
) -> Programme:
    """All relations between cells, and the bounds of each. The columns are the cells in order."""
    cells = sorted(linked.counts)
    index = {cell: at for at, cell in enumerate(cells)}
    return Programme(
        cost=np.zeros(len(cells)),
        lower=np.array([bounds[cell][0] for cell in cells], dtype=float),
        upper=np.array([bounds[cell][1] for cell in cells], dtype=float),
        integer=np.full(len(cells), whole),
        rows=[
            (0.0, 0.0, [index[m], *(index[p] for p in parts)], [1.0, *(-1.0 for _ in parts)])
            for m, parts in linked.sums
        ]
        + inequalities(linked, index),
    )


class _Seen:
    """The least and the greatest value of each cell in any solution that was found. Each solution
    tells something about every cell, so most cells need no solutions of their own. What was seen
    can only be narrower than what is possible.
    """

    def __init__(self, solver: Any, targets: set[int]) -> None:
        self._solver, self._targets = solver, np.array(sorted(targets))
        self._low = np.full(len(self._targets), np.inf)
        self._high = np.full(len(self._targets), -np.inf)
        self._place = {int(target): at for at, target in enumerate(self._targets)}

    def explore(self) -> None:
        """Look for solutions in which many cells are far from where they were seen."""
        rng = np.random.default_rng(0)
        for _ in range(_DIRECTIONS):
            narrow = self._high - self._low < disclosure.LARGEST_ERROR + 1
            if not narrow.any():
                return
            chosen = self._targets[narrow]
            for weights in (np.ones(len(chosen)), rng.choice([-1.0, 1.0], len(chosen))):
                self._cost(chosen, weights)
                if not self._both_ways():
                    return
            self._cost(chosen, np.zeros(len(chosen)))

    def width(self, target: int) -> int:
        """Width of a cell's interval, as far as it was seen."""
        at = self._place[target]
        if not np.isfinite(self._low[at]):
            return 0
        return int(np.floor(self._high[at] + 1e-6) - np.ceil(self._low[at] - 1e-6))

    def exact_width(self, target: int) -> int:
        """Width of a cell's interval. Zero if the solver ran out of time."""
        self._cost(np.array([target]), np.ones(1))
        solved = self._both_ways()
        self._cost(np.array([target]), np.zeros(1))
        return self.width(target) if solved else 0

    def _cost(self, columns: np.ndarray, weights: np.ndarray) -> None:
        self._solver.changeColsCost(len(columns), columns.astype(np.int32), weights)

    def _both_ways(self) -> bool:
        """Solve for the least and the greatest, and note where every cell is."""
        for sense in (highspy.ObjSense.kMinimize, highspy.ObjSense.kMaximize):
            if not _run(self._solver, sense):
                return False
            values = np.array(self._solver.getSolution().col_value)[self._targets]
            self._low = np.minimum(self._low, values)
            self._high = np.maximum(self._high, values)
        return True


def _known(
    cell: Cell,
    true: int,
    protected: int,
    earlier: Sequence[PriorRelease],
    possible: Callable[[int], tuple[int, int]],
) -> tuple[int, int]:
    """The least and the greatest count of a cell that single releases allow."""
    low, high = possible(protected)
    for release in earlier:
        if cell in release.counts:
            change = true - release.counts[cell]
            if abs(change) <= disclosure.SMALL[-1]:
                least, most = possible(release.protected[cell])
                low, high = max(low, least + change), min(high, most + change)
    return low, high


def _run(solver: Any, sense: Any) -> bool:
    """Solve once more. False if there is no solution, or none in time. HiGHS counts the time of all
    runs of a solver together, so each gets its time on top.
    """
    solver.setOptionValue("time_limit", solver.getRunTime() + _TIME_LIMIT_S)
    solver.changeObjectiveSense(sense)
    solver.run()
    return bool(solver.getModelStatus() == highspy.HighsModelStatus.kOptimal)
