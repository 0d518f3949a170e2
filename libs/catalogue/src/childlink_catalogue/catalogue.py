"""A partnership's catalogue: a folder of files that declares what is collected and counted.
Adapter: reads the folder. Each part is read when it is needed, so that a site reads its datasets
alone.

`current()` is the catalogue of this process: the folder in CHILDLINK_CATALOGUE, or the one that
comes with childlink (LEAP's, as an example).
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeVar

from childlink_core.errors import UserError

from childlink_catalogue.datasets import Dataset, parse_dataset
from childlink_catalogue.dimensions import Dimension, dimension_of
from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.instruments import Instrument, instrument_of
from childlink_catalogue.language import (
    CatalogueKeys,
    CharacteristicKeys,
    DatasetKeys,
    DimensionKeys,
    ExposureKeys,
    InstrumentKeys,
    MeasuresFileKeys,
    ServiceKeys,
    SharedFieldsKeys,
)
from childlink_catalogue.measures import Measure, measure_of
from childlink_catalogue.populations import (
    Population,
    Surroundings,
    check_attribute,
    check_condition,
    said_by,
)
from childlink_catalogue.reading import line_of, read_keys

VARIABLE: Final = "CHILDLINK_CATALOGUE"
"""The environment variable that names the catalogue's folder."""
_UNTIL: Final = date(2024, 12, 31)
"""The last day of periods where it does not matter, such as in documents."""
_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Catalogue:
    """A catalogue in a folder."""

    folder: Path
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
        lists = {"services": list(self.services), "instruments": list(self.instrument_keys)}
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
                }
                for code, item in self.services.items()
            },
            "instruments": {
                code: {"title": item.title, "domain": item.domain, "of": item.of}
                for code, item in self.instrument_keys.items()
            },
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
                at = f"{self._at(name, 'population', number)}, population {keys.id}"
                if keys.id in found:
                    raise CatalogueError(f"{at} is declared twice.", "Give one of them another id.")
                found[keys.id] = Population(keys, self.around)
                self._check_population(found[keys.id], at)
        return found

    def dimensions(self, until: date = _UNTIL) -> dict[str, Dimension]:
        """Dimensions by id, with periods up to a day."""
        titles = {
            name: {code: item["title"] for code, item in table.items()}
            for name, table in self.around.lists.items()
        }
        where = self._at("dimensions.toml")
        return {
            name: dimension_of(name, keys, until, titles, where)
            for name, keys in self._dimension_keys.items()
        }

    def measures(self, until: date = _UNTIL) -> dict[str, Measure]:
        """Every measure by id, with periods up to a day. Raises CatalogueError."""
        dimensions = self.dimensions(until)
        found: dict[str, Measure] = {}
        for name, content in self._measure_files.items():
            for number, keys in enumerate(content.measure):
                at = f"{self._at(name, 'measure', number)}, measure {keys.id}"
                if keys.id in found:
                    raise CatalogueError(f"{at} is declared twice.", "Give one of them another id.")
                if keys.population not in self.populations:
                    raise CatalogueError(
                        f"{at}: there is no population {keys.population}.",
                        f"Use: {', '.join(self.populations)}.",
                    )
                population = self.populations[keys.population]
                found[keys.id] = measure_of(keys, population, dimensions, at)
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
            path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.toml")
        )

    @cached_property
    def _dimension_keys(self) -> Mapping[str, DimensionKeys]:
        return self._read("dimensions.toml", dict[str, DimensionKeys], {})

    @cached_property
    def _measure_files(self) -> Mapping[str, MeasuresFileKeys]:
        return {name: self._read(name, MeasuresFileKeys) for name in self._names("measures")}

    def _check_characteristics(self, around: Surroundings) -> None:
        for name, item in around.characteristics.items():
            at = f"{self._at('characteristics.toml', name)}, {name}"
            unknown = [dataset for dataset in item.datasets if dataset not in self.datasets]
            if unknown:
                raise CatalogueError(
                    f"{at}: there is no dataset {unknown[0]}.", f"Use: {', '.join(self.datasets)}."
                )
            if item.attribute:
                sources = [self.datasets[dataset] for dataset in said_by(item, self.datasets)]
                if not sources:
                    raise CatalogueError(
                        f"{at}: no dataset has a field {item.attribute}.",
                        "Correct the name, or remove the characteristic.",
                    )
                check_attribute(item.attribute, sources, around, at)

    def _check_exposures(self, around: Surroundings) -> None:
        for name, item in around.exposures.items():
            at = f"{self._at('exposures.toml', name)}, {name}"
            if item.dataset not in self.datasets:
                raise CatalogueError(
                    f"{at}: there is no dataset {item.dataset}.",
                    f"Use: {', '.join(self.datasets)}.",
                )
            dataset = self.datasets[item.dataset]
            if not dataset.event:
                raise CatalogueError(
                    f"{at}: {item.dataset} does not say when, so nothing of it is before anything.",
                    "Use a dataset with an event.",
                )
            check_condition(item.where, [dataset], around, at)
            if item.attribute:
                check_attribute(item.attribute, [dataset], around, at)
            steps = self.about.windows
            wrong = [m for m in (item.until, item.since) if m is not None and m not in steps]
            if wrong:
                raise CatalogueError(
                    f"{at}: {wrong[0]} is not one of the windows of catalogue.toml.",
                    f"Use: {', '.join(map(str, steps))}. Windows that differ by little would tell"
                    " few children apart.",
                )

    def _check_population(self, population: Population, at: str) -> None:
        around, keys = population.around, population.keys
        unknown = [name for name in population.datasets if name not in self.datasets]
        if unknown:
            raise CatalogueError(
                f"{at}: there is no dataset {unknown[0]}.", f"Use: {', '.join(self.datasets)}."
            )
        sources = [self.datasets[name] for name in population.datasets]
        check_condition(keys.where, sources, around, at)
        for name, item in keys.variables.items():
            where = f"{at}, {name}"
            for attribute in (item.attribute, item.different, item.first, item.following):
                if attribute:
                    check_attribute(attribute, sources, around, where)
            if item.exposure and item.exposure not in around.exposures:
                raise CatalogueError(
                    f"{where}: there is no exposure {item.exposure}.",
                    f"Use: {', '.join(around.exposures)}.",
                )
            for period in (item.period, item.first_in):
                if period and not getattr(self._dimension_keys.get(period), "period", None):
                    able = [name for name, keys in self._dimension_keys.items() if keys.period]
                    raise CatalogueError(
                        f"{where}: {period} is no dimension with periods.",
                        f"Use: {', '.join(able)}." if able else "Declare one with `period`.",
                    )
            population.datasets_of(name, where)

    def _names(self, folder: str) -> list[str]:
        return sorted(f"{folder}/{path.name}" for path in (self.folder / folder).glob("*.toml"))

    def _at(self, name: str, *what: str | int) -> str:
        """A file, or the line of a file, as errors name it."""
        where = f"{self.folder.name}/{name}"
        return f"{where}, line {line_of(self._texts[name], what)}" if what else where

    def _read(self, name: str, kind: type[_Kind], default: _Kind | None = None) -> _Kind:
        path = self.folder / name
        if default is not None and not path.exists():
            return default
        try:
            self._texts[name] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogueError(
                f"{path} cannot be read ({type(error).__name__}).",
                "A catalogue is a folder with catalogue.toml: see `childlink-catalogue new`.",
            ) from None
        return read_keys(kind, self._texts[name], self._at(name))


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
