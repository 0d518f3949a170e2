"""Decides which verdict on a doubtful pair is in force. Rule: plain values."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["same", "different", "unsure", "passed"]
VERDICTS: Final[tuple[Verdict, ...]] = ("same", "different", "unsure", "passed")
Proposal = Literal["same", "different"]
PROPOSALS: Final[tuple[Proposal, ...]] = ("same", "different")
"""What a steward may propose for a whole pattern of pairs."""
# Stewards who must agree when a second opinion is requested.
ENOUGH: Final = 2


@dataclass(frozen=True)
class Opinion:
    """A steward's verdict on a pair."""

    steward: str
    verdict: Verdict
    asks_second: bool
    """It counts only after another steward agrees."""


def standing(opinions: Sequence[Opinion]) -> Literal["same", "different"] | None:
    """The verdict in force, from opinions that were not undone, oldest first.

    The latest "same" or "different" wins. "unsure" and "passed" do not cancel another steward's
    verdict.

    >>> standing([Opinion("A", "same", False), Opinion("B", "unsure", False)])
    'same'

    If a second opinion was requested, two stewards must agree:

    >>> standing([Opinion("A", "same", True)])
    >>> standing([Opinion("A", "same", True), Opinion("B", "same", False)])
    'same'
    >>> standing([Opinion("A", "same", True), Opinion("B", "different", False)])
    >>> opinions = [Opinion("A", "same", True), Opinion("B", "different", False)]
    >>> standing([*opinions, Opinion("C", "different", False)])
    'different'
    """
    last_words = {o.steward: o for o in opinions if o.verdict in ("same", "different")}
    if not last_words:
        return None
    if any(o.asks_second for o in last_words.values()):
        counted = Counter(o.verdict for o in last_words.values())
        verdict, voices = counted.most_common(1)[0]
        if voices < ENOUGH or list(counted.values()).count(voices) > 1:
            return None
    else:
        verdict = next(o.verdict for o in reversed(opinions) if o.verdict in ("same", "different"))
    return "same" if verdict == "same" else "different"
