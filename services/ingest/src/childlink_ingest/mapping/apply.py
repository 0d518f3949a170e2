"""Turns one record of an extract into a canonical row, or says why it cannot. No I/O."""

import re
from collections.abc import Callable
from collections.abc import Mapping as Map
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

from childlink_catalogue.catalogue import instruments
from childlink_catalogue.datasets import Attribute, Field

from childlink_ingest.mapping.dates import DATE_FORMATS, parse_date, parse_partial_date
from childlink_ingest.mapping.definition import COPY, Column, Mapping, code_of, part_of
from childlink_ingest.model.rows import Identity, Precision, Rejection, Relation, Role, Row
from childlink_ingest.standardise import normalise

_TRUE: Final = frozenset({"true", "yes", "y", "1"})
_FALSE: Final = frozenset({"false", "no", "n", "0"})
_RELATIONS: Final[dict[str, Relation]] = {"mother": "mother", "father": "father", "carer": "carer"}
COUNTS_AS_MISSING: Final = "its value counts as missing"
"""The end of the note on an optional value that could not be used."""
REPAIRED: Final = "was written with other characters, and was repaired"
"""The end of the note on a value that was not lost."""
_REMEMBERED_TEXTS: Final = 50_000
_WEEKS_AND_DAYS: Final = re.compile(
    r"(\d{1,2})\s*(?:\+|w(?:ee)?ks?|w|/)\s*[0-6]\s*(?:d(?:ays?)?|/7)?", re.IGNORECASE
)
_DECIMALS_OF_NOUGHT: Final = re.compile(r"\.0+$")
_Values = Map[str, str]


