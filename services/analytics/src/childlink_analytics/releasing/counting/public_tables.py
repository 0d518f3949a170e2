"""The values of the catalogue's tables, from CSV files that the partnership maintains. Rule: text
in, values out.

    financial_year,strand,value
    2022/23,community,1250000
    2022/23,,4900000

An empty dimension is the total over it. A total that is not given is the sum, except over a
dimension whose categories may overlap.
"""

import csv
import io
import itertools
from collections.abc import Mapping
from typing import Final

from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.measures import Measure

from childlink_analytics.shared.cubes import Cell

VALUE: Final = "value"
Tables = Mapping[str, tuple[Measure, Mapping[Cell, int]]]
"""Tables that stand beside the linked figures, with their values. Empty: none are there yet."""


def parse_table(text: str, table: Measure, where: str) -> dict[Cell, int]:
    """Parse a table's file. Raises CatalogueError that names the line.

    >>> from childlink_catalogue.catalogue import current
    >>> sessions = current().tables()["sessions_held"]
    >>> found = parse_table("activity,value\\ndrop_in,12\\nevent,3\\n", sessions, "file")
    >>> found[()], found[(("activity", "event"),)]
    (15, 3)
    """
    reader = csv.DictReader(io.StringIO(text))
    header = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = header
    names = [name for name in header if name != VALUE]
    if VALUE not in header or set(names) - set(table.dimensions):
        raise CatalogueError(
            f"{where}: the header {', '.join(header) or '(none)'} is not that of {table.id}.",
            f"Use the columns {', '.join([*table.dimensions, VALUE])}.",
        )
    found: dict[Cell, int] = {}
    for row in reader:
        line = f"{where}, line {reader.line_num}"
        cell = tuple(sorted((name, (row[name] or "").strip()) for name in names))
        cell = tuple((name, category) for name, category in cell if category)
        for name, category in cell:
            if category not in table.dimensions[name].categories:
                raise CatalogueError(
                    f"{line}: {name} has no category {category!r}.",
                    f"Use: {', '.join(table.dimensions[name].categories)}.",
                )
        value = _whole(row[VALUE])
        if value is None:
            raise CatalogueError(
                f"{line}: {row[VALUE]!r} is no value.", "Give a whole number, 0 or more."
            )
        if cell in found:
            raise CatalogueError(f"{line}: this group is given twice.", "Give each group once.")
        found[cell] = value
    return _with_totals(found, table, where)


def _with_totals(given: Mapping[Cell, int], table: Measure, where: str) -> dict[Cell, int]:
    """All cells of a table. A total that is not given is the sum of its parts, if any of them is
    known. What nothing is known of is 0. Raises CatalogueError if only parts that may overlap are
    known of a total.
    """
    every = {
        _cell(cube, categories)
        for cube in table.cubes
        for categories in itertools.product(
            *((None, *table.dimensions[name].categories) for name in cube)
        )
    }
    known = dict(given)
    # Those with the most categories first, so that totals can be made from them.
    for cell in sorted(every - set(given), key=len, reverse=True):
        ways = [
            (name, parts)
            for name in _left_out(cell, table)
            for parts in [_parts(cell, name, table)]
            if any(part in known for part in parts)
        ]
        summed = [parts for name, parts in ways if not table.dimensions[name].overlapping]
        if summed:
            known[cell] = sum(known.get(part, 0) for part in summed[0])
        elif ways:
            names = " and ".join(name for name, _ in ways)
            raise CatalogueError(
                f"{where}: a total over {names} is not given, and its categories may overlap.",
                f"Add a line with {names} empty.",
            )
    return {cell: known.get(cell, 0) for cell in every | set(given)}


def _left_out(cell: Cell, table: Measure) -> list[str]:
    """The dimensions over which a cell is a total in some cube."""
    named = {name for name, _ in cell}
    return list(
        dict.fromkeys(
            name for cube in table.cubes if named <= set(cube) for name in cube if name not in named
        )
    )


def _parts(cell: Cell, name: str, table: Measure) -> list[Cell]:
    return [
        tuple(sorted([*cell, (name, category)])) for category in table.dimensions[name].categories
    ]


def _cell(cube: tuple[str, ...], categories: tuple[str | None, ...]) -> Cell:
    pairs = zip(cube, categories, strict=True)
    return tuple(sorted((name, category) for name, category in pairs if category is not None))


def _whole(text: str | None) -> int | None:
    try:
        value = int((text or "").strip().replace(",", ""))
    except ValueError:
        return None
    return value if value >= 0 else None
