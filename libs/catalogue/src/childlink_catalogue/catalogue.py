"""A partnership's catalogue: a folder of files that declares what is collected and counted.
Adapter: reads the folder. Each part is read when it is needed, so that a site reads its datasets
alone.

`current()` is the catalogue of this process: the folder in CHILDLINK_CATALOGUE, or the one that
comes with childlink (LEAP's, as an example).
"""

import difflib
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from functools import cache, cached_property, partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeVar

from childlink_core.errors import UserError

from childlink_catalogue.areas import check_areas, lists_of, parts_of
from childlink_catalogue.datasets import Dataset, parse_dataset
from childlink_catalogue.dimensions import Dimension, dimension_of
from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.instruments import Instrument, instrument_of
from childlink_catalogue.language import (
    FILES,
    AreaKeys,
    CatalogueKeys,
    CharacteristicKeys,
    DatasetKeys,
    DimensionKeys,
    ExposureKeys,
    InstrumentKeys,
    MeasureKeys,
    MeasuresFileKeys,
    QuestionKeys,
    ServiceKeys,
    SharedFieldsKeys,
    TableKeys,
    TablesFileKeys,
    VariableKeys,
)
from childlink_catalogue.measures import Measure, measure_of, table_of
from childlink_catalogue.populations import (
    Population,
    Surroundings,
    check_attribute,
    check_condition,
    check_sorting,
    said_by,
)
from childlink_catalogue.reading import FileKeys, Place, place_of, read_keys

