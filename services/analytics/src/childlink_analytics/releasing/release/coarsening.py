"""What is published coarser, or not at all, if a population cannot be protected as declared. Rule:
plain values.

The order is the catalogue's, and not the data's: the measure with the greatest `rank`, of these the
one declared last, loses the last dimension of its last cube. Only cubes with a cell that an
attacker found are made coarser, if such cells are known.
"""

from collections.abc import Collection, Sequence

from childlink_catalogue.measures import Measure

from childlink_analytics.shared.cubes import Cell

Cube = tuple[str, ...]


def coarsened(
    measures: Sequence[Measure], found: Collection[Cell] = ()
) -> tuple[list[Measure], tuple[Measure, Cube]] | None:
    """The measures with one cube made coarser, and what was left out. None if nothing is left.

    `found` are the cells that an attacker bounded too tightly, by column.
    """
    order = sorted(range(len(measures)), key=lambda at: (measures[at].rank, at), reverse=True)
    candidates = [(at, cube) for at in order for cube in reversed(measures[at].cubes)]
    hit = [(at, cube) for at, cube in candidates if _holds(measures[at], cube, found)]
    if not candidates:
        return None
    at, cube = (hit or candidates)[0]
    measure = measures[at]
    coarser = _without_last(measure, cube)
    cubes = [other for kept in measure.cubes for other in ((coarser,) if kept == cube else (kept,))]
    kept_cubes = [
        one
        for place, one in enumerate(cubes)
        if one
        and not any(
            set(one) < set(other) or (set(one) == set(other) and place > there)
            for there, other in enumerate(cubes)
            if there != place
        )
    ]
    rest = list(measures)
    if kept_cubes:
        rest[at] = measure.with_cubes(kept_cubes)
    else:
        del rest[at]
    return (rest, (measure, cube)) if rest else None


def _holds(measure: Measure, cube: Cube, found: Collection[Cell]) -> bool:
    columns = {measure.columns.get(name, name) for name in cube}
    return any({column for column, _ in cell} <= columns for cell in found)


def _without_last(measure: Measure, cube: Cube) -> Cube:
    """The cube without its last dimension that answers can do without. Empty if it has none."""
    needed = {measure.share[0] if measure.share else "", measure.mean or ""}
    for name in reversed(cube):
        if name not in needed:
            left = [other for other in cube if other != name]
            # A dimension within another one goes with it.
            return tuple(other for other in left if measure.dimensions[other].within != name)
    return ()
