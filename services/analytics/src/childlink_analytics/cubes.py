"""Builds the linked cells of a measure: every cube with all its margins, each cell once. Rule: plain values.

A cell is a tuple of (dimension, category) pairs, sorted; the empty tuple is the total. Cubes that share dimensions share
cells, so protecting the cells together ties the cubes together.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from childlink_analytics.measures import Measure

Cell = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LinkedCells:
    """True counts of all cells, and which sums of cells make which cell."""

    counts: dict[Cell, int]
    sums: list[tuple[Cell, list[Cell]]]
    """(margin, its parts): the margin is the sum of its parts, over one dimension."""


def link_cells(measure: Measure, inner: Sequence[Mapping[tuple[str, ...], int]]) -> LinkedCells:
    """From the inner counts of each cube (by category, in the cube's order of dimensions) to all linked cells.

    Raises ValueError when two cubes disagree about a shared cell: a dimension does not place everyone exactly once.
    """
    counts: dict[Cell, int] = {}
    sums: dict[tuple[Cell, str], list[Cell]] = {}
    for cube, cells in zip(measure.cubes, inner, strict=True):
        cube_counts: dict[Cell, int] = {}
        choices = [[None, *measure.dimensions[name].categories] for name in cube]
        for categories in itertools.product(*choices):
            cell = _cell(cube, categories)
            cube_counts[cell] = 0
            for position, category in enumerate(categories):
                if category is None:
                    parts = [
                        _cell(cube, (*categories[:position], part, *categories[position + 1 :]))
                        for part in measure.dimensions[cube[position]].categories
                    ]
                    sums[cell, cube[position]] = parts
        for categories, count in cells.items():
            for shown in itertools.product(*((None, category) for category in categories)):
                cube_counts[_cell(cube, shown)] += count
        for cell, count in cube_counts.items():
            if counts.setdefault(cell, count) != count:
                raise ValueError(f"measure {measure.id}: cubes disagree about {cell}")
    return LinkedCells(counts, [(cell, parts) for (cell, _), parts in sums.items()])


def _cell(cube: Sequence[str], categories: Sequence[str | None]) -> Cell:
    return tuple(sorted((name, category) for name, category in zip(cube, categories, strict=True) if category is not None))
