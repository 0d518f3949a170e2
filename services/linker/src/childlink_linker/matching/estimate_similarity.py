"""Estimates what a similarity of CLKs says in one partnership. Rule: arrays in, parameters out.

A source rarely holds a person twice, so the pairs inside sources show how alike other people's CLKs
are. What pairs across sources have beyond that are pairs of one person. Both are counted among
candidate pairs only. Blocking finds pairs of one similarity equally often inside and across, so it
does not change the odds. More alike never counts for less.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from childlink_linker.matching.parameters import RoleWeights, Thresholds
from childlink_linker.matching.similarity import SHARES, STEPS

# The prior counts as this many pairs of strangers, and of records of one person.
_LEAN_OTHER: Final = 100_000.0
_LEAN_MATCH: Final = 50.0
_FEWEST_TWINS: Final = 0.25
"""At least this part of the prior's share of relatives stays: sources may each hold one of two
twins, and then none of them shows that there are twins.
"""
_LIKE_TWINS: Final = np.array([0.82 <= step < 0.92 for step in STEPS] + [False])
_MOST_BITS: Final = 2.0
Floats = NDArray[np.float64]


def with_similarities(
    weights: RoleWeights, across: Floats, inside: Floats, pairs_across: float, pairs_inside: float
) -> RoleWeights:
    """The weights with estimated shares of each band. `across` and `inside` are counts by code,
    `pairs_across` and `pairs_inside` the numbers of all pairs.
    """
    prior = {kind: SHARES[kind][1:] for kind in ("match", "relative", "other")}
    other = (inside[1:] + _LEAN_OTHER * prior["other"]) / (pairs_inside + _LEAN_OTHER)
    excess = np.maximum(across[1:] - other * pairs_across, 0.0)
    scale = 2.0**weights.match.prior * pairs_across
    match = (excess + _LEAN_MATCH * prior["match"]) / (scale + _LEAN_MATCH)
    odds = np.maximum.accumulate((match / other)[::-1])[::-1]
    # Brothers, sisters and twins inside sources are among the others already. Those whom no source
    # holds together are not, so some stay.
    expected = 2.0**weights.relative.prior * pairs_inside * prior["relative"]
    seen = inside[1:].sum(where=_LIKE_TWINS) / max(expected.sum(where=_LIKE_TWINS), 1.0)
    relatives = prior["relative"] * np.clip(seen, _FEWEST_TWINS, 1.0)
    return replace(
        weights,
        relative=replace(weights.relative, similarity=tuple(relatives)),
        match=replace(weights.match, similarity=tuple(odds * other)),
        other=replace(weights.other, similarity=tuple(other)),
    )


def bits_of_overlap(weights: RoleWeights, sizes: NDArray[np.int64]) -> float:
    """How much less evidence is enough because sources overlap, in bits. `sizes` are the numbers of
    records of the sources.

    If a share f of the people of two sources is in both, a record's best candidate is another
    person's with probability 1 - f at most, not as often as any pair. A weight leaves that out,
    and a similarity has too little evidence to do without.
    """
    pairs = np.multiply.outer(sizes.astype(float), sizes)
    least = np.minimum.outer(sizes, sizes)
    across = ~np.eye(len(sizes), dtype=bool)
    most = float(least[across].sum())
    if most == 0:
        return 0.0
    matches = sum(weights.match.similarity) * 2.0**weights.match.prior * float(pairs[across].sum())
    return float(min(-np.log2(max(1.0 - matches / most, 2.0**-_MOST_BITS)), _MOST_BITS))


def lowered(thresholds: Thresholds, bits: float) -> Thresholds:
    """The thresholds, so many bits lower."""
    return Thresholds(thresholds.link - bits, thresholds.alone - bits, thresholds.review - bits)
