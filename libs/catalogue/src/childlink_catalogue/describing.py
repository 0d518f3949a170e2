"""Says in words what a measure counts, for the people who propose, approve and read it. No I/O."""

from collections.abc import Iterable, Iterator

from childlink_catalogue.catalogue import Catalogue
from childlink_catalogue.dimensions import Dimension
from childlink_catalogue.language import (
    BandsKeys,
    CaseKeys,
    CharacteristicKeys,
    Condition,
    ExposureKeys,
    VariableKeys,
)
from childlink_catalogue.measures import Measure
from childlink_catalogue.populations import Population

_PERIODS = {
    "quarter": "quarter",
    "calendar_year": "calendar year",
    "financial_year": "financial year (from April)",
    "school_year": "school year (from September)",
}


def describe(declared: Catalogue, measure: Measure) -> Iterator[str]:
    """Lines about a measure: who is counted, what is given, and how people are sorted."""
    population = declared.populations[measure.view]
    keys = population.keys
    yield f"{measure.id}: {measure.title}"
    yield measure.description
    yield f"Counts {measure.unit}: {keys.title[:1].lower()}{keys.title[1:]}."
    yield from _members(population)
    if measure.where != "TRUE":
        yield f"Only where {measure.where}."
    if measure.share:
        name, of, against = measure.share
        titles = measure.dimensions[name].categories
        yield (
            f"Gives the share of {_titles(titles[c] for c in of)} among these and"
            f" {_titles(titles[c] for c in against)}."
        )
    if measure.mean:
        dimension = measure.dimensions[measure.mean]
        middles = ", ".join(f"{at:g}" for at in (dimension.midpoints or {}).values())
        yield (
            f"Gives the mean of {dimension.title.lower()}, from the middles of bands: {middles}."
            " People without a recorded value do not count in it."
        )
    if measure.population_of:
        yield f"Gives the rate per person of the population {measure.population_of}."
    yield f"Made from: {', '.join(measure.datasets)}."
    yield "Sorted by:"
    for name, dimension in measure.dimensions.items():
        column = measure.columns.get(name, name)
        yield f"  {name}: {dimension.title}. {_sorting(declared, population, measure, column)}"
        more = measure.dimension_datasets.get(name, ())
        if more:
            yield f"    Also made from: {', '.join(more)}. To see it needs a purpose for these too."
    cubes = "; ".join(" x ".join(cube) for cube in measure.cubes)
    yield f"Published by: {cubes}. {measure.cells:,} cells."


def describe_table(table: Measure) -> Iterator[str]:
    """Lines about a table that stands beside the linked figures."""
    yield f"{table.id}: {table.title}"
    yield table.description
    yield f"Counts {table.unit}, as the file {table.id}.csv says. They are not of linked people."
    for name, dimension in table.dimensions.items():
        yield f"  {name}: {dimension.title}. {', '.join(dimension.categories)}"
    yield f"Published by: {'; '.join(' x '.join(cube) for cube in table.cubes)}."


def _members(population: Population) -> Iterator[str]:
    keys = population.keys
    if keys.known_in:
        known = "any dataset" if keys.known_in == ["*"] else _or(keys.known_in)
        yield f"Everybody with a row in {known}."
        return
    if keys.pairs:
        pairs = keys.pairs
        yield (
            f"Everybody with two rows of {keys.dataset} with the same {_and(pairs.by)}: the first"
            f" where {_said(pairs.before)}, and the last where {_said(pairs.after)}."
        )
        return
    which = {
        "last": "the latest row counts",
        "first": "the earliest row counts",
        "each": "all rows count, so one may be in several categories",
    }[keys.take]
    where = f" where {_said(keys.where)}" if keys.where else ""
    yield f"Everybody with a row in {keys.dataset}{where}; {which}."


def _sorting(declared: Catalogue, population: Population, measure: Measure, column: str) -> str:
    compare = measure.compare
    if compare and column == measure.columns.get(compare.strata, compare.strata):
        return f"Fifths of how likely it was to be {compare.of}, from {_and(compare.adjusted_for)}."
    item = population.keys.variables.get(column)
    if item is None:
        return _characteristic(column, population.characteristics[column], declared)
    return _variable(item, population, declared.dimensions())


