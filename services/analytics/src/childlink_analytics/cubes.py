"""Builds the linked cells of a population: every cube of every measure of it with all margins, each cell once. Rule: values.

A cell is a tuple of (column, category) pairs, sorted; the empty tuple is the whole population. Cubes that share columns share
cells, so protecting the cells together ties the cubes, and the measures, together.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from childlink_analytics.measures import Measure

Cell = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LinkedCells:
    """True counts of all cells, and which sums of cells make which cell."""

    counts: dict[Cell, int]
    sums: list[tuple[Cell, list[Cell]]]
    """(margin, its parts): the margin is the sum of its parts, over one column."""


def link_cells(cubes: Iterable[tuple[Measure, tuple[str, ...], Mapping[tuple[str, ...], int]]]) -> LinkedCells:
    """From the inner counts of cubes (by category, in the cube's order of dimensions) to all linked cells.

    Raises ValueError when two cubes disagree about a shared cell: a dimension does not place everyone exactly once.
    """
    counts: dict[Cell, int] = {}
    sums: dict[tuple[Cell, str], list[Cell]] = {}
    for measure, cube, inner in cubes:
        columns = [measure.columns.get(name, name) for name in cube]
        cube_counts: dict[Cell, int] = {}
        for categories in itertools.product(*([None, *measure.dimensions[name].categories] for name in cube)):
            cell = cell_of(columns, categories)
            cube_counts[cell] = 0
            for position, category in enumerate(categories):
                if category is None:
                    parts = measure.dimensions[cube[position]].categories
                    sums[cell, columns[position]] = [
                        cell_of(columns, (*categories[:position], part, *categories[position + 1 :])) for part in parts
                    ]
        for categories, count in inner.items():
            for shown in itertools.product(*((None, category) for category in categories)):
                cube_counts[cell_of(columns, shown)] += count
        for cell, count in cube_counts.items():
            if counts.setdefault(cell, count) != count:
                raise ValueError(f"measure {measure.id}: cubes disagree about {cell}")
    return LinkedCells(counts, [(cell, parts) for (cell, _), parts in sums.items()])


def measure_cells(measure: Measure, counts: Mapping[Cell, int]) -> dict[Cell, int]:
    """A measure's cells out of its population's, by dimension instead of column."""
    cells = {}
    for cube in measure.cubes:
        columns = [measure.columns.get(name, name) for name in cube]
        for categories in itertools.product(*([None, *measure.dimensions[name].categories] for name in cube)):
            cells[cell_of(cube, categories)] = counts[cell_of(columns, categories)]
    return cells


def cell_of(names: Sequence[str], categories: Sequence[str | None]) -> Cell:
    """The cell of these categories; None leaves a name out (its margin)."""
    return tuple(
        sorted((name, category) for name, category in zip(names, categories, strict=True) if category is not None)
    )
