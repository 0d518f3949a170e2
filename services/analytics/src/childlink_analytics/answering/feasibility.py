"""What can be said about the size of a proposed measure from published cells alone. A rule.

True sizes would tell an analyst about counts that are withheld, so they are for release managers
(`proposal plan`).
"""

from collections.abc import Mapping
from typing import Final

from childlink_catalogue.measures import Measure

from childlink_analytics.shared import disclosure
from childlink_analytics.shared.release_files import Published, Release

_FEW: Final = 3 * disclosure.FEWEST_SHOWN


def feasibility(measure: Measure, release: Release) -> list[str]:
    """Sentences about how likely the measure's cells are to be shown."""
    beside = [
        item
        for item in release.measures.values()
        if item.measure.population == measure.population and item.collected
    ]
    said = [f"{measure.id}: {measure.cells:,} cells in {len(measure.cubes)} tables."]
    total = _total(beside)
    if total is None:
        said.append(
            f"{release.release_id} shows nothing of these people, so nothing can be said about how"
            " many cells would be shown."
        )
        return said
    said.append(f"{release.release_id} shows {total:,} {measure.unit} in all.")
    for cube in measure.cubes:
        cells = 1
        for name in cube:
            cells *= len(measure.dimensions[name].categories)
        if total / cells < _FEW:
            said.append(
                f"{' x '.join(cube)}: {cells:,} cells, {total / cells:.0f} {measure.unit} each on"
                " average. Many will be withheld; a coarser table would show more."
            )
    for name, dimension in measure.dimensions.items():
        column = measure.columns.get(name, name)
        hidden = _withheld(beside, column, dimension.categories)
        if hidden:
            said.append(
                f"{name}: withheld already if asked alone: {', '.join(hidden)}. They will be"
                " withheld in finer tables, too."
            )
    return said


def _total(beside: list[Published]) -> int | None:
    for item in beside:
        shown = disclosure.show_count(disclosure.group([item.cells[()]], item.policy))
        if shown.value is not None:
            return int(shown.value)
    return None


def _withheld(beside: list[Published], column: str, categories: Mapping[str, str]) -> list[str]:
    """The titles of a dimension's categories whose published count is withheld."""
    for item in beside:
        for name in item.measure.dimensions:
            if item.measure.columns.get(name, name) != column:
                continue
            cells = {c: item.cells.get(((name, c),)) for c in categories}
            return [
                title
                for category, title in categories.items()
                if (value := cells[category]) is not None
                and disclosure.show_count(disclosure.group([value], item.policy)).withheld
            ]
    return []
