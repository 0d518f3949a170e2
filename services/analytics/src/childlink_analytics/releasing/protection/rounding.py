"""Strict, additive controlled rounding of linked cells, as a mixed-integer programme (Cox 1987;
Salazar-Gonzalez 2006).

Each cell becomes a multiple of the base near its true count, and each margin stays the sum of its
parts. The objective, the least total error, is weighted by secret random numbers of the release. An
attacker who knows the method therefore cannot repeat it. HiGHS runs on one thread with fixed
settings, so the same input gives the same output.
"""

import ctypes
import hashlib
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, Final

import highspy
import numpy as np

from childlink_analytics.errors import ProtectionError
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.cubes import Cell, LinkedCells

TIME_LIMIT_S: Final = 120.0
LARGEST_BLOCK: Final = 900
"""A population with more linked cells is rounded in blocks."""
_MEETING: Final = Lock()
# Relative gap to the optimal total error at which the solver stops. Protection does not depend on
# it.
_GAP: Final = 0.02


Line = tuple[float, float, Mapping[Cell, float]]
"""A relation between cells: (least, greatest, weight of each)."""


@dataclass(frozen=True)
class Programme:
    """A mixed-integer programme in the row form of HiGHS."""

    cost: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    integer: np.ndarray
    rows: list[tuple[float, float, list[int], list[float]]]
    """(least, greatest, columns, coefficients)."""


def round_cells(
    linked: LinkedCells,
    secret: bytes,
    label: str,
    kept: Mapping[Cell, int] | None = None,
    high: Collection[Cell] = (),
    tied: Mapping[Cell, int] | None = None,
) -> dict[Cell, int]:
    """Protected counts of all cells. Cells in `tied` have the value that they have in another
    population. Cells in `kept` stay as in an earlier release if possible.
    Cells in `high` are not rounded far below their true counts. Raises ProtectionError if no
    solution is found in time.

    A large population is rounded in blocks (`blocks_of`): shared margins first, then table by
    table within them. If a table does not fit its margins, it and all later ones are rounded
    together.
    """
    blocks = blocks_of(linked) if len(linked.counts) > LARGEST_BLOCK else [set(linked.counts)]
    lines = _lines(linked)
    fixed: dict[Cell, int] = dict(tied or {})
    blocks = [block for block in (block - fixed.keys() for block in blocks) if block]
    while blocks:
        block = blocks.pop(0)
        for stay in (kept, {}) if kept else ({},):
            found = _round(linked, lines, block, fixed, secret, label, stay or {}, high)
            if found is not None:
                fixed |= found
                break
        else:
            if not blocks:
                if fixed.keys() <= (tied or {}).keys():
                    raise ProtectionError(
                        f"{label}: {len(linked.counts):,} linked cells could not be rounded in"
                        f" {TIME_LIMIT_S:.0f} s.",
                        "Use fewer dimensions or a coarser level.",
                    )
                # What was fixed before leaves no room: begin again with everything at once.
                fixed = dict(tied or {})
                blocks = [set(linked.counts) - fixed.keys()]
            else:
                blocks = [block.union(*blocks)]
    return {cell: fixed[cell] for cell in sorted(linked.counts)}


def blocks_of(linked: LinkedCells) -> list[set[Cell]]:
    """Sets of cells to round one after the other: the total and the margins of one column, then
    each table, the smallest first. A table has the cells of one set of columns and of its subsets.
    """
    columns: dict[frozenset[str], list[Cell]] = {}
    for cell in linked.counts:
        columns.setdefault(frozenset(name for name, _ in cell), []).append(cell)
    first = {cell for names, cells in columns.items() if len(names) <= 1 for cell in cells}
    tables = [names for names in columns if not any(names < other for other in columns)]
    ordered = sorted(tables, key=lambda names: (len(columns[names]), sorted(names)))
    blocks, done = [first], set(first)
    for table in ordered:
        block = {
            cell for names, cells in columns.items() if names <= table for cell in cells
        } - done
        if block:
            blocks.append(block)
            done |= block
    return blocks


