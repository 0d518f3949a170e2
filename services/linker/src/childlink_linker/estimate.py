"""Estimates match parameters from the encodings themselves, without truth. Rule: arrays in, parameters out.

Expectation-maximisation of the Fellegi-Sunter model (Winkler 2000; Herzog, Scheuren & Winkler 2007, chapter 9), block by
block of token: among pairs that agree on a pass's token, the levels of similarity and the NHS number token are independent
given match status. The rest follows from counts: how many random pairs are matches, and how often they agree by chance.
Where there are few pairs, the versioned prior stays.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from childlink_core.profiles import Profile
from numpy.typing import NDArray

from childlink_linker.compare import AGREE, DOB_PASS, NAME_PASS, UNKNOWN, Encodings, Indexes, Outcomes, level, observe
from childlink_linker.parameters import Parameters, PassWeights, RoleWeights

FEWEST_PAIRS: Final = 300
_ROUNDS: Final = 50
_LARGEST_LEVEL_WEIGHT: Final = 11.0
# Two people hold one NHS number only by a clerk's mistake: a constant of the number, not of a data set.
_CHANCE_SHARED_NHS_NUMBER: Final = 2.0**-21


@dataclass(frozen=True)
class _Fit:
    """A two-class mixture of the pairs that agree on one token."""

    matches: float
    others: float
    full: NDArray[np.float64]
    partial: NDArray[np.float64]
    nhs_agree_given_match: float


def estimate(
    encodings: Encodings, left: Indexes, right: Indexes, profile: Profile, prior: Parameters, version: str
) -> Parameters:
    """New parameters from candidate pairs (left[k], right[k]); every pair that shares a token, once."""
    roles = {}
    for role, weights in prior.roles.items():
        at = np.flatnonzero((encodings.role[left] == role) & (encodings.role[right] == role))
        records = int((encodings.role == role).sum())
        roles[role] = _estimate_role(observe(encodings, left[at], right[at], profile), records, weights)
    return Parameters(version, prior.link, prior.review, roles)


def _estimate_role(outcomes: Outcomes, records: int, weights: RoleWeights) -> RoleWeights:
    usable = ~outcomes.forbidden & ~outcomes.same_source
    dob = outcomes.passes[DOB_PASS]
    blocks = usable & (dob.state == AGREE)
    if int(blocks.sum()) < FEWEST_PAIRS:
        return weights
    fit = _fit(outcomes, DOB_PASS, blocks, weights, weights.prior + weights.passes[DOB_PASS].agree)
    with_number = usable & (outcomes.nhs == AGREE) & (dob.state != UNKNOWN)
    m_dob = _share(int((with_number & (dob.state == AGREE)).sum()), int(with_number.sum()), likely=0.995)
    pairs = records * (records - 1) / 2
    matches = fit.matches / m_dob
    u_dob = fit.others / (pairs - matches)
    base = np.log2(matches / (pairs - matches))
    m_nhs = fit.nhs_agree_given_match
    passes = dict(weights.passes)
    passes[DOB_PASS] = _replaced(
        weights.passes[DOB_PASS], fit, np.log2(m_dob / u_dob), np.log2((1 - m_dob) / (1 - u_dob))
    )
    updated = replace(
        weights,
        prior=float(base),
        nhs_agree=float(np.log2(m_nhs / _CHANCE_SHARED_NHS_NUMBER)),
        nhs_disagree=float(np.log2(1 - m_nhs)),
        passes=passes,
    )
    for number, item in weights.passes.items():
        if number == DOB_PASS:
            continue
        agreeing = usable & (outcomes.passes[number].state == AGREE)
        if int(agreeing.sum()) < FEWEST_PAIRS:
            continue
        # What is known of such pairs beside the pass: the name pass is looked at where dates differ, others where they agree.
        beside = updated.prior + (passes[DOB_PASS].disagree if number == NAME_PASS else passes[DOB_PASS].agree)
        other = _fit(outcomes, number, agreeing, updated, beside + item.agree)
        passes[number] = _replaced(
            item, other, float(np.clip(np.log2(other.matches / other.others) - beside, 0, 16)), item.disagree
        )
    return updated


def _fit(outcomes: Outcomes, number: int, among: NDArray[np.bool_], weights: RoleWeights, start: float) -> _Fit:
    """EM over the levels of one pass and the NHS number token, among pairs that agree on the pass's token."""
    item = weights.passes[number]
    outcome = outcomes.passes[number]
    at = np.flatnonzero(among)
    levels, full, nhs = level(outcome, item)[at], outcome.full[at], outcomes.nhs[at]
    bits = {True: np.asarray(item.full, dtype=float), False: np.asarray(item.partial, dtype=float)}
    odds, nhs_bits = start, np.array([0.0, weights.nhs_agree, weights.nhs_disagree])
    agree_given_match = 0.995
    share = np.zeros(len(at))
    for _ in range(_ROUNDS):
        total = odds + np.where(full, bits[True][levels], bits[False][levels]) + nhs_bits[nhs]
        share = 1.0 / (1.0 + np.exp2(-np.clip(total, -60, 60)))
        odds = float(np.log2((share.sum() + 1) / ((1 - share).sum() + 1)))
        known = nhs != UNKNOWN
        agree_given_match = _share(float(share[known & (nhs == AGREE)].sum()), float(share[known].sum()), likely=0.995)
        agree_given_other = _share(
            float((1 - share)[known & (nhs == AGREE)].sum()), float((1 - share)[known].sum()), likely=1e-4
        )
        nhs_bits = np.log2(
            [1.0, agree_given_match / agree_given_other, (1 - agree_given_match) / (1 - agree_given_other)]
        )
        for kind in (True, False):
            if int((full == kind).sum()) >= FEWEST_PAIRS:
                bits[kind] = _level_bits(levels[full == kind], share[full == kind], len(item.full), bits[kind])
    return _Fit(float(share.sum()), float((1 - share).sum()) + 1, bits[True], bits[False], agree_given_match)


def _level_bits(
    levels: Indexes, share: NDArray[np.float64], size: int, before: NDArray[np.float64]
) -> NDArray[np.float64]:
    """log2(m/u) of each level, never falling with similarity. Levels that hardly occur lean on the weight before."""
    m = np.bincount(levels, weights=share, minlength=size)
    u = np.bincount(levels, weights=1 - share, minlength=size)
    lean = 4.0
    ratio = np.exp2(np.clip(before, -_LARGEST_LEVEL_WEIGHT, _LARGEST_LEVEL_WEIGHT))
    lean_m, lean_u = ratio / (1 + ratio), 1 / (1 + ratio)
    m_share = (m + lean * lean_m / lean_m.sum()) / (m.sum() + lean)
    u_share = (u + lean * lean_u / lean_u.sum()) / (u.sum() + lean)
    return np.clip(np.maximum.accumulate(np.log2(m_share / u_share)), -_LARGEST_LEVEL_WEIGHT, _LARGEST_LEVEL_WEIGHT)


def _replaced(item: PassWeights, fit: _Fit, agree: float, disagree: float) -> PassWeights:
    return replace(
        item, agree=float(agree), disagree=float(disagree),
        full=tuple(float(x) for x in fit.full), partial=tuple(float(x) for x in fit.partial),
    )  # fmt: skip


def _share(part: float, whole: float, likely: float) -> float:
    """A share that leans on a likely value as if 200 cases had been seen before, so that it is never 0 or 1."""
    return (part + 200 * likely) / (whole + 200)
