"""Populations: who is counted, and the variables that sort them. Values, and what they are made
from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from childlink_catalogue.datasets import Dataset
from childlink_catalogue.dimensions import EARLIER, NOT_RECORDED
from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.language import (
    NUMBERS,
    ROLES,
    CaseKeys,
    CharacteristicKeys,
    Condition,
    Counted,
    ExposureKeys,
    PopulationKeys,
    VariableKeys,
    Who,
)
from childlink_catalogue.reading import Place

_MOST_VALUES: Final = 20
"""A whole number with a longer range needs bands."""


Tie = tuple[str, str, str, str]
"""(variable, category, variable, category): whoever is in the first is in the second."""


@dataclass(frozen=True)
class Surroundings:
    """What the populations of a catalogue refer to."""

    datasets: Mapping[str, Dataset]
    characteristics: Mapping[str, CharacteristicKeys]
    exposures: Mapping[str, ExposureKeys]
    lists: Mapping[str, Mapping[str, Mapping[str, str]]]
    """For services and instruments: their properties, such as the kind of each service."""


@dataclass(frozen=True)
class Population:
    """Who is counted."""

    keys: PopulationKeys
    around: Surroundings
    equals: tuple[tuple[str, str, str], ...] = ()
    """(variable, category, population): the category holds all of another population."""

    @property
    def id(self) -> str:
        """Its short name. The compiler makes a view of this name."""
        return self.keys.id

    @property
    def counts(self) -> Counted:
        """What is counted."""
        return self.keys.counts

    @property
    def who(self) -> Who:
        """Whose rows are counted."""
        return ROLES[self.keys.counts]

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets whose rows make somebody a member."""
        if self.keys.dataset:
            return (self.keys.dataset,)
        known = self.keys.known_in
        return tuple(self.around.datasets) if known == ["*"] else tuple(known)

    @property
    def characteristics(self) -> dict[str, CharacteristicKeys]:
        """Characteristics that its members have."""
        return {
            name: item for name, item in self.around.characteristics.items() if self.who in item.of
        }

    def datasets_of(self, column: str, at: Place) -> tuple[str, ...]:
        """The datasets that a variable is made from. Raises CatalogueError if there is none of this
        name, or if it is made from itself.
        """
        return tuple(dict.fromkeys(self._datasets_of(column, at, ())))

    def needs_of(self, column: str) -> tuple[str, ...]:
        """Datasets without which a variable would say something false: those of exposures."""
        variable = self.keys.variables.get(column)
        item = variable or self.characteristics.get(column)
        if variable is not None and variable.rows_in:
            return (variable.rows_in,)
        if variable is not None and variable.exposure:
            return (self.around.exposures[variable.exposure].dataset,)
        cases = (item.when if item else None) or []
        return tuple(
            dict.fromkeys(
                dataset
                for case in cases
                for name in (*case.all, *case.any)
                for dataset in self.needs_of(name)
            )
        )

    def ties(self) -> list[Tie]:
        """What everybody knows of its exposures: whose rows are among those of another has none if
        the other has none; and if both have the same rows, they have none together.
        """
        counted = {
            name: self.around.exposures[item.exposure]
            for name, item in self.keys.variables.items()
            if item.exposure and self.around.exposures[item.exposure].attribute is None
        }
        found: list[Tie] = []
        for one, part in counted.items():
            for other, whole in counted.items():
                if one == other or not _is_part(part, whole) or not (part.cut and whole.cut):
                    continue
                found.append((other, whole.cut.into[0], one, part.cut.into[0]))
                if len(part.cut.into) == len(whole.cut.into) == 2:
                    found.append((one, part.cut.into[1], other, whole.cut.into[1]))
        return found

    def categories_of(self, column: str, at: Place) -> list[str]:
        """The categories that a variable can give. Empty: they cannot be known beforehand."""
        self.datasets_of(column, at)
        variable = self.keys.variables.get(column)
        if variable is None:
            return self._of_characteristic(self.characteristics[column])
        return self._of_variable(variable)

    def _datasets_of(self, column: str, at: Place, above: tuple[str, ...]) -> Iterable[str]:
        if column in above:
            raise CatalogueError(
                f"{at.near(column)}: {column} is made from itself:"
                f" {' from '.join([*above, column])}.",
                "Let one of its cases not name the other.",
            )
        variable = self.keys.variables.get(column)
        if variable is not None:
            if variable.exposure:
                return (*self.datasets, self.around.exposures[variable.exposure].dataset)
            if variable.rows_in:
                return (variable.rows_in,)
            if variable.datasets:
                return tuple(self.around.datasets)
            if variable.when:
                return self._of_cases(variable.when, at, (*above, column))
            return self.datasets
        item = self.characteristics.get(column)
        if item is None:
            known = [*self.keys.variables, *self.characteristics]
            raise CatalogueError(
                f"{at.near(column)}: population {self.id} has no variable {column}.",
                f"Use: {', '.join(known)}.",
            )
        if item.when:
            return self._of_cases(item.when, at, (*above, column))
        return said_by(item, self.around.datasets)

    def _of_cases(
        self, cases: list[CaseKeys], at: Place, above: tuple[str, ...]
    ) -> tuple[str, ...]:
        found: list[str] = []
        for case in cases:
            for name in (*case.all, *case.any):
                found += self._datasets_of(name, at, above)
        return tuple(found)

    def _of_variable(self, item: VariableKeys) -> list[str]:
        missing = item.otherwise or NOT_RECORDED
        if item.exposure:
            exposure = self.around.exposures[item.exposure]
            if exposure.attribute is None and exposure.cut:
                return list(exposure.cut.into)
            return [*_given(exposure), NOT_RECORDED]
        if item.when:
            return [*(case.value for case in item.when), missing]
        if item.steps:
            return [missing] if item.attribute or item.months_to is not None else []
        if item.cut or item.values:
            known = [*NUMBERS, "change", "score"]
            whole = item.kind in known and item.kind != "months_to"
            return [*_given(item), *([] if whole else [missing])]
        if item.kind == "first_in":
            return ["new", "returning"]
        if item.cut_off:
            return ["worse", "better", "no_cut_off"]
        if item.kind == "completed":
            return ["yes", "no", "no_target"]
        if item.kind == "period":
            return [EARLIER]
        if item.kind == "following":
            return ["none"]
        if item.attribute:
            return self._raw(item.attribute, self.datasets, missing)
        if item.pair:
            return ["several", *self._raw(item.pair, self.datasets, missing)]
        return []

    def _raw(self, attribute: str, datasets: Iterable[str], missing: str) -> list[str]:
        """The values of an attribute, and whether it may be missing."""
        found: list[str] = []
        for name in datasets:
            dataset = self.around.datasets[name]
            found += possible_values(attribute, dataset, self.around)
            if not dataset.field(attribute.partition(".")[0]).required:
                found.append(missing)
        return list(dict.fromkeys(found))

    def _of_characteristic(self, item: CharacteristicKeys) -> list[str]:
        if item.when:
            return [*(case.value for case in item.when), item.otherwise or NOT_RECORDED]
        if item.values or item.cut:
            return [*_given(item), NOT_RECORDED]
        sources = said_by(item, self.around.datasets)
        return [*self._raw(str(item.attribute), sources, NOT_RECORDED), NOT_RECORDED]


