"""The measure catalogue: the possible questions, declared as data. Parses and checks text; no I/O
rules.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from childlink_catalogue.errors import CatalogueError

MOST_DIMENSIONS: Final = 4
MOST_CELLS: Final = 1_500
QUARTERS: Final = 8
"""Number of single quarters, up to a release's last day."""
Unit = Literal["children", "adults", "families", "attendances"]


@dataclass(frozen=True)
class Dimension:
    """Sorts each counted person or family into exactly one category, or into several if
    overlapping.
    """

    id: str
    title: str
    categories: Mapping[str, str]
    """Title by category id, in order."""
    midpoints: Mapping[str, float] | None = None
    """For bands: the midpoint of each."""
    overlapping: bool = False
    """Whether people may be in several categories (services, quarters).

    The counts of distinct people then do not add up, so the total is a separate count.
    """
    within: str = ""
    """An overlapping dimension that must be in every cube with this one, because this dimension
    describes a person within it.
    """
    once: str = ""
    """The category that holds each person exactly once, over all of `within`."""
    same: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Categories that hold exactly the people of a category of another dimension."""
    ordered: bool = False
    """Whether the categories (except `not_recorded`) are ordered, so that inequality can be
    measured.
    """


@dataclass(frozen=True)
class Comparison:
    """Two categories that may be compared, and the score strata that adjust for selection."""

    dimension: str
    of: str
    against: str
    strata: str
    adjusted_for: tuple[str, ...]
    """The variables that the score was fitted on (never an outcome)."""


@dataclass(frozen=True)
class Measure:
    """What is counted, and the cubes in which it is published."""

    id: str
    title: str
    description: str
    unit: Unit
    view: str
    where: str
    columns: Mapping[str, str]
    """The view's column for a dimension, if it has another name than the dimension."""
    cubes: tuple[tuple[str, ...], ...]
    dimensions: Mapping[str, Dimension]
    share: tuple[str, tuple[str, ...], tuple[str, ...]] | None
    """(dimension, numerator, complement): answers give the numerator's share of both."""
    mean: str | None
    """A dimension of bands of which answers give the mean."""
    datasets: tuple[str, ...] = ()
    """The datasets it is made from. They decide who may see it, and whether it was collected at
    all.
    """
    compare: Comparison | None = None
    harmless: bool = False
    """Whether it is harmless to reveal that all or none of a group are counted."""
    population_of: str = ""
    """The population in the denominator file. If set, answers give the rate per population."""
    implies: tuple[tuple[str, str, str, str], ...] = ()
    """(column, category, column, category): people in the first category are always in the second,
    and this is public knowledge.
    """

    @property
    def population(self) -> str:
        """The counted population. Measures with the same population share cells and are protected
        together.
        """
        return f"{self.view} WHERE {self.where}"

    @property
    def estimate(self) -> str:
        """The kind of estimate in an answer: share, mean, rate or none."""
        return (
            "share" if self.share else "mean" if self.mean else "rate" if self.population_of else ""
        )

    @property
    def cells(self) -> int:
        """Number of linked cells, including margins, over all cubes (shared cells count in each
        cube).
        """
        total = 0
        for cube in self.cubes:
            size = 1
            for name in cube:
                size *= len(self.dimensions[name].categories) + 1
            total += size
        return total


