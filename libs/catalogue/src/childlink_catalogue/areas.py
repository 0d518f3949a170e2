"""A partnership's areas in one hierarchy. Plain values."""

from collections.abc import Callable, Mapping

from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.language import AreaKeys
from childlink_catalogue.reading import Place

Lists = dict[str, dict[str, dict[str, str]]]


def check_areas(areas: Mapping[str, AreaKeys], at: Callable[[str], Place]) -> None:
    """Raise CatalogueError unless each area lies within one area of the next coarser level. `at`
    gives the place in the file.
    """
    parents: dict[str, str | None] = {}
    for code, item in areas.items():
        if item.within is not None and item.within not in areas:
            raise CatalogueError(
                f"{at(code).near(item.within)}: there is no area {item.within}.",
                "Declare it, or correct `within`.",
            )
        above = areas[item.within].level if item.within else None
        if above == item.level:
            raise CatalogueError(
                f"{at(code)}: it lies within {item.within}, which is a {item.level} too.",
                "Give the larger area another level.",
            )
        if parents.setdefault(item.level, above) != above:
            raise CatalogueError(
                f"{at(code)}: it lies within {_named(above)}, and other areas of the level"
                f" {item.level} within {_named(parents[item.level])}.",
                f"Give each {item.level} a `within` of one level, so that they add up. What lies"
                " outside needs a larger area of its own, such as `other_boroughs`.",
            )
    for level in parents:
        seen = [level]
        while (above := parents[seen[-1]]) is not None:
            if above in seen:
                raise CatalogueError(
                    f"areas.toml: {' lies within '.join([*seen, above])}.",
                    "Correct `within`: no area can lie within itself.",
                )
            seen.append(above)


def _named(level: str | None) -> str:
    return f"a {level}" if level else "nothing"


def lists_of(areas: Mapping[str, AreaKeys]) -> Lists:
    """For each level, its areas by code, with their title and the areas of the coarser levels in
    which they lie.

    >>> borough = AreaKeys(title="Lambeth", level="borough")
    >>> ward = AreaKeys(title="Tulse Hill", level="ward", within="lambeth")
    >>> lists_of({"lambeth": borough, "E05000422": ward})["areas.ward"]
    {'E05000422': {'title': 'Tulse Hill', 'borough': 'lambeth'}}
    """
    found: Lists = {}
    for code, item in areas.items():
        told, inner = {"title": item.title}, item
        while inner.within is not None:
            outer = areas[inner.within]
            told[outer.level] = inner.within
            inner = outer
        found.setdefault(f"areas.{item.level}", {})[code] = told
    return found


def parts_of(level: str, finer: str, lists: Lists) -> dict[str, tuple[str, ...]]:
    """For each area of a level, the areas of a finer level that lie in it. Empty if the one level
    does not nest in the other.
    """
    found: dict[str, list[str]] = {}
    for code, item in lists[f"areas.{finer}"].items():
        if level in item:
            found.setdefault(item[level], []).append(code)
    return {code: tuple(inner) for code, inner in found.items()}