def _round(
    linked: LinkedCells,
    lines: Sequence[Line],
    block: Collection[Cell],
    fixed: Mapping[Cell, int],
    secret: bytes,
    label: str,
    kept: Mapping[Cell, int],
    high: Collection[Cell],
) -> dict[Cell, int] | None:
    """Protected counts of a block, in which the relations with all fixed cells hold. None if there
    are none, or none in time.
    """
    of_block = [
        line
        for line in lines
        if any(cell in block for cell in line[2])
        and all(cell in block or cell in fixed for cell in line[2])
    ]
    beside = {cell for line in of_block for cell in line[2] if cell not in block}
    cells = sorted({*block, *beside})
    index = {cell: at for at, cell in enumerate(cells)}
    n, base = len(cells), disclosure.BASE
    true = np.array([linked.counts[cell] for cell in cells], dtype=float)
    # Columns: k, where k x base is the protected count, then the error of each cell.
    rows: list[tuple[float, float, list[int], list[float]]] = [
        (low, top, [index[cell] for cell in line], list(line.values()))
        for low, top, line in of_block
    ]
    for at in range(n):
        rows.append((-true[at], highspy.kHighsInf, [n + at, at], [1.0, -base]))
        rows.append((true[at], highspy.kHighsInf, [n + at, at], [1.0, base]))
    ranges = []
    for cell in cells:
        around = disclosure.allowed_counts(linked.counts[cell], high=cell in high)
        if cell in fixed:
            ranges.append((fixed[cell],) * 2)
        elif kept.get(cell, -1) in around:
            ranges.append((kept[cell],) * 2)
        else:
            ranges.append((around[0], around[-1]))
    noise = np.array([_noise(secret, label, cell) for cell in cells])
    programme = Programme(
        cost=np.concatenate([np.zeros(n), 1.0 + noise]),
        lower=np.concatenate([[low / base for low, _ in ranges], np.zeros(n)]),
        upper=np.concatenate(
            [[top / base for _, top in ranges], np.full(n, float(disclosure.LARGEST_ERROR))]
        ),
        integer=np.arange(2 * n) < n,
        rows=rows,
    )
    values = solve(programme, TIME_LIMIT_S)
    if values is None:
        return None
    return {cell: round(values[index[cell]]) * base for cell in block}


def _lines(linked: LinkedCells) -> list[Line]:
    """The relations between cells."""
    names = list(linked.counts)
    lines: list[Line] = [
        (0.0, 0.0, {margin: 1.0, **dict.fromkeys(parts, -1.0)}) for margin, parts in linked.sums
    ]
    for low, high, columns, weights in inequalities(
        linked, {cell: at for at, cell in enumerate(names)}
    ):
        line: dict[Cell, float] = {}
        for column, weight in zip(columns, weights, strict=True):
            line[names[column]] = line.get(names[column], 0.0) + weight
        lines.append((low, high, line))
    return lines


def inequalities(
    linked: LinkedCells, index: Mapping[Cell, int]
) -> list[tuple[float, float, list[int], list[float]]]:
    """Covers and nested cells as rows of a programme."""
    rows: list[tuple[float, float, list[int], list[float]]] = []
    for union, parts in linked.covers:
        at = [index[part] for part in parts]
        rows.append((0.0, highspy.kHighsInf, [*at, index[union]], [*(1.0 for _ in parts), -1.0]))
        rows += [(0.0, highspy.kHighsInf, [index[union], part], [1.0, -1.0]) for part in at]
    rows += [
        (0.0, highspy.kHighsInf, [index[whole], index[part]], [1.0, -1.0])
        for part, whole in linked.nested
    ]
    return rows


def solve(programme: Programme, time_limit_s: float) -> np.ndarray | None:
    """The columns of the solution. None if there is no solution, or none in time."""
    solver = load(programme, time_limit_s)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.array(solver.getSolution().col_value)


def load(programme: Programme, time_limit_s: float) -> Any:
    """A solver with the programme and fixed settings."""
    with _MEETING:
        _meet_highs()
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.silent()
    for option, value in (
        ("threads", 1),
        ("parallel", "off"),
        ("random_seed", 0),
        ("mip_rel_gap", _GAP),
        ("time_limit", time_limit_s),
    ):
        solver.setOptionValue(option, value)
    model = highspy.HighsLp()
    model.num_col_ = len(programme.cost)
    model.num_row_ = len(programme.rows)
    model.col_cost_ = programme.cost
    model.col_lower_ = programme.lower
    model.col_upper_ = programme.upper
    model.row_lower_ = np.array([row[0] for row in programme.rows])
    model.row_upper_ = np.array([row[1] for row in programme.rows])
    model.integrality_ = [
        highspy.HighsVarType.kInteger if whole else highspy.HighsVarType.kContinuous
        for whole in programme.integer
    ]
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.cumsum([0, *(len(row[2]) for row in programme.rows)])
    model.a_matrix_.index_ = (
        np.concatenate([np.array(row[2]) for row in programme.rows])
        if programme.rows
        else np.zeros(0, dtype=int)
    )
    model.a_matrix_.value_ = (
        np.concatenate([np.array(row[3]) for row in programme.rows])
        if programme.rows
        else np.zeros(0)
    )
    solver.passModel(model)
    return solver


@cache
def _meet_highs() -> None:
    """Create the first solver of the process with standard output redirected. HiGHS prints a banner
    then, regardless of its settings.
    """
    libc = ctypes.CDLL(None)
    sys.stdout.flush()
    libc.fflush(None)
    kept = os.dup(1)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path
            os.dup2(nowhere.fileno(), 1)
            highspy.Highs()  # type: ignore[no-untyped-call]
            libc.fflush(None)
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _noise(secret: bytes, label: str, cell: Cell) -> float:
    """A number in [0, 1) that cannot be computed without the release's key."""
    digest = hashlib.blake2b(f"{label}|{cell!r}".encode(), key=secret, digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
