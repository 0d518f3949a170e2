"""Figures of a measure, broken down by dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from childlink_client.analyses.kind import Kind

if TYPE_CHECKING:
    from childlink_client.answers import Answer
    from childlink_client.client import Client
    from childlink_client.questions import Question


def _put(client: Client, question: Question, release: str) -> Answer:
    return client.ask(question.measure, question.by, question.where, release)


KIND: Final = Kind(
    name="ask",
    title="Figures",
    help="Ask for a measure: childlink ask reach_children --by residence",
    takes=("measure", "several-by", "where", "release"),
    fits=lambda measure: True,
    put=_put,
)
