"""What a kind of analysis tells of itself: how it is asked, of which measures, and how commands and
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

Takes = Literal["measure", "service", "by", "several-by", "over", "where", "release"]
"""Parts of a question: a measure, or a first service instead; one dimension to break down by,
several, or an ordered one; categories to keep; a release.
"""


@dataclass(frozen=True)
class Kind:
    """A kind of question. A new one is a file beside this one, and its name in `analyses.KINDS`."""

    name: str
    """As a command, an address of the explorer and a line of a report name it."""
    title: str
    """As pages call it."""
    help: str
    """Of the command: a sentence and an example."""
    takes: Sequence[Takes]
    fits: Callable[[Measure], bool]
    """Whether it can be asked of a measure."""
    put: Callable[[Client, Question, str], Found]
    """Asks a question of a release (its id, or empty for the newest). Raises ClientError."""
    by_help: str = "A dimension to break down by."
    dimensions: Callable[[Measure], list[Dimension]] = field(default=lambda _measure: [])
    """What one breakdown is chosen from."""
    explains: Callable[[Measure], str] = field(default=lambda _measure: "")
    """What a page says of it before it is asked."""