VARIABLE: Final = "CHILDLINK_CATALOGUE"
"""The environment variable that names the catalogue's folder."""
_UNTIL: Final = date(2024, 12, 31)
"""The last day of periods where it does not matter, such as in documents."""
GEOGRAPHIES: Final = frozenset({"lsoa", "ward", "residence"})
"""What a site derives from the postcode, and what says where somebody lives."""
_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Catalogue:
    """A catalogue in a folder."""

    folder: Path
    more: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Files that are read as if they were in the folder, by their name in it."""
    _texts: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def about(self) -> CatalogueKeys:
        """Whose it is, and its version."""
        return self._read("catalogue.toml", CatalogueKeys)

    @cached_property
    def services(self) -> Mapping[str, ServiceKeys]:
        """Services by code."""
        return self._read("services.toml", dict[str, ServiceKeys], {})

    @cached_property
    def areas(self) -> Mapping[str, AreaKeys]:
        """The partnership's areas by code. Raises CatalogueError."""
        found = self._read("areas.toml", dict[str, AreaKeys], {})
        check_areas(found, lambda code: self._place("areas.toml", (code,), f"area {code}"))
        return found

    @cached_property
    def instrument_keys(self) -> Mapping[str, InstrumentKeys]:
        """Instruments by code, as they are declared."""
        found: dict[str, InstrumentKeys] = {}
        for name in self._names("instruments"):
            for code, item in self._read(name, dict[str, InstrumentKeys]).items():
                if code in found:
                    raise CatalogueError(
                        f"{self._at(name)}: instrument {code} is declared twice.",
                        "Give one of them another code.",
                    )
                found[code] = item
        return found

    @cached_property
    def instruments(self) -> Mapping[str, Instrument]:
        """Instruments by code."""
        return {code: instrument_of(item) for code, item in self.instrument_keys.items()}

    @cached_property
    def datasets(self) -> Mapping[str, Dataset]:
        """Dataset contracts by name."""
        shared = self._read("shared_fields.toml", SharedFieldsKeys, SharedFieldsKeys(field=[]))
        lists = {
            "services": list(self.services),
            "instruments": list(self.instrument_keys),
            **{name: list(table) for name, table in lists_of(self.areas).items()},
        }
        found: dict[str, Dataset] = {}
        for name in self._names("datasets"):
            keys = self._read(name, DatasetKeys)
            if keys.name != Path(name).stem:
                raise CatalogueError(
                    f"{self._at(name)} declares the dataset {keys.name}.",
                    "Name the file after its dataset.",
                )
            found[keys.name] = parse_dataset(keys, shared.field, lists, self._at(name))
        return found

    @cached_property
    def lists_used(self) -> set[str]:
        """The lists from which datasets and dimensions take codes or categories."""
        shared = self._read("shared_fields.toml", SharedFieldsKeys, SharedFieldsKeys(field=[]))
        fields = [*shared.field]
        for name in self._names("datasets"):
            fields += self._read(name, DatasetKeys).field
        named = {item.codes_from for item in fields}
        named |= {item.categories_from for item in self.dimension_keys.values()}
        return {name for name in named if name}

    @cached_property
    def codings(self) -> Mapping[str, Mapping[str, str]]:
        """For each coding, the contract's code by the texts that sources write, in lower case."""
        content = self._read("codings.toml", dict[str, dict[str, list[str]]], {})
        return {
            name: {text.lower(): code for code, texts in table.items() for text in (code, *texts)}
            for name, table in content.items()
        }

    @cached_property
    def around(self) -> Surroundings:
        """What populations refer to. Raises CatalogueError."""
        lists = {
            "services": {
                code: {
                    "title": item.title,
                    "strand": item.strand or "",
                    "kind": item.kind or "",
                    "provider": item.provider,
                    "sessions": str(item.sessions or ""),
                }
                for code, item in self.services.items()
            },
            "instruments": {
                code: {"title": item.title, "domain": item.domain, "of": item.of}
                for code, item in self.instrument_keys.items()
            },
            **lists_of(self.areas),
        }
        around = Surroundings(
            self.datasets,
            self._read("characteristics.toml", dict[str, CharacteristicKeys], {}),
            self._read("exposures.toml", dict[str, ExposureKeys], {}),
            lists,
        )
        self._check_characteristics(around)
        self._check_exposures(around)
        return around

    @cached_property
    def populations(self) -> Mapping[str, Population]:
        """Populations by id. Raises CatalogueError."""
        found: dict[str, Population] = {}
        for name, content in self._measure_files.items():
            for number, keys in enumerate(content.population):
                at = self._place(name, ("population", number), f"population {keys.id}")
                if keys.id in found:
                    raise CatalogueError(f"{at} is declared twice.", "Give one of them another id.")
                found[keys.id] = Population(keys, self.around)
                self._check_population(found[keys.id], at)
        return {name: replace(item, equals=_equals(item, found)) for name, item in found.items()}

    def dimensions(self, until: date = _UNTIL) -> dict[str, Dimension]:
        """Dimensions by id, with periods up to a day."""
        titles = {
            name: {code: item["title"] for code, item in table.items()}
            for name, table in self.around.lists.items()
        }
        where = self._at("dimensions.toml")
        found = {
            name: dimension_of(name, keys, until, titles, where)
            for name, keys in self.dimension_keys.items()
        }
        return {name: self._with_areas(item, found) for name, item in found.items()}

    def _with_areas(self, dimension: Dimension, every: Mapping[str, Dimension]) -> Dimension:
        """A dimension of areas, tied to the finer ones that its areas are made up of."""
        level = self._level_of(dimension.id)
        if level is None:
            return dimension
        lists, parts = lists_of(self.areas), dict(dimension.parts)
        for finer, other in every.items():
            inner = self._level_of(finer)
            for code, codes in parts_of(level, inner, lists).items() if inner else ():
                if code in dimension.categories and set(codes) <= set(other.categories):
                    parts[code] = (finer, codes)
        return replace(dimension, parts=parts)

    def _level_of(self, dimension: str) -> str | None:
        """The level of a dimension whose categories are areas."""
        source = self.dimension_keys[dimension].categories_from or ""
        return source.partition(".")[2] or None

    def measures(self, until: date = _UNTIL) -> dict[str, Measure]:
        """Every measure by id, with periods up to a day. Raises CatalogueError."""
        dimensions = self.dimensions(until)
        found: dict[str, Measure] = {}
        for name, content in self._measure_files.items():
            for number, keys in enumerate(content.measure):
                at = self._place(name, ("measure", number), f"measure {keys.id}")
                if keys.id in found:
                    raise CatalogueError(f"{at} is declared twice.", "Give one of them another id.")
                found[keys.id] = self._measure(keys, dimensions, at)
        self._check_geographies(found.values())
        return found

    def tables(self, until: date = _UNTIL) -> dict[str, Measure]:
        """Every table that stands beside the linked figures, by id. Raises CatalogueError."""
        dimensions = self.dimensions(until)
        found: dict[str, Measure] = {}
        for name, content in self._table_files.items():
            for number, keys in enumerate(content.table):
                at = self._place(name, ("table", number), f"table {keys.id}")
                if keys.id in found or keys.id in self.measure_keys:
                    raise CatalogueError(f"{at} is declared twice.", "Give one of them another id.")
                found[keys.id] = table_of(keys, dimensions, at)
        return found

    @cached_property
    def questions(self) -> Mapping[str, QuestionKeys]:
        """Questions by number. Raises CatalogueError if one asks what there is not."""
        found = self._read("questions.toml", dict[str, QuestionKeys], {})
        measures = {**self.measures(), **self.tables()} if found else {}
        for name, item in found.items():
            if item.measure is None:
                continue
            at = self._place("questions.toml", (name,), name)
            self._check_asked(item.measure, {*item.by, *item.where}, measures, item, at)
            if item.against or item.per:
                other = item.per or item.measure
                self._check_asked(other, {*item.by, *item.against}, measures, item, at)
        return found

    def _check_asked(
        self,
        measure: str,
        asked: set[str],
        measures: Mapping[str, Measure],
        item: QuestionKeys,
        at: Place,
    ) -> None:
        if measure not in measures:
            raise CatalogueError(
                f"{at.near(measure)}: there is no measure {measure}.",
                "Correct it, or say what it `lacks`.",
            )
        if item.by_means_of == "pathways":
            return
        if not any(asked <= set(cube) for cube in measures[measure].cubes):
            cubes = "; ".join(" x ".join(cube) for cube in measures[measure].cubes)
            raise CatalogueError(
                f"{at}: {measure} is not published by {' x '.join(sorted(asked))}.",
                f"Its cubes are: {cubes}.",
            )
        for name, categories in {**item.where, **item.against}.items():
            dimension = measures[measure].dimensions.get(name)
            unknown = set(categories) - set(dimension.categories) if dimension else set()
            if unknown and dimension:
                raise CatalogueError(
                    f"{at.near(name)}: {name} has no category {sorted(unknown)[0]!r}.",
                    f"Use: {', '.join(dimension.categories)}.",
                )

    def texts(self, folder: str) -> dict[str, str]:
        """The files of a folder that this package does not interpret: recipes, reports."""
        for name in self._names(folder):
            self._read(name, dict[str, Any])
        return {name: self._texts[name] for name in self._names(folder)}

    @property
    def measure_keys(self) -> Mapping[str, MeasureKeys]:
        """Measures by id, as they are declared."""
        return {keys.id: keys for c in self._measure_files.values() for keys in c.measure}

    @property
    def table_keys(self) -> Mapping[str, TableKeys]:
        """Tables by id, as they are declared."""
        return {keys.id: keys for c in self._table_files.values() for keys in c.table}

    def measure_ids_of(self, name: str) -> list[str]:
        """The measures that one file declares. Raises CatalogueError."""
        return [keys.id for keys in self._measure_files[name].measure]

    def problems(self) -> list[CatalogueError]:
        """Everything that is wrong: first with files by themselves, then with what they say of each
        other, one problem a measure.
        """
        found: list[CatalogueError] = []

        def attempt(step: Callable[[], object]) -> None:
            try:
                step()
            except CatalogueError as error:
                if all(str(error) != str(other) for other in found):
                    found.append(error)

        for name in self.files:
            kind = next((kind for file, kind, _ in FILES if fnmatchcase(name, file)), None)
            if kind is None:
                near = difflib.get_close_matches(name, [file for file, *_ in FILES], n=1)
                found.append(
                    CatalogueError(
                        f"{self._at(name)} is no file of a catalogue, and is not read.",
                        f"Did you mean {near[0]}?" if near else "Move it out of the folder.",
                    )
                )
            else:
                attempt(partial(self._read, name, kind))
        if not found:
            for part in ("about", "datasets", "codings", "around", "populations"):
                attempt(partial(getattr, self, part))
        if not found:
            dimensions = self.dimensions()
            for name, content in self._measure_files.items():
                for number, keys in enumerate(content.measure):
                    at = self._place(name, ("measure", number), f"measure {keys.id}")
                    attempt(partial(self._measure, keys, dimensions, at))
            attempt(self.measures)
            attempt(self.tables)
        if not found:
            attempt(lambda: self.questions)
        return found

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all its files by name, so that two catalogues are the same if this is."""
        whole = hashlib.sha256()
        for name in self.files:
            content = (self.folder / name).read_bytes()
            whole.update(f"{name} {len(content)}\n".encode() + content)
        return whole.hexdigest()

    @property
    def files(self) -> list[str]:
        """Its files, by path inside the folder."""
        return sorted(
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.is_file() and path.name != "signatures.json" and path.name[0] != "."
        )

    @cached_property
    def dimension_keys(self) -> Mapping[str, DimensionKeys]:
        """Dimensions by id, as they are declared."""
        return self._read("dimensions.toml", dict[str, DimensionKeys], {})

    @cached_property
    def _measure_files(self) -> Mapping[str, MeasuresFileKeys]:
        return {name: self._read(name, MeasuresFileKeys) for name in self._names("measures")}

    @cached_property
    def _table_files(self) -> Mapping[str, TablesFileKeys]:
        return {name: self._read(name, TablesFileKeys) for name in self._names("tables")}

    def _measure(
        self, keys: MeasureKeys, dimensions: Mapping[str, Dimension], at: Place
    ) -> Measure:
        if keys.population not in self.populations:
            raise CatalogueError(
                f"{at.near(keys.population)}: there is no population {keys.population}.",
                f"Use: {', '.join(self.populations)}.",
            )
        return measure_of(keys, self.populations[keys.population], dimensions, at)

    def _check_geographies(self, measures: Iterable[Measure]) -> None:
        """Raise CatalogueError if two geographies that do not nest sort the same people: their
        differences would single out a few streets.
        """
        found: dict[str, tuple[str, str]] = {}
        for measure in measures:
            population = self.populations[measure.view]
            for name in measure.dimensions:
                column = measure.columns.get(name, name)
                said = population.keys.variables.get(column) or population.characteristics.get(
                    column
                )
                attribute = (getattr(said, "attribute", None) or "").partition(".")[0]
                if not self._is_geography(attribute):
                    continue
                other, by = found.setdefault(measure.view, (attribute, measure.id))
                if other != attribute:
                    at = self._at("measures")
                    raise CatalogueError(
                        f"{at}: {measure.id} sorts by {attribute}, and {by} by {other}. Both are"
                        " areas of the same people, and do not nest.",
                        "Use one geography. Declare coarser areas in areas.toml, and sort by"
                        f" {other}.LEVEL.",
                    )

    def _is_geography(self, attribute: str) -> bool:
        return any(
            field.derive in GEOGRAPHIES
            for dataset in self.datasets.values()
            for field in dataset.fields
            if field.name == attribute
        )

    def _check_characteristics(self, around: Surroundings) -> None:
        for name, item in around.characteristics.items():
            at = self._place("characteristics.toml", (name,), name)
            unknown = [dataset for dataset in item.datasets if dataset not in self.datasets]
            if unknown:
                raise CatalogueError(
                    f"{at.near(unknown[0])}: there is no dataset {unknown[0]}.",
                    f"Use: {', '.join(self.datasets)}.",
                )
            if item.attribute:
                sources = [self.datasets[dataset] for dataset in said_by(item, self.datasets)]
                if not sources:
                    raise CatalogueError(
                        f"{at.near(item.attribute)}: no dataset has a field {item.attribute}.",
                        "Correct the name, or remove the characteristic.",
                    )
                check_attribute(item.attribute, sources, around, at)
                check_sorting(item, item.attribute, sources, around, at)

    def _check_exposures(self, around: Surroundings) -> None:
        for name, item in around.exposures.items():
            at = self._place("exposures.toml", (name,), name)
            if item.dataset not in self.datasets:
                raise CatalogueError(
                    f"{at.near(item.dataset)}: there is no dataset {item.dataset}.",
                    f"Use: {', '.join(self.datasets)}.",
                )
            dataset = self.datasets[item.dataset]
            if not dataset.event:
                raise CatalogueError(
                    f"{at}: {item.dataset} does not say when, so nothing of it is before anything.",
                    "Use a dataset with an event.",
                )
            check_condition(item.where, [dataset], around, at)
            if item.different:
                check_attribute(item.different, [dataset], around, at)
            if item.attribute:
                check_attribute(item.attribute, [dataset], around, at)
                check_sorting(item, item.attribute, [dataset], around, at)
            steps = self.about.windows
            for name_, month in (("until", item.until), ("since", item.since)):
                if month is not None and month not in steps:
                    listed = ", ".join(map(str, steps))
                    raise CatalogueError(
                        f"{at.near(name_)}: {month} months is not one of the windows of"
                        " catalogue.toml.",
                        f"Use: {listed}. Windows that differ by little would tell few children"
                        " apart."
                        if steps
                        else f"Declare windows = [{month}] in catalogue.toml.",
                    )

    def _check_population(self, population: Population, at: Place) -> None:
        around, keys = population.around, population.keys
        unknown = [name for name in population.datasets if name not in self.datasets]
        if unknown:
            raise CatalogueError(
                f"{at.near(unknown[0])}: there is no dataset {unknown[0]}.",
                f"Use: {', '.join(self.datasets)}.",
            )
        sources = [self.datasets[name] for name in population.datasets]
        check_condition(keys.where, sources, around, at)
        roles = {role for dataset in sources for role in dataset.subjects}
        if population.who in ("child", "adult") and population.who not in roles:
            raise CatalogueError(
                f"{at.near('counts')}: no row of {', '.join(population.datasets)} is about a"
                f" {population.who}.",
                f"Count {' or '.join(sorted(roles))} rows, or families.",
            )
        for name, item in keys.variables.items():
            self._check_variable(item, population, sources, at.inside(name))
            self._check_names(item, around, at.inside(name))
            population.datasets_of(name, at.inside(name))

    def _check_variable(
        self, item: VariableKeys, population: Population, sources: Sequence[Dataset], where: Place
    ) -> None:
        """Raise CatalogueError if the rows of a population cannot have a variable."""
        around, keys = population.around, population.keys
        undated = [dataset.name for dataset in sources if not dataset.event]
        timed = item.months or item.months_to is not None
        if undated and (item.exposure or item.period or item.first_in or timed):
            raise CatalogueError(
                f"{where}: {undated[0]} does not say when, so nothing is before its rows.",
                "Give the dataset an `event`.",
            )
        if item.attribute:
            check_attribute(item.attribute, sources, around, where)
            check_sorting(item, item.attribute, sources, around, where)
        check_condition(item.of_rows, sources, around, where)
        check_condition(item.months_to or {}, sources, around, where)
        for attribute in (item.different, item.first, item.following, item.completed, item.pair):
            if attribute:
                check_attribute(attribute, sources, around, where)
        if (item.change or item.score or item.pair) and keys.pairs is None:
            raise CatalogueError(
                f"{where}: population {keys.id} has no `pairs` of questionnaires.",
                "Declare them, or remove the variable.",
            )

    def _check_names(self, item: VariableKeys, around: Surroundings, where: Place) -> None:
        """Raise CatalogueError if a variable names what there is not."""
        if item.steps and not getattr(self.dimension_keys.get(item.steps), "steps", None):
            raise CatalogueError(
                f"{where.near(item.steps)}: {item.steps} is no dimension with `steps`.",
                "Declare it in dimensions.toml.",
            )
        if item.cut_off and not any(
            item.cut_off in scale.cut_offs for scale in self.instrument_keys.values()
        ):
            raise CatalogueError(
                f"{where.near(item.cut_off)}: no instrument has the cut-off {item.cut_off}.",
                "Declare it as one of the `cut_offs` of an instrument.",
            )
        if item.rows_in and item.rows_in not in self.datasets:
            raise CatalogueError(
                f"{where.near(item.rows_in)}: there is no dataset {item.rows_in}.",
                f"Use: {', '.join(self.datasets)}.",
            )
        if item.exposure and item.exposure not in around.exposures:
            raise CatalogueError(
                f"{where.near(item.exposure)}: there is no exposure {item.exposure}.",
                f"Use: {', '.join(around.exposures)}.",
            )
        for period in (item.period, item.first_in):
            if period and not getattr(self.dimension_keys.get(period), "period", None):
                able = [name for name, keys in self.dimension_keys.items() if keys.period]
                raise CatalogueError(
                    f"{where.near(period)}: {period} is no dimension with periods.",
                    f"Use: {', '.join(able)}." if able else "Declare one with `period`.",
                )

    def _names(self, folder: str) -> list[str]:
        found = [f"{folder}/{path.name}" for path in (self.folder / folder).glob("*.toml")]
        return sorted([*found, *(name for name in self.more if name.startswith(f"{folder}/"))])

    def _at(self, name: str) -> str:
        return f"{self.folder.resolve().name}/{name}"

    def _place(self, name: str, at: Sequence[str | int], what: str) -> Place:
        return place_of(self._at(name), self._texts[name], at, what)

    def _read(self, name: str, kind: type[_Kind], default: _Kind | None = None) -> _Kind:
        path = self.folder / name
        if default is not None and not path.exists():
            return default
        try:
            more = self.more.get(name)
            self._texts[name] = path.read_text(encoding="utf-8") if more is None else more
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogueError(
                f"{path} cannot be read ({type(error).__name__}).",
                "Save it in UTF-8."
                if isinstance(error, UnicodeDecodeError)
                else "A catalogue is a folder with catalogue.toml: see `childlink-catalogue new`.",
            ) from None
        tables = next(
            (list(t) for file, _, t in FILES if fnmatchcase(name, file)), list[type[FileKeys]]()
        )
        return read_keys(kind, self._texts[name], self._at(name), tables)


def _equals(
    population: Population, others: Mapping[str, Population]
) -> tuple[tuple[str, str, str], ...]:
    """Categories of those with a row in a dataset that another population counts as a whole."""
    return tuple(
        (name, item.cut.into[1], other.id)
        for name, item in population.keys.variables.items()
        if item.rows_in and item.cut and item.cut.at == [1]
        for other in others.values()
        if other.keys.dataset == item.rows_in
        and other.counts == population.counts
        and not other.keys.where
        and not other.keys.pairs
    )


def bundled() -> Path:
    """The folder of the catalogue that comes with childlink."""
    return Path(str(files("childlink_catalogue") / "leap"))


@cache
def _opened(folder: Path) -> Catalogue:
    return Catalogue(folder)


def current() -> Catalogue:
    """The catalogue of this process."""
    return _opened(Path(os.environ.get(VARIABLE) or bundled()))


def use(folder: Path | None) -> None:
    """Make a folder the catalogue of this process and of those that it starts."""
    if folder is not None:
        os.environ[VARIABLE] = str(folder.resolve())


def all_datasets() -> Mapping[str, Dataset]:
    """Every dataset contract of the current catalogue, by name."""
    return current().datasets


def get_dataset(name: str) -> Dataset:
    """The contract with this name. Raises UserError that lists the datasets."""
    if name not in all_datasets():
        raise UserError(
            f"There is no dataset {name!r}.", f"Use one of: {', '.join(all_datasets())}."
        )
    return all_datasets()[name]


def instruments() -> Mapping[str, Instrument]:
    """The scales of the current catalogue's questionnaires, by code."""
    return current().instruments


def codings() -> Mapping[str, Mapping[str, str]]:
    """For each coding of the current catalogue, the contract's code by the texts that sources
    write, in lower case.
    """
    return current().codings


@cache
def _measures(folder: Path, until: date) -> Mapping[str, Measure]:
    return _opened(folder).measures(until)


def catalogue(until: date = _UNTIL) -> Mapping[str, Measure]:
    """Every measure of the current catalogue, with periods up to a day. Raises CatalogueError."""
    return _measures(current().folder, until)