def _characteristic(name: str, item: CharacteristicKeys, declared: Catalogue) -> str:
    if item.when:
        return _cases(item.when, item.otherwise)
    of = f"The {item.take} value of {item.attribute}, whichever dataset says it."
    return f"{of} {_categories(item.values, item.cut)}".strip()


def _variable(item: VariableKeys, population: Population, dimensions: dict[str, Dimension]) -> str:
    shown = _categories(item.values, item.cut)
    period = item.period or item.first_in
    unit = _PERIODS[dimensions[period].period or "quarter"] if period else ""
    said = {
        "attribute": f"By {item.attribute} of the row. {shown}",
        "period": f"By the {unit} of the row.",
        "first_in": f"New in the {unit} of the first row, returning in later ones.",
        "sessions": f"By the number of rows. {shown}",
        "different": f"By how many different values of {item.different} there are. {shown}",
        "first": f"By the first {item.first}.",
        "following": f"By the {item.following} after the first one, or none.",
        "completed": f"By whether there are as many rows of {item.completed} as it has sessions.",
        "months": f"By the months between the first row and the last. {shown}",
        "months_to": (
            f"By the months between the first row and the first row where"
            f" {_said(item.months_to or {})}. {shown}"
        ),
        "rows_in": f"By the number of rows in {item.rows_in}. {shown}",
        "datasets": f"By the number of datasets with a row. {shown}",
        "change": (
            "By the change in per cent of the scale's range, in the good direction."
            f" {_categories(None, item.cut)}"
        ),
        "score": f"By the score {item.score}, in per cent of the scale's range. {shown}",
        "pair": f"By the {item.pair} of the questionnaires, or several.",
    }
    if item.cut_off:
        return f"By the side of the cut-off `{item.cut_off}` on which the score {item.score} is."
    if item.exposure:
        return _exposure(population.around.exposures[item.exposure])
    return _cases(item.when, item.otherwise) if item.when else said[item.kind].strip()


def _exposure(item: ExposureKeys) -> str:
    whose = "anyone of the family" if item.of == "family" else "the person"
    where = f" where {_said(item.where)}" if item.where else ""
    when = (
        f"{item.until} to {item.since} months before"
        if item.since
        else f"at least {item.until} month{'s' if item.until > 1 else ''} before"
    )
    if item.attribute:
        what = f"By the last {item.attribute} in {item.dataset}{where}, {when}, of {whose}."
    else:
        what = f"By the number of rows in {item.dataset}{where}, {when}, of {whose}."
    return f"{what} {_categories(item.values, item.cut)}".strip()


def _cases(cases: list[CaseKeys], otherwise: str | None) -> str:
    said = []
    for case in cases:
        parts = [_said(case.all)] if case.all else []
        parts += [" or ".join(_said({n: v}) for n, v in case.any.items())] if case.any else []
        said.append(f"{case.value} if {' and '.join(parts) or 'always'}")
    return f"{'; '.join(said)}; otherwise {otherwise or 'not recorded'}."


def _categories(values: dict[str, str] | None, cut: BandsKeys | None) -> str:
    if cut:
        edges = [f"under {cut.at[0]:g}"]
        edges += [
            f"from {low:g} to under {high:g}" for low, high in zip(cut.at, cut.at[1:], strict=False)
        ]
        edges.append(f"{cut.at[-1]:g} or more")
        return "; ".join(f"{b}: {e}" for b, e in zip(cut.into, edges, strict=True)) + "."
    if values:
        return "; ".join(f"{value} is {category}" for value, category in values.items()) + "."
    return ""


def _said(condition: Condition) -> str:
    return " and ".join(f"{name} is {_or(values)}" for name, values in condition.items())


def _titles(titles: Iterable[str]) -> str:
    return _or([f"“{title}”" for title in titles])


def _or(words: Iterable[str]) -> str:
    return " or ".join(words)


def _and(words: Iterable[str]) -> str:
    return " and ".join(words)
