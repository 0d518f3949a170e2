"""Builds the linked cells of a population: all cubes of all its measures, with all margins, each
cell once. Rule: plain values.

A cell is a sorted tuple of (column, category) pairs. The empty tuple is the whole population.

Cubes that share columns share cells. Protecting all cells together therefore ties the cubes and
measures together. Other known relations also tie cells: the number of distinct people over several
services is at most their sum and at least the largest of them, and people in one cell may also be
in another.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from childlink_catalogue.measures import Measure

Cell = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LinkedCells:
    """The true counts of all cells, and the sums that relate them."""

    counts: dict[Cell, int]
    sums: list[tuple[Cell, list[Cell]]]
    """(margin, its parts): the margin is the sum of its parts over one column."""
    covers: list[tuple[Cell, list[Cell]]] = field(default_factory=list)
    """(union, its parts): at least the largest part, and at most the sum of the parts."""
    nested: list[tuple[Cell, Cell]] = field(default_factory=list)
    """(part, whole): the part is at most the whole."""


Inner = Mapping[tuple[str | None, ...], int]
"""Counts by category, in the order of the cube's dimensions. None where an overlapping dimension,
or one within it, is left out.
"""


def link_cells(cubes: Iterable[tuple[Measure, tuple[str, ...], Inner]]) -> LinkedCells:
    """Combine the inner counts of cubes into all linked cells.

    Raises ValueError if two cubes disagree about a shared cell. Then a dimension does not place
    each person exactly once.
    """
    counts: dict[Cell, int] = {}
    sums: dict[tuple[Cell, str], list[Cell]] = {}
    covers: dict[tuple[Cell, str], list[Cell]] = {}
    same: dict[tuple[str, str], tuple[str, str]] = {}
    implies: set[tuple[str, str, str, str]] = set()
    made_of: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {}
    for measure, cube, inner in cubes:
        columns = [measure.columns.get(name, name) for name in cube]
        cube_counts = {cell_of(columns, categories): 0 for categories in _shown(measure, cube)}
        for categories in _shown(measure, cube):
            cell = cell_of(columns, categories)
            for position, category in enumerate(categories):
                dimension = measure.dimensions[cube[position]]
                if category is not None or (
                    dimension.within and categories[cube.index(dimension.within)] is None
                ):
                    continue
                rest = (categories[:position], categories[position + 1 :])
                parts = [
                    cell_of(columns, (*rest[0], part, *rest[1])) for part in dimension.categories
                ]
                (covers if dimension.overlapping else sums)[cell, columns[position]] = parts
            for name in cube:
                once = _once(measure, cube, categories, name)
                if once:
                    sums[cell, f"once {name}"] = [cell_of(columns, part) for part in once]
        exclusive = [not measure.dimensions[name].overlapping for name in cube]
        for categories, count in inner.items():
            ways = zip(categories, exclusive, strict=True)
            for shown in itertools.product(
                *({None, category} if alone else (category,) for category, alone in ways)
            ):
                cube_counts[cell_of(columns, shown)] += count
        for cell, count in cube_counts.items():
            if counts.setdefault(cell, count) != count:
                raise ValueError(f"measure {measure.id}: cubes disagree about {cell}")
        same |= {
            (measure.columns.get(name, name), category): other
            for name in cube
            for category, other in measure.dimensions[name].same.items()
        }
        implies.update(measure.implies)
        made_of |= {
            (measure.columns.get(name, name), category): fine
            for name in cube
            for category, fine in measure.dimensions[name].parts.items()
        }
    ties = [
        (cell, [other])
        for cell, other in _replaced(counts, [(*one, *other) for one, other in same.items()])
    ]
    return LinkedCells(
        counts,
        [(cell, parts) for (cell, _), parts in sums.items()] + ties + _made_of(counts, made_of),
        [(cell, parts) for (cell, _), parts in covers.items()],
        _replaced(counts, sorted(implies)),
    )


def _shown(measure: Measure, cube: Sequence[str]) -> Iterable[tuple[str | None, ...]]:
    """The cells of a cube: all combinations, except those with a dimension but without the
    dimension it is within.
    """
    places = [
        (cube.index(name), cube.index(w)) for name in cube if (w := measure.dimensions[name].within)
    ]
    for categories in itertools.product(
        *([None, *measure.dimensions[name].categories] for name in cube)
    ):
        if all(categories[one] is None or categories[other] is not None for one, other in places):
            yield categories


def _once(
    measure: Measure, cube: Sequence[str], categories: tuple[str | None, ...], name: str
) -> list[tuple[str | None, ...]]:
    """For a dimension with a category that holds each person once: the parts, over the enclosing
    dimension, that add up to the cell.
    """
    dimension = measure.dimensions[name]
    if not dimension.once:
        return []
    here, there = cube.index(name), cube.index(dimension.within)
    if categories[there] is not None:
        return []
    parts = []
    for part in measure.dimensions[dimension.within].categories:
        changed = list(categories)
        changed[here], changed[there] = dimension.once, part
        parts.append(tuple(changed))
    return parts


def _made_of(
    counts: Mapping[Cell, int],
    made_of: Mapping[tuple[str, str], tuple[str, tuple[str, ...]]],
) -> list[tuple[Cell, list[Cell]]]:
    """Cells of a category that is made up of finer ones, with the cells of those."""
    found = []
    for cell in counts:
        for pair in cell:
            if pair not in made_of:
                continue
            column, categories = made_of[pair]
            rest = [other for other in cell if other != pair]
            parts = [tuple(sorted([*rest, (column, category)])) for category in categories]
            if all(part in counts for part in parts):
                found.append((cell, parts))
    return found


def _replaced(
    counts: Mapping[Cell, int], rules: Iterable[tuple[str, str, str, str]]
) -> list[tuple[Cell, Cell]]:
    """Pairs of cells that differ in the category of one column, by rules (column, category, other
    column, category).
    """
    by_pair: dict[tuple[str, str], list[Cell]] = {}
    for cell in counts:
        for pair in cell:
            by_pair.setdefault(pair, []).append(cell)
    found = []
    for column, category, other_column, other in rules:
        for cell in by_pair.get((column, category), ()):
            replaced = tuple(
                sorted([pair for pair in cell if pair[0] != column] + [(other_column, other)])
            )
            if replaced in counts:
                found.append((cell, replaced))
    return found


def inner_of(
    measure: Measure, cube: tuple[str, ...], counts: Mapping[Cell, int]
) -> dict[tuple[str | None, ...], int]:
    """The inner counts of a cube, selected from all its cells (by column)."""
    columns = [measure.columns.get(name, name) for name in cube]
    exclusive = [at for at, name in enumerate(cube) if not measure.dimensions[name].overlapping]
    inner = {}
    for categories in _shown(measure, cube):
        within = [measure.dimensions[name].within for name in cube]
        if all(
            categories[at] is not None
            or (within[at] and categories[cube.index(within[at])] is None)
            for at in exclusive
        ):
            inner[categories] = counts[cell_of(columns, categories)]
    return inner


def measure_cells(measure: Measure, counts: Mapping[Cell, int]) -> dict[Cell, int]:
    """A measure's cells, selected from its population's cells. By dimension instead of column."""
    cells = {}
    for cube in measure.cubes:
        columns = [measure.columns.get(name, name) for name in cube]
        for categories in _shown(measure, cube):
            cells[cell_of(cube, categories)] = counts[cell_of(columns, categories)]
    return cells


def cell_of(names: Sequence[str], categories: Sequence[str | None]) -> Cell:
    """The cell of these categories. None leaves a name out (its margin)."""
    return tuple(
        sorted(
            (name, category)
            for name, category in zip(names, categories, strict=True)
            if category is not None
        )
    )
