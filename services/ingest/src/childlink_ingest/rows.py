"""The values that ingest's rules pass along: a canonical row, an identity, a rejection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from childlink_core.datasets import Attribute

Role = Literal["child", "adult"]
Relation = Literal["mother", "father", "carer"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a subject is, normalised. "" or None means missing. Never leaves the site."""

    person_id: str = field(repr=False)
    nhs_number: str = field(default="", repr=False)
    given_name: str = field(default="", repr=False)
    surname: str = field(default="", repr=False)
    date_of_birth: date | None = field(default=None, repr=False)
    sex: str = field(default="", repr=False)
    postcode: str = field(default="", repr=False)
    birth_order: int | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of an extract in the dataset contract's terms."""

    number: int
    row_id: str = field(repr=False)
    child: Identity | None
    adult: Identity | None
    relation: Relation | None
    attributes: Mapping[str, Attribute] = field(repr=False)
    notes: tuple[str, ...] = ()
    """Codes of what was taken as missing, for example "child_nhs_number fails its check"."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row stays behind. Holds no value of the row."""

    row_number: int
    column: str
    reason: str
    remedy: str
