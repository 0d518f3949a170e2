"""Another system's rule, attacked for comparison: each answer is counted live, 1 to 7 is hidden,
other counts are rounded to 5, and groupings are free.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ask = Callable[[list[int], list[int]], int | None]
"""The count of some rows and columns of a table together; None if withheld."""
Means = Callable[[int | None, int], tuple[float, float]]
"""The least and the greatest true value of an answer about this many cells."""


@dataclass
class NhsRule:
    """A table that answers any grouping of its categories from exact counts, under the rule of NHS
    England's HES tables.
    """

    counts: NDArray[np.int64]

    def ask(self, rows: list[int], columns: list[int]) -> int | None:
        """The rounded count; None for 1 to 7."""
        exact = int(self.counts[np.ix_(rows, columns)].sum())
        return None if 1 <= exact <= 7 else 5 * round(exact / 5)


def nhs_means(said: int | None, _cells: int) -> tuple[float, float]:
    """What an answer says under that rule."""
    return (1, 7) if said is None else (0, 0) if said == 0 else (max(8, said - 2), said + 2)


def recover(
    ask: Ask, means: Means, shape: tuple[int, int], questions: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The least and the greatest value of every cell: ask each cell alone, then random groups. Each
    answer bounds its cells by the possible values of the others.
    """
    rng = np.random.default_rng(1)
    asked = [([row], [column]) for row in range(shape[0]) for column in range(shape[1])]
    while len(asked) < questions:
        sizes = rng.integers(1, 4, size=2)
        asked.append(
            tuple(
                sorted(rng.choice(n, size=min(k, n), replace=False).tolist())
                for n, k in zip(shape, sizes, strict=True)
            )  # type: ignore[arg-type]
        )
    heard = []
    for rows, columns in asked:
        at = np.ix_(rows, columns)
        heard.append((at, *means(ask(rows, columns), len(rows) * len(columns))))
    low, high = np.zeros(shape), np.full(shape, 1e6)
    for _ in range(60):
        for at, least, most in heard:
            lows, highs = low[at], high[at]
            low[at] = np.maximum(lows, least - (highs.sum() - highs))
            high[at] = np.minimum(highs, most - (lows.sum() - lows))
    return low.astype(np.int64), high.astype(np.int64)
