"""A mapping says how a partner's columns become a dataset contract's. A TOML file that a person writes and signs off.

    dataset = "asq3"
    id_space = "child-health-system"        # person ids of one id space are unique within it
    ignore = ["Practitioner"]               # columns that are known and stay here
    encoding = "cp1252"                     # default "utf-8"
    delimiter = ";"                         # default ","

    [columns]
    row_id = "ReviewID"
    child_id = "ClientID"
    child_date_of_birth = { column = "DOB", format = "%d/%m/%Y" }
    communication = { column = "Comm", codes = { "Y" = true, "N" = false } }

`column` may be a list; its values are joined. `codes` maps the source's codes to the contract's; a code that is mapped
to "" is missing. Everything here is a rule: no file is read but by `parse_mapping`'s caller.
"""

import tomllib
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

from childlink_core.datasets import Attribute, Dataset, Field, get_dataset

from childlink_ingest import normalise
from childlink_ingest.errors import MappingError
from childlink_ingest.rows import Identity, Rejection, Relation, Role, Row

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
_TRUE: Final = frozenset({"true", "yes", "y", "1"})
_FALSE: Final = frozenset({"false", "no", "n", "0"})
_RELATIONS: Final[dict[str, Relation]] = {"mother": "mother", "father": "father", "carer": "carer"}


@dataclass(frozen=True)
class Column:
    """Where a canonical column comes from."""

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
    encoding: str = "utf-8"
    delimiter: str = ","


