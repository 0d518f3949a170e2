"""Public population counts, from a file that the partnership maintains (ONS estimates, school
census). Rule: text in, values out.

    of,residence,imd_quintile,ethnicity,population
    children,area,,,4210
    children,area,1,,1850

`of` names the counted people, and `population` is their number. An empty dimension is summed over.
"""

import csv
import io
from collections.abc import Mapping

from childlink_catalogue.dimensions import Dimension
from childlink_catalogue.errors import CatalogueError

from childlink_analytics.shared.cubes import Cell

Denominators = Mapping[str, Mapping[Cell, int]]
"""Counts by who is counted and by cell."""


def parse_denominators(
    text: str, dimensions: Mapping[str, Dimension], where: str
) -> dict[str, dict[Cell, int]]:
    """Parse the file. Raises CatalogueError that names the line.

    >>> sex = {"sex": Dimension("sex", "Sex", {"female": "Female", "male": "Male"})}
    >>> text = "of,sex,population\\nchildren,female,120\\nchildren,,250\\n"
    >>> parse_denominators(text, sex, "file")
    {'children': {(('sex', 'female'),): 120, (): 250}}
    """
    found: dict[str, dict[Cell, int]] = {}
    reader = csv.DictReader(io.StringIO(text))
    names = [name for name in reader.fieldnames or [] if name not in ("of", "population")]
    unknown = [name for name in names if name not in dimensions]
    if unknown or not {"of", "population"} <= set(reader.fieldnames or []):
        raise CatalogueError(
            f"{where}: the header {', '.join(reader.fieldnames or ['(none)'])} is not that of a"
            " file of denominators.",
            f"Use the columns of, population, and any of {', '.join(dimensions)}.",
        )
    for row in reader:
        cell = tuple(
            sorted((name, row[name].strip()) for name in names if row[name] and row[name].strip())
        )
        for name, category in cell:
            if category not in dimensions[name].categories:
                raise CatalogueError(
                    f"{where}, line {reader.line_num}: {name} has no category {category!r}.",
                    f"Use: {', '.join(dimensions[name].categories)}.",
                )
        try:
            population = int(row["population"])
        except (TypeError, ValueError):
            population = -1
        if population < 0 or not row["of"]:
            raise CatalogueError(
                f"{where}, line {reader.line_num}: of or population is wrong.",
                "Name who is counted in `of`, and give population as a whole number, 0 or more.",
            )
        if found.setdefault(row["of"], {}).setdefault(cell, population) != population:
            raise CatalogueError(
                f"{where}, line {reader.line_num}: this group has two different counts.",
                "Give each group once.",
            )
    return found
