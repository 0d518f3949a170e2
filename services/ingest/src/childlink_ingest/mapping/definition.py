"""A mapping describes how a partner's columns become the columns of a dataset contract.

It is a TOML file that a person writes and approves:

    dataset = "asq3"
    id_space = "child-health-system"   # person ids are unique within their id space
    ignore = ["Practitioner"]          # known columns that are not sent
    encoding = "cp1252"                # default "utf-8"
    delimiter = ";"                    # default ","
    sheet = "Export"                   # sheet of a spreadsheet; default: the first
    header_row = 3                     # default 1
    # "snapshot": rows missing from the extract are withdrawn; default "increment".
    delivers = "snapshot"
    # Name of the feed, if one dataset has several extracts; default: the dataset's name.
    feed = "asq3 of the north team"
    files = "asq3_*.csv"               # files for which `watch` uses this mapping
    schedule = "02:30"                 # when `watch` queries a database, in the site's local time
    # Why the national data opt-out does not apply to a dataset that it usually applies to.
    opt_out_exempt = "section 251, 23/CAG/0001"
    # Birthdays (month-day) that the source writes for unknown ones. They count for less.
    default_dates = ["01-01"]
    # "visit": the ids are of forms or visits, so one person may have several. Default "person".
    ids = "visit"
    # Placeholders in an id column. A row with one counts as a row without an id.
    placeholder_ids = ["TBC", "9.99E+09"]

    [columns]
    row_id = "ReviewID"
    child_id = "ClientID"
    child_date_of_birth = { column = "DOB", format = "%d/%m/%Y" }
    communication = { column = "Comm", codes = { "Y" = true, "N" = false } }
    deleted = { column = "Status", codes = { "D" = true, "" = false } }

    [area]                             # ONS areas of the programme and the borough
    area = ["E05000416"]
    borough = ["E09000022"]

`column` may be a list; its values are joined. `codes` maps the source's codes to the contract's; a
code that is mapped to "" is missing. No I/O: the caller of `parse_mapping` reads the file.
"""

import re
import tomllib
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, Literal

from childlink_catalogue.datasets import Dataset, get_dataset

from childlink_ingest.errors import MappingError
from childlink_ingest.geography.derive import AreaSets, parse_sets
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
_TEXTS: Final = (
    "id_space",
    "adult_id_space",
    "encoding",
    "delimiter",
    "sheet",
    "delivers",
    "ids",
    "feed",
    "files",
    "schedule",
    "opt_out_exempt",
)


_BIRTHDAY: Final = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True)
class Column:
    """The source of a canonical column."""

    columns: tuple[str, ...]
    format: str | None = None
    codes: Map[str, Any] | None = None


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

    @property
    def id_columns(self) -> dict[Role, str]:
        """The extract's id columns by role, as text."""
        roles = (role for role in self.dataset.subjects if f"{role}_id" in self.columns)
        return {role: " + ".join(self.columns[f"{role}_id"].columns) for role in roles}

    @property
    def needs_permitted_list(self) -> bool:
        """Whether the national data opt-out applies."""
        return self.dataset.permitted_list and not self.opt_out_exempt