class RejectedRowError(Exception):
    """A row cannot be used; carries the rejection."""

    def __init__(self, column: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.column, self.reason, self.remedy = column, reason, remedy


def parse_mapping(text: str, where: str) -> Mapping:
    """Parse and check a mapping against its dataset contract. Raises MappingError that names the line's key."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{where} is not TOML: {error}.", "Correct that line.") from None
    if "dataset" not in content or not isinstance(content.get("columns"), dict):
        raise MappingError(f"{where} needs `dataset` and a [columns] table.", "Start from `childlink-ingest datasets`.")
    dataset = get_dataset(str(content["dataset"]))
    extra = set(content) - {
        "dataset", "id_space", "adult_id_space", "ignore", "columns", "encoding", "delimiter",
    }  # fmt: skip
    unknown = set(content["columns"]) - set(dataset.columns)
    if extra or unknown:
        names = ", ".join(sorted(extra | unknown))
        raise MappingError(
            f"{where}: {names} is not known to dataset {dataset.name}.",
            f"Its columns are: {', '.join(dataset.columns)}.",
        )
    _check_types(content, where)
    columns = {name: _parse_column(name, value, where) for name, value in content["columns"].items()}
    needed = ["row_id", *(f"{dataset.subjects[0]}_id",), *(f.name for f in dataset.fields if f.required)]
    missing = [name for name in needed if name not in columns]
    if missing:
        raise MappingError(f"{where} does not say where {', '.join(missing)} comes from.", "Add it to [columns].")
    id_space = str(content.get("id_space", "default"))
    return Mapping(
        dataset,
        id_space,
        str(content.get("adult_id_space", id_space)),
        frozenset(content.get("ignore", [])),
        columns,
        str(content.get("encoding", "utf-8")),
        str(content.get("delimiter", ",")),
    )


def _check_types(content: Map[str, Any], where: str) -> None:
    for name in ("id_space", "adult_id_space", "encoding", "delimiter"):
        if not isinstance(content.get(name, "x"), str) or content.get(name, "x") == "":
            raise MappingError(f"{where}: {name} is a text.", f'Write {name} = "..."')
    ignore = content.get("ignore", [])
    if not isinstance(ignore, list) or not all(isinstance(item, str) for item in ignore):
        raise MappingError(f"{where}: ignore is a list of texts.", 'Write ignore = ["Column", "Another"]')


def check_header(mapping: Mapping, header: Sequence[str], where: str) -> None:
    """Raise MappingError unless every column of the extract is mapped or ignored, and every mapped one is there."""
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise MappingError(
            f"{where}, line 1: column {', '.join(repeated)} appears twice.", "Rename one in the extract."
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
            "Map it, or add it to `ignore`, so that somebody has decided that it stays here.",
        )


def map_row(mapping: Mapping, number: int, record: Map[str, str], today: date) -> Row | Rejection:
    """Turn one record of the extract into a canonical row, or say why not."""
    notes: list[str] = []
    try:
        row_id = _text(mapping, record, "row_id")
        if not row_id:
            raise RejectedRowError(
                "row_id", "is empty", "Every row needs an id that stays the same in the next extract."
            )
        subjects = mapping.dataset.subjects
        child = _identity(mapping, record, "child", today, notes) if "child" in subjects else None
        adult = _identity(mapping, record, "adult", today, notes) if "adult" in subjects else None
        if child is None and adult is None:
            raise RejectedRowError(f"{subjects[0]}_id", "is empty", "A row needs the id of the person it is about.")
        relation = _relation(mapping, record) if child and adult else None
        return Row(number, row_id, child, adult, relation, _attributes(mapping, record), tuple(notes))
    except RejectedRowError as error:
        column = mapping.columns.get(error.column)
        name = " + ".join(column.columns) if column else error.column
        return Rejection(number, name, error.reason, error.remedy)


def _identity(mapping: Mapping, record: Map[str, str], role: Role, today: date, notes: list[str]) -> Identity | None:
    person_id = _text(mapping, record, f"{role}_id")
    if not person_id:
        return None
    nhs_text = _text(mapping, record, f"{role}_nhs_number")
    nhs = normalise.nhs_number(nhs_text)
    if nhs_text and not nhs:
        notes.append(f"{role}_nhs_number fails its check and counts as missing")
    given_text = _text(mapping, record, f"{role}_given_name")
    born = _date(mapping, record, f"{role}_date_of_birth")
    if born is not None and (problem := normalise.birth_date_problem(born, today)):
        raise RejectedRowError(f"{role}_date_of_birth", problem, "Correct the date of birth in the source.")
    order_text = _text(mapping, record, "child_birth_order") if role == "child" else ""
    return Identity(
        person_id=person_id,
        nhs_number=nhs,
        given_name=normalise.given_name(given_text),
        surname=normalise.surname(_text(mapping, record, f"{role}_surname")),
        date_of_birth=born,
        sex=normalise.sex(_text(mapping, record, f"{role}_sex")),
        postcode=normalise.postcode(_text(mapping, record, f"{role}_postcode")),
        birth_order=normalise.birth_order(order_text or given_text) if role == "child" else None,
    )


def _relation(mapping: Mapping, record: Map[str, str]) -> Relation | None:
    if mapping.dataset.adult_relation:
        return _RELATIONS[mapping.dataset.adult_relation]
    return _RELATIONS.get(_text(mapping, record, "adult_relation").lower())


def _attributes(mapping: Mapping, record: Map[str, str]) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {}
    for field in mapping.dataset.fields:
        value = _attribute(mapping, record, field)
        if value is not None:
            problem = field.problem_with(value)
            if problem:
                raise RejectedRowError(field.name, problem, "Correct the value, or the mapping's `codes`.")
            attributes[field.name] = value
        elif field.required:
            raise RejectedRowError(field.name, "is empty", "The dataset contract requires it.")
    return attributes


def _attribute(mapping: Mapping, record: Map[str, str], field: Field) -> Attribute | None:
    if field.name not in mapping.columns:
        return None
    if field.type == "month":
        day = _date(mapping, record, field.name)
        return f"{day:%Y-%m}" if day else None
    codes = mapping.columns[field.name].codes
    text = _text(mapping, record, field.name, coded=False)
    if text == "":
        return None
    if codes is not None:
        if text not in codes:
            raise RejectedRowError(
                field.name, "holds a code that the mapping does not list", 'Add it to `codes`; "" means missing.'
            )
        mapped = codes[text]
        return None if mapped == "" else mapped
    return _parse_attribute(field, text)


def _parse_attribute(field: Field, text: str) -> Attribute:
    try:
        match field.type:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "flag" if text.lower() in _TRUE:
                return True
            case "flag" if text.lower() in _FALSE:
                return False
            case "flag":
                raise ValueError
            case _:
                return text
    except ValueError:
        raise RejectedRowError(
            field.name,
            f"is not {'an' if field.type == 'integer' else 'a'} {field.type}",
            "Correct the value, or map it with `codes`.",
        ) from None


def _text(mapping: Mapping, record: Map[str, str], name: str, *, coded: bool = True) -> str:
    column = mapping.columns.get(name)
    if column is None:
        return ""
    if len(column.columns) == 1:
        text = record[column.columns[0]].strip()
    else:
        parts = [record[part].strip() for part in column.columns]
        text = "|".join(parts) if any(parts) else ""
    if coded and column.codes is not None:
        return str(column.codes.get(text, text))
    return text


def _date(mapping: Mapping, record: Map[str, str], name: str) -> date | None:
    text = _text(mapping, record, name)
    if not text:
        return None
    written = mapping.columns[name].format
    day = parse_date(text, (written,) if written else DATE_FORMATS)
    if day is None:
        form = written or "one of the usual forms"
        raise RejectedRowError(name, f"is not a date in {form}", "Correct the value, or give the column's `format`.")
    return day


@lru_cache(maxsize=100_000)
def parse_date(text: str, formats: tuple[str, ...]) -> date | None:
    """The date that `text` is in the first of `formats` that fits, or None."""
    for form in formats:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def _is_date_format(form: object) -> bool:
    """Whether a format is none, or one that keeps day, month and year."""
    if form is None:
        return True
    try:
        return isinstance(form, str) and parse_date(date(2019, 12, 31).strftime(form), (form,)) == date(2019, 12, 31)
    except ValueError:
        return False


def _parse_column(name: str, value: object, where: str) -> Column:
    if isinstance(value, str):
        return Column((value,))
    if isinstance(value, dict) and "column" in value and set(value) <= {"column", "format", "codes"}:
        source = value["column"]
        columns = tuple(source) if isinstance(source, list) else (source,)
        form, codes = value.get("format"), value.get("codes")
        good_codes = codes is None or (
            isinstance(codes, dict) and all(isinstance(target, str | int | float | bool) for target in codes.values())
        )
        if columns and all(isinstance(column, str) for column in columns) and good_codes and _is_date_format(form):
            return Column(columns, form, codes)
    raise MappingError(
        f"{where}: columns.{name} is not understood.",
        'Write "Header", or { column = "Header", format = "%d/%m/%Y" }, or { column = "Header", codes = { "F" = "female" } }.',
    )
