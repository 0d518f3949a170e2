"""A parsed mapping: how a partner's columns become the columns of a dataset contract. Plain
values.
"""

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

from childlink_catalogue.datasets import Dataset

from childlink_ingest.geography.derive import AreaSets
from childlink_ingest.mapping.language import (
    LAST_SPACE,
    SplitKeys,
)
from childlink_ingest.model.rows import Role
from childlink_ingest.readers.record import Source

COPY: Final = "@copy"
"""The value that says which table of `each` a row was made by."""


@dataclass(frozen=True)
class Column:
    """The source of a canonical column."""

    columns: tuple[str, ...]
    """Names of columns of the extract, as `bind` gives them."""
    formats: tuple[str, ...] = ()
    codes: Map[str, Any] | None = None
    default: Any = None
    first: bool = False
    """Of several columns the first with a value counts. Otherwise they are joined."""
    join: str = "|"
    constant: str | None = None
    null: frozenset[str] = frozenset()
    split: SplitKeys | None = None
    extract: re.Pattern[str] | None = None
    times: float | None = None

    @property
    def name(self) -> str:
        """The extract's columns, as text."""
        return " + ".join(self.columns) or "(constant)"


@dataclass(frozen=True)
class Condition:
    """A condition on a column."""

    column: str
    filled: bool | None
    one_of: frozenset[str] | None
    none_of: frozenset[str]
    matching: re.Pattern[str] | None

    def holds(self, text: str) -> bool:
        """Whether a value fulfils it."""
        return not (
            (self.filled is not None and self.filled != bool(text))
            or (self.one_of is not None and text not in self.one_of)
            or text in self.none_of
            or (self.matching is not None and not self.matching.search(text))
        )


@dataclass(frozen=True)
class Newest:
    """Keep the row with the greatest `order` of those that are alike in `by`."""

    by: tuple[str, ...]
    order: str


@dataclass(frozen=True)
class Pivot:
    """Make one row of all rows that are alike in `by`. `name` says what each is about."""

    by: tuple[str, ...]
    name: str
    cells: Map[str, tuple[str, tuple[str, ...]]]
    """For each value that a column takes from a row by its name: the column of the extract, and the
    texts of `name`. The key is the name by which `columns` knows the value.
    """


@dataclass(frozen=True)
class Mapping:
    """A parsed mapping."""

    dataset: Dataset
    id_space: str
    adult_id_space: str
    ignore: frozenset[str]
    columns: Map[str, Column]
    source: Source = field(default_factory=Source)
    delivers: Literal["increment", "snapshot"] = "increment"
    feed: str = ""
    files: str = ""
    schedule: str = ""
    opt_out_exempt: str = ""
    areas: AreaSets | None = None
    default_dates: frozenset[str] = frozenset()
    """Birthdays, as MM-DD, that the source writes for unknown ones."""
    placeholder_ids: frozenset[str] = field(default=frozenset(), repr=False)
    """Placeholders in an id column, in lower case."""
    ids: Literal["person", "visit"] = "person"
    """What the local ids stand for."""
    where: tuple[Condition, ...] = ()
    newest: Newest | None = None
    pivot: Pivot | None = None
    each: tuple[Map[str, Column], ...] = ()
    null: frozenset[str] = frozenset()
    """Texts that mean that there is no value."""
    aliases: tuple[tuple[str, ...], ...] = ()
    """Names of the same column. The first is the one by which `columns` knows it."""
    patterns: Map[str, re.Pattern[str]] = field(default_factory=dict)
    """Regular expressions for headers, by the name by which `columns` knows the column."""
    positions: Map[str, int] = field(default_factory=dict)
    """Numbers of columns, by that name."""
    min_filled: Map[str, float] = field(default_factory=dict)
    lookups: tuple[str, ...] = ()
    """The content of the look-up files. An approval covers them."""

    @property
    def id_columns(self) -> dict[Role, str]:
        """The extract's id columns by role, as text."""
        roles = (role for role in self.dataset.subjects if f"{role}_id" in self.columns)
        return {role: self.columns[f"{role}_id"].name for role in roles}

    @property
    def needs_permitted_list(self) -> bool:
        """Whether the national data opt-out applies."""
        return self.dataset.permitted_list and not self.opt_out_exempt

    @property
    def used(self) -> frozenset[str]:
        """The names of all columns of the extract that it reads."""
        of_columns = [*self.columns.values(), *(c for copy in self.each for c in copy.values())]
        used = {name for column in of_columns for name in column.columns}
        used |= {condition.column for condition in self.where}
        if self.newest:
            used |= {*self.newest.by, self.newest.order}
        if self.pivot:
            used -= set(self.pivot.cells)
            used |= {*self.pivot.by, self.pivot.name}
            used |= {column for column, _ in self.pivot.cells.values()}
        return frozenset(used - {COPY})

    def copies(self) -> "list[Mapping]":
        """The mapping of each row that one row of the extract becomes. Each has its own row ids."""
        row_id = self.columns["row_id"]
        of_copy = replace(row_id, columns=(*row_id.columns, COPY))
        return [
            replace(self, columns={**self.columns, **copy, "row_id": of_copy}, each=())
            for copy in self.each
        ]


def part_of(text: str, split: SplitKeys) -> str:
    """A part of a text.

    >>> part_of("SMITH, Nia", SplitKeys(at=",", part=2))
    'Nia'
    >>> part_of("Nia van Smith", SplitKeys(at="last space", part=1))
    'Nia van'
    >>> part_of("Nia", SplitKeys(at=",", part=2))
    ''
    """
    parts = text.rsplit(" ", 1) if split.at == LAST_SPACE else text.split(split.at)
    at = split.part - 1 if split.part > 0 else split.part
    return parts[at].strip() if -len(parts) <= at < len(parts) else ""


def code_of(codes: Map[str, Any], default: object, text: str) -> Any:
    """The code of a text, in any case if it is not listed as it is. A key with * stands for all
    texts that fit. None: there is none.

    >>> code_of({"Compl*": True}, None, "completed"), code_of({"Y": 1}, 0, "N")
    (True, 0)
    >>> code_of({"Male": "m", "MALE": "x"}, None, "male"), code_of({"Male": "m"}, None, "Male")
    ('m', 'm')
    """
    if text in codes:
        return codes[text]
    return next((code for key, code in codes.items() if stands_for(key, text)), default)


def stands_for(key: str, text: str) -> bool:
    """Whether a key of the mapping stands for a text of the source.

    >>> stands_for("MMR*1", "mmr dose 1"), stands_for("MMR", "MMR 1")
    (True, False)
    """
    key, text = key.lower(), text.lower()
    return key == text or (text != "" and "*" in key and fnmatchcase(text, key))
