"""Finds the columns that say who a row is about: ids, names, dates of birth, numbers. No I/O."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from childlink_catalogue.datasets import Dataset

from childlink_ingest.proposing.column_lines import (
    ENOUGH,
    ExtractColumn,
    date_line,
    formats_of,
    quoted,
)
from childlink_ingest.proposing.header_words import (
    IDENTITY_WORDS,
    NOT_OF_A_PERSON,
    PERSON_WORDS,
    ROW_WORDS,
)
from childlink_ingest.standardise import normalise

_FILLED: Final = 0.95
_UNIQUE: Final = 0.98
_DATES_OF_ONE: Final = 3
_SOME: Final = 0.3
"""Of a column whose header says what it is, this share of values is enough."""
_FEWEST_ROWS: Final = 20
_MOST_OF_ONE_ID: Final = 0.3
_SURELY: Final = frozenset({"upn", "uln", "mrn", "chi", "nhi", "hospital"})
"""Words of numbers that only a person has."""
_LEAST_SCORES: Final = {"id": 0.3}


def is_date_of_birth(column: ExtractColumn) -> bool:
    """Whether a column is one of dates of birth, by its header and values."""
    return bool(column.words & set(IDENTITY_WORDS["date_of_birth"]) and formats_of(column.values))


def find_identities(
    dataset: Dataset,
    free: list[ExtractColumn],
    rows: Sequence[Mapping[str, str]],
    settled: Collection[str],
) -> tuple[list[tuple[str, ExtractColumn, str]], list[str]]:
    """Find the identity columns and take them out of `free`.

    Also returns why columns named like an id were not used as one.
    """
    found: list[tuple[str, ExtractColumn, str]] = []
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
            others = [c for c in likely if c is not best and kind == "id" and _is_code(c)]
            rival = max(others, key=lambda c: _identity_score(kind, c), default=None)
            if rival and not best.words & (PERSON_WORDS | _SURELY):
                doubts.append(
                    f"{role}_id: is it {best.name!r}, or {rival.name!r}? It must be the {role}'s"
                    " own, and the same in every extract."
                )
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
                line = f'{{ column = [{quoted(best.name)}, {quoted(more.name)}], join = " " }}'
            found.append((f"{role}_{kind}", best, line))
        named = any(name.endswith("name") for name in (*settled, *(c for c, *_ in found)))
        whole = [] if named else _whole_names(mine)
        for column in whole[:1]:
            mine.remove(column)
            free.remove(column)
            comma = column.share(lambda v: "," in v) >= ENOUGH
            at, given, surname = ('","', 2, 1) if comma else ('"last space"', 1, 2)
            split = "{{ column = {}, split = {{ at = {}, part = {} }} }}".format
            for name, part in (("given_name", given), ("surname", surname)):
                found.append((f"{role}_{name}", column, split(quoted(column.name), at, part)))
            if not comma:
                doubts.append(
                    f"{role}_given_name and {role}_surname: {column.name!r} is split at its last"
                    " space. Is the surname the last word?"
                )
    return found, doubts


def _middle_names(columns: Sequence[ExtractColumn]) -> ExtractColumn | None:
    """The column of further given names."""
    for column in columns:
        further = {"middle", "middlename", "middlenames"} & column.words
        other = {"other", "names"} <= column.words or {"second", "name"} <= column.words
        if (further or other) and column.share(normalise.name_words) >= ENOUGH:
            return column
    return None


def _whole_names(columns: Sequence[ExtractColumn]) -> list[ExtractColumn]:
    """Columns that hold whole names. If there are several, their headers must say so."""
    named = [
        column
        for column in columns
        if column.words & {"name", "fullname", "patientname", "childname"}
        and not column.words & NOT_OF_A_PERSON
        and column.values
        and column.share(lambda v: len(normalise.name_words(v)) > 1) >= ENOUGH
    ]
    return named if len(named) == 1 else [c for c in named if "full" in c.words or "," in c.name]


def _ids(
    role: str,
    columns: Sequence[ExtractColumn],
    found: Sequence[tuple[str, ExtractColumn, str]],
    rows: Sequence[Mapping[str, str]],
    dataset: Dataset,
) -> tuple[list[ExtractColumn], list[str]]:
    """The columns that could be ids of a role's people.

    Also returns why other columns named like an id could not.
    """
    born = next(
        (column for canonical, column, _ in found if canonical == f"{role}_date_of_birth"), None
    )
    # Where a row may be about a child or an adult alone, either id is missing in many.
    main, once = len(dataset.subjects) == 1, role == "child" and dataset.one_row_per_child
    why = {column.name: why_no_id(column, born, rows, main=main, once=once) for column in columns}
    refused = [
        f"{role}_id: {column.name!r} was not used: {why[column.name]}"
        for column in columns
        if why[column.name] and column.words & set(IDENTITY_WORDS["id"])
    ]
    return [column for column in columns if not why[column.name]], refused


def why_no_id(
    column: ExtractColumn,
    born: ExtractColumn | None,
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


def _identity_score(kind: str, column: ExtractColumn) -> float:
    named = 1.0 if column.words & set(IDENTITY_WORDS.get(kind, ())) else 0.0
    match kind:
        case "nhs_number":
            return (
                2 * column.share(normalise.nhs_number) + named
                if column.share(normalise.nhs_number) >= ENOUGH or (named and not column.values)
                else 0
            )
        case "nhs_number_status":
            said = {"nhs", "status"} <= column.words or column.words >= {"number", "status"}
            known = column.share(lambda v: normalise.is_untraced(v) is not None)
            return 1.0 if said and column.values and known >= ENOUGH else 0.0
        case "postcode":
            good = column.share(normalise.postcode)
            return 2 * good + named if good >= (_SOME if named else ENOUGH) else 0
        case "date_of_birth":
            return named + 1 if named and formats_of(column.values) else 0
        case "sex":
            return named + 1 if named and column.share(normalise.sex) >= _SOME else 0
        case "given_name" | "known_as" | "surname":
            return named + 0.5 if named and column.share(normalise.name_words) >= ENOUGH else 0
        case "birth_order":
            said = "birthorder" in column.words or {"order", "birth"} <= column.words
            said |= {"order", "delivery"} <= column.words or "rank" in column.words
            few = column.share(lambda v: v in ("1", "2", "3", "4")) >= ENOUGH
            return 1.0 if said and few else 0.0
        case _:
            bare = column.words <= PERSON_WORDS and _is_code(column)
            named = 1.0 if named or bare else 0.0
            if (
                not named
                or column.words & NOT_OF_A_PERSON
                or formats_of(column.values)
                or column.share(normalise.nhs_number) >= ENOUGH
            ):
                return 0
            # An id is one word. It repeats if a person has several rows.
            return (
                named
                + (0.5 if column.role or column.words & PERSON_WORDS else 0)
                + (0.2 if column.words & {"id", "identifier"} else 0)
                - 0.7 * bool(column.words & ROW_WORDS)
            )


def _is_code(column: ExtractColumn) -> bool:
    """Whether a column's values look like ids: one word with a digit, nearly all different."""
    different = len(set(column.values)) >= _UNIQUE * len(column.values)
    code = column.share(lambda v: len(v.split()) == 1 and any(c.isdigit() for c in v))
    return bool(
        column.values
        and different
        and code >= ENOUGH
        and not formats_of(column.values)
        and column.share(normalise.nhs_number) < ENOUGH
        and column.share(normalise.postcode) < ENOUGH
    )


def _identity_line(kind: str, column: ExtractColumn) -> str:
    if kind == "date_of_birth":
        return date_line(column)
    return quoted(column.name)
