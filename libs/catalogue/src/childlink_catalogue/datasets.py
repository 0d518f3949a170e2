"""Dataset contracts: the fields of each kind of extract, and what analytics may receive. Values.

A contract is a TOML file of the catalogue. Identity fields are the same for every dataset
(`identity_fields`); the contract lists the attributes. To add a dataset, add a file.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.language import DatasetKeys, Derived, FieldKeys

Subject = Literal["child", "adult"]
Attribute = str | int | float | bool
"""Types of an attribute's value."""
Area = Literal["lsoa", "ward", "imd_decile", "imd_quintile", "residence"]
"""Areas that a site can derive from a postcode. The postcode itself is not sent."""
AREAS: Final[tuple[str, ...]] = get_args(Area)
ELSEWHERE: Final = "elsewhere"
"""The code of an area for all that the catalogue does not list."""


@dataclass(frozen=True)
class Field:
    """An attribute of a dataset."""

    name: str
    title: str
    type: Literal["month", "code", "integer", "number", "flag"]
    required: bool = False
    codes: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    unit: str = ""
    derive: Derived | None = None
    """What the site fills the field with if the extract has no column for it."""
    coding: str = ""
    """Name of the table in `_codings.toml` that lists how sources write this field's codes."""
    after_birth: bool = field(default=False, repr=False)
    """Whether this month cannot be before the child's birth. This is not part of the contract's
    meaning, so existing approvals stay valid.
    """
    range_by: str = field(default="", repr=False)
    """The field that names the instrument whose scale is the range. This is not part of the
    contract's meaning, so existing approvals stay valid.
    """
    disclosive: Literal["low", "medium", "high"] = "medium"
    """How much the field narrows down the person, or how much harm it does if known."""

    def problem_with(self, value: Attribute) -> str | None:
        """What is wrong with a value, without repeating it; None if the value is valid.

        >>> Field("n", "N", "integer", range=(1, 5)).problem_with(9)
        'is outside 1 to 5'
        """
        kinds: dict[str, tuple[type, ...]] = {
            "month": (str,),
            "code": (str,),
            "integer": (int,),
            "number": (int, float),
            "flag": (bool,),
        }
        if not isinstance(value, kinds[self.type]) or (
            isinstance(value, bool) and self.type != "flag"
        ):
            return f"is not {'an' if self.type == 'integer' else 'a'} {self.type}"
        if self.type == "code" and value not in self.codes:
            return f"is not one of: {', '.join(self.codes)}"
        if self.type == "month" and not _is_month(str(value)):
            return "is not a month (YYYY-MM)"
        if self.range and not self.range[0] <= float(value) <= self.range[1]:
            return f"is outside {self.range[0]:g} to {self.range[1]:g}"
        return None


@dataclass(frozen=True)
class Dataset:
    """The contract for one kind of extract."""

    name: str
    version: int
    title: str
    subjects: tuple[Subject, ...]
    fields: tuple[Field, ...]
    event: str
    """The field that says when it happened; "" for a list of people."""
    adult_relation: str | None
    permitted_list: bool = False
    """Whether an extract is confidential patient information, to which the national data opt-out
    applies.
    """
    one_row_per_child: bool = field(default=False, repr=False)
    """Whether each child has one row. A column with repeated values is then not the child's id.

    This is not part of the contract's meaning, so existing approvals stay valid.
    """
    births_from: int = field(default=1900, repr=False)
    """The first possible year of birth. An earlier date rejects the row."""

    @property
    def fingerprint(self) -> str:
        """Hash of the contract's meaning. An approval covers exactly one fingerprint."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    def field(self, name: str) -> Field:
        """The attribute with this name."""
        return next(item for item in self.fields if item.name == name)

    @property
    def columns(self) -> dict[str, str]:
        """Every canonical column of a row, with a short description: row id, identity, then
        attributes.
        """
        columns = {
            "row_id": "the row's own id in the source",
            "deleted": "yes where the source has deleted the row",
        }
        for subject in self.subjects:
            columns |= identity_fields(subject)
        if "adult" in self.subjects and self.adult_relation is None:
            columns["adult_relation"] = (
                "what the adult is to the child: mother, father, carer; empty for anyone else"
            )
        return columns | {item.name: item.title for item in self.fields}


def identity_fields(subject: Subject) -> dict[str, str]:
    """The identity columns of a subject, with descriptions. They are encoded, never sent."""
    fields = {
        f"{subject}_id": f"the {subject}'s id in the source",
        f"{subject}_nhs_number": f"the {subject}'s NHS number",
        f"{subject}_nhs_number_status": f"whether the {subject}'s NHS number was traced (01 to 08)",
        f"{subject}_given_name": f"the {subject}'s given names",
        f"{subject}_known_as": f"the given name that the {subject} uses, where it is another",
        f"{subject}_surname": f"the {subject}'s surname",
        f"{subject}_date_of_birth": f"the {subject}'s date of birth",
        f"{subject}_date_approximate": f"yes where the {subject}'s date of birth is a guess",
        f"{subject}_sex": f"the {subject}'s sex",
        f"{subject}_postcode": f"the {subject}'s postcode",
    }
    if subject == "child":
        fields["child_birth_order"] = "order of birth among twins or more"
    return fields


def parse_dataset(
    keys: DatasetKeys, shared: Sequence[FieldKeys], lists: Mapping[str, Sequence[str]], where: str
) -> Dataset:
    """A dataset contract. `lists` are the codes that fields may take from elsewhere: services,
    instruments. Raises CatalogueError.
    """
    described = [*keys.field, *(shared if keys.demographics else [])]
    names = [item.name for item in described]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CatalogueError(f"{where}: field {twice[0]} is declared twice.", "Remove one.")
    event = next((item for item in described if item.name == keys.event), None)
    if keys.event and (event is None or event.type != "month" or not event.required):
        raise CatalogueError(
            f"{where}: event {keys.event} is not a required field of type month.",
            "Declare it so, or leave `event` out for a list of people.",
        )
    for item in described:
        if item.codes_from and item.codes_from not in lists:
            raise CatalogueError(
                f"{where}: field {item.name} takes its codes from {item.codes_from}, and there are"
                " none.",
                f"Use: {', '.join(lists)}; or declare them in areas.toml.",
            )
        if item.codes_from and (extra := sorted(set(item.codes) - set(lists[item.codes_from]))):
            raise CatalogueError(
                f"{where}: field {item.name} has the code {extra[0]}, and {item.codes_from} does"
                " not have it.",
                f"Use: {', '.join(lists[item.codes_from])}.",
            )
    return Dataset(
        name=keys.name,
        version=keys.version,
        title=keys.title,
        subjects=tuple(keys.subjects),
        fields=tuple(
            Field(
                item.name,
                item.title,
                item.type,
                item.required,
                tuple(item.codes or lists[item.codes_from or ""]) if item.type == "code" else (),
                item.range,
                item.unit,
                item.derive,
                item.coding,
                item.after_birth,
                item.range_by,
                item.disclosive,
            )
            for item in described
        ),
        event=keys.event,
        adult_relation=keys.adult_relation,
        permitted_list=keys.permitted_list,
        one_row_per_child=keys.one_row_per_child,
        births_from=keys.births_from,
    )


def _is_month(text: str) -> bool:
    year, dash, month = text.partition("-")
    return (
        dash == "-"
        and len(year) == 4
        and year.isdigit()
        and len(month) == 2
        and month.isdigit()
        and 1 <= int(month) <= 12
    )
