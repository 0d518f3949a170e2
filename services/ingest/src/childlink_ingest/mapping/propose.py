"""Proposes a mapping from an extract's headers and values, for a person to correct. No I/O.

Values decide if they can (an NHS number has a check digit, a date has a format, a coding has known
codes). Otherwise words of the header decide. Unrecognised columns become questions, not guesses.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from childlink_catalogue.datasets import Dataset, Field, codings

from childlink_ingest.mapping.definition import DATE_FORMATS, parse_date
from childlink_ingest.standardise import normalise

_ENOUGH: Final = 0.8
_MANY_TIMES: Final = 6.0
_FILLED: Final = 0.95
_UNIQUE: Final = 0.98
_DATES_OF_ONE: Final = 3
_MOST_CODES: Final = 40
_FORMATS: Final = (
    *DATE_FORMATS,
    "%d/%m/%y",
    "%d.%m.%Y",
    "%d %B %Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%Y/%m/%d",
)
_ADULT_WORDS: Final = frozenset(
    [
        "mother",
        "mothers",
        "mum",
        "maternal",
        "mat",
        "parent",
        "carer",
        "adult",
        "guardian",
        "father",
    ]
)
_CHILD_WORDS: Final = frozenset(["child", "baby", "infant", "pupil", "newborn", "kid"])
_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "id": (
        "id",
        "identifier",
        "number",
        "no",
        "ref",
        "reference",
        "localid",
        "hospital",
        "local",
        "patient",
        "person",
        "upn",
        "pas",
        "key",
    ),
    "nhs_number": ("nhs", "nhsno", "nhsnumber"),
    "given_name": (
        "given",
        "forename",
        "forenames",
        "first",
        "firstname",
        "fname",
        "christian",
        "givenname",
    ),
    "known_as": (
        "knownas",
        "preferredname",
        "preferredforename",
        "usuallycalled",
        "aka",
        "nickname",
        "alias",
    ),
    "surname": ("surname", "last", "family", "lastname", "familyname", "lname"),
    "date_of_birth": ("dob", "birth", "born", "birthdate", "dateofbirth"),
    "sex": ("sex", "gender"),
    "postcode": ("postcode", "pcode", "postal", "zip", "pc"),
    "birth_order": ("order", "birthorder", "multiple", "rank"),
}
_ROW_WORDS: Final = frozenset(
    [
        "row",
        "record",
        "review",
        "event",
        "visit",
        "contact",
        "session",
        "form",
        "appointment",
        "attendance",
        "encounter",
        "rec",
    ]
)
_NOT_ATTRIBUTE: Final = frozenset({"row_id", "deleted", "adult_relation"})
_RELATIONS: Final = {
    "mother": "mother",
    "mum": "mother",
    "m": "mother",
    "father": "father",
    "dad": "father",
    "f": "father",
    "carer": "carer",
    "guardian": "carer",
}


@dataclass(frozen=True)
class Proposal:
    """The text of a mapping file, and the open questions."""

    text: str
    questions: list[str]


@dataclass(frozen=True)
class _Column:
    name: str
    words: frozenset[str]
    values: list[str]

    @property
    def role(self) -> str | None:
        if self.words & _ADULT_WORDS:
            return "adult"
        return "child" if self.words & _CHILD_WORDS else None

    def share(self, test: Callable[[str], object]) -> float:
        return (
            sum(1 for value in self.values if test(value)) / len(self.values)
            if self.values
            else 0.0
        )


def propose(
    header: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    dataset: Dataset,
    options: Mapping[str, str],
) -> Proposal:
    """Propose a mapping to `dataset`.

    `options` are mapping lines, such as delimiter and encoding, that were needed to read the
    extract.
    """
    columns = [
        _Column(name, _words(name), [v for row in rows if (v := row[name].strip())])
        for name in header
    ]
    chosen: dict[str, tuple[_Column, str]] = {}
    free = list(columns)
    identities, doubts = _identities(dataset, free, rows)
    for canonical, found, its_line in identities:
        chosen[canonical] = (found, its_line)
    # The contract also wants the sex as an attribute. The same column serves both.
    if "child_sex" in chosen and "sex" in dataset.columns and "sex" not in chosen:
        column = chosen["child_sex"][0]
        line = _line_for(dataset.field("sex"), column)
        if line:
            chosen["sex"] = (column, line)
    for field in (f for f in dataset.fields if f.name not in chosen):
        best = _best_for(field, free)
        if best:
            chosen[field.name] = best
            free.remove(best[0])
    row_id = _row_id(columns, rows, chosen, dataset)
    lines = [
        (
            f"# Proposed by `childlink-ingest map` from {len(rows):,} rows. A person must correct"
            " and approve it."
        ),
        f'dataset = "{dataset.name}"',
    ]
    lines += [f"{name} = {_quote(value)}" for name, value in options.items()]
    questions = list(doubts)
    if dataset.permitted_list:
        lines.append(
            '# opt_out_exempt = "..."   # only if the national data opt-out does not apply;'
            " give the reason"
        )
    days = _default_dates(
        [
            column
            for canonical, (column, _) in chosen.items()
            if canonical.endswith("_date_of_birth")
        ]
    )
    lines += [
        f"default_dates = [{_quote(day)}]   # far too many births for one day: they count for less"
        for day in days
    ]
    questions += [
        f"Many people are born on {day} (month-day). Does the source use it for unknown dates?"
        for day in days
    ]
    used = {column.name for column, _ in chosen.values()} | set(row_id)
    ignored = [name for name in header if name not in used]
    lines += [
        "",
        "# These columns are not sent. Do you need one of them?",
        f"ignore = [{', '.join(map(_quote, ignored))}]",
        "",
        "[columns]",
    ]
    lines.append(
        f"row_id = {_quote(row_id[0])}"
        if len(row_id) == 1
        else f"row_id = {{ column = [{', '.join(map(_quote, row_id))}] }}"
    )
    if not row_id or row_id == [""]:
        questions.append(
            "No column has a different value in every row. Name one or more columns for row_id."
        )
    for canonical, title in dataset.columns.items():
        if canonical in chosen:
            lines.append(f"{canonical} = {chosen[canonical][1]}")
            if "?" in chosen[canonical][1]:
                questions.append(
                    f"{canonical}: some codes of {chosen[canonical][0].name!r} are unknown; see"
                    " the question marks."
                )
        elif canonical not in _NOT_ATTRIBUTE:
            needed = (
                any(f.name == canonical and f.required for f in dataset.fields)
                or canonical == f"{dataset.subjects[0]}_id"
            )
            lines.append(f'# {canonical} = "..."   # {title}{"; REQUIRED" if needed else ""}')
            if needed:
                questions.append(f"{canonical} ({title}) was not found and is required.")
    return Proposal("\n".join(lines) + "\n", questions)


def _default_dates(columns: Sequence[_Column]) -> list[str]:
    """The most frequent birthday, as MM-DD, if it is far more frequent than a day's share.

    A source may write such a birthday for unknown dates.
    """
    days: Counter[str] = Counter()
    for column in columns:
        form = _format_of(column.values)
        born = [parse_date(value, (form,)) for value in column.values] if form else []
        days.update(f"{day:%m-%d}" for day in born if day)
    least = max(10.0, _MANY_TIMES * days.total() / 365)
    return [day for day, count in days.most_common(1) if count >= least]


def _identities(
    dataset: Dataset, free: list[_Column], rows: Sequence[Mapping[str, str]]
) -> tuple[list[tuple[str, _Column, str]], list[str]]:
    """Find the identity columns and take them out of `free`.

    Also returns why columns named like an id were not used as one.
    """
    found: list[tuple[str, _Column, str]] = []
    doubts: list[str] = []
    only = dataset.subjects[0] if len(dataset.subjects) == 1 else None
    for role in sorted(dataset.subjects, key=lambda r: r != "adult"):
        # Columns that name the other role never belong to this one. Columns that name no role
        # belong to the first subject.
        mine = [
            c
            for c in free
            if only or c.role == role or (c.role is None and role == dataset.subjects[0])
        ]
        for kind in (
            "nhs_number",
            "nhs_number_status",
            "postcode",
            "date_of_birth",
            "sex",
            "known_as",
            "given_name",
            "surname",
            "birth_order",
            "id",
        ):
            if kind == "birth_order" and role != "child":
                continue
            likely = mine
            if kind == "id":
                likely, refused = _ids(role, mine, found, rows, dataset)
                doubts += refused
            best = max(likely, key=lambda c: _identity_score(kind, c), default=None)
            if best is None or _identity_score(kind, best) < 1:
                continue
            mine.remove(best)
            free.remove(best)
            found.append((f"{role}_{kind}", best, _identity_line(kind, best)))
    return found, doubts


def _ids(
    role: str,
    columns: Sequence[_Column],
    found: Sequence[tuple[str, _Column, str]],
    rows: Sequence[Mapping[str, str]],
    dataset: Dataset,
) -> tuple[list[_Column], list[str]]:
    """The columns that could be ids of a role's people.

    Also returns why other columns named like an id could not.
    """
    born = next(
        (column for canonical, column, _ in found if canonical == f"{role}_date_of_birth"), None
    )
    # Where a row may be about a child or an adult alone, either id is missing in many.
    main, once = len(dataset.subjects) == 1, role == "child" and dataset.one_row_per_child
    why = {column.name: _no_id(column, born, rows, main=main, once=once) for column in columns}
    refused = [
        f"{role}_id: {column.name!r} was not used: {why[column.name]}"
        for column in columns
        if why[column.name] and column.words & set(_WORDS["id"])
    ]
    return [column for column in columns if not why[column.name]], refused


def _no_id(
    column: _Column,
    born: _Column | None,
    rows: Sequence[Mapping[str, str]],
    *,
    main: bool,
    once: bool,
) -> str:
    """Why a column cannot be an id of people; empty if it can. A wrong id would merge people.

    `main`: whether every row needs it; `once`: whether a person has one row.
    """
    filled, distinct = len(column.values), len(set(column.values))
    if not filled or (main and filled < _FILLED * len(rows)):
        return f"it has a value in only {filled:,} of {len(rows):,} rows."
    if once and distinct < _UNIQUE * filled:
        return (
            f"it repeats ({distinct:,} values in {filled:,} rows), and this dataset has one row per"
            " child."
        )
    if born is not None:
        dates: dict[str, set[str]] = {}
        for row in rows:
            if (who := row[column.name].strip()) and (day := row[born.name].strip()):
                dates.setdefault(who, set()).add(day)
        several = sum(1 for days in dates.values() if len(days) > 1)
        if several > (1 - _UNIQUE) * len(dates) or any(
            len(days) > _DATES_OF_ONE for days in dates.values()
        ):
            return f"{several:,} of its {len(dates):,} values have more than one date of birth."
    return ""


def _identity_score(kind: str, column: _Column) -> float:
    named = 1.0 if column.words & set(_WORDS.get(kind, ())) else 0.0
    match kind:
        case "nhs_number":
            return (
                2 * column.share(normalise.nhs_number) + named
                if column.share(normalise.nhs_number) >= _ENOUGH or (named and not column.values)
                else 0
            )
        case "nhs_number_status":
            said = {"nhs", "status"} <= column.words or column.words >= {"number", "status"}
            known = column.share(lambda v: normalise.is_untraced(v) is not None)
            return 1.0 if said and column.values and known >= _ENOUGH else 0.0
        case "postcode":
            good = column.share(
                lambda v: re.fullmatch(r"[A-Z]{1,2}\d[A-Z0-9]?\s*\d[A-Z]{2}", v.upper())
            )
            return 2 * good + named if good >= _ENOUGH else 0
        case "date_of_birth":
            return named + 1 if named and _format_of(column.values) else 0
        case "sex":
            return (
                named + 1
                if named and column.share(lambda v: v.lower() in codings()["sex"]) >= _ENOUGH
                else 0
            )
        case "given_name" | "known_as" | "surname":
            return named + 0.5 if named and column.share(normalise.name_words) >= _ENOUGH else 0
        case "birth_order":
            return named if "order" in column.words or "birthorder" in column.words else 0
        case _:
            if (
                not named
                or _format_of(column.values)
                or column.share(normalise.nhs_number) >= _ENOUGH
            ):
                return 0
            # An id is one word. It repeats if a person has several rows.
            return (
                named
                + (0.5 if column.role else 0)
                + (0.2 if column.words & {"id", "identifier"} else 0)
                - 0.7 * bool(column.words & _ROW_WORDS)
            )


def _identity_line(kind: str, column: _Column) -> str:
    if kind == "date_of_birth":
        return _date_line(column)
    return _quote(column.name)


def _best_for(field: Field, free: list[_Column]) -> tuple[_Column, str] | None:
    wanted = _words(f"{field.name} {field.title}") - {
        "of",
        "the",
        "at",
        "or",
        "a",
        "is",
        "to",
        "month",
    }
    by_name = _words(field.name) - {"date", "of"}
    scored = []
    for column in free:
        if not column.values:
            continue
        line = _line_for(field, column)
        if line is None:
            continue
        score = (
            2.0 * len(column.words & by_name)
            + len(column.words & wanted)
            + (
                1.5
                if field.coding
                and field.coding in codings()
                and _coded_share(field, column) >= _ENOUGH
                else 0
            )
        )
        plain = re.sub(r"[^a-z0-9]", "", column.name.lower())
        parts = [part for part in field.name.split("_") if part not in ("of", "the")]
        score += 2.0 if field.name.replace("_", "") in plain else 0
        # GLD means good level of development; IMDQ means IMD quintile; Comm means communication.
        score += 2.0 if len(parts) > 1 and plain == "".join(part[0] for part in parts) else 0
        score += 1.0 if len(parts[0]) > 2 and plain.startswith(parts[0]) else 0
        score += (
            0.5
            if any(w.startswith(part) and len(part) > 2 for part in column.words for w in by_name)
            else 0
        )
        score += (
            1.5
            if field.codes and {value.lower() for value in column.values} <= set(field.codes)
            else 0
        )
        if (
            field.type == "month"
            and not score
            and field.required
            and not (column.words & set(_WORDS["date_of_birth"]))
        ):
            score = 0.5
        if score >= 0.5:
            scored.append((score, -free.index(column), column, line))
    return max(scored)[2:] if scored else None


def _coded_share(field: Field, column: _Column) -> float:
    table = codings()[field.coding]
    return column.share(lambda v: v.lower() in table)


def _line_for(field: Field, column: _Column) -> str | None:
    """The mapping line from the column to the field; None if the values do not fit."""
    distinct = Counter(column.values)
    match field.type:
        case "month":
            return _date_line(column) if _format_of(column.values) else None
        case "integer" | "number":
            good = column.share(
                lambda v: re.fullmatch(r"-?\d+" if field.type == "integer" else r"-?\d+(\.\d+)?", v)
            )
            inside = column.share(
                lambda v: (
                    re.fullmatch(r"-?\d+(\.\d+)?", v)
                    and (field.range is None or field.range[0] <= float(v) <= field.range[1])
                )
            )
            return _quote(column.name) if good >= _ENOUGH and inside >= _ENOUGH else None
        case "flag":
            if {v.lower() for v in distinct} <= {"true", "false", "yes", "no", "y", "n", "1", "0"}:
                return _quote(column.name)
            table = {
                "above": True,
                "at or above": True,
                "met": True,
                "achieved": True,
                "pass": True,
                "expected": True,
                "below": False,
                "not met": False,
                "fail": False,
                "emerging": False,
            }
            known = {
                **{k: v == "true" if v else "" for k, v in codings().get(field.coding, {}).items()},
                **table,
            }
        case _:
            known = dict(codings().get(field.coding, {code: code for code in field.codes}))
            known |= {code.replace("_", " "): code for code in field.codes}
            if set(distinct) <= set(field.codes):
                return _quote(column.name)
    if len(distinct) > _MOST_CODES:
        return None
    codes = {
        value: known.get(
            value.lower(), known.get(re.sub(r"[^a-z0-9]+", " ", value.lower()).strip(), "?")
        )
        for value in distinct
    }
    unknown = sum(count for value, count in distinct.items() if codes[value] == "?")
    if unknown > (1 - _ENOUGH) * len(column.values) and not column.words & _words(field.name):
        return None
    if not any(code not in ("", "?") for code in codes.values()):
        return None
    pairs = ", ".join(f"{_quote(v)} = {_value(codes[v])}" for v in sorted(distinct))
    return f"{{ column = {_quote(column.name)}, codes = {{ {pairs} }} }}"


def _row_id(
    columns: Sequence[_Column],
    rows: Sequence[Mapping[str, str]],
    chosen: Mapping[str, tuple[_Column, str]],
    dataset: Dataset,
) -> list[str]:
    taken = {column.name for name, (column, _) in chosen.items() if not name.endswith("_id")}
    candidates = [
        c
        for c in columns
        if c.name not in taken and len(c.values) == len(rows) and len(set(c.values)) == len(rows)
    ]
    if candidates:
        return [
            max(
                candidates,
                key=lambda c: (
                    bool(c.words & {"id", "row", "record", "review", "event", "ref", "reference"}),
                    -columns.index(c),
                ),
            ).name
        ]
    person, event = chosen.get(f"{dataset.subjects[0]}_id"), chosen.get(dataset.event)
    return [column.name for column, _ in (person, event) if column] if person and event else [""]


def _format_of(values: Sequence[str]) -> str | None:
    """The first format that fits nearly all values, or None.

    If both day-first and month-first could fit, some value decides.
    """
    sample = values[:500]
    if not sample:
        return None
    for form in _FORMATS:
        days: list[date | None] = [parse_date(value, (form,)) for value in sample]
        if sum(1 for day in days if day and day.year >= 1900) >= 0.95 * len(sample):
            return form
    return None


def _date_line(column: _Column) -> str:
    return (
        f"{{ column = {_quote(column.name)}, format = {_quote(_format_of(column.values) or '')} }}"
    )


def _words(text: str) -> frozenset[str]:
    """The words of a header. Also splits camelCase, and finds known words that are written as two.

    >>> sorted(_words("ChildNHSNumber"))
    ['child', 'nhs', 'nhsnumber', 'number']
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    words = re.findall(r"[a-z]+|\d+", spaced.lower().replace("_", " "))
    pairs = ["".join(pair) for pair in itertools.pairwise(words)]
    known = {word for group in _WORDS.values() for word in group}
    return frozenset([*words, *(pair for pair in pairs if pair in known)])


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def _value(code: object) -> str:
    return ("true" if code else "false") if isinstance(code, bool) else _quote(str(code))
