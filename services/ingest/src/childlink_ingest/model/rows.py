"""The values that ingest's rules pass along: a canonical row, an identity, a rejection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from childlink_catalogue.datasets import Attribute

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
    date_approximate: bool = field(default=False, repr=False)
    """The date of birth is a guess, or one of the source's default days."""


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
    left_out: Identity | None = field(default=None, repr=False)
    """The adult who may not be sent, so that what was sent of them before is withdrawn."""
    deleted: bool = False
    """The source says that the row is deleted: what was sent of it before is withdrawn."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row stays behind. Shows no value of the row."""

    row_number: int
    column: str
    reason: str
    remedy: str
    row_id: str = field(default="", repr=False, compare=False)
    """The row's id, where it could be read: what was sent of the row before is not taken for gone.
    """


@dataclass(frozen=True, slots=True)
class WithheldRow:
    """A row that may not be sent, and why."""

    row_number: int
    why: str
    row: Row = field(repr=False)