class _RejectedRowError(Exception):
    def __init__(self, column: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.column, self.reason, self.remedy = column, reason, remedy


class _Notes(NamedTuple):
    """What is noted of a person's values that are lost or repaired."""

    no_id: str
    no_number: str
    repaired_number: str
    no_status: str
    no_given_name: str
    no_surname: str
    default_date: str
    no_sex: str
    no_postcode: str
    repaired_postcode: str

    @classmethod
    def of(cls, role: Role) -> "_Notes":
        return cls(
            f"{role}_id is one of the mapping's placeholder_ids and counts as missing",
            f"{role}_nhs_number fails its check and counts as missing",
            f"{role}_nhs_number {REPAIRED}",
            f"{role}_nhs_number_status is an unknown code and counts as missing",
            f"{role}_given_name is a placeholder and counts as missing",
            f"{role}_surname is a placeholder and counts as missing",
            f"{role}_date_of_birth is a default date of the source, and counts as missing",
            f"{role}_sex is an unknown code and counts as missing",
            f"{role}_postcode is no full postcode of a place, and counts as missing",
            f"{role}_postcode {REPAIRED}",
        )


class RowMapper:
    """Maps records with one mapping. It prepares everything that depends only on the mapping
    once.
    """

    def __init__(self, mapping: Mapping, today: date) -> None:
        self._mapping, self._today = mapping, today
        dataset = mapping.dataset
        self._row_id = self._text("row_id")
        self._deleted = self._text("deleted")
        self._identities = {role: self._identity(role) for role in dataset.subjects}
        fixed = _RELATIONS.get(dataset.adult_relation or "")
        said = self._text("adult_relation")
        self._relation: Callable[[_Values], Relation | None] = (
            (lambda _values: fixed)
            if fixed
            else (lambda values: _RELATIONS.get(said(values).lower()))
        )
        self._fields = [
            self._attribute(field) for field in dataset.fields if field.name in mapping.columns
        ]
        self._on_scales = [field for field in dataset.fields if field.range_by]
        self._after_birth = [field for field in dataset.fields if field.after_birth]
        self._copies = [RowMapper(copy, today) for copy in mapping.copies()]

    def __call__(self, number: int, values: _Values) -> Row | Rejection:
        """The canonical row, or the reason for its rejection."""
        if self._copies:
            return self._copies[int(values[COPY])](number, values)
        notes: list[str] = []
        row_id = ""
        try:
            row_id = self._row_id(values)
            if not row_id:
                raise _RejectedRowError(
                    "row_id",
                    "is empty",
                    "Every row needs an id that stays the same in later extracts.",
                )
            deleted = self._is_deleted(values)
            people = {role: read(values, notes) for role, read in self._identities.items()}
            child, adult = people.get("child"), people.get("adult")
            if child is None and adult is None:
                main = self._mapping.dataset.subjects[0]
                reason = "is one of the mapping's placeholder_ids" if notes else "is empty"
                raise _RejectedRowError(f"{main}_id", reason, "A row needs the id of its person.")
            relation = self._relation(values) if child and adult else None
            attributes = {} if deleted else self._attributes(values, notes)
            if self._on_scales:
                self._check_scales(attributes, notes)
            if child and self._after_birth:
                self._check_after_birth(child, attributes, notes)
            return Row(
                number, row_id, child, adult, relation, attributes, tuple(notes), None, deleted
            )
        except _RejectedRowError as error:
            column = self._mapping.columns.get(error.column)
            name = column.name if column else error.column
            return Rejection(number, name, error.reason, error.remedy, row_id)

    def _is_deleted(self, values: _Values) -> bool:
        text = self._deleted(values).lower()
        if text in _TRUE:
            return True
        if text in _FALSE or not text:
            return False
        raise _RejectedRowError(
            "deleted", "is neither yes nor no", "Use `codes` to map it to true and false."
        )

    def _text(self, name: str, *, coded: bool = True) -> Callable[[_Values], str]:
        column = self._mapping.columns.get(name)
        if column is None:
            return lambda _values: ""
        read = text_reader(column)
        codes, default = (column.codes if coded else None), column.default
        if codes is None:
            return read

        def code(values: _Values) -> str:
            text = read(values)
            found = code_of(codes, default, text)
            return text if found is None else str(found)

        return code

    def _day(self, name: str) -> Callable[[str], date | None]:
        """Build a function that reads a column's text as a date; None for an empty text."""
        formats = self._mapping.columns[name].formats
        said = " or ".join(formats) or "one of the usual forms"
        formats = formats or DATE_FORMATS
        remedy = "Correct the value, or give the column's `format`."

        def day(text: str) -> date | None:
            if not text:
                return None
            found = parse_date(text, formats)
            if found is None:
                raise _RejectedRowError(name, f"is not a date in {said}", remedy)
            return found

        return day

    def _date_of_birth(self, name: str) -> Callable[[_Values], tuple[date | None, Precision]]:
        """Build a function that reads a date of birth, and how much of it the source knows."""
        if name not in self._mapping.columns:
            return lambda _values: (None, "day")
        read, day = self._text(name), self._day(name)
        form = next(iter(self._mapping.columns[name].formats), None)

        def date_of_birth(values: _Values) -> tuple[date | None, Precision]:
            text = read(values)
            if text and (partial := parse_partial_date(text, form)):
                return partial
            return day(text), "day"

        return date_of_birth

    def _identity(self, role: Role) -> Callable[[_Values, list[str]], Identity | None]:
        person_id, nhs, given, known_as, surname, sex, postcode, order = (
            self._text(f"{role}_{name}")
            for name in (
                "id",
                "nhs_number",
                "given_name",
                "known_as",
                "surname",
                "sex",
                "postcode",
                "birth_order",
            )
        )
        born_on = self._date_of_birth(f"{role}_date_of_birth")
        first_year = self._mapping.dataset.births_from
        guessed, default_dates = self._text(f"{role}_date_approximate"), self._mapping.default_dates
        today = self._today
        placeholders = self._mapping.placeholder_ids
        status, said = self._text(f"{role}_nhs_number_status"), _Notes.of(role)

        def read(values: _Values, notes: list[str]) -> Identity | None:
            local = person_id(values)
            if not local:
                return None
            if placeholders and local.casefold() in placeholders:
                notes.append(said.no_id)
                return None
            nhs_text = nhs(values)
            number = normalise.nhs_number(nhs_text) if nhs_text else ""
            if nhs_text and not number:
                notes.append(said.no_number)
            elif number and nhs_text != number and nhs_text.replace(" ", "") != number:
                notes.append(said.repaired_number)
            untraced = normalise.is_untraced(status(values))
            if untraced is None:
                notes.append(said.no_status)
            given_text, surname_text = given(values), surname(values)
            sex_text, postcode_text = sex(values), postcode(values)
            born, precision = born_on(values)
            if born is not None and normalise.is_default_date(born):
                born, precision = None, "day"
                notes.append(said.default_date)
            if born is not None and (
                problem := normalise.birth_date_problem(born, today, first_year)
            ):
                raise _RejectedRowError(
                    f"{role}_date_of_birth", problem, "Correct the date of birth in the source."
                )
            given_name, last_name = (
                normalise.given_name(given_text),
                normalise.surname(surname_text),
            )
            sex_code, place = normalise.sex(sex_text), normalise.postcode(postcode_text)
            if given_text and not given_name:
                notes.append(said.no_given_name)
            if surname_text and not last_name:
                notes.append(said.no_surname)
            if postcode_text and not place:
                notes.append(said.no_postcode)
            elif place and postcode_text.replace(" ", "").upper() != place:
                notes.append(said.repaired_postcode)
            if sex_text and not sex_code and not normalise.is_unknown_sex(sex_text):
                notes.append(said.no_sex)
            return Identity(
                local,
                number,
                given_name,
                last_name,
                born,
                sex_code,
                place,
                normalise.birth_order(order(values) or given_text) if role == "child" else None,
                born is not None
                and (
                    guessed(values).lower() in _TRUE
                    or (bool(default_dates) and f"{born:%m-%d}" in default_dates)
                ),
                normalise.given_name(known_as(values)) or normalise.name_aside(given_text),
                precision,
                untraced is True,
            )

        return read

    def _attributes(self, values: _Values, notes: list[str]) -> dict[str, Attribute]:
        attributes: dict[str, Attribute] = {}
        for field, read, convert in self._fields:
            try:
                value = convert(read(values))
            except _RejectedRowError as error:
                if field.required:
                    raise
                # A bad optional value costs that value, and not the person.
                notes.append(f"{field.name} {error} and {COUNTS_AS_MISSING}")
                continue
            if value is not None:
                attributes[field.name] = value
            elif field.required:
                raise _RejectedRowError(field.name, "is empty", "The dataset contract requires it.")
        return attributes

    def _check_scales(self, attributes: dict[str, Attribute], notes: list[str]) -> None:
        """Reject a row whose score is not on its instrument's scale; drop an optional score."""
        for field in self._on_scales:
            score = attributes.get(field.name)
            instrument = instruments().get(str(attributes.get(field.range_by)))
            if score is None or instrument is None:
                continue
            low, high = instrument.range
            if low <= float(score) <= high:
                continue
            problem = f"is outside {low:g} to {high:g}, the scale of {instrument.title}"
            if field.required:
                raise _RejectedRowError(field.name, problem, "Correct the score in the source.")
            del attributes[field.name]
            notes.append(f"{field.name} {problem}, and {COUNTS_AS_MISSING}")

    def _check_after_birth(
        self, child: Identity, attributes: dict[str, Attribute], notes: list[str]
    ) -> None:
        """Reject a row whose event is before the birth, and drop an optional value that is."""
        born = child.date_of_birth
        if born is None or child.date_approximate or child.date_precision != "day":
            return
        month = born.isoformat()[:7]
        for field in self._after_birth:
            value = attributes.get(field.name)
            if value is None or str(value) >= month:
                continue
            if field.required:
                raise _RejectedRowError(
                    field.name,
                    "is before the child's birth",
                    "Correct the date, or the date of birth, in the source.",
                )
            del attributes[field.name]
            notes.append(f"{field.name} is before the child's birth and {COUNTS_AS_MISSING}")

    def _attribute(
        self, field: Field
    ) -> tuple[Field, Callable[[_Values], str], Callable[[str], Attribute | None]]:
        """Build the reader and the converter of a field.

        Attributes repeat, so the converter caches its results.
        """
        column: Column = self._mapping.columns[field.name]
        if field.type == "month":
            day_of = self._day(field.name)

            def month(text: str) -> str | None:
                day = day_of(text)
                if day is not None and normalise.is_default_date(day):
                    raise _RejectedRowError(
                        field.name,
                        "is a date that the source writes where it knows none",
                        "Correct the date in the source.",
                    )
                return day.isoformat()[:7] if day else None

            return field, self._text(field.name), lru_cache(maxsize=_REMEMBERED_TEXTS)(month)
        codes: Map[str, Any] | None = column.codes

        def convert(text: str) -> Attribute | None:
            if text == "" and (codes is None or "" not in codes):
                return None
            value: Attribute = (
                _parse(field, text, column.times) if codes is None else _coded(field, column, text)
            )
            if value == "":
                return None
            if problem := field.problem_with(value):
                raise _RejectedRowError(
                    field.name, problem, "Correct the value, or the mapping's `codes`."
                )
            return value

        return (
            field,
            self._text(field.name, coded=False),
            lru_cache(maxsize=_REMEMBERED_TEXTS)(convert),
        )


def _coded(field: Field, column: Column, text: str) -> Attribute:
    found: Attribute | None = code_of(column.codes or {}, column.default, text)
    if found is None:
        remedy = 'Add it to `codes`. Use "" for missing.'
        raise _RejectedRowError(
            field.name, "contains a code that the mapping does not list", remedy
        )
    as_text = isinstance(found, str) and found and field.type != "code"
    return _parse(field, str(found)) if as_text else found


def text_reader(column: Column) -> Callable[[_Values], str]:
    """Build a function that reads a column's text from the values of a row: chosen or joined,
    without null texts, and cut. It is not coded.
    """
    null, pattern, split = column.null, column.extract, column.split
    if len(column.columns) == 1:
        source = column.columns[0]
        if not null and pattern is None and split is None:
            return lambda values: values[source].strip()

        def one(values: _Values) -> str:
            text = values[source].strip()
            return "" if text in null else text

        base = one
    elif column.constant is not None:
        constant = column.constant
        return lambda _values: constant
    else:
        sources, join, first = column.columns, column.join, column.first

        def several(values: _Values) -> str:
            parts = ["" if (t := values[s].strip()) in null else t for s in sources]
            if first:
                return next(filter(None, parts), "")
            return join.join(parts) if any(parts) else ""

        base = several
    if pattern is None and split is None:
        return base

    def cut(values: _Values) -> str:
        text = base(values)
        if text and pattern is not None:
            found = pattern.search(text)
            text = (found[1] or "").strip() if found else ""
        return part_of(text, split) if text and split is not None else text

    return cut


def _parse(field: Field, text: str, times: float | None = None) -> Attribute:
    try:
        match field.type:
            case "integer" if times is not None:
                return round(float(text) * times)
            case "number" if times is not None:
                return float(text) * times
            case "integer":
                whole = completed_weeks(text) if "weeks" in field.unit else text
                return int(_DECIMALS_OF_NOUGHT.sub("", whole))
            case "number":
                return float(completed_weeks(text) if "weeks" in field.unit else text)
            case "flag" if text.lower() in _TRUE:
                return True
            case "flag" if text.lower() in _FALSE:
                return False
            case "flag":
                raise ValueError
            case _:
                return text
    except (ValueError, OverflowError):
        raise _RejectedRowError(
            field.name,
            f"is not {'an' if field.type == 'integer' else 'a'} {field.type}",
            "Correct the value, or map it with `codes`.",
        ) from None


def completed_weeks(text: str) -> str:
    """The completed weeks of a number of weeks and days.

    >>> completed_weeks("39+4"), completed_weeks("39w 4d"), completed_weeks("39")
    ('39', '39', '39')
    """
    found = _WEEKS_AND_DAYS.fullmatch(text)
    return found[1] if found else text
