"""The similarity of CLKs, and what it says. Rule: arrays in, arrays out.

Two CLKs are as similar as the Dice coefficient of their bits: twice the bits that both set, over
the bits that each sets (Schnell, Bachteler and Reiher 2009). anonlink calculates the same.

A similarity is one number for all fields. It cannot tell two records of one person with a slip from
two twins, so more pairs wait for a data steward than under hardened profiles.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from childlink_core.profiles import Profile
from numpy.typing import NDArray

from childlink_linker.matching.encodings import Encodings

STEPS: Final = (0.98, 0.95, 0.92, 0.90, 0.88, 0.86, 0.84, 0.82, 0.80, 0.78, 0.74, 0.70, 0.66, 0.60)
"""Where a band of similarities begins. The last band has those below all of them."""
LEVELS: Final = len(STEPS) + 2
"""Codes: 0 where there is no similarity, then one for each band, the greatest similarity first."""
LIKE_STRANGERS: Final = 0.66
"""Below it, two CLKs are as unlike as 99 of 100 pairs of strangers', and as 2 of 100 pairs of one
person's.
"""
# How often each band occurs among records of one person, of brothers and sisters, and of strangers,
# by the schema of the bundled profiles: measured on both made-up partnerships and smoothed
# (`python -m tests.bench.clk_likelihoods`). `estimate` puts a partnership's own in their place.
SHARES: Final[Mapping[str, NDArray[np.float64]]] = {
    kind: np.array([1.0, *shares])
    for kind, shares in {
        "match": (
            *(0.457, 0.090, 0.080, 0.060, 0.090, 0.025, 0.020, 0.030),
            *(0.022, 0.018, 0.020, 0.045, 0.025, 0.012, 0.006),
        ),
        "relative": (
            *(0.001, 0.001, 0.0025, 0.0025, 0.005, 0.006, 0.013, 0.028),
            *(0.036, 0.07, 0.19, 0.175, 0.12, 0.21, 0.14),
        ),
        "other": (
            *(1e-8, 3e-8, 1e-7, 4e-7, 1e-6, 2e-6, 4e-6, 6e-6),
            *(1e-5, 3.5e-5, 4e-4, 1.5e-3, 6e-3, 0.127, 0.865),
        ),
    }.items()
}
"""By code: 1 for code 0, which says nothing."""


def dice(
    encodings: Encodings, left: NDArray[np.int64], right: NDArray[np.int64], profile: Profile
) -> NDArray[np.float64]:
    """The similarity of each pair of CLKs, from 0 to 1. NaN where one has none, where their block
    tokens differ, or under a profile without CLKs.
    """
    found = np.full(len(left), np.nan)
    item = profile.clk_pass
    if item is None:
        return found
    columns = encodings.passes[item.number]
    one, other = columns.tokens[left], columns.tokens[right]
    at = np.flatnonzero((one > 0) & (one == other))
    a, b = columns.filters[left[at]], columns.filters[right[at]]
    both = np.bitwise_count(a & b).sum(axis=1, dtype=np.int64)
    each = np.bitwise_count(a).sum(axis=1, dtype=np.int64)
    each += np.bitwise_count(b).sum(axis=1, dtype=np.int64)
    found[at] = 2.0 * both / np.maximum(each, 1)
    return found


def codes_of(similarities: NDArray[np.float64]) -> NDArray[np.int8]:
    """The band of each similarity; 0 where there is none.

    >>> codes_of(np.array([np.nan, 0.5, 0.6, 0.97, 0.98])).tolist()
    [0, 15, 14, 2, 1]
    """
    bands = LEVELS - 1 - np.searchsorted(STEPS[::-1], np.nan_to_num(similarities), side="right")
    return np.where(np.isnan(similarities), 0, bands).astype(np.int8)


def in_words(code: int) -> str:
    """A band in words.

    >>> in_words(1), in_words(2), in_words(15)
    ('0.98 or more', '0.95 to 0.98', 'below 0.60')
    """
    if code == 1:
        return f"{STEPS[0]:.2f} or more"
    if code == len(STEPS) + 1:
        return f"below {STEPS[-1]:.2f}"
    return f"{STEPS[code - 1]:.2f} to {STEPS[code - 2]:.2f}"
