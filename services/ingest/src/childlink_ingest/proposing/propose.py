"""Proposes a mapping from an extract's headers and values, for a person to correct.

What is uncertain becomes a question, not a guess. No I/O.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from childlink_catalogue.datasets import Dataset, identity_fields

from childlink_ingest.mapping.dates import parse_date
from childlink_ingest.proposing.choose import UNNAMED, Choice, choose
from childlink_ingest.proposing.column_lines import ExtractColumn, as_toml, formats_of, quoted
from childlink_ingest.proposing.header_words import words_of
from childlink_ingest.proposing.recipe import NO_RECIPE, Recipe

_MANY_TIMES: Final = 6.0
_NOT_ATTRIBUTE: Final = frozenset({"deleted", "adult_relation"})


@dataclass(frozen=True)
class Proposal:
    """The text of a mapping file, and the open questions."""

    text: str
    questions: list[str]
    open: list[str]
    """Columns of the contract that a person should decide."""
    columns: dict[str, str]
    """Headers that were chosen, by column of the contract."""


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
        ExtractColumn(name, words_of(name), [v for row in rows if (v := row[name].strip())])
        for name in header
    ]
    choice = choose(columns, rows, dataset, recipe)
    used = {column.name for column, _ in choice.chosen.values()} | set(choice.row_id)
    ignored = [name for name in header if name not in used and not UNNAMED.fullmatch(name)]
    questions = list(choice.doubts)
    lines = [
        (
            f"# Proposed by `childlink-ingest map` from {len(rows):,} rows. A person must correct"
            " and approve it."
        ),
        *([f"# Recognised as: {recipe.name} ({recipe.source})."] if recipe.name else []),
        f'dataset = "{dataset.name}"',
        *(f"{name} = {as_toml(value)}" for name, value in options.items()),
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
        f"ignore = [{', '.join(map(quoted, ignored))}]",
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


def _open(choice: Choice, dataset: Dataset, recipe: Recipe) -> list[str]:
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


def _lines_of_columns(choice: Choice, dataset: Dataset) -> tuple[list[str], list[str]]:
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
            lines.append(f"row_id = {quoted(one)}")
            if choice.counts_rows:
                questions.append(
                    f"row_id: {one!r} counts the rows. Does a row keep its number in later"
                    " extracts?"
                )
        case several:
            lines.append(f"row_id = {{ column = [{', '.join(map(quoted, several))}] }}")
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
    choice: Choice, rows: Sequence[Mapping[str, str]], odd: Sequence[Mapping[str, str]]
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
                [f"where = [{{ column = {quoted(column.name)}, filled = true }}]"],
                [f"{few} Rows without {column.name!r} are left out. Is that right?"],
            )
    return [], [f"{few} Leave them out with `where`."]


def _for_default_dates(choice: Choice) -> tuple[list[str], list[str]]:
    days = _default_dates(
        [
            column
            for canonical, (column, _) in choice.chosen.items()
            if canonical.endswith("_date_of_birth")
        ]
    )
    return (
        [
            f"default_dates = [{quoted(day)}]   # far too many births for one day: they count for"
            " less"
            for day in days
        ],
        [
            f"Many people are born on {day} (month-day). Does the source use it for unknown dates?"
            for day in days
        ],
    )


def _default_dates(columns: Sequence[ExtractColumn]) -> list[str]:
    """The most frequent birthday, as MM-DD, if it is far more frequent than a day's share.

    A source may write such a birthday for unknown dates.
    """
    days: Counter[str] = Counter()
    for column in columns:
        form = formats_of(column.values)
        born = [parse_date(value, form) for value in column.values] if form else []
        days.update(f"{day:%m-%d}" for day in born if day)
    least = max(10.0, _MANY_TIMES * days.total() / 365)
    return [day for day, count in days.most_common(1) if count >= least]
