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
    for cube in table.cubes:
        _add_totals(found, cube, table, where)
    return found


def _add_totals(found: dict[Cell, int], cube: tuple[str, ...], table: Measure, where: str) -> None:
    """Fill a cube's cells that are not given: single ones with 0, totals with their sum. Raises
    CatalogueError if a total cannot be known.
    """
    every = [(None, *table.dimensions[name].categories) for name in cube]
    # Cells with the most categories first, so that their totals can be made from them.
    cells = sorted(itertools.product(*every), key=lambda one: one.count(None))
    for categories in cells:
        cell = _cell(cube, categories)
        if cell in found:
            continue
        if None not in categories:
            found[cell] = 0
            continue
        left_out = [
            at
            for at, category in enumerate(categories)
            if category is None and not table.dimensions[cube[at]].overlapping
        ]
        if not left_out:
            raise CatalogueError(
                f"{where}: the total over {' and '.join(cube)} is not given, and they may overlap.",
                f"Add a line with {', '.join(cube)} empty.",
            )
        at = left_out[0]
        found[cell] = sum(
            found[_cell(cube, (*categories[:at], category, *categories[at + 1 :]))]
            for category in table.dimensions[cube[at]].categories
        )


def _cell(cube: tuple[str, ...], categories: tuple[str | None, ...]) -> Cell:
    pairs = zip(cube, categories, strict=True)
    return tuple(sorted((name, category) for name, category in pairs if category is not None))


def _whole(text: str | None) -> int | None:
    try:
        value = int((text or "").strip().replace(",", ""))
    except ValueError:
        return None
    return value if value >= 0 else None
