"""A mapping describes how a partner's columns become the columns of a dataset contract.

It is a TOML file that a person writes and approves. `language` has its keys. This module turns the
file into plain values, and binds them to the header of an extract. No I/O: the caller reads files.
"""

import csv
import io
import re
import tomllib
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final, Literal

from childlink_catalogue.datasets import Dataset, get_dataset, identity_fields
from pydantic import ValidationError

from childlink_ingest.errors import MappingError
from childlink_ingest.geography.derive import AreaSets, parse_sets
from childlink_ingest.mapping.language import (
    EXCEL,
    FIND,
    LAST_SPACE,
    ColumnEntry,
    ColumnKeys,
    ConditionKeys,
    MappingKeys,
    SplitKeys,
)
from childlink_ingest.model.rows import Precision, Role
from childlink_ingest.readers.record import Source

DATE_FORMATS: Final = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%Y%m%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
)
# Dates of birth of which a source knows only the month and year, or the year.
PARTIAL_FORMATS: Final[tuple[tuple[str, Precision], ...]] = (
    ("%Y-%m", "month"),
    ("%m/%Y", "month"),
    ("%b %Y", "month"),
    ("%B %Y", "month"),
    ("%Y", "year"),
)
COPY: Final = "@copy"
"""The value that says which table of `each` a row was made by."""
_BIRTHDAY: Final = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_TIME_OF_DAY: Final = re.compile(
    r"^(.*?\d)(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AP]M)?(?:Z| ?[+-]\d{2}:?\d{2})?)$",
    re.IGNORECASE,
)
_EXCEL_START: Final = date(1899, 12, 30)
_LATEST_OF_EXCEL: Final = 2_958_465
_HOW_TO_WRITE: Final = (
    'Write "Header", or { column = "Header", format = "%d/%m/%Y" }, or { column = "Header", codes ='
    ' { "F" = "female" } }. `childlink-ingest mapping keys` lists all keys.'
)


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
        return frozenset(used - {COPY})

    def copies(self) -> "list[Mapping]":
        """The mapping of each row that one row of the extract becomes. Each has its own row ids."""
        row_id = self.columns["row_id"]
        of_copy = replace(row_id, columns=(*row_id.columns, COPY))
        return [
            replace(self, columns={**self.columns, **copy, "row_id": of_copy}, each=())
            for copy in self.each
        ]


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
        each=copies,
        null=frozenset(keys.null),
        aliases=tuple(compiler.aliases),
        patterns=compiler.patterns,
        positions=compiler.positions,
        min_filled=keys.min_filled,
        lookups=tuple(compiler.lookups),
    )
    _check_ids(mapping, in_every_copy, where)
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

    def column(self, name: str, entry: ColumnEntry) -> Column:
        """A column. Raises MappingError."""
        if isinstance(entry, str):
            return Column((entry,), null=self._null)
        formats = (entry.format,) if isinstance(entry.format, str) else tuple(entry.format or ())
        for form in formats:
            if not _is_date_format(form):
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


def named(header: Sequence[str]) -> list[str]:
    """A different name for each column of a header.

    >>> named(["Name", "Name", "", "DOB"])
    ['Name', 'Name (2)', 'column 3', 'DOB']
    """
    seen: dict[str, int] = {}
    names = []
    for at, text in enumerate(header, start=1):
        name = text.strip()
        seen[name] = seen.get(name, 0) + 1
        names.append(
            f"column {at}" if not name else name if seen[name] == 1 else f"{name} ({seen[name]})"
        )
    return names


def bind(mapping: Mapping, header: Sequence[str], where: str) -> list[str]:
    """The names by which the mapping knows the columns of an extract, in their order.

    Raises MappingError if a column of the extract is neither mapped nor ignored, or a mapped column
    is missing. Columns without a header need not be ignored.
    """
    names = named(header)
    known = dict(zip(names, names, strict=True))
    for wanted, found in _found(mapping, names, where):
        if known[found] != found or (found != wanted and found in mapping.used):
            raise MappingError(
                f"{where}: the mapping names column {found!r} in two ways.",
                "Name it in the same way everywhere.",
            )
        known[found] = wanted
    used = mapping.used
    absent = sorted(used - set(known.values()))
    absent += sorted(
        name for name in mapping.ignore if "*" not in name and name not in known.values()
    )
    if absent:
        raise MappingError(
            f"{where}, line 1: there is no column {', '.join(absent)}.",
            f"The extract has: {', '.join(names)}. Correct the mapping or the extract.",
        )
    stray = [
        name
        for name, text in zip(names, header, strict=True)
        if text.strip()
        and known[name] not in used
        and not any(fnmatchcase(name, pattern) for pattern in mapping.ignore)
        and name not in mapping.ignore
    ]
    if stray:
        raise MappingError(
            f"{where}, line 1: column {', '.join(stray)} is not in the mapping.",
            "Map it, or add it to `ignore` to record that it is not sent. A header that repeats is"
            " called Name (2).",
        )
    return [known[name] for name in names]