def parse_mapping(text: str, where: str) -> Mapping:
    """Parse a mapping and check it against its dataset contract.

    Raises MappingError that names the key.
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
    extra = set(content) - {
        "dataset",
        "ignore",
        "columns",
        "header_row",
        "area",
        "default_dates",
        "placeholder_ids",
        *_TEXTS,
    }
    unknown = set(content["columns"]) - set(dataset.columns)
    if extra or unknown:
        names = ", ".join(sorted(extra | unknown))
        raise MappingError(
            f"{where}: dataset {dataset.name} does not have {names}.",
            f"Its columns are: {', '.join(dataset.columns)}.",
        )
    _check_types(content, where)
    columns = {
        name: _parse_column(name, value, where) for name, value in content["columns"].items()
    }
    needed = [
        "row_id",
        *(f"{dataset.subjects[0]}_id",),
        *(f.name for f in dataset.fields if f.required),
    ]
    missing = [name for name in needed if name not in columns]
    if missing:
        raise MappingError(f"{where} does not map {', '.join(missing)}.", "Add it to [columns].")
    said = {name: str(content.get(name, "")) for name in _TEXTS}
    id_space = said["id_space"] or "default"
    return Mapping(
        dataset,
        id_space,
        said["adult_id_space"] or id_space,
        frozenset(content.get("ignore", [])),
        columns,
        Source(
            said["encoding"] or "utf-8",
            said["delimiter"] or ",",
            said["sheet"],
            int(content.get("header_row", 1)),
        ),
        "snapshot" if said["delivers"] == "snapshot" else "increment",
        said["feed"] or dataset.name,
        said["files"],
        said["schedule"],
        said["opt_out_exempt"],
        parse_sets(content["area"], where) if "area" in content else None,
        frozenset(content.get("default_dates", [])),
        frozenset(text.strip().casefold() for text in content.get("placeholder_ids", [])),
        "visit" if said["ids"] == "visit" else "person",
    )


def _check_types(content: Map[str, Any], where: str) -> None:
    for name in _TEXTS:
        if not isinstance(content.get(name, "x"), str) or content.get(name, "x") == "":
            raise MappingError(f"{where}: {name} must be a text.", f'Write {name} = "..."')
    if content.get("delivers", "increment") not in ("increment", "snapshot"):
        raise MappingError(
            f"{where}: delivers has an unknown value.", 'Write delivers = "increment" or "snapshot"'
        )
    if content.get("ids", "person") not in ("person", "visit"):
        raise MappingError(f"{where}: ids has an unknown value.", 'Write ids = "visit"')
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", content.get("schedule", "00:00")):
        raise MappingError(f"{where}: schedule is not a time of day.", 'Write schedule = "02:30"')
    row = content.get("header_row", 1)
    if not isinstance(row, int) or isinstance(row, bool) or not 1 <= row <= 1000:
        raise MappingError(f"{where}: header_row must be a line number.", "Write header_row = 1")
    days = content.get("default_dates", [])
    if not isinstance(days, list) or not all(
        isinstance(day, str) and _BIRTHDAY.fullmatch(day) for day in days
    ):
        raise MappingError(
            f"{where}: default_dates must be a list of birthdays.",
            'Write default_dates = ["01-01"] (month-day).',
        )
    placeholders = content.get("placeholder_ids", [])
    if not isinstance(placeholders, list) or not all(
        isinstance(item, str) and item.strip() for item in placeholders
    ):
        raise MappingError(
            f"{where}: placeholder_ids must be a list of texts.",
            'Write placeholder_ids = ["TBC", "0"]',
        )
    ignore = content.get("ignore", [])
    if not isinstance(ignore, list) or not all(isinstance(item, str) for item in ignore):
        raise MappingError(
            f"{where}: ignore must be a list of texts.", 'Write ignore = ["Column", "Another"]'
        )


def check_header(mapping: Mapping, header: Sequence[str], where: str) -> None:
    """Check that the mapping and the extract's header match.

    Raises MappingError if a column of the extract is neither mapped nor ignored, or a mapped column
    is missing.
    """
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise MappingError(
            f"{where}, line 1: column {', '.join(repeated)} appears twice.",
            "Rename one in the extract.",
        )
    used = {column for item in mapping.columns.values() for column in item.columns}
    absent = sorted((used | mapping.ignore) - set(header))
    if absent:
        raise MappingError(
            f"{where}, line 1: there is no column {', '.join(absent)}.",
            f"The extract has: {', '.join(header)}. Correct the mapping or the extract.",
        )
    stray = [name for name in header if name not in used and name not in mapping.ignore]
    if stray:
        raise MappingError(
            f"{where}, line 1: column {', '.join(stray)} is not in the mapping.",
            "Map it, or add it to `ignore` to record that it is not sent.",
        )


@lru_cache(maxsize=100_000)
def parse_date(text: str, formats: tuple[str, ...]) -> date | None:
    """Parse a date with the first of `formats` that fits. Returns None if none fits."""
    for form in formats:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


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


def _is_date_format(form: object) -> bool:
    """Whether a format is None, or keeps day, month and year."""
    if form is None:
        return True
    try:
        return isinstance(form, str) and parse_date(
            date(2019, 12, 31).strftime(form), (form,)
        ) == date(2019, 12, 31)
    except ValueError:
        return False


def _parse_column(name: str, value: object, where: str) -> Column:
    if isinstance(value, str):
        return Column((value,))
    if (
        isinstance(value, dict)
        and "column" in value
        and set(value) <= {"column", "format", "codes"}
    ):
        source = value["column"]
        columns = tuple(source) if isinstance(source, list) else (source,)
        form, codes = value.get("format"), value.get("codes")
        good_codes = codes is None or (
            isinstance(codes, dict)
            and all(isinstance(target, str | int | float | bool) for target in codes.values())
        )
        if (
            columns
            and all(isinstance(column, str) for column in columns)
            and good_codes
            and _is_date_format(form)
        ):
            return Column(columns, form, codes)
    raise MappingError(
        f"{where}: columns.{name} has an unknown form.",
        'Write "Header", or { column = "Header", format = "%d/%m/%Y" }, or { column = "Header",'
        ' codes = { "F" = "female" } }.',
    )