def _is_part(part: ExposureKeys, whole: ExposureKeys) -> bool:
    """Whether the rows of an exposure are always among those of another, and one row makes a
    difference for both. A row may lack the attribute of which the other counts the values, so then
    both must count the values of the same.
    """
    if whole.different not in (None, part.different):
        return False
    if not (part.cut and whole.cut and part.cut.at[0] <= 1 and whole.cut.at[0] <= 1):
        return False
    return (
        part.dataset == whole.dataset
        and whole.of in (part.of, "family")
        and part.until >= whole.until
        and (whole.since is None or (part.since is not None and part.since <= whole.since))
        and all(
            name in part.where and set(part.where[name]) <= set(values)
            for name, values in whole.where.items()
        )
    )


def _given(item: VariableKeys | CharacteristicKeys | ExposureKeys) -> list[str]:
    if item.cut:
        return list(item.cut.into)
    return list(dict.fromkeys((item.values or {}).values()))


def said_by(item: CharacteristicKeys, datasets: Mapping[str, Dataset]) -> tuple[str, ...]:
    """The datasets that may say a characteristic."""
    if item.datasets:
        return tuple(item.datasets)
    name = (item.attribute or "").split(".")[0]
    return tuple(d.name for d in datasets.values() if any(f.name == name for f in d.fields))


