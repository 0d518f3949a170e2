"""`map` as a conversation on a terminal: shows what was found, asks what is uncertain, and previews
rows. The answers are kept in a file, so that the conversation can be stopped and resumed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from childlink_core.errors import UserError

if TYPE_CHECKING:
    from childlink_catalogue.datasets import Dataset

    from childlink_ingest.proposing.propose import Proposal
    from childlink_ingest.proposing.recipe import Recipe

_ROWS_SHOWN: Final = 10
_CANDIDATES: Final = 12


class Answers:
    """A person's answers, by column of the contract. Each is written to the file at once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.given: dict[str, str] = {}
        with suppress(OSError, ValueError):
            self.given = dict(json.loads(file.read_text(encoding="utf-8")))

    def give(self, canonical: str, header: str) -> None:
        """Keep an answer: a header, or "" for none."""
        self.given[canonical] = header
        self._file.write_text(json.dumps(self.given, ensure_ascii=False), encoding="utf-8")

    def done(self) -> None:
        """Delete the file."""
        self._file.unlink(missing_ok=True)


def converse(
    propose: Callable[[Recipe], Proposal],
    recipe: Recipe,
    rows: Sequence[Mapping[str, str]],
    dataset: Dataset,
    answers: Answers,
) -> Proposal:
    """Ask about everything that is uncertain. `rows` are rows of the extract."""
    header = list(rows[0])
    if answers.given:
        click.echo(f"Going on with {len(answers.given)} answers from last time.")
    while True:
        proposal = propose(recipe.with_answers(answers.given))
        left = [name for name in proposal.open if name not in answers.given]
        if not left:
            break
        name = left[0]
        click.echo(f"\n{len(left)} to decide. {name}: {dataset.columns[name]}")
        answer = _ask(name, proposal, header, rows, dataset)
        under = propose(recipe.with_answers({**answers.given, name: answer}))
        if answer and answer not in under.columns.get(name, ""):
            click.echo(f"  {answer!r} cannot be {name}: {_why_not(name, answer, under)}")
            continue
        answers.give(name, answer)
    _show(proposal, rows)
    return proposal


def _why_not(name: str, header: str, proposal: Proposal) -> str:
    for question in proposal.questions:
        if question.startswith(f"{name}: {header!r}"):
            return question.removeprefix(f"{name}: {header!r} ")
    return "its values do not fit."


def _ask(
    name: str,
    proposal: Proposal,
    header: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    dataset: Dataset,
) -> str:
    from childlink_ingest.proposing.evidence import evidence

    said = next((q for q in proposal.questions if q.startswith(f"{name}: ")), "")
    if said:
        click.echo(f"  {said.removeprefix(f'{name}: ')}")
    suggested = next((h for h in header if f"'{h}'" in said), proposal.columns.get(name, ""))
    taken = {h for canonical, h in proposal.columns.items() if canonical != name}
    shown = sorted(header, key=lambda h: (h != suggested, h in taken, header.index(h)))
    shown = [h for h in shown if any(row[h] for row in rows)][:_CANDIDATES]
    for number, column in enumerate(shown, start=1):
        words = evidence([row[column] for row in rows])
        click.echo(f"  {number:3}  {column:28} {words}")
    click.echo("    0  none of them")
    needed = name in ("row_id", f"{dataset.subjects[0]}_id") or any(
        field.name == name and field.required for field in dataset.fields
    )
    default = "1" if suggested and shown and shown[0] == suggested else "" if needed else "0"
    while True:
        answer = click.prompt(
            "  Number, or the header itself", default=default or None, show_default=bool(default)
        ).strip()
        if answer == "0":
            return ""
        if answer.isdigit() and 0 < int(answer) <= len(shown):
            return shown[int(answer) - 1]
        if answer in header:
            return str(answer)
        click.echo("  That is neither a number of the list nor a header of the extract.")


def _show(proposal: Proposal, rows: Sequence[Mapping[str, str]]) -> None:
    """Show a few rows as they would be read. They are shown on this terminal only."""
    from datetime import date

    from childlink_ingest.mapping.apply import RowMapper
    from childlink_ingest.mapping.parse import parse_mapping
    from childlink_ingest.model.rows import Rejection

    try:
        mapping = parse_mapping(proposal.text, "the mapping")
    except UserError as error:
        click.echo(f"\nThe mapping is not complete: {error.render()}")
        return
    mapper = RowMapper(mapping, date.today())
    click.echo(f"\nThe first {min(_ROWS_SHOWN, len(rows))} rows, as they would be read:")
    for number, values in enumerate(rows[:_ROWS_SHOWN], start=1):
        row = mapper(number, values)
        if isinstance(row, Rejection):
            click.echo(f"  {number:3}  rejected: {row.column} {row.reason}")
            continue
        for role, person in (("child", row.child), ("adult", row.adult)):
            if person:
                born = str(person.date_of_birth or "-")
                click.echo(
                    f"  {number:3}  {role} {person.given_name or '-'} {person.surname or '-'},"
                    f" born {born}, {person.sex or '-'}, {person.postcode or '-'}"
                )
        said = ", ".join(f"{name} {value}" for name, value in row.attributes.items())
        click.echo(f"       {said}" if said else "       (no attributes)")
