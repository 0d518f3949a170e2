"""The measure catalogue: what can be asked, declared as data. Rule: text in, checked values out."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from childlink_analytics.errors import CatalogueError

MOST_DIMENSIONS: Final = 4
MOST_CELLS: Final = 1_500
Unit = Literal["children", "adults", "families", "attendances"]


@dataclass(frozen=True)
class Dimension:
    """Places each counted person or family in exactly one category."""

    id: str
    title: str
    categories: Mapping[str, str]
    """Title by category id, in order."""
    midpoints: Mapping[str, float] | None = None
    """For bands: the value that stands for each."""


@dataclass(frozen=True)
class Measure:
    """What is counted, and the cubes that it is published in."""

    id: str
    title: str
    description: str
    unit: Unit
    view: str
    where: str
    columns: Mapping[str, str]
    """The view's column of a dimension, where it is not the dimension's own name."""
    cubes: tuple[tuple[str, ...], ...]
    dimensions: Mapping[str, Dimension]
    share: tuple[str, str, str] | None
    """(dimension, numerator, complement): answers give the numerator's share of the two."""
    mean: str | None
    """A dimension of bands: answers give its mean."""

    @property
    def population(self) -> str:
        """Whom it counts. Measures of one population share cells, and are protected together."""
        return f"{self.view} WHERE {self.where}"

    @property
    def estimate(self) -> str:
        """What the estimate of an answer is."""
        return "share" if self.share else "mean" if self.mean else ""

    @property
    def cells(self) -> int:
        """Linked cells, margins included, over all cubes (shared ones counted in each)."""
        total = 0
        for cube in self.cubes:
            size = 1
            for name in cube:
                size *= len(self.dimensions[name].categories) + 1
            total += size
        return total

    def to_json(self) -> dict[str, Any]:
        """What a release keeps of it. Categories as lists, because canonical JSON sorts keys and their order means something."""
        content = asdict(self)
        for dimension in content["dimensions"].values():
            for name in ("categories", "midpoints"):
                dimension[name] = [list(pair) for pair in (dimension[name] or {}).items()]
        return content


@cache
def catalogue() -> Mapping[str, Measure]:
    """Every measure that comes with this version."""
    folder = files("childlink_analytics") / "catalogue"
    dimensions = parse_dimensions((folder / "dimensions.toml").read_text(encoding="utf-8"))
    measures: dict[str, Measure] = {}
    for file in sorted((folder / "measures").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for measure in parse_measures(file.read_text(encoding="utf-8"), dimensions, file.name):
                if measure.id in measures:
                    raise CatalogueError(
                        f"{file.name}: measure {measure.id} is declared twice.", "Give one another id."
                    )
                measures[measure.id] = measure
    return measures


def parse_dimensions(text: str) -> dict[str, Dimension]:
    """Parse the file of shared dimensions."""
    dimensions = {}
    for name, item in tomllib.loads(text).items():
        midpoints = None
        if "step" in item:
            lows = range(item["first"], item["last"] + 1, item["step"])
            categories = {str(low): f"{low} to {low + item['step']}" for low in lows}
            midpoints = {str(low): low + item["step"] / 2 for low in lows}
        else:
            categories = item["categories"]
        dimensions[name] = Dimension(name, item["title"], categories, midpoints)
    return dimensions


def parse_measures(text: str, dimensions: Mapping[str, Dimension], where: str) -> list[Measure]:
    """Parse a file of measures, or raise CatalogueError that says which measure is wrong and how."""
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
        raise CatalogueError(f"{at}: there is no dimension {', '.join(unknown)}.", f"Use: {', '.join(dimensions)}.")
    if any(len(cube) > MOST_DIMENSIONS for cube in cubes):
        raise CatalogueError(
            f"{at}: a cube has more than {MOST_DIMENSIONS} dimensions.", "Leave one out, or make two cubes."
        )
    share = (item["share"]["dimension"], item["share"]["of"], item["share"]["against"]) if "share" in item else None
    mean = item["mean"]["dimension"] if "mean" in item else None
    for needed in (share[0] if share else None, mean):
        if needed is not None and any(needed not in cube for cube in cubes):
            raise CatalogueError(
                f"{at}: {needed} must be in every cube.", "Numerator and denominator are protected together."
            )
    measure = Measure(
        id=item["id"], title=item["title"], description=item["description"], unit=item["unit"], view=item["view"],
        where=item.get("where", "TRUE"), columns=item.get("columns", {}), cubes=cubes,
        dimensions={name: dimensions[name] for name in names}, share=share, mean=mean,
    )  # fmt: skip
    if measure.cells > MOST_CELLS:
        raise CatalogueError(
            f"{at}: {measure.cells:,} linked cells are more than {MOST_CELLS:,}.", "Use fewer or coarser dimensions."
        )
    return measure
