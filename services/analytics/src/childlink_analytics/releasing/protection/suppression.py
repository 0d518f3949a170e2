"""Primary and secondary cell suppression, then rounding: the second policy, for partnerships that
must use suppression. Rule: cells in, cells out.

Primary suppression withholds counts of 1 to 7. Secondary suppression withholds other cells, until
an attacker who knows all remaining cells exactly cannot bound a primary cell closely.

The secondary cells are found for one primary cell at a time, with two linear programmes (Robertson
2000; the "hypercube-free" LP heuristic of Kelly, Golden & Assad 1992). Each programme finds the
cheapest change of the table that keeps the margins and moves the cell up, or down, by the required
protection. Every cell that moves with it is withheld. Cells that are already withheld move at
almost no cost. The remaining cells are rounded to the nearest multiple of the base, independently.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import highspy
import numpy as np

from childlink_analytics.errors import ProtectionError
from childlink_analytics.releasing.protection.rounding import Programme, inequalities, load
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.cubes import Cell, LinkedCells

_TIME_LIMIT_S: Final = 20.0
_MOVED: Final = 1e-6


def suppress_cells(
    linked: LinkedCells, more: Mapping[Cell, int] = MappingProxyType({})
) -> dict[Cell, int]:
    """Protected counts of all cells, with `disclosure.HIDDEN` for withheld cells. Cells in `more`
    are withheld as well; their values say how far up each must be able to move. Raises
    ProtectionError if a cell cannot be protected.
    """
    cells = sorted(linked.counts)
    hidden = suppressed(linked, more)
    return {
        cell: disclosure.HIDDEN if cell in hidden else disclosure.nearest(linked.counts[cell])
        for cell in cells
    }


def suppressed(linked: LinkedCells, more: Mapping[Cell, int] = MappingProxyType({})) -> set[Cell]:
    """The withheld cells: the primary cells and the cells that protect them."""
    cells = sorted(linked.counts)
    primary = [cell for cell in cells if linked.counts[cell] in disclosure.SMALL or cell in more]
    index = {cell: at for at, cell in enumerate(cells)}
    hidden = set(primary)
    solver = _solver(linked, cells, index)
    # Largest first: the cells that protect them often protect the smaller ones as well.
    for cell in sorted(primary, key=lambda item: (-linked.counts[item], item)):
        for needed in (
            more.get(cell, disclosure.NARROWEST_INTERVAL),
            -min(linked.counts[cell] - 1, 2),
        ):
            if needed == 0:
                continue
            for moved in _moved(
                solver, index[cell], needed, [index[item] for item in sorted(hidden)], len(cells)
            ):
                hidden.add(cells[moved])
    return hidden


def _solver(linked: LinkedCells, cells: list[Cell], index: dict[Cell, int]) -> Any:
    """A solver whose columns are each cell's move up, then each cell's move down. Withholding a
    large cell costs more than withholding a small one.
    """
    n = len(cells)
    true = np.array([linked.counts[cell] for cell in cells], dtype=float)
    rows: list[tuple[float, float, list[int], list[float]]] = []
    for margin, parts in linked.sums:
        at = [index[margin], *(index[part] for part in parts)]
        signs = [1.0, *(-1.0 for _ in parts)]
        rows.append((0.0, 0.0, [*at, *(n + i for i in at)], [*signs, *(-sign for sign in signs)]))
    for low, high, at, signs in inequalities(linked, index):
        # These relations hold for the true counts, and must hold for the moved counts.
        slack = sum(sign * true[i] for i, sign in zip(at, signs, strict=True))
        rows.append(
            (low - slack, high, [*at, *(n + i for i in at)], [*signs, *(-sign for sign in signs)])
        )
    programme = Programme(
        cost=np.tile(_costs(true), 2),
        lower=np.zeros(2 * n),
        # A zero is shown and cannot move. A withheld cell is therefore known to be at least 1.
        upper=np.concatenate(
            [np.where(true > 0, highspy.kHighsInf, 0.0), np.maximum(true - 1.0, 0.0)]
        ),
        integer=np.zeros(2 * n, dtype=bool),
        rows=rows,
    )
    return load(programme, _TIME_LIMIT_S)


def _costs(true: np.ndarray) -> np.ndarray:
    costs: np.ndarray = 1.0 + np.log1p(true)
    return costs


def _moved(solver: Any, target: int, needed: int, hidden: list[int], n: int) -> list[int]:
    """The cells that move when the target moves by `needed` at the least cost."""
    costs = {column: solver.getCol(column)[1] for column in (*hidden, *(n + i for i in hidden))}
    for column in costs:
        solver.changeColCost(column, 0.001)
    column, other = (target, n + target) if needed > 0 else (n + target, target)
    bounds = [solver.getCol(at)[2:4] for at in (column, other)]
    solver.changeColBounds(column, abs(needed), abs(needed))
    solver.changeColBounds(other, 0.0, 0.0)
    solver.run()
    found = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    values = np.array(solver.getSolution().col_value) if found else np.zeros(0)
    for at, (low, high) in zip((column, other), bounds, strict=True):
        solver.changeColBounds(at, low, high)
    for at, cost in costs.items():
        solver.changeColCost(at, cost)
    if not found and needed < 0:
        # All cells that make up the target are already at their least. Then the room above protects
        # the target.
        return []
    if not found:
        raise ProtectionError(
            "A small count cannot be protected by withholding other cells.",
            "Use fewer or coarser dimensions.",
        )
    # Moves up and down of one cell cancel: the net move counts.
    return [int(at) for at in np.flatnonzero(np.abs(values[:n] - values[n:]) > _MOVED)]
