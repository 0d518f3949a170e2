"""Chooses a column of the extract for each column of a contract.

Values decide if they can: an NHS number has a check digit, a date has a format, a coding has known
codes. Otherwise words of the header decide. No I/O.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from childlink_catalogue.catalogue import codings
from childlink_catalogue.datasets import Dataset, Field

from childlink_ingest.proposing.column_lines import (
    ENOUGH,
    ExtractColumn,
    coded_share,
    date_line,
    formats_of,
    line_for,
    quoted,
)
from childlink_ingest.proposing.header_words import (
    ALSO_CALLED,
    COMMON,
    IDENTITY_WORDS,
    RELATIONS,
    words_of,
)
from childlink_ingest.proposing.identities import find_identities, is_date_of_birth, why_no_id
from childlink_ingest.proposing.recipe import Recipe

_SURE: Final = 2.0
UNNAMED: Final = re.compile(r"column \d+")
_ALSO_AN_IDENTITY: Final = {"sex": "child_sex", "birth_date": "child_date_of_birth"}


@dataclass(frozen=True)
class Choice:
    """Which columns were chosen."""

    chosen: dict[str, tuple[ExtractColumn, str]]
    """The column and the line of each canonical column."""
    perhaps: dict[str, str]
    """Lines whose values fit, but whose header does not say so."""
    row_id: list[str]
    doubts: list[str]
    unsure: list[str]
    """Columns of the contract that were chosen, but not surely."""
    counts_rows: bool
    """Whether the row id is 1, 2, 3, ..."""


def choose(
    columns: list[ExtractColumn],
    rows: Sequence[Mapping[str, str]],
    dataset: Dataset,
    recipe: Recipe,
) -> Choice:
    """Choose columns of the extract, from their headers and from rows."""
    perhaps: dict[str, str] = {}
    unsure: list[str] = []
    chosen, refused = _by_recipe(columns, rows, dataset, recipe)
    taken = {column.name for column, _ in chosen.values()}
    free = [
        column
        for column in columns
        if not UNNAMED.fullmatch(column.name) and column.name not in taken | recipe.never
    ]
    settled = chosen.keys() | recipe.left_out
    identities, doubts = find_identities(dataset, free, rows, settled)
    doubts = [*refused, *doubts]
    for canonical, found, its_line in identities:
        chosen[canonical] = (found, its_line)
    if "adult_relation" in dataset.columns and (said := _relation(free)):
        chosen["adult_relation"] = said
        free.remove(said[0])
    words = Counter(word for field in dataset.fields for word in words_of(field.name))
    common = frozenset(word for word, count in words.items() if count > 1) | COMMON
    for field in (f for f in dataset.fields if f.name not in chosen.keys() | recipe.left_out):
        best = _best_for(field, free, common)
        # The contract also wants the sex, or the month of birth, as an attribute. The same column
        # may serve both.
        identity = chosen.get(_ALSO_AN_IDENTITY.get(field.name, ""))
        if identity and (best is None or not best[2] or field.name == "sex"):
            line = line_for(field, identity[0])
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
    return Choice(chosen, perhaps, row_id, doubts, unsure, any(counts))


def _relation(columns: Sequence[ExtractColumn]) -> tuple[ExtractColumn, str] | None:
    """The column that says what an adult is to the child."""
    for column in columns:
        if column.share(lambda v: len(v) > 1 and v.lower() in RELATIONS) >= ENOUGH:
            codes = ", ".join(
                f"{quoted(v)} = {quoted(RELATIONS.get(v.lower(), ''))}"
                for v in sorted(set(column.values))
            )
            return column, f"{{ column = {quoted(column.name)}, codes = {{ {codes} }} }}"
    return None


def _by_recipe(
    columns: Sequence[ExtractColumn],
    rows: Sequence[Mapping[str, str]],
    dataset: Dataset,
    recipe: Recipe,
) -> tuple[dict[str, tuple[ExtractColumn, str]], list[str]]:
    """What a recipe says of the columns that are there, as far as their values fit; and why ids
    were not used.
    """
    chosen: dict[str, tuple[ExtractColumn, str]] = {}
    doubts = []
    by_name = {column.name: column for column in columns}
    fields = {field.name: field for field in dataset.fields}
    for canonical, header in recipe.columns.items():
        column = by_name.get(header)
        if column is None or not column.values:
            continue
        line: str | None = quoted(header)
        if canonical in fields:
            line = line_for(fields[canonical], column)
        elif canonical.endswith("_date_of_birth"):
            line = date_line(column) if formats_of(column.values) else None
        elif canonical == "row_id":
            line = line if len(set(column.values)) == len(rows) else None
        elif canonical.endswith("_id"):
            role = canonical.removesuffix("_id")
            said = by_name.get(recipe.columns.get(f"{role}_date_of_birth", ""))
            born = said or next(
                (c for c in columns if c.role in (role, None) and is_date_of_birth(c)), None
            )
            once = role == "child" and dataset.one_row_per_child
            main = role == dataset.subjects[0]
            if why := why_no_id(column, born, rows, main=main, once=once):
                line = None
                doubts.append(f"{canonical}: {header!r} was not used: {why}")
        if line is not None:
            chosen[canonical] = column, line
    return chosen, doubts


def _best_for(
    field: Field, free: list[ExtractColumn], common: frozenset[str]
) -> tuple[ExtractColumn, str, bool] | None:
    """The column that fits a field best, its line, and whether its header says so."""
    wanted = words_of(f"{field.name} {field.title}") - {
        "of",
        "the",
        "at",
        "or",
        "a",
        "is",
        "to",
        "month",
    }
    own, also = words_of(field.name) - {"date", "of"}, ALSO_CALLED.get(field.name, frozenset())
    by_name = own | also
    scored = []
    for column in free:
        if not column.values:
            continue
        line = line_for(field, column)
        if line is None:
            continue
        score = (
            2.0 * len(column.words & by_name)
            + len(column.words & wanted)
            + (
                1.5
                if field.coding
                and field.coding in codings()
                and coded_share(field, column) >= ENOUGH
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
            and not (column.words & set(IDENTITY_WORDS["date_of_birth"]))
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


def _row_id(
    columns: Sequence[ExtractColumn],
    rows: Sequence[Mapping[str, str]],
    chosen: Mapping[str, tuple[ExtractColumn, str]],
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
        and not formats_of(c.values)
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
