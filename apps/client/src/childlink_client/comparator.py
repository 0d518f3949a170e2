"""One group's composition compared with that of all: for example the children of one service beside
the children of any service.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from childlink_client.answers import Answer
from childlink_client.client import Client
from childlink_client.errors import ClientError
from childlink_client.questions import Question
from childlink_client.shown import none_shown
from childlink_client.values import Cell, Dimension

_WHOSE: Final = "whose"
_OF: Final = "of"
_ALL: Final = "all"
_NOTE: Final = (
    "Percentages are calculated from protected counts. In a group of fewer than 200 people, a"
    " difference of a few percentage points is not meaningful."
)


def compare_with_all(client: Client, question: Question, release: str) -> Answer:
    """Ask for the group in `where` and for all, each in percent of its own total, by one dimension.
    Raises ClientError.
    """
    if len(question.by) != 1 or [len(kept) for kept in question.where.values()] != [1]:
        raise ClientError(
            f'{question.measure}, kind "beside": give one dimension in `by`, and in `where` one'
            " dimension with one category."
        )
    [name] = question.by
    parts = {_OF: question.where, _ALL: {}}
    answers = {
        whose: client.ask(question.measure, question.by, where, release)
        for whose, where in parts.items()
    }
    totals = {
        whose: client.ask(question.measure, (), where, release).cells[0].count
        for whose, where in parts.items()
    }
    measure = answers[_ALL].measure
    [kept] = [
        measure.dimensions[key].categories[value]
        for key, values in question.where.items()
        for value in values
    ]
    titles = {
        _OF: kept,
        _ALL: f"All {', '.join(measure.dimensions[key].title.lower() for key in question.where)}s",
    }
    # A measure of this shape can be drawn, tabulated and described like any other.
    shaped = replace(
        measure,
        estimate="share",
        dimensions={**measure.dimensions, _WHOSE: Dimension(_WHOSE, "Group", titles)},
    )
    cells = [
        _share(answers[whose].cell(category), totals[whose], (category, whose))
        for category in measure.dimensions[name].categories
        for whose in parts
    ]
    notes = (*answers[_OF].notes, _NOTE)
    return Answer(answers[_ALL].release, shaped, (name, _WHOSE), tuple(cells), notes)


def describe_comparator(answer: Answer) -> str:
    """Describe where the two differ most, above and below."""
    found: dict[str, Mapping[str, Cell]] = {}
    for cell in answer.cells:
        found[cell.categories[0]] = {**found.get(cell.categories[0], {}), cell.categories[1]: cell}
    apart = {
        category: pair[_OF].estimate - pair[_ALL].estimate  # type: ignore[operator]
        for category, pair in found.items()
        if all(cell.estimate is not None for cell in pair.values())
    }
    if not apart:
        return none_shown(cell.estimate_withheld for cell in answer.cells if cell.estimate is None)
    dimension, whose = (answer.measure.dimensions[name] for name in answer.by)
    more, less = max(apart, key=apart.__getitem__), min(apart, key=apart.__getitem__)

    def said(category: str) -> str:
        title = dimension.categories[category]
        named = f"{dimension.title.lower()} {title}" if title[:1].isdigit() else title
        of, of_all = (found[category][name].estimate_text("share") for name in (_OF, _ALL))
        return (
            f"{named} ({of} of {whose.categories[_OF]}, {of_all} of"
            f" {whose.categories[_ALL].lower()})"
        )

    if more == less:
        return f"{said(more)}."
    return f"Furthest above: {said(more)}. Furthest below: {said(less)}."


def _share(cell: Cell, total: int | None, categories: tuple[str, ...]) -> Cell:
    withheld = cell.count_withheld or ("" if total else "group too small")
    share = cell.count / total if cell.count is not None and total else None
    return Cell(
        categories, cell.count, cell.count_withheld, share, "" if share is not None else withheld
    )
