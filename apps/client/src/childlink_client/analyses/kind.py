"""What a kind of analysis declares: how you ask it, which measures it fits, and how commands and
pages offer it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from childlink_client.client import Client
    from childlink_client.found import Found
    from childlink_client.questions import Question
    from childlink_client.values import Dimension, Measure

Takes = Literal[
    "measure",
    "service",
    "by",
    "several-by",
    "over",
    "for",
    "where",
    "against",
    "per",
    "missed",
    "release",
]
"""Parts of a question. `measure`, or `service` (a first service) in its place; `by` (one dimension
to break down by), `several-by` or `over` (an ordered dimension); `for` (a second dimension, whose
categories are strata); `where` (categories to keep);
`against` and `per` (another group, or another measure); `missed` (a share of missed links);
`release`.
"""


@dataclass(frozen=True)
class Kind:
    """A kind of analysis. To add one, write a file in this folder and list it in
    `analyses.KINDS`.
    """

    name: str
    """Its name as a command, in the explorer's addresses and in a report's file of questions."""
    title: str
    """Its title on pages."""
    help: str
    """Help text of its command: a sentence and an example."""
    takes: Sequence[Takes]
    fits: Callable[[Measure], bool]
    """Whether it can be asked of a measure."""
    put: Callable[[Client, Question, str], Found]
    """Asks a question of a release (its id; empty for the newest). Raises ClientError."""
    by_help: str = "A dimension to break down by."
    dimensions: Callable[[Measure], list[Dimension]] = field(default=lambda _measure: [])
    """The dimensions to offer for a single breakdown."""
    explains: Callable[[Measure], str] = field(default=lambda _measure: "")
    """Text that a page shows before the question is asked."""