def _found(mapping: Mapping, names: Sequence[str], where: str) -> list[tuple[str, str]]:
    """Pairs of the mapping's name of a column, and the extract's."""
    found = []
    for group in mapping.aliases:
        there = [name for name in names if name in group]
        if len(there) != 1:
            raise MappingError(
                f"{where}: the extract has {len(there)} of the columns {', '.join(group)}; it needs"
                " exactly one.",
                f"The extract has: {', '.join(names)}.",
            )
        found.append((group[0], there[0]))
    for wanted, pattern in mapping.patterns.items():
        there = [name for name in names if pattern.search(name)]
        if len(there) != 1:
            raise MappingError(
                f"{where}: {len(there)} columns match {pattern.pattern!r}; exactly one has to.",
                f"The extract has: {', '.join(names)}.",
            )
        found.append((wanted, there[0]))
    for wanted, number in mapping.positions.items():
        if number > len(names):
            raise MappingError(
                f"{where}: there is no column {number}; the extract has {len(names)}.",
                "Correct the position.",
            )
        found.append((wanted, names[number - 1]))
    return found


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
    plain = text.lower()
    for key, code in codes.items():
        if key.lower() == plain or ("*" in key and fnmatchcase(plain, key.lower())):
            return code
    return default


@lru_cache(maxsize=100_000)
def parse_date(text: str, formats: tuple[str, ...]) -> date | None:
    """Parse a date with the first of `formats` that fits. Returns None if none fits.

    A time of day behind the date is ignored.

    >>> parse_date("2019-03-17 00:00:00.0000000", ("%Y-%m-%d",))
    datetime.date(2019, 3, 17)
    >>> parse_date("43541", ("excel",)), parse_date("17/03/2019 09:30", ("%d/%m/%Y",))
    (datetime.date(2019, 3, 17), datetime.date(2019, 3, 17))
    """
    for form in formats:
        if form == EXCEL:
            whole = text.removesuffix(".0")
            if whole.isdigit() and 0 < int(whole) <= _LATEST_OF_EXCEL:
                return _EXCEL_START + timedelta(days=int(whole))
            continue
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    timed = _TIME_OF_DAY.match(text)
    return parse_date(timed[1].strip(), formats) if timed else None


@lru_cache(maxsize=100_000)
def parse_partial_date(text: str, form: str | None) -> tuple[date, Precision] | None:
    """Parse a date without its day, or without its day and month. Returns None for any other text.

    `form` is the format of whole dates. If they are in several columns, the empty ones are unknown.

    >>> parse_partial_date("June 2015", None), parse_partial_date("2015", "%d/%m/%Y")
    ((datetime.date(2015, 6, 1), 'month'), (datetime.date(2015, 1, 1), 'year'))
    >>> parse_partial_date("1962|5|", "%Y|%m|%d"), parse_partial_date("01/06/2015", None)
    ((datetime.date(1962, 5, 1), 'month'), None)
    """
    if form and "|" in form and text.count("|") == form.count("|"):
        parts = zip(text.split("|"), form.split("|"), strict=True)
        known = {directive: part for part, directive in parts if part}
        text = "-".join(known.get(directive, "") for directive in ("%Y", "%m")).rstrip("-")
        if "%d" in known and "%m" in known:
            return None
    for partial, precision in PARTIAL_FORMATS:
        if found := parse_date(text, (partial,)):
            return found, precision
    return None


def _is_date_format(form: str) -> bool:
    """Whether a format keeps day, month and year."""
    if form == EXCEL:
        return True
    try:
        return parse_date(date(2019, 12, 31).strftime(form), (form,)) == date(2019, 12, 31)
    except ValueError:
        return False
