"""What changed between two versions of a catalogue, and whether it keeps the meaning of what is
stored. Rule: two catalogues in, changes out.

Rows are stored as they came. A new version may add to what they can say. It may not change what
they said: rows of before would be counted as something else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from childlink_catalogue.catalogue import Catalogue
from childlink_catalogue.datasets import Dataset, Field
from childlink_catalogue.language import AreaKeys
from childlink_catalogue.populations import said_by

_MOST_NAMED: Final = 5
OPT_OUT: Final = "national data opt-out"


@dataclass(frozen=True)
class Change:
    """A difference between two versions."""

    what: str
    remedy: str = ""
    """How to do it without changing the meaning of stored rows. "": the change is allowed."""

    @property
    def refused(self) -> bool:
        """Whether the new version must not be used."""
        return bool(self.remedy)


def changes(old: Catalogue, new: Catalogue) -> list[Change]:
    """Every difference: refused ones first, then who may be sent, then the others."""
    found = [
        *_version(old, new),
        *_datasets(old.datasets, new.datasets),
        *_instruments(old, new),
        *_definitions("coding", old.codings, new.codings),
        *_definitions("service", old.services, new.services),
        *_areas(old.areas, new.areas),
        *_characteristics(old, new),
        *_definitions("exposure", old.around.exposures, new.around.exposures, _users(new)),
        *_definitions("population", _keys(old.populations), _keys(new.populations), _users(new)),
        *_definitions("dimension", old.dimension_keys, new.dimension_keys, _users(new)),
        *_definitions("measure", old.measure_keys, new.measure_keys),
        *_definitions("table", old.table_keys, new.table_keys),
    ]
    return sorted(found, key=lambda item: (not item.refused, OPT_OUT not in item.what, item.what))


def _version(old: Catalogue, new: Catalogue) -> Iterator[Change]:
    if old.about.id != new.about.id:
        yield Change(
            f"the catalogue of {old.about.id} became that of {new.about.id}",
            "Compare versions of one partnership's catalogue.",
        )
    for what in ("title", "windows"):
        before, after = getattr(old.about, what), getattr(new.about, what)
        if before != after:
            yield Change(f"{what} changed from {before} to {after}")
    if new.digest != old.digest and new.about.version <= old.about.version:
        yield Change(
            f"version {old.about.version} became version {new.about.version}",
            f"Write version = {old.about.version + 1} in catalogue.toml: versions only rise.",
        )


def _datasets(old: Mapping[str, Dataset], new: Mapping[str, Dataset]) -> Iterator[Change]:
    for name in old.keys() - new.keys():
        yield Change(
            f"dataset {name} was removed",
            "Keep it while sites send it and its rows are stored. Remove its measures instead.",
        )
    for name in new.keys() - old.keys():
        yield Change(f"dataset {name} was added")
    for name in old.keys() & new.keys():
        yield from _dataset(old[name], new[name])


def _dataset(old: Dataset, new: Dataset) -> Iterator[Change]:
    at = f"dataset {old.name}"
    before = {field.name: field for field in old.fields}
    after = {field.name: field for field in new.fields}
    for name in before.keys() - after.keys():
        yield Change(
            f"{at}: field {name} was removed",
            "Keep it: rows of older sites have it. Stop using it in measures.",
        )
    for name in after.keys() - before.keys():
        if after[name].required:
            yield Change(
                f"{at}: the new field {name} is required",
                "Make it optional: rows of older sites do not have it.",
            )
        else:
            yield Change(f"{at}: field {name} was added")
    for name in before.keys() & after.keys():
        yield from _field(f"{at}, field {name}", before[name], after[name])
    yield from _about(at, old, new)
    if before != after and new.version <= old.version:
        yield Change(
            f"{at}: its fields changed, and its version is still {new.version}",
            f"Write version = {old.version + 1}.",
        )


def _about(at: str, old: Dataset, new: Dataset) -> Iterator[Change]:
    for what in ("event", "adult_relation"):
        if getattr(old, what) != getattr(new, what):
            yield Change(
                f"{at}: {what} changed from {getattr(old, what)!r} to {getattr(new, what)!r}",
                "Make a dataset with another name.",
            )
    if old.permitted_list != new.permitted_list:
        now = "applies now" if new.permitted_list else "no longer applies"
        yield Change(f"{at}: the {OPT_OUT} {now}")
    for what in ("title", "one_row_per_child", "births_from"):
        if getattr(old, what) != getattr(new, what):
            yield Change(f"{at}: {what} changed from {getattr(old, what)} to {getattr(new, what)}")
    if set(new.subjects) - set(old.subjects):
        yield Change(f"{at}: more subjects")
    if set(old.subjects) - set(new.subjects):
        yield Change(f"{at}: fewer subjects", "Make a dataset with another name.")


def _field(at: str, old: Field, new: Field) -> Iterator[Change]:
    for what in ("type", "unit", "derive", "range_by"):
        if getattr(old, what) != getattr(new, what):
            yield Change(
                f"{at}: {what} changed from {getattr(old, what)!r} to {getattr(new, what)!r}",
                "Add a field with another name, and keep this one.",
            )
    for what in ("title", "coding", "after_birth", "disclosive"):
        if getattr(old, what) != getattr(new, what):
            yield Change(
                f"{at}: {what} changed from {getattr(old, what)!r} to {getattr(new, what)!r}"
            )
    if old.required and not new.required:
        yield Change(f"{at}: it is no longer required")
    gone = [code for code in old.codes if code not in new.codes]
    if gone:
        yield Change(
            f"{at}: the codes {', '.join(gone)} were removed",
            "Keep them: stored rows have them.",
        )
    more = [code for code in new.codes if code not in old.codes]
    if more:
        yield Change(f"{at}: the codes {', '.join(more)} were added")
    if new.required and not old.required:
        yield Change(f"{at}: it is now required", "Keep it optional: stored rows may lack it.")
    if old.range != new.range:
        narrower = new.range and (
            not old.range or new.range[0] > old.range[0] or new.range[1] < old.range[1]
        )
        remedy = "Keep the range: stored rows may be outside the new one." if narrower else ""
        yield Change(f"{at}: the range changed from {old.range} to {new.range}", remedy)


def _instruments(old: Catalogue, new: Catalogue) -> Iterator[Change]:
    for code, item in old.instruments.items():
        after = new.instruments.get(code)
        if after is None:
            yield Change(f"instrument {code} was removed", "Keep it: stored scores are on it.")
        elif (item.range, item.better) != (after.range, after.better):
            yield Change(
                f"instrument {code}: its scale changed",
                "Declare the other scale as an instrument with another code.",
            )
        elif item != after:
            yield Change(f"instrument {code} changed")
    for code in new.instruments.keys() - old.instruments.keys():
        yield Change(f"instrument {code} was added")


def _areas(old: Mapping[str, AreaKeys], new: Mapping[str, AreaKeys]) -> Iterator[Change]:
    for code, item in old.items():
        after = new.get(code)
        if after is None:
            yield Change(f"area {code} was removed", "Keep it: stored rows lie in it.")
        elif (item.level, item.within) != (after.level, after.within):
            yield Change(
                f"area {code} lies elsewhere now: {after.level} within {after.within}; before,"
                f" {item.level} within {item.within}",
                "Give the area with the new boundary another code, and keep this one. Figures on"
                " both boundaries of the same people could be subtracted.",
            )
        elif item != after:
            yield Change(f"area {code} is called {after.title} now")
    for code in new.keys() - old.keys():
        yield Change(f"area {code} was added")


def _characteristics(old: Catalogue, new: Catalogue) -> Iterator[Change]:
    before, after = old.around.characteristics, new.around.characteristics
    yield from _definitions("characteristic", before, after, _users(new))
    for name in sorted(before.keys() & after.keys()):
        said, now = said_by(before[name], old.datasets), said_by(after[name], new.datasets)
        if set(said) != set(now) and before[name] == after[name]:
            yield Change(
                f"characteristic {name} is now said by {', '.join(now)}; before, by"
                f" {', '.join(said)}"
            )


def _definitions(
    kind: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    used_by: Mapping[str, list[str]] = MappingProxyType({}),
) -> Iterator[Change]:
    for name in sorted(old.keys() - new.keys()):
        yield Change(f"{kind} {name} was removed")
    for name in sorted(new.keys() - old.keys()):
        yield Change(f"{kind} {name} was added")
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            measures = f" of {_few(used_by[name])}" if name in used_by else ""
            yield Change(
                f"{kind} {name} changed: from the next release figures{measures} may differ from"
                " earlier ones"
            )


def _few(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _users(declared: Catalogue) -> dict[str, list[str]]:
    """The measures that use each exposure, characteristic, population and dimension."""
    found: dict[str, list[str]] = {}
    for measure in declared.measures().values():
        population = declared.populations[measure.view]
        names = {measure.view, *measure.dimensions}
        for name in measure.dimensions:
            column = measure.columns.get(name, name)
            variable = population.keys.variables.get(column)
            names.add(column if variable is None else variable.exposure or column)
        for name in names:
            found.setdefault(name, []).append(measure.id)
    return found


def _keys(populations: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item.keys for name, item in populations.items()}