def check_attribute(
    name: str, datasets: Iterable[Dataset], around: Surroundings, at: Place
) -> None:
    """Raise CatalogueError unless each of the datasets has the attribute, and the list it looks up
    a property in.
    """
    field_name, _, looked_up = name.partition(".")
    for dataset in datasets:
        names = [field.name for field in dataset.fields]
        if field_name not in names:
            raise CatalogueError(
                f"{at.near(name)}: dataset {dataset.name} has no field {field_name}.",
                f"Use: {', '.join(names)}.",
            )
        field = dataset.field(field_name)
        if looked_up:
            tables = [
                table
                for table in around.lists.values()
                if field.codes and set(field.codes) <= set(table)
            ]
            if not any(looked_up in next(iter(table.values()), {}) for table in tables):
                raise CatalogueError(
                    f"{at.near(name)}: {field_name} has no {looked_up}.",
                    "Only services (strand, kind, provider) and instruments (domain, of) have more"
                    " than a code.",
                )


def check_condition(
    condition: Condition, datasets: Iterable[Dataset], around: Surroundings, at: Place
) -> None:
    """Raise CatalogueError if a condition names a value that there is not."""
    kept = list(datasets)
    for name, values in condition.items():
        check_attribute(name, kept, around, at)
        for dataset in kept:
            possible = possible_values(name, dataset, around)
            unknown = [value for value in values if possible and value not in possible]
            if unknown:
                raise CatalogueError(
                    f"{at.near(unknown[0])}: {name} is never {unknown[0]!r} in {dataset.name}.",
                    f"Use: {', '.join(possible)}.",
                )


def possible_values(name: str, dataset: Dataset, around: Surroundings) -> list[str]:
    """The texts that an attribute may have; empty if there are too many."""
    field_name, _, looked_up = name.partition(".")
    field = dataset.field(field_name)
    if looked_up:
        table = next(t for t in around.lists.values() if set(field.codes) <= set(t))
        return sorted({table[code][looked_up] for code in field.codes if table[code][looked_up]})
    if field.type == "flag":
        return ["true", "false"]
    if field.type == "integer" and field.range and field.range[1] - field.range[0] <= _MOST_VALUES:
        return [str(number) for number in range(int(field.range[0]), int(field.range[1]) + 1)]
    return list(field.codes)


def check_sorting(
    item: VariableKeys | CharacteristicKeys | ExposureKeys,
    attribute: str,
    datasets: Iterable[Dataset],
    around: Surroundings,
    at: Place,
) -> None:
    """Raise CatalogueError if an attribute's values are sorted in a way that they cannot have."""
    field_name, _, looked_up = attribute.partition(".")
    for dataset in datasets:
        field = dataset.field(field_name)
        possible = possible_values(attribute, dataset, around)
        if item.cut and (looked_up or field.type not in ("integer", "number")):
            raise CatalogueError(
                f"{at.near('cut')}: {attribute} is no number, so it has no bands.",
                "Use `values` instead of `cut`.",
            )
        if item.cut and field.range:
            outside = [
                edge for edge in item.cut.at if not field.range[0] <= edge <= field.range[1] + 1
            ]
            if outside:
                raise CatalogueError(
                    f"{at.near('cut')}: the edge {outside[0]:g} is outside the range of"
                    f" {attribute}, {field.range[0]:g} to {field.range[1]:g}.",
                    "Correct the edge.",
                )
        if not item.values or not possible:
            continue
        if unknown := [value for value in item.values if value not in possible]:
            raise CatalogueError(
                f"{at.near(unknown[0])}: {attribute} is never {unknown[0]!r} in {dataset.name}.",
                f"Use: {', '.join(possible)}.",
            )
        left_out = [value for value in possible if value not in item.values]
        if left_out and getattr(item, "otherwise", None) is None:
            raise CatalogueError(
                f"{at.near(field_name)}: `values` does not say what {left_out[0]!r} is.",
                "Add it, or give the category of all others with `otherwise`.",
            )
