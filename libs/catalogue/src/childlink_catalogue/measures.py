"""Measures: what analysts ask for. Built from the catalogue's keys, and checked. No I/O."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from childlink_catalogue.dimensions import NOT_RECORDED, Dimension
from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.language import OTHERS, MeasureKeys, ShareKeys, TableKeys
from childlink_catalogue.populations import Population
from childlink_catalogue.reading import Place

MOST_DIMENSIONS: Final = 4
MOST_CELLS: Final = 1_500


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
    unit: str
    """What is counted: people, attendances, or whatever a table counts."""
    view: str
    """The population, which the compiler turns into a view."""
    where: str
    """A condition on its columns, as SQL that the catalogue made from lists of categories."""
    columns: Mapping[str, str]
    """The view's column for a dimension, if it has another name than the dimension."""
    cubes: tuple[tuple[str, ...], ...]
    dimensions: Mapping[str, Dimension]
    share: tuple[str, tuple[str, ...], tuple[str, ...]] | None
    """(dimension, numerator, complement): answers give the numerator's share of both."""
    mean: str | None
    """A dimension of bands of which answers give the mean."""
    datasets: tuple[str, ...] = ()
    """The datasets of everyone it counts. They decide who may see it, and whether it was collected
    at all.
    """
    dimension_datasets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Further datasets that each dimension is made from. They decide who may see it broken down by
    that dimension.
    """
    known_in_any: bool = False
    """Whether a row of any of `datasets` is enough to be counted, so that one may be missing."""
    dimension_needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Datasets without which a dimension would say something false: without attendances, everybody
    seems not to have come.
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
    equals: tuple[tuple[str, str, str], ...] = ()
    """(column, category, population): the people in the category are all the people of another
    population. What is published of both must not be rounded twice.
    """
    rank: int = 5
    """What is kept longest if not everything can be protected: 1 longest, 9 shortest."""
    table: bool = False
    """Whether its figures come from a table beside the linked figures, and are not of people."""

    @property
    def all_datasets(self) -> tuple[str, ...]:
        """Every dataset that it or one of its dimensions is made from."""
        more = (name for names in self.dimension_datasets.values() for name in names)
        return tuple(dict.fromkeys([*self.datasets, *more]))

    def only_from(self, allowed: Sequence[frozenset[str]]) -> "Measure | None":
        """The measure without the dimensions that none of these sets of datasets covers together
        with the measure itself; None if none covers the measure.
        """
        covering = [datasets for datasets in allowed if datasets.issuperset(self.datasets)]
        if not covering:
            return None
        cubes = tuple(
            dict.fromkeys(
                tuple(name for name in cube if self._covered(name, datasets))
                for datasets in covering
                for cube in self.cubes
            )
        )
        return self.with_cubes(cubes)

    def with_cubes(self, cubes: Sequence[tuple[str, ...]]) -> "Measure":
        """The measure, published in these cubes only."""
        names = {name for cube in cubes for name in cube}
        compared = self.compare and any(
            {self.compare.dimension, self.compare.strata} <= set(cube) for cube in cubes
        )
        return replace(
            self,
            cubes=tuple(cubes),
            dimensions={name: item for name, item in self.dimensions.items() if name in names},
            compare=self.compare if compared else None,
        )

    def _covered(self, name: str, datasets: frozenset[str]) -> bool:
        within = self.dimensions[name].within
        return datasets.issuperset(self.dimension_datasets.get(name, ())) and (
            not within or self._covered(within, datasets)
        )

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


def measure_of(
    keys: MeasureKeys,
    population: Population,
    dimensions: Mapping[str, Dimension],
    at: Place,
) -> Measure:
    """A measure. Raises CatalogueError that says what is wrong, and how to mend it. `at` is where
    it is declared.
    """
    cubes = tuple(tuple(cube) for cube in keys.cubes)
    names = list(dict.fromkeys(name for cube in cubes for name in cube))
    _check_dimensions(names, dimensions, at)
    if any(len(cube) > MOST_DIMENSIONS for cube in cubes):
        raise CatalogueError(
            f"{at}: a cube has more than {MOST_DIMENSIONS} dimensions.",
            "Leave one out, or make two cubes.",
        )
    share = None
    if keys.share:
        share = _share(at, keys.share, dimensions)
    mean = keys.mean.dimension if keys.mean else None
    _check_estimate(at, share, mean, cubes, dimensions)
    if keys.columns.keys() - set(names):
        unused = sorted(keys.columns.keys() - set(names))[0]
        raise CatalogueError(
            f"{at.near(unused)}: `columns` names {unused}, which is in no cube.", "Remove it."
        )
    compare = _comparison(at, keys, population, dimensions)
    columns = {name: keys.columns.get(name, name) for name in names}
    for name, column in columns.items():
        if compare is None or name != compare.strata:
            _check_column(at, dimensions[name], column, population)
    base = population.datasets
    counted = set(keys.where)
    if share or mean:
        counted.add(columns[share[0] if share else str(mean)])
    datasets = tuple(
        dict.fromkeys([*base, *(d for c in sorted(counted) for d in population.datasets_of(c, at))])
    )
    measure = Measure(
        id=keys.id,
        title=keys.title,
        description=keys.description,
        unit=population.counts,
        view=population.id,
        where=_condition(at, keys, population),
        columns=keys.columns,
        cubes=cubes,
        dimensions={name: dimensions[name] for name in names},
        share=share,
        mean=mean,
        datasets=datasets,
        dimension_datasets={
            name: more
            for name in names
            if (more := _more_datasets(name, columns, population, datasets, compare, at))
        },
        known_in_any=bool(population.keys.known_in),
        dimension_needs={
            name: needed for name in names if (needed := _needs(name, columns, population, compare))
        },
        compare=compare,
        harmless=keys.harmless,
        population_of=keys.population_of or "",
        implies=tuple(dict.fromkeys([*keys.implies, *population.ties()])),
        equals=population.equals,
        rank=keys.rank,
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


def table_of(keys: TableKeys, dimensions: Mapping[str, Dimension], at: Place) -> Measure:
    """A table as a measure, so that everything that asks for measures can ask for it. Raises
    CatalogueError.
    """
    cubes = tuple(tuple(cube) for cube in keys.cubes)
    names = list(dict.fromkeys(name for cube in cubes for name in cube))
    _check_dimensions(names, dimensions, at)
    share = _share(at, keys.share, dimensions) if keys.share else None
    _check_estimate(at, share, None, cubes, dimensions)
    return Measure(
        id=keys.id,
        title=keys.title,
        description=f"{keys.description} Source: {keys.source}",
        unit=keys.unit,
        view=f"table {keys.id}",
        where="TRUE",
        columns={},
        cubes=cubes,
        dimensions={name: dimensions[name] for name in names},
        share=share,
        mean=None,
        table=True,
    )


def _check_dimensions(names: Sequence[str], dimensions: Mapping[str, Dimension], at: Place) -> None:
    if unknown := [name for name in names if name not in dimensions]:
        near = difflib.get_close_matches(unknown[0], dimensions, n=1)
        raise CatalogueError(
            f"{at.near(unknown[0])}: there is no dimension {', '.join(unknown)}.",
            f"Did you mean {near[0]}?" if near else f"Use: {', '.join(dimensions)}.",
        )


def _more_datasets(
    name: str,
    columns: Mapping[str, str],
    population: Population,
    already: Sequence[str],
    compare: Comparison | None,
    at: Place,
) -> tuple[str, ...]:
    """The datasets of a dimension beyond those of everyone who is counted."""
    sources = _sources(name, columns, compare)
    found = dict.fromkeys(d for source in sources for d in population.datasets_of(source, at))
    return tuple(dataset for dataset in found if dataset not in already)


def _needs(
    name: str, columns: Mapping[str, str], population: Population, compare: Comparison | None
) -> tuple[str, ...]:
    sources = _sources(name, columns, compare)
    return tuple(dict.fromkeys(d for source in sources for d in population.needs_of(source)))


def _sources(name: str, columns: Mapping[str, str], compare: Comparison | None) -> Sequence[str]:
    """The variables that a dimension is made from."""
    if compare and name == compare.strata:
        return [columns.get(compare.dimension, compare.dimension), *compare.adjusted_for]
    return [columns[name]]


def _comparison(
    at: Place, keys: MeasureKeys, population: Population, dimensions: Mapping[str, Dimension]
) -> Comparison | None:
    if keys.compare is None:
        return None
    said = keys.compare
    if said.dimension not in dimensions:
        raise CatalogueError(
            f"{at.near(said.dimension)}: there is no dimension {said.dimension}.",
            f"Use: {', '.join(dimensions)}.",
        )
    _check_categories(at, dimensions[said.dimension], [said.of, said.against])
    for name in said.adjusted_for:
        population.datasets_of(name, at)
    if keys.share and keys.columns.get(keys.share.dimension, keys.share.dimension) in (
        said.adjusted_for
    ):
        raise CatalogueError(
            f"{at.near('adjusted_for')}: adjusted_for names the outcome {keys.share.dimension}.",
            "Strata are fitted without any outcome: remove it.",
        )
    return Comparison(said.dimension, said.of, said.against, said.strata, tuple(said.adjusted_for))


def _check_estimate(
    at: Place,
    share: tuple[str, tuple[str, ...], tuple[str, ...]] | None,
    mean: str | None,
    cubes: Sequence[tuple[str, ...]],
    dimensions: Mapping[str, Dimension],
) -> None:
    for needed in (share[0] if share else None, mean):
        if needed is not None and any(needed not in cube for cube in cubes):
            raise CatalogueError(
                f"{at.near('cubes')}: {needed} must be in every cube.",
                "Numerator and denominator are protected together.",
            )
    if share:
        _check_categories(at, dimensions[share[0]], [*share[1], *share[2]])
        if both := set(share[1]) & set(share[2]):
            raise CatalogueError(
                f"{at.near('share')}: {sorted(both)[0]} is both `of` and `against`.",
                "A share is of one group among both: name each category once.",
            )
    if mean:
        midpoints = dimensions[mean].midpoints or {}
        without = [
            name
            for name in dimensions[mean].categories
            if name not in midpoints and name != NOT_RECORDED
        ]
        if without:
            raise CatalogueError(
                f"{at.near(mean)}: {mean} has no midpoint of {without[0]}, so it has no mean.",
                "Give the dimension `steps`, or a midpoint of every category but not_recorded.",
            )


def _check_categories(at: Place, dimension: Dimension, wanted: Sequence[str]) -> None:
    unknown = [name for name in wanted if name not in dimension.categories]
    if unknown:
        raise CatalogueError(
            f"{at.near(unknown[0])}: {dimension.id} has no category {unknown[0]!r}.",
            f"Use: {', '.join(dimension.categories)}.",
        )


def _check_column(at: Place, dimension: Dimension, column: str, population: Population) -> None:
    """Raise CatalogueError if a variable can give a category that the dimension does not have."""
    given = population.categories_of(column, at)
    unknown = [name for name in given if name not in dimension.categories]
    if unknown:
        lacks = (
            f"{column} may not be recorded"
            if unknown == [NOT_RECORDED]
            else f"{column} gives {unknown[0]!r}"
        )
        like = difflib.get_close_matches(unknown[0], dimension.categories, n=1)
        misspelt = (
            f"Is it a slip for {like[0]}? Then correct it where it is declared (a service's in"
            " services.toml). Otherwise add"
            if like and unknown[0] != NOT_RECORDED
            else "Add"
        )
        raise CatalogueError(
            f"{at}: {lacks}, and dimension {dimension.id} has no such category.",
            f'{misspelt} {unknown[0]} = "..." to the categories of {dimension.id}'
            " (to `after`, if they come from elsewhere).",
        )


def _condition(at: Place, keys: MeasureKeys, population: Population) -> str:
    parts = []
    for column, categories in keys.where.items():
        population.datasets_of(column, at)
        listed = ", ".join(f"'{name}'" for name in categories)
        parts.append(f"{column} = {listed}" if len(categories) == 1 else f"{column} IN ({listed})")
    return " AND ".join(parts) or "TRUE"


def _share(
    at: Place, said: ShareKeys, dimensions: Mapping[str, Dimension]
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The dimension of a share, and the categories of both groups."""
    against = _listed(said.against)
    if said.of != OTHERS:
        return said.dimension, _listed(said.of), against
    if said.dimension not in dimensions:
        raise CatalogueError(
            f"{at.near('share')}: there is no dimension {said.dimension}.",
            f"Use: {', '.join(dimensions)}.",
        )
    left_out = {*against, NOT_RECORDED}
    others = [name for name in dimensions[said.dimension].categories if name not in left_out]
    return said.dimension, tuple(others), against


def _listed(said: str | list[str]) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)
