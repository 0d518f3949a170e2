"""Primary and secondary cell suppression, then rounding: the second policy, for those who must.
Rule: cells in, cells out.

Primary: counts of 1 to 7. Secondary: other cells are withheld until nobody who knows the rest
exactly can bound a primary one closely. They are found primary cell by primary cell with two linear
programmes (Robertson 2000; the "hypercube-free" LP heuristic of Kelly, Golden & Assad 1992): the
cheapest change of the table, margins kept, that moves the cell up, then down, by the protection
asked for; every cell that has to move with it is withheld too. Cells withheld already move for
nothing. What is left is rounded to the nearest multiple of the base, each cell for itself.
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
    """Protected counts of all cells; `disclosure.HIDDEN` where withheld. `more` are withheld as if
    they were small, with how far up they must be able to lie. Raises ProtectionError when a cell
    cannot be protected.
    """
    cells = sorted(linked.counts)
    hidden = suppressed(linked, more)
    return {
        cell: disclosure.HIDDEN if cell in hidden else disclosure.nearest(linked.counts[cell])
        for cell in cells
    }


def suppressed(linked: LinkedCells, more: Mapping[Cell, int] = MappingProxyType({})) -> set[Cell]:
    """The cells that are withheld: the primary ones and what protects them."""
    cells = sorted(linked.counts)
    primary = [cell for cell in cells if linked.counts[cell] in disclosure.SMALL or cell in more]
    index = {cell: at for at, cell in enumerate(cells)}
    hidden = set(primary)
    solver = _solver(linked, cells, index)
    # The largest first: what protects them often protects the smaller ones.
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
    """Columns: how much each cell moves up, then how much down. Withholding a large cell costs more
    than a small one.
    """
    n = len(cells)
    true = np.array([linked.counts[cell] for cell in cells], dtype=float)
    rows: list[tuple[float, float, list[int], list[float]]] = []
    for margin, parts in linked.sums:
        at = [index[margin], *(index[part] for part in parts)]
        signs = [1.0, *(-1.0 for _ in parts)]
        rows.append((0.0, 0.0, [*at, *(n + i for i in at)], [*signs, *(-sign for sign in signs)]))
    for low, high, at, signs in inequalities(linked, index):
        # They hold of the true counts, and must of the moved ones.
        slack = sum(sign * true[i] for i, sign in zip(at, signs, strict=True))
        rows.append(
            (low - slack, high, [*at, *(n + i for i in at)], [*signs, *(-sign for sign in signs)])
        )
    programme = Programme(
        cost=np.tile(_costs(true), 2),
        lower=np.zeros(2 * n),
        # A zero is shown, and cannot move; so whatever is withheld is known to be at least 1.
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
    """Cells that move when the target moves by `needed`, at least cost."""
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
        # Everything that it is made of is at its least already; then it is the room above that
        # protects it.
        return []
    if not found:
        raise ProtectionError(
            "A small count cannot be protected by withholding other cells.",
            "Use fewer or coarser dimensions.",
        )
    # Up and down of one cell cancel: it moves by the difference.
    return [int(at) for at in np.flatnonzero(np.abs(values[:n] - values[n:]) > _MOVED)]
