"""Parses a mapping file (see `language`), and checks it against its dataset contract. No I/O: the
caller reads files.
"""

import csv
import io
import re
import tomllib
from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import replace
from typing import Any, Final

from childlink_catalogue.catalogue import get_dataset
from childlink_catalogue.datasets import identity_fields
from pydantic import ValidationError

from childlink_ingest.errors import MappingError
from childlink_ingest.geography.derive import parse_sets
from childlink_ingest.mapping.dates import is_date_format
from childlink_ingest.mapping.definition import Column, Condition, Mapping, Newest, Pivot
from childlink_ingest.mapping.language import (
    FIND,
    ColumnEntry,
    ColumnKeys,
    ConditionKeys,
    MappingKeys,
)
from childlink_ingest.readers.record import Source

_BIRTHDAY: Final = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_HOW_TO_WRITE: Final = (
    'Write "Header", or { column = "Header", format = "%d/%m/%Y" }, or { column = "Header", codes ='
    ' { "F" = "female" } }. `childlink-ingest mapping keys` lists all keys.'
)


def no_lookups(name: str) -> str:
    """The reader of look-up files where there are none. Raises MappingError."""
    raise MappingError(f"The look-up file {name} cannot be read here.", "Give a mapping file.")


def parse_mapping(text: str, where: str, read: Callable[[str], str] = no_lookups) -> Mapping:
    """Parse a mapping and check it against its dataset contract.

    `read` reads a look-up file by name. Raises MappingError that names the key.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{where} is not TOML: {error}.", "Correct that line.") from None
    if "dataset" not in content or not isinstance(content.get("columns"), dict):
        raise MappingError(
            f"{where} needs `dataset` and a [columns] table.",
            "Start from `childlink-ingest datasets`.",
        )
    dataset = get_dataset(str(content["dataset"]))
    each = content.get("each", [])
    of_copies = [name for copy in each if isinstance(copy, dict) for name in copy]
    extra = set(content) - set(MappingKeys.model_fields)
    unknown = {*content["columns"], *of_copies} - set(dataset.columns)
    if extra or unknown:
        names = ", ".join(sorted(extra | unknown))
        raise MappingError(
            f"{where}: dataset {dataset.name} does not have {names}.",
            f"Its columns are: {', '.join(dataset.columns)}.",
        )
    keys = _keys(content, where)
    compiler = _Compiler(where, frozenset(keys.null), read)
    columns = {name: compiler.column(name, entry) for name, entry in keys.columns.items()}
    copies = tuple(
        {name: compiler.column(name, entry) for name, entry in copy.items()} for copy in keys.each
    )
    in_every_copy = set.intersection(*(set(copy) for copy in copies)) if copies else set()
    needed = [
        "row_id",
        f"{dataset.subjects[0]}_id",
        *(f.name for f in dataset.fields if f.required),
    ]
    missing = [name for name in needed if name not in columns and name not in in_every_copy]
    if missing:
        raise MappingError(f"{where} does not map {', '.join(missing)}.", "Add it to [columns].")
    mapping = Mapping(
        dataset,
        keys.id_space,
        keys.adult_id_space or keys.id_space,
        frozenset(keys.ignore),
        columns,
        delivers=keys.delivers,
        feed=keys.feed or dataset.name,
        files=keys.files or "",
        schedule=keys.schedule or "",
        opt_out_exempt=keys.opt_out_exempt or "",
        areas=parse_sets(content["area"], where) if "area" in content else None,
        default_dates=frozenset(keys.default_dates),
        placeholder_ids=frozenset(text.strip().casefold() for text in keys.placeholder_ids),
        ids=keys.ids,
        where=tuple(compiler.condition(item) for item in keys.where),
        newest=_newest(keys),
        pivot=_pivot(keys, compiler, where),
        each=copies,
        null=frozenset(keys.null),
        aliases=tuple(compiler.aliases),
        patterns=compiler.patterns,
        positions=compiler.positions,
        min_filled=keys.min_filled,
        lookups=tuple(compiler.lookups),
    )
    _check_ids(mapping, in_every_copy, where)
    numbers = {field.name for field in dataset.fields if field.type in ("integer", "number")}
    for name, column in columns.items():
        if column.times is not None and (name not in numbers or column.codes is not None):
            raise MappingError(
                f"{where}: columns.{name} has `times`, but is no number that is read as it is.",
                "Use `times` for integers and numbers without `codes`.",
            )
    unknown = set(keys.min_filled) - set(columns)
    if unknown:
        raise MappingError(
            f"{where}: min_filled names {', '.join(sorted(unknown))}, which is not mapped.",
            "Name columns of [columns].",
        )
    return replace(mapping, source=_source(keys, mapping))


def _check_ids(mapping: Mapping, in_every_copy: set[str], where: str) -> None:
    """Raise MappingError if columns of a person are mapped, but not their id: then nobody would be
    read.
    """
    mapped = {*mapping.columns, *in_every_copy}
    for role in mapping.dataset.subjects:
        of_role = sorted(name for name in mapped if name in identity_fields(role))
        if of_role and f"{role}_id" not in mapped:
            raise MappingError(
                f"{where} maps {', '.join(of_role)}, but not {role}_id. No {role} would be read.",
                f"Map {role}_id. If the source has no id of the {role}, it may be joined:"
                f' {role}_id = {{ column = ["Child id", "Mother surname", "Mother forename"] }}',
            )


def can_be_linked(mapping: Mapping) -> bool:
    """Whether any person could be linked by what is mapped: by an NHS number, or by a date of birth
    or a place beside a name.
    """
    mapped = {*mapping.columns, *(name for copy in mapping.each for name in copy)}
    for role in mapping.dataset.subjects:
        named = f"{role}_given_name" in mapped or f"{role}_surname" in mapped
        placed = {f"{role}_date_of_birth", f"{role}_postcode"} & mapped
        if f"{role}_nhs_number" in mapped or (named and placed):
            return True
    return False


def _keys(content: Map[str, Any], where: str) -> MappingKeys:
    try:
        keys = MappingKeys.model_validate(content)
    except ValidationError as error:
        raise _problem(error, content, where) from None
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", keys.schedule or "00:00"):
        raise MappingError(f"{where}: schedule is not a time of day.", 'Write schedule = "02:30"')
    if isinstance(keys.header_row, int) and not 1 <= keys.header_row <= 1000:
        raise MappingError(f"{where}: header_row must be a line number.", "Write header_row = 1")
    if not all(_BIRTHDAY.fullmatch(day) for day in keys.default_dates):
        raise MappingError(
            f"{where}: default_dates must be a list of birthdays.",
            'Write default_dates = ["01-01"] (month-day).',
        )
    return keys


def _problem(error: ValidationError, content: Map[str, Any], where: str) -> MappingError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    at = [str(part) for part in first["loc"]]
    said = first["msg"].removeprefix("Value error, ").rstrip(".")
    if at[0] in ("columns", "each"):
        name = at[1] if at[0] == "columns" else at[2] if len(at) > 2 else at[1]
        entry = content["columns"].get(name) if at[0] == "columns" else None
        keys = [part for part in at[2:] if "ColumnKeys" not in part and "-str" not in part]
        if isinstance(entry, dict):
            # A table can only be meant as a table, so the problem of the text is not the point.
            of_table = [
                item
                for item in error.errors(include_url=False, include_context=False)
                if item["loc"][:2] == first["loc"][:2]
                and any("ColumnKeys" in str(part) for part in item["loc"])
            ]
            if of_table:
                keys = [str(part) for part in of_table[0]["loc"][3:4]]
                said = of_table[0]["msg"].removeprefix("Value error, ").rstrip(".")
        which = f" ({'.'.join(keys)}: {said})" if keys else f" ({said})"
        return MappingError(f"{where}: columns.{name} has an unknown form{which}.", _HOW_TO_WRITE)
    field_info = MappingKeys.model_fields.get(at[0])
    example = (field_info.examples or [""])[0] if field_info else ""
    return MappingError(
        f"{where}: {'.'.join(at)} is wrong: {said}.",
        f"Write {at[0]} = {example}" if example else "See docs/reference/mapping.md.",
    )


def _newest(keys: MappingKeys) -> Newest | None:
    if keys.newest is None:
        return None
    by = keys.newest.by
    return Newest((by,) if isinstance(by, str) else tuple(by), keys.newest.order)


def _pivot(keys: MappingKeys, compiler: "_Compiler", where: str) -> Pivot | None:
    if (keys.pivot is None) != (not compiler.cells):
        raise MappingError(
            f"{where}: `pivot` and `of_row` belong together, and one of them is missing.",
            'Write pivot = { by = "Child id", name = "Vaccine" }, and of_row in the columns that'
            " take their value from one of the rows.",
        )
    if keys.pivot is None:
        return None
    if keys.newest is not None:
        raise MappingError(
            f"{where}: `pivot` and `newest` cannot be used together.",
            "Let the source give the newest rows only.",
        )
    by = keys.pivot.by
    return Pivot((by,) if isinstance(by, str) else tuple(by), keys.pivot.name, compiler.cells)


def _source(keys: MappingKeys, mapping: Mapping) -> Source:
    find = keys.header_row == FIND
    others = {name: names for names in mapping.aliases for name in names[:1]}
    headers = [
        frozenset(others.get(name, (name,)))
        for name in sorted(mapping.used)
        if name not in mapping.patterns and name not in mapping.positions
    ]
    return Source(
        keys.encoding,
        keys.delimiter,
        keys.sheet,
        0 if keys.header_row == FIND else int(keys.header_row),
        skip_rows=keys.skip_rows,
        pad_short_rows=keys.short_rows == "pad",
        headers=tuple(headers) if find else (),
    )


class _Compiler:
    """Turns entries of a mapping file into columns, and collects how they are found."""

    def __init__(self, where: str, null: frozenset[str], read: Callable[[str], str]) -> None:
        self._where, self._null, self._read = where, null, read
        self.aliases: list[tuple[str, ...]] = []
        self.patterns: dict[str, re.Pattern[str]] = {}
        self.positions: dict[str, int] = {}
        self.lookups: list[str] = []
        self.cells: dict[str, tuple[str, tuple[str, ...]]] = {}

    def column(self, name: str, entry: ColumnEntry) -> Column:
        """A column. Raises MappingError."""
        if isinstance(entry, str):
            return Column((entry,), null=self._null)
        formats = (entry.format,) if isinstance(entry.format, str) else tuple(entry.format or ())
        for form in formats:
            if not is_date_format(form):
                raise MappingError(
                    f"{self._where}: columns.{name} has an unknown form (format {form!r} does not"
                    " keep day, month and year).",
                    _HOW_TO_WRITE,
                )
        if entry.split and not entry.split.part:
            raise MappingError(
                f"{self._where}: columns.{name}: part 0 of a split does not exist.",
                "1 is the first part, -1 the last.",
            )
        codes: dict[str, Any] | None = dict(entry.codes) if entry.codes is not None else None
        if entry.lookup is not None:
            codes = {**self._lookup(name, entry.lookup), **(codes or {})}
        if entry.default is not None and codes is None:
            raise MappingError(
                f"{self._where}: columns.{name} has a `default` but no `codes`.",
                "Give `codes` or `lookup`.",
            )
        return Column(
            self._places(name, entry),
            formats,
            codes,
            entry.default,
            entry.first_of is not None,
            entry.join,
            entry.constant,
            self._null if entry.null is None else self._null | set(entry.null),
            entry.split,
            self._pattern(f"columns.{name}.extract", entry.extract, groups=1),
            None if entry.times is None else float(entry.times),
        )

    def condition(self, item: ConditionKeys) -> Condition:
        """A condition. Raises MappingError."""
        return Condition(
            item.column,
            item.filled,
            None if item.one_of is None else frozenset(item.one_of),
            frozenset(item.none_of or ()),
            self._pattern("where.matching", item.matching),
        )

    def _places(self, name: str, entry: ColumnKeys) -> tuple[str, ...]:
        if entry.any_of:
            names = tuple(entry.any_of)
            if names not in self.aliases:
                self.aliases.append(names)
            return names[:1]
        if entry.matching:
            pattern = self._pattern(f"columns.{name}.matching", entry.matching)
            if pattern:
                self.patterns[f"matching {entry.matching}"] = pattern
            return (f"matching {entry.matching}",)
        if entry.position:
            self.positions[f"column {entry.position}"] = entry.position
            return (f"column {entry.position}",)
        if entry.first_of:
            return tuple(entry.first_of)
        if entry.of_row is not None and isinstance(entry.column, str):
            rows = (entry.of_row,) if isinstance(entry.of_row, str) else tuple(entry.of_row)
            cell = f"{entry.column} of {' or '.join(rows)}"
            self.cells[cell] = (entry.column, rows)
            return (cell,)
        if entry.column is None:
            return ()
        return (entry.column,) if isinstance(entry.column, str) else tuple(entry.column)

    def _pattern(self, key: str, text: str | None, groups: int = 0) -> re.Pattern[str] | None:
        if text is None:
            return None
        try:
            pattern = re.compile(text)
        except re.error as error:
            raise MappingError(
                f"{self._where}: {key} is not a regular expression: {error}.", "Correct it."
            ) from None
        if pattern.groups < groups:
            raise MappingError(
                f"{self._where}: {key} has no group.", "Put ( ) around the part that is wanted."
            )
        return pattern

    def _lookup(self, name: str, file: str) -> dict[str, str]:
        text = self._read(file)
        rows = list(csv.reader(io.StringIO(text)))
        if not rows or [cell.strip() for cell in rows[0]] != ["from", "to"]:
            raise MappingError(
                f"{self._where}: the look-up file {file} of {name} has wrong columns.",
                "Write a CSV file whose first line is: from,to",
            )
        if wrong := next((at for at, row in enumerate(rows, 1) if row and len(row) != 2), 0):
            raise MappingError(
                f"{file}, line {wrong} does not have two fields.", "Quote fields with a comma."
            )
        self.lookups.append(text)
        return {row[0].strip(): row[1].strip() for row in rows[1:] if row}
