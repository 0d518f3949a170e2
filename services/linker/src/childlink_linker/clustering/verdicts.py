"""What holds of a doubtful pair after data stewards spoke. Rule: plain values."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["same", "different", "unsure", "passed"]
VERDICTS: Final[tuple[Verdict, ...]] = ("same", "different", "unsure", "passed")
# Two stewards of one mind, where a second opinion is asked for.
ENOUGH: Final = 2


@dataclass(frozen=True)
class Opinion:
    """What a steward said of a pair."""

    steward: str
    verdict: Verdict
    asks_second: bool
    """It counts only once another steward says the same."""


def standing(opinions: Sequence[Opinion]) -> Literal["same", "different"] | None:
    """What holds, of opinions that nobody took back, oldest first.

    The last word holds; who does not know, or passes, takes back what nobody else said.

    >>> standing([Opinion("A", "same", False), Opinion("B", "unsure", False)])
    'same'

    Where a second opinion was asked for, two stewards have to say the same.

    >>> standing([Opinion("A", "same", True)])
    >>> standing([Opinion("A", "same", True), Opinion("B", "same", False)])
    'same'
    >>> standing([Opinion("A", "same", True), Opinion("B", "different", False)])
    >>> standing([Opinion("A", "same", True), Opinion("B", "different", False), Opinion("C", "different", False)])
    'different'
    """  # noqa: E501
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
