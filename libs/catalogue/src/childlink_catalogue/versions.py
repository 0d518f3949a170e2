"""What changed between two versions of a catalogue, and whether it keeps the meaning of what is
stored. Rule: two catalogues in, changes out.

Rows are stored as they came. A new version may add to what they can say. It may not change what
they said: rows of before would be counted as something else.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from childlink_catalogue.catalogue import Catalogue
from childlink_catalogue.datasets import Dataset, Field


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
    """Every difference, refused ones first."""
    found = [
        *_version(old, new),
        *_datasets(old.datasets, new.datasets),
        *_instruments(old, new),
        *_definitions("service", old.services, new.services),
        *_definitions("characteristic", old.around.characteristics, new.around.characteristics),
        *_definitions("exposure", old.around.exposures, new.around.exposures),
        *_definitions("population", _keys(old.populations), _keys(new.populations)),
        *_definitions("dimension", old.dimensions(), new.dimensions()),
        *_definitions("measure", old.measures(), new.measures()),
    ]
    return sorted(found, key=lambda item: not item.refused)


def _version(old: Catalogue, new: Catalogue) -> Iterator[Change]:
    if old.about.id != new.about.id:
        yield Change(
            f"the catalogue of {old.about.id} became that of {new.about.id}",
            "Compare versions of one partnership's catalogue.",
        )
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
    for what in ("event", "adult_relation"):
        if getattr(old, what) != getattr(new, what):
            yield Change(
                f"{at}: {what} changed from {getattr(old, what)!r} to {getattr(new, what)!r}",
                "Make a dataset with another name.",
            )
    if set(old.subjects) - set(new.subjects):
        yield Change(f"{at}: fewer subjects", "Make a dataset with another name.")
    if before != after and new.version <= old.version:
        yield Change(
            f"{at}: its fields changed, and its version is still {new.version}",
            f"Write version = {old.version + 1}.",
        )


def _field(at: str, old: Field, new: Field) -> Iterator[Change]:
    for what in ("type", "unit", "derive", "range_by"):
        if getattr(old, what) != getattr(new, what):
            yield Change(
                f"{at}: {what} changed from {getattr(old, what)!r} to {getattr(new, what)!r}",
                "Add a field with another name, and keep this one.",
            )
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


def _definitions(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in _sorted(old.keys() - new.keys()):
        yield Change(f"{kind} {name} was removed")
    for name in _sorted(new.keys() - old.keys()):
        yield Change(f"{kind} {name} was added")
    for name in _sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            yield Change(
                f"{kind} {name} changed: from the next release its figures may differ from earlier"
                " ones"
            )


def _keys(populations: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item.keys for name, item in populations.items()}


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(names)
