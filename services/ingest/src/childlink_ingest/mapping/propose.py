"""Proposes a mapping from an extract's headers and values, for a person to correct. No I/O.

Values decide if they can (an NHS number has a check digit, a date has a format, a coding has known
codes). Otherwise words of the header decide. Unrecognised columns become questions, not guesses.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from childlink_catalogue.datasets import Dataset, Field, codings, identity_fields

from childlink_ingest.mapping.apply import completed_weeks
from childlink_ingest.mapping.definition import DATE_FORMATS, parse_date
from childlink_ingest.mapping.language import EXCEL
from childlink_ingest.mapping.recipe import NO_RECIPE, Recipe
from childlink_ingest.standardise import normalise

_ENOUGH: Final = 0.8
_MANY_TIMES: Final = 6.0
_FILLED: Final = 0.95
_UNIQUE: Final = 0.98
_DATES_OF_ONE: Final = 3
_MOST_CODES: Final = 40
_MOST_UNKNOWN_CODES: Final = 0.5
_SOME: Final = 0.3
"""Of a column whose header says what it is, this share of values is enough."""
_FEWEST_ROWS: Final = 20
_MOST_OF_ONE_ID: Final = 0.3
_LEAST_SCORES: Final = {"id": 0.3}
_SURE: Final = 2.0
_UNNAMED: Final = re.compile(r"column \d+")
_DATES: Final = 0.95
_FIRST_SERIAL: Final = date(1980, 1, 1)
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2100, 1, 1)
_FORMATS: Final = (
    *DATE_FORMATS,
    "%d/%m/%y",
    "%d.%m.%Y",
    "%d.%m.%y",
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
        "your",
        "you",
        "contact",
        "mere",
        "mutter",
        "mam",
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
        "uln",
        "mrn",
        "chi",
        "nhi",
        "matricule",
        "kvnr",
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
        "prenom",
        "vorname",
        "enw",
    ),
    "known_as": (
        "knownas",
        "preferredname",
        "preferredforename",
        "usuallycalled",
        "calling",
        "aka",
        "nickname",
        "alias",
    ),
    "surname": (
        *("surname", "last", "family", "lastname", "familyname", "lname"),
        *("nom", "nachname", "familienname", "apellido", "apellidos", "cyfenw"),
    ),
    "date_of_birth": (
        *("dob", "birth", "born", "birthdate", "dateofbirth", "birthday"),
        *("naissance", "geburtsdatum", "geboren", "nacimiento", "geni"),
    ),
    "sex": ("sex", "gender", "boy", "girl", "sexe", "geschlecht", "sexo", "rhyw"),
    "postcode": ("postcode", "pcode", "postal", "zip", "pc", "codpost"),
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
# Words of headers of numbers that are not about one person.
_NOT_OF_A_PERSON: Final = frozenset(
    [
        *("street", "house", "flat", "phone", "telephone", "mobile", "team", "school", "urn"),
        *("batch", "dose", "sequence", "lot", "serial", "item", "code", "uri", "total", "count"),
        *("organisation", "organization", "org", "practice", "gp", "site", "ward", "venue"),
        *("provider", "commissioner", "estab", "establishment", "license", "drivers", "passport"),
        *("babies", "weeks", "age", "children", "attendances", "appointment", "referral"),
    ]
)
# Words of headers for the fields of contracts, beside those of the field's own name.
_ALSO_CALLED: Final[Mapping[str, frozenset[str]]] = {
    "birth_date": frozenset({"delivery"}),
    "recorded_date": frozenset({"vaccination", "immunisation", "given", "administered", "event"}),
    "session_date": frozenset({"attended", "attendance", "contact", "visit"}),
    "review_date": frozenset({"contact", "assessment", "appointment"}),
    "assessed_date": frozenset({"assessment"}),
    "measured_date": frozenset({"measurement", "weighed", "screened"}),
    "gestation": frozenset({"gestational"}),
}
_COMMON: Final = frozenset({"birth", "date", "name", "number", "status", "score", "total", "type"})
_ALSO_AN_IDENTITY: Final = {"sex": "child_sex", "birth_date": "child_date_of_birth"}
_NOT_ATTRIBUTE: Final = frozenset({"deleted", "adult_relation"})
_RELATIONS: Final = {
    "mother": "mother",
    "mum": "mother",
    "m": "mother",
    "father": "father",
    "dad": "father",
    "f": "father",
    "mam": "mother",
    "mama": "mother",
    "mummy": "mother",
    "daddy": "father",
    "carer": "carer",
    "guardian": "carer",
}


@dataclass(frozen=True)
class Proposal:
    """The text of a mapping file, and the open questions."""

    text: str
    questions: list[str]
    open: list[str]
    """Columns of the contract that a person should decide."""
    columns: dict[str, str]
    """Headers that were chosen, by column of the contract."""


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
    options: Mapping[str, object],
    odd: Sequence[Mapping[str, str]] = (),
    recipe: Recipe = NO_RECIPE,
) -> Proposal:
    """Propose a mapping to `dataset`.

    `options` are mapping lines, such as delimiter and encoding, that were needed to read the
    extract. `odd` are rows that are probably no data, such as totals. `recipe` is that of the
    export, if it is a known one.
    """
    columns = [
        _Column(name, _words(name), [v for row in rows if (v := row[name].strip())])
        for name in header
    ]
    choice = _choose(columns, rows, dataset, recipe)
    used = {column.name for column, _ in choice.chosen.values()} | set(choice.row_id)
    ignored = [name for name in header if name not in used and not _UNNAMED.fullmatch(name)]
    questions = list(choice.doubts)
    lines = [
        (
            f"# Proposed by `childlink-ingest map` from {len(rows):,} rows. A person must correct"
            " and approve it."
        ),
        *([f"# Recognised as: {recipe.name} ({recipe.source})."] if recipe.name else []),
        f'dataset = "{dataset.name}"',
        *(f"{name} = {_toml(value)}" for name, value in options.items()),
    ]
    for more, asked in (_without_totals(choice, rows, odd), _for_default_dates(choice)):
        lines += more
        questions += asked
    if dataset.permitted_list:
        lines.append(
            '# opt_out_exempt = "..."   # only if the national data opt-out does not apply;'
            " give the reason"
        )
    lines += [
        "",
        "# These columns are not sent. Do you need one of them?",
        f"ignore = [{', '.join(map(_quote, ignored))}]",
        "",
        "[columns]",
    ]
    of_columns, asked = _lines_of_columns(choice, dataset)
    return Proposal(
        "\n".join(lines + of_columns) + "\n",
        questions + asked,
        _open(choice, dataset, recipe),
        {canonical: column.name for canonical, (column, _) in choice.chosen.items()}
        | ({"row_id": " + ".join(choice.row_id)} if choice.row_id else {}),
    )


@dataclass(frozen=True)
class _Choice:
    """Which columns were chosen."""

    chosen: dict[str, tuple[_Column, str]]
    """The column and the line of each canonical column."""
    perhaps: dict[str, str]
    """Lines whose values fit, but whose header does not say so."""
    row_id: list[str]
    doubts: list[str]
    unsure: list[str]
    """Columns of the contract that were chosen, but not surely."""
    counts_rows: bool
    """Whether the row id is 1, 2, 3, ..."""


def _open(choice: _Choice, dataset: Dataset, recipe: Recipe) -> list[str]:
    """The columns of the contract that a person should decide: required ones that were not found,
    uncertain ones, and what is usually known of the main person.
    """
    main = dataset.subjects[0]
    usual = ["nhs_number", "given_name", "surname", "date_of_birth", "sex", "postcode"]
    needed = [f"{main}_id", *(field.name for field in dataset.fields if field.required)]
    missing = [
        name
        for name in ("row_id", *needed, *(f"{main}_{what}" for what in usual))
        if name not in choice.chosen and not (name == "row_id" and choice.row_id)
    ]
    counted = ["row_id"] if choice.counts_rows else []
    wanted = dict.fromkeys([*counted, *missing, *choice.unsure, *choice.perhaps])
    return [name for name in wanted if name not in recipe.left_out]


def _choose(
    columns: list[_Column],
    rows: Sequence[Mapping[str, str]],
    dataset: Dataset,
    recipe: Recipe,
) -> _Choice:
    perhaps: dict[str, str] = {}
    unsure: list[str] = []
    chosen, refused = _by_recipe(columns, rows, dataset, recipe)
    taken = {column.name for column, _ in chosen.values()}
    free = [
        column
        for column in columns
        if not _UNNAMED.fullmatch(column.name) and column.name not in taken | recipe.never
    ]
    settled = chosen.keys() | recipe.left_out
    identities, doubts = _identities(dataset, free, rows, settled)
    doubts = [*refused, *doubts]
    for canonical, found, its_line in identities:
        chosen[canonical] = (found, its_line)
    if "adult_relation" in dataset.columns and (said := _relation(free)):
        chosen["adult_relation"] = said
        free.remove(said[0])
    words = Counter(word for field in dataset.fields for word in _words(field.name))
    common = frozenset(word for word, count in words.items() if count > 1) | _COMMON
    for field in (f for f in dataset.fields if f.name not in chosen.keys() | recipe.left_out):
        best = _best_for(field, free, common)
        # The contract also wants the sex, or the month of birth, as an attribute. The same column
        # may serve both.
        identity = chosen.get(_ALSO_AN_IDENTITY.get(field.name, ""))
        if identity and (best is None or not best[2] or field.name == "sex"):
            line = _line_for(field, identity[0])
            if line:
                chosen[field.name] = identity[0], line
                continue
        if best is None:
            continue
        column, line, sure = best
        if sure or field.required:
            chosen[field.name] = column, line
            free.remove(column)
        else:
            perhaps[field.name] = line
        if not sure:
            unsure.append(field.name)
            doubts.append(
                f"{field.name}: is it {column.name!r}? The values fit, the header does not say so."
            )
    could_name_rows = [column for column in columns if column.name not in recipe.never]
    row_id = _row_id(could_name_rows, rows, chosen, dataset)
    counted = [str(number) for number in range(1, len(rows) + 1)]
    counts = [column.values == counted for column in columns if [column.name] == row_id]
    unsure += [name for name in chosen if any(d.startswith(f"{name}: ") for d in doubts)]
    return _Choice(chosen, perhaps, row_id, doubts, unsure, any(counts))


def _relation(columns: Sequence[_Column]) -> tuple[_Column, str] | None:
    """The column that says what an adult is to the child."""
    for column in columns:
        if column.share(lambda v: len(v) > 1 and v.lower() in _RELATIONS) >= _ENOUGH:
            codes = ", ".join(
                f"{_quote(v)} = {_quote(_RELATIONS.get(v.lower(), ''))}"
                for v in sorted(set(column.values))
            )
            return column, f"{{ column = {_quote(column.name)}, codes = {{ {codes} }} }}"
    return None


def _by_recipe(
    columns: Sequence[_Column],
    rows: Sequence[Mapping[str, str]],
    dataset: Dataset,
    recipe: Recipe,
) -> tuple[dict[str, tuple[_Column, str]], list[str]]:
    """What a recipe says of the columns that are there, as far as their values fit; and why ids
    were not used.
    """
    chosen: dict[str, tuple[_Column, str]] = {}
    doubts = []
    by_name = {column.name: column for column in columns}
    fields = {field.name: field for field in dataset.fields}
    for canonical, header in recipe.columns.items():
        column = by_name.get(header)
        if column is None or not column.values:
            continue
        line: str | None = _quote(header)
        if canonical in fields:
            line = _line_for(fields[canonical], column)
        elif canonical.endswith("_date_of_birth"):
            line = _date_line(column) if _format_of(column.values) else None
        elif canonical == "row_id":
            line = line if len(set(column.values)) == len(rows) else None
        elif canonical.endswith("_id"):
            role = canonical.removesuffix("_id")
            said = by_name.get(recipe.columns.get(f"{role}_date_of_birth", ""))
            born = said or next(
                (c for c in columns if c.role in (role, None) and _is_birth(c)), None
            )
            once = role == "child" and dataset.one_row_per_child
            main = role == dataset.subjects[0]
            if why := _no_id(column, born, rows, main=main, once=once):
                line = None
                doubts.append(f"{canonical}: {header!r} was not used: {why}")
        if line is not None:
            chosen[canonical] = column, line
    return chosen, doubts


def _is_birth(column: _Column) -> bool:
    return bool(column.words & set(_WORDS["date_of_birth"]) and _format_of(column.values))


def _lines_of_columns(choice: _Choice, dataset: Dataset) -> tuple[list[str], list[str]]:
    chosen = choice.chosen
    lines, questions = [], []
    without_id = {
        name: role
        for role in dataset.subjects[1:]
        if f"{role}_id" not in chosen
        for name in identity_fields(role)
        if name in chosen
    }
    if without_id:
        questions.append(
            "adult_id: no column names the adults, so nothing about them would be sent. If the"
            " source has no id of theirs, join one, for example of the child's id and their name."
        )
    match choice.row_id:
        case []:
            lines.append('# row_id = "..."   # the row\'s own id in the source; REQUIRED')
            questions.append(
                "No column has a different value in every row. Name one or more columns for row_id."
            )
        case [one]:
            lines.append(f"row_id = {_quote(one)}")
            if choice.counts_rows:
                questions.append(
                    f"row_id: {one!r} counts the rows. Does a row keep its number in later"
                    " extracts?"
                )
        case several:
            lines.append(f"row_id = {{ column = [{', '.join(map(_quote, several))}] }}")
    for canonical, title in dataset.columns.items():
        if canonical == "row_id":
            continue
        if canonical in chosen:
            column, line = chosen[canonical]
            if canonical in without_id:
                lines.append(f"# {canonical} = {line}   # needs {without_id[canonical]}_id")
                continue
            lines.append(f"{canonical} = {line}")
            if "?" in line:
                questions.append(
                    f"{canonical}: some codes of {column.name!r} are unknown; see the question"
                    " marks."
                )
        elif canonical not in _NOT_ATTRIBUTE:
            person = canonical == f"{dataset.subjects[0]}_id"
            needed = person or any(f.name == canonical and f.required for f in dataset.fields)
            line = choice.perhaps.get(canonical, '"..."')
            doubt = "; perhaps" if canonical in choice.perhaps else ""
            lines.append(
                f"# {canonical} = {line}   # {title}{'; REQUIRED' if needed else ''}{doubt}"
            )
            if needed:
                number = chosen.get(f"{dataset.subjects[0]}_nhs_number")
                instead = (
                    f" If every row has one, {number[0].name!r} can be the id."
                    if person and number
                    else ""
                )
                questions.append(f"{canonical} ({title}) was not found and is required.{instead}")
    return lines, questions


def _without_totals(
    choice: _Choice, rows: Sequence[Mapping[str, str]], odd: Sequence[Mapping[str, str]]
) -> tuple[list[str], list[str]]:
    """The line that leaves out rows with few values, and the question about it."""
    if not odd:
        return [], []
    several = f"{len(odd)} rows have" if len(odd) > 1 else "1 row has"
    few = f"{several} few values, such as totals."
    # An id first: rows without one could not be sent anyway.
    for _, (column, _line) in sorted(
        choice.chosen.items(), key=lambda item: not item[0].endswith("_id")
    ):
        # It tells them apart if it is filled in nearly all rows and in none of the odd ones.
        if len(column.values) >= 0.99 * len(rows) and not any(row[column.name] for row in odd):
            return (
                [f"where = [{{ column = {_quote(column.name)}, filled = true }}]"],
                [f"{few} Rows without {column.name!r} are left out. Is that right?"],
            )
    return [], [f"{few} Leave them out with `where`."]


def _for_default_dates(choice: _Choice) -> tuple[list[str], list[str]]:
    days = _default_dates(
        [
            column
            for canonical, (column, _) in choice.chosen.items()
            if canonical.endswith("_date_of_birth")
        ]
    )
    return (
        [
            f"default_dates = [{_quote(day)}]   # far too many births for one day: they count for"
            " less"
            for day in days
        ],
        [
            f"Many people are born on {day} (month-day). Does the source use it for unknown dates?"
            for day in days
        ],
    )


def _default_dates(columns: Sequence[_Column]) -> list[str]:
    """The most frequent birthday, as MM-DD, if it is far more frequent than a day's share.

    A source may write such a birthday for unknown dates.
    """
    days: Counter[str] = Counter()
    for column in columns:
        form = _format_of(column.values)
        born = [parse_date(value, form) for value in column.values] if form else []
        days.update(f"{day:%m-%d}" for day in born if day)
    least = max(10.0, _MANY_TIMES * days.total() / 365)
    return [day for day, count in days.most_common(1) if count >= least]


def _identities(
    dataset: Dataset,
    free: list[_Column],
    rows: Sequence[Mapping[str, str]],
    settled: Collection[str],
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
            if (kind == "birth_order" and role != "child") or f"{role}_{kind}" in settled:
                continue
            likely = mine
            if kind == "id":
                likely, refused = _ids(role, mine, found, rows, dataset)
                doubts += refused
            best = max(likely, key=lambda c: _identity_score(kind, c), default=None)
            if best is None or _identity_score(kind, best) < _LEAST_SCORES.get(kind, 1.0):
                continue
            if kind == "id" and _identity_score(kind, best) < 1:
                doubts.append(
                    f"{role}_id: {best.name!r} may be the id of a row and not of the {role}. Does a"
                    f" {role} have the same one in every extract?"
                )
            mine.remove(best)
            free.remove(best)
            line = _identity_line(kind, best)
            if kind == "given_name" and (more := _middle_names(mine)):
                mine.remove(more)
                free.remove(more)
                line = f'{{ column = [{_quote(best.name)}, {_quote(more.name)}], join = " " }}'
            found.append((f"{role}_{kind}", best, line))
        named = any(name.endswith("name") for name in (*settled, *(c for c, *_ in found)))
        whole = [] if named else _whole_names(mine)
        for column in whole[:1]:
            mine.remove(column)
            free.remove(column)
            comma = column.share(lambda v: "," in v) >= _ENOUGH
            at, given, surname = ('","', 2, 1) if comma else ('"last space"', 1, 2)
            split = "{{ column = {}, split = {{ at = {}, part = {} }} }}".format
            for name, part in (("given_name", given), ("surname", surname)):
                found.append((f"{role}_{name}", column, split(_quote(column.name), at, part)))
            if not comma:
                doubts.append(
                    f"{role}_given_name and {role}_surname: {column.name!r} is split at its last"
                    " space. Is the surname the last word?"
                )
    return found, doubts


def _middle_names(columns: Sequence[_Column]) -> _Column | None:
    """The column of further given names."""
    for column in columns:
        further = {"middle", "middlename", "middlenames"} & column.words
        other = {"other", "names"} <= column.words or {"second", "name"} <= column.words
        if (further or other) and column.share(normalise.name_words) >= _ENOUGH:
            return column
    return None


def _whole_names(columns: Sequence[_Column]) -> list[_Column]:
    """Columns that hold whole names. If there are several, their headers must say so."""
    named = [
        column
        for column in columns
        if column.words & {"name", "fullname", "patientname", "childname"}
        and not column.words & _NOT_OF_A_PERSON
        and column.values
        and column.share(lambda v: len(normalise.name_words(v)) > 1) >= _ENOUGH
    ]
    return named if len(named) == 1 else [c for c in named if "full" in c.words or "," in c.name]


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
    [(_, most)] = Counter(column.values).most_common(1)
    if filled >= _FEWEST_ROWS and most > _MOST_OF_ONE_ID * filled:
        return f"{most:,} of {filled:,} rows have the same value."
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
            good = column.share(normalise.postcode)
            return 2 * good + named if good >= (_SOME if named else _ENOUGH) else 0
        case "date_of_birth":
            return named + 1 if named and _format_of(column.values) else 0
        case "sex":
            return named + 1 if named and column.share(normalise.sex) >= _SOME else 0
        case "given_name" | "known_as" | "surname":
            return named + 0.5 if named and column.share(normalise.name_words) >= _ENOUGH else 0
        case "birth_order":
            said = "birthorder" in column.words or {"order", "birth"} <= column.words
            said |= {"order", "delivery"} <= column.words or "rank" in column.words
            few = column.share(lambda v: v in ("1", "2", "3", "4")) >= _ENOUGH
            return 1.0 if said and few else 0.0
        case _:
            if (
                not named
                or column.words & _NOT_OF_A_PERSON
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


def _best_for(
    field: Field, free: list[_Column], common: frozenset[str]
) -> tuple[_Column, str, bool] | None:
    """The column that fits a field best, its line, and whether its header says so."""
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
    own, also = _words(field.name) - {"date", "of"}, _ALSO_CALLED.get(field.name, frozenset())
    by_name = own | also
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
        short = {"".join(part[0] for part in parts), parts[0] + "".join(p[0] for p in parts[1:])}
        score += 2.0 if len(parts) > 1 and plain in short else 0
        # Comm means communication, PersSoc means personal and social.
        starts = {w for w in column.words for part in by_name if _begins(part, w)}
        score += 2.0 if any(len(w) > 3 for w in starts) or len(starts) > 1 else 0
        score += 1.0 if len(parts[0]) > 2 and plain.startswith(parts[0]) else 0
        score += (
            0.5
            if any(w.startswith(part) and len(part) > 2 for part in column.words for w in by_name)
            else 0
        )
        distinct = {value.lower() for value in column.values}
        score += _SURE if field.codes and len(distinct) > 1 and distinct <= set(field.codes) else 0
        if (
            field.type == "month"
            and not score
            and field.required
            and not (column.words & set(_WORDS["date_of_birth"]))
        ):
            score = 0.5
        # A word that other columns have, too, is not enough: a birth location is no birth weight.
        sure = score >= _SURE and (
            score - 2.0 * len(column.words & by_name) >= _SURE
            or own <= column.words
            or bool(column.words & (own - common | also))
        )
        if score >= 0.5:
            scored.append((score, -free.index(column), column, line, sure))
    return max(scored)[2:] if scored else None


def _begins(word: str, start: str) -> bool:
    return len(start) > 2 and start != word and word.startswith(start)


def _coded_share(field: Field, column: _Column) -> float:
    table = codings()[field.coding]
    return column.share(lambda v: v.lower() in table)


def _line_for(field: Field, column: _Column) -> str | None:
    """The mapping line from the column to the field; None if the values do not fit."""
    distinct = Counter(column.values)
    if field.name == "imd_quintile" and "decile" in column.words:
        deciles = {str(decile) for decile in range(1, 11)}
        if not distinct.keys() <= deciles:
            return None
        quintiles = ", ".join(f'"{d}" = {(d + 1) // 2}' for d in range(1, 11))
        return f"{{ column = {_quote(column.name)}, codes = {{ {quintiles} }} }}"
    match field.type:
        case "month":
            return _date_line(column) if _format_of(column.values) else None
        case "integer" | "number":
            weeks = "weeks" in field.unit
            numbers = [completed_weeks(v) if weeks else v for v in column.values]
            form = r"-?\d+(\.0+)?" if field.type == "integer" else r"-?\d+(\.\d+)?"
            low, high = field.range or (-math.inf, math.inf)
            fits = [v for v in numbers if re.fullmatch(form, v)]
            good = len(fits) / len(numbers)
            inside = sum(low <= float(v) <= high for v in fits) / len(numbers)
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
    if unknown > _MOST_UNKNOWN_CODES * len(column.values) and not column.words & _words(field.name):
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
    if "row_id" in chosen:
        return [chosen["row_id"][0].name]
    taken = {column.name for name, (column, _) in chosen.items() if not name.endswith("_id")}
    candidates = [
        c
        for c in columns
        if c.name not in taken
        and len(c.values) == len(rows)
        and len(set(c.values)) == len(rows)
        and not _format_of(c.values)
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
    return [column.name for column, _ in (person, event) if column] if person and event else []


def _format_of(values: Sequence[str]) -> tuple[str, ...]:
    """The formats that fit nearly all values; () if none do.

    If both day-first and month-first could fit, some value decides. Several formats are found only
    where no date fits two of them.
    """
    sample = values[:500]
    if not sample:
        return ()
    enough = _DATES * len(sample)

    def fitting(form: str) -> frozenset[int]:
        days = [parse_date(value, (form,)) for value in sample]
        return frozenset(at for at, day in enumerate(days) if day and _is_plausible(day, form))

    fits = {form: fitting(form) for form in (*_FORMATS, EXCEL)}
    best = max(fits, key=lambda form: len(fits[form]))  # of equal ones the first
    if len(fits[best]) >= enough:
        return (best,)
    found, covered = [best], fits[best]
    for form in sorted(fits, key=lambda form: -len(fits[form])):
        if fits[form] and not fits[form] & covered:
            found.append(form)
            covered |= fits[form]
    return tuple(found) if len(covered) >= enough else ()


def _is_plausible(day: date, form: str) -> bool:
    return (_FIRST_SERIAL if form == EXCEL else _FIRST_DAY) <= day <= _LAST_DAY


def _date_line(column: _Column) -> str:
    formats = _format_of(column.values)
    said = _quote(formats[0]) if len(formats) == 1 else _toml(list(formats))
    return f"{{ column = {_quote(column.name)}, format = {said} }}"


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


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_quote, value))}]"
    return _quote(value) if isinstance(value, str) else str(value)


def _value(code: object) -> str:
    return ("true" if code else "false") if isinstance(code, bool) else _quote(str(code))
