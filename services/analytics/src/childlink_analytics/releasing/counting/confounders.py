"""Strata of a confounder score: how likely a child was to come, given what is recorded about it.
Rule: counts in, strata out.

The propensity score of Rosenbaum & Rubin (1983), fitted without any outcome and divided into fifths
(Rosenbaum & Rubin 1984: five strata remove about nine tenths of the bias from the covariates). A
ridge penalty keeps rare categories from making the fit diverge.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

STRATA: Final = 5
_PENALTY: Final = 1.0


def strata(
    patterns: Sequence[tuple[str, ...]], engaged: Sequence[int], total: Sequence[int]
) -> list[str]:
    """The stratum of each pattern of covariates: "1" to "5", where "5" is the most likely to be
    engaged.

    Of the `total` children of each pattern, `engaged` came. Patterns with the same score are in one
    stratum.

    >>> strata([("1", "white"), ("5", "white")], [80, 10], [100, 100])
    ['4', '2']
    """
    if not patterns:
        return []
    weights = np.asarray(total, dtype=float)
    covariates = pd.get_dummies(pd.DataFrame(list(patterns)).astype(str), drop_first=True).to_numpy(
        dtype=float
    )
    design = np.column_stack([np.ones(len(patterns)), covariates])
    came = np.asarray(engaged, dtype=float)
    if came.sum() in (0.0, weights.sum()) or design.shape[1] == 1:
        return ["3"] * len(patterns)
    rate = (came.sum() / weights.sum()).clip(0.001, 0.999)
    model = GLM(np.column_stack([came, weights - came]), design, family=Binomial())
    start = np.zeros(design.shape[1])
    start[0] = np.log(rate / (1.0 - rate))
    penalty = np.full(design.shape[1], _PENALTY / weights.sum())
    penalty[0] = 0.0
    fitted = model.fit_regularized(alpha=penalty, L1_wt=0.0, start_params=start)
    score = np.round(design @ fitted.params, 6)
    order = np.argsort(score, kind="stable")
    below = np.cumsum(weights[order]) - weights[order] / 2.0
    place = np.empty(len(score))
    place[order] = below / weights.sum()
    # Patterns with the same score share the place of the middle one.
    for value in np.unique(score):
        same = score == value
        place[same] = np.average(place[same], weights=weights[same])
    return [str(1 + int(at)) for at in np.minimum(place * STRATA, STRATA - 1e-9)]
