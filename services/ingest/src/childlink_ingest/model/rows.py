"""Values that ingest's rules use: a canonical row, an identity, a rejection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from childlink_catalogue.datasets import Attribute

Role = Literal["child", "adult"]
Relation = Literal["mother", "father", "carer"]
Precision = Literal["day", "month", "year"]
PRECISIONS: Final[tuple[Precision, ...]] = ("day", "month", "year")
"""How much of a date the source knows, from the finest to the coarsest."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The normalised identity of a subject. "" or None means missing. Never leaves the site."""

    person_id: str = field(repr=False)
    nhs_number: str = field(default="", repr=False)
    given_name: str = field(default="", repr=False)
    surname: str = field(default="", repr=False)
    date_of_birth: date | None = field(default=None, repr=False)
    sex: str = field(default="", repr=False)
    postcode: str = field(default="", repr=False)
    birth_order: int | None = field(default=None, repr=False)
    date_approximate: bool = field(default=False, repr=False)
    """Whether the date of birth is a guess."""
    known_as: str = field(default="", repr=False)
    """The given name that the person uses, if the source has it beside the registered one."""
    date_precision: Precision = field(default="day", repr=False)
    """How much of the date of birth is known. The rest of the date is the first of the period."""
    number_untraced: bool = field(default=False, repr=False)
    """Whether the source says that the NHS number was not traced."""
    clk: bytes = field(default=b"", repr=False)
    """The person's CLK, if the site takes CLKs from a file of another tool."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of an extract, in the terms of the dataset contract."""

    number: int
    row_id: str = field(repr=False)
    child: Identity | None
    adult: Identity | None
    relation: Relation | None
    attributes: Mapping[str, Attribute] = field(repr=False)
    notes: tuple[str, ...] = ()
    """Notes on values that count as missing, for example "child_nhs_number fails its check"."""
    left_out: Identity | None = field(default=None, repr=False)
    """The adult who may not be sent. What was sent about them before is withdrawn."""
    deleted: bool = False
    """Whether the source marks the row as deleted. What was sent about it before is withdrawn."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row is rejected. Contains no value of the row."""

    row_number: int
    column: str
    reason: str
    remedy: str
    row_id: str = field(default="", repr=False, compare=False)
    """The row's id, if it could be read. The row then does not count as missing from a snapshot."""


@dataclass(frozen=True, slots=True)
class WithheldRow:
    """A row that may not be sent, and why."""

    row_number: int
    why: str
    row: Row = field(repr=False)