@cache
def catalogue(until: date = date(2024, 12, 31)) -> Mapping[str, Measure]:
    """Every measure of this version, with the quarters up to a day. Raises CatalogueError."""
    folder = files("childlink_catalogue") / "leap"
    dimensions = parse_dimensions((folder / "dimensions.toml").read_text(encoding="utf-8"), until)
    measures: dict[str, Measure] = {}
    for file in sorted((folder / "measures").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for measure in parse_measures(file.read_text(encoding="utf-8"), dimensions, file.name):
                if measure.id in measures:
                    raise CatalogueError(
                        f"{file.name}: measure {measure.id} is declared twice.",
                        "Give one of them another id.",
                    )
                measures[measure.id] = measure
    return measures


def parse_dimensions(text: str, until: date) -> dict[str, Dimension]:
    """Parse the file of shared dimensions."""
    dimensions = {}
    for name, item in tomllib.loads(text).items():
        midpoints = item.get("midpoints")
        if "step" in item:
            lows = range(item["first"], item["last"] + 1, item["step"])
            # Centred bands contain scores on both sides of the middle. Otherwise whole numbers at a
            # band's edge would shift its mean.
            half = item["step"] // 2 if item.get("centred") else 0
            categories = {str(low): f"{low - half} to {low - half + item['step']}" for low in lows}
            midpoints = {str(low): low - half + item["step"] / 2 for low in lows}
        elif item.get("quarters"):
            categories = quarters(until, QUARTERS)
        else:
            categories = item["categories"]
        same = {category: (other[0], other[1]) for category, other in item.get("same", {}).items()}
        dimensions[name] = Dimension(
            name,
            item["title"],
            categories,
            midpoints,
            item.get("overlapping", False),
            item.get("within", ""),
            item.get("once", ""),
            same,
            item.get("ordered", False),
        )
    return dimensions


def quarters(until: date, count: int) -> dict[str, str]:
    """The last `count` quarters up to a day, oldest first, after one category for all earlier time.

    >>> quarters(date(2024, 5, 1), 2)
    {'earlier': 'Before 2024', '2024-Q1': 'January to March 2024', '2024-Q2': 'April to June 2024'}
    """
    last = until.year * 4 + (until.month - 1) // 3
    names = ("January to March", "April to June", "July to September", "October to December")
    first = last - count + 1
    before = (
        f"Before {first // 4}"
        if first % 4 == 0
        else f"Before {names[first % 4].split(' ')[0]} {first // 4}"
    )
    shown = {
        f"{at // 4}-Q{at % 4 + 1}": f"{names[at % 4]} {at // 4}" for at in range(first, last + 1)
    }
    return {"earlier": before, **shown}


def parse_measures(text: str, dimensions: Mapping[str, Dimension], where: str) -> list[Measure]:
    """Parse a file of measures. Raises CatalogueError that says which measure is wrong, and how."""
    try:
        return [_parse(item, dimensions, where) for item in tomllib.loads(text)["measure"]]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise CatalogueError(
            f"{where} is not a file of measures ({error}).", "Compare it with the bundled ones."
        ) from None


def _parse(item: Mapping[str, Any], dimensions: Mapping[str, Dimension], where: str) -> Measure:
    cubes = tuple(tuple(cube) for cube in item["cubes"])
    names = list(dict.fromkeys(name for cube in cubes for name in cube))
    unknown = [name for name in names if name not in dimensions]
    at = f"{where}, measure {item['id']}"
    if unknown:
        raise CatalogueError(
            f"{at}: there is no dimension {', '.join(unknown)}.", f"Use: {', '.join(dimensions)}."
        )
    if any(len(cube) > MOST_DIMENSIONS for cube in cubes):
        raise CatalogueError(
            f"{at}: a cube has more than {MOST_DIMENSIONS} dimensions.",
            "Leave one out, or make two cubes.",
        )
    share = None
    if "share" in item:
        share = (
            item["share"]["dimension"],
            _listed(item["share"]["of"]),
            _listed(item["share"]["against"]),
        )
    mean = item["mean"]["dimension"] if "mean" in item else None
    for needed in (share[0] if share else None, mean):
        if needed is not None and any(needed not in cube for cube in cubes):
            raise CatalogueError(
                f"{at}: {needed} must be in every cube.",
                "Numerator and denominator are protected together.",
            )
    measure = Measure(
        id=item["id"],
        title=item["title"],
        description=item["description"],
        unit=item["unit"],
        view=item["view"],
        where=item.get("where", "TRUE"),
        columns=item.get("columns", {}),
        cubes=cubes,
        dimensions={name: dimensions[name] for name in names},
        share=share,
        mean=mean,
        datasets=tuple(item["datasets"]),
        compare=_comparison(item),
        harmless=item.get("harmless", False),
        population_of=item.get("population_of", ""),
        implies=tuple(tuple(rule) for rule in item.get("implies", [])),
    )
    for name in names:
        within = dimensions[name].within
        if within and any(name in cube and within not in cube for cube in cubes):
            raise CatalogueError(
                f"{at}: {name} can only be published together with {within}.",
                f"Add {within} to its cubes.",
            )
    if measure.cells > MOST_CELLS:
        raise CatalogueError(
            f"{at}: {measure.cells:,} linked cells are more than {MOST_CELLS:,}.",
            "Use fewer or coarser dimensions.",
        )
    return measure


def _comparison(item: Mapping[str, Any]) -> Comparison | None:
    if "compare" not in item:
        return None
    said = item["compare"]
    return Comparison(
        said["dimension"], said["of"], said["against"], said["strata"], tuple(said["adjusted_for"])
    )


def _listed(said: str | list[str]) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)
