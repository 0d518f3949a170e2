"""Estimates match parameters from the encodings, without known truth. Rule: arrays in, parameters
out.

Expectation-maximisation (Winkler 2000; Herzog, Scheuren & Winkler 2007, chapter 9) over the
agreement patterns of all candidate pairs. It uses the three kinds of pairs and the hidden states of
fields that `weights` describes.

Candidate pairs are not a random sample. All other pairs of records are counted as unrelated. How
often fields agree by chance is learnt from unrelated pairs with the same date of birth, because the
date is independent of the other fields.

Each share is combined with the versioned prior, which counts as a number of pairs. A small data set
therefore changes little.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from childlink_core.profiles import Profile
from numpy.typing import NDArray

from childlink_linker.matching.comparison import Indexes, observe
from childlink_linker.matching.encodings import Encodings
from childlink_linker.matching.parameters import FIELDS, KINDS, KindShares, Parameters, RoleWeights
from childlink_linker.matching.weights import (
    AGREE,
    STATES,
    UNKNOWN,
    Observed,
    Patterns,
    of_hidden,
    of_plain,
    of_states,
    patterns,
    prior_bits,
    weigh,
)

FEWEST_PAIRS: Final = 300
LARGEST_LOSS: Final = 0.01
"""Largest share of the links in use that an estimate may lose."""
_ROUNDS: Final = 40
# The prior counts as this many pairs. Chance agreement is well known in advance, so `other` has a
# large count. If pairs agree only in an address, they are more often one person under changed names
# than strangers in one house.
_LEAN: Final = {"match": 100.0, "other": 3_000.0}
# Upper limit of twin pairs for each pair of records of one child: 3% of children are twins, and
# each record of a twin is paired with each record of the other. Any further pairs that differ only
# in the given name are children whose names were changed.
_MOST_TWINS: Final = 0.06
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Refusal:
    """The estimate for a role was refused, because it would unlink pairs that the parameters in use
    link. The role keeps those parameters.
    """

    role: int
    linked: int
    """Pairs of records that the parameters in use link."""
    lost: int
    """Those of them that the estimate would not link."""


@dataclass(frozen=True)
class Estimated:
    """New parameters, and the roles whose estimate was refused because links would be lost."""

    parameters: Parameters
    refusals: Sequence[Refusal] = ()


def estimate(
    encodings: Encodings,
    left: Indexes,
    right: Indexes,
    profile: Profile,
    prior: Parameters,
    version: str,
) -> Estimated:
    """Estimate parameters from candidate pairs (left[k], right[k]): each pair that shares a token,
    once.

    A role keeps the parameters in use if its estimate would lose more than `LARGEST_LOSS` of their
    links. Little data, a lack of twins, or people without a date of birth can move the estimate
    away from all matches.
    """
    roles, refusals = {}, []
    for role, weights in prior.roles.items():
        at = np.flatnonzero((encodings.role[left] == role) & (encodings.role[right] == role))
        records = int((encodings.role == role).sum())
        outcomes = observe(encodings, left[at], right[at], profile)
        usable = ~outcomes.forbidden & ~outcomes.same_source
        each = patterns(
            Observed(**{name: codes[usable] for name, codes in vars(outcomes.observed).items()})
        )
        found = _estimate_role(each, records, weights)
        refusal = _refusal(role, each, weights, found, prior.link)
        refusals += [refusal] if refusal else []
        roles[role] = weights if refusal else found
    return Estimated(Parameters(version, prior.link, prior.review, roles), refusals)


def _refusal(
    role: int, each: Patterns, before: RoleWeights, after: RoleWeights, link: float
) -> Refusal | None:
    linked = weigh(each.observed, before).bits >= link
    lost = linked & (weigh(each.observed, after).bits < link)
    of_linked, of_lost = int(each.counts[linked].sum()), int(each.counts[lost].sum())
    return Refusal(role, of_linked, of_lost) if of_lost > LARGEST_LOSS * of_linked else None


def _estimate_role(each: Patterns, records: int, weights: RoleWeights) -> RoleWeights:
    if int(each.counts.sum()) < FEWEST_PAIRS:
        return weights
    seen, counts = each.observed, each.counts.astype(float)
    hidden = of_hidden(seen)
    beyond = records * (records - 1) / 2 - counts.sum()
    prior = weights
    for _ in range(_ROUNDS):
        kinds, states = _expect(seen, hidden, weights)
        weights = _maximise(seen, counts, kinds, states, prior, beyond)
    return weights


def _expect(seen: Observed, hidden: Floats, weights: RoleWeights) -> tuple[Floats, list[Floats]]:
    """The probability of each kind for each pattern: (patterns, kinds). And for each kind, the
    probability of each hidden state: (patterns, states).
    """
    joint, states = [], []
    for name, bits in zip(KINDS, prior_bits(weights), strict=True):
        shares: KindShares = getattr(weights, name)
        within = hidden * of_states(seen, shares)
        total = within.sum(axis=1)
        states.append(within / total[:, None])
        joint.append(total * of_plain(seen, shares) * np.exp2(bits))
    stacked = np.stack(joint, axis=1)
    return stacked / stacked.sum(axis=1, keepdims=True), states


def _maximise(
    seen: Observed,
    counts: Floats,
    kinds: Floats,
    states: list[Floats],
    prior: RoleWeights,
    beyond: float,
) -> RoleWeights:
    pairs = {name: counts * kinds[:, kind] for kind, name in enumerate(KINDS)}
    others = pairs["other"].sum() + beyond
    updated: dict[str, Any] = {}
    for kind, name in enumerate(KINDS):
        before: KindShares = getattr(prior, name)
        changes: dict[str, Any] = {}
        if name != "other":
            # One pair is added, because zero has no logarithm. Only pairs with the same date are
            # counted: other pairs become candidates only if they share a rarer token.
            same_day = pairs[name][seen.dob == AGREE].sum() + 1.0
            if name == "relative":
                same_day = min(
                    same_day, _MOST_TWINS * pairs["match"][seen.dob == AGREE].sum() + 1.0
                )
            changes["prior"] = float(np.log2(same_day / before.date[0] / others))
        changes |= _plain_shares(seen, pairs[name], before, name)
        if name == "relative":
            # Relatives share surnames and addresses as often as two records of one person do. Their
            # other shares come from demography, because there are too few relatives to learn them
            # from.
            match: KindShares = updated["match"]
            changes |= {
                what: getattr(match, what) for what in ("surname", "surname_of_newborn", "postcode")
            }
        else:
            changes |= _field_shares(seen, pairs[name], states[kind], before, name, beyond)
        updated[name] = replace(before, **changes)
    return replace(prior, **updated)


def _plain_shares(seen: Observed, pairs: Floats, before: KindShares, kind: str) -> dict[str, float]:
    """Shares of agreement in NHS number, mother and sex.

    For relatives, and for unrelated pairs except sex, the shares stay fixed: a shared number there
    is a clerical mistake and does not depend on the data set.
    """
    changes = {}
    for what in ("nhs", "mother", "sex"):
        if kind == "match" or (kind == "other" and what == "sex"):
            codes = getattr(seen, what)
            # The mother is compared only where dates of birth agree. Among matches this does not
            # select the better ones.
            known = codes != UNKNOWN
            agreeing, total = pairs[codes == AGREE].sum(), pairs[known].sum()
            changes[what] = float(
                (agreeing + _LEAN[kind] * getattr(before, what)) / (total + _LEAN[kind])
            )
    return changes


def _field_shares(
    seen: Observed, pairs: Floats, states: Floats, before: KindShares, kind: str, beyond: float
) -> dict[str, tuple[float, ...]]:
    changes = {}
    index = np.array(STATES)
    same_day = seen.dob == AGREE
    for what in ("given", "surname", "surname_of_newborn", "postcode", "date"):
        field = FIELDS.index(what.removesuffix("_of_newborn"))
        if kind == "match" and what == "date":
            # Use pairs that were found by NHS number, or by names and postcode, whatever their
            # dates. The other pairs were found by their date.
            usable = (seen.nhs == AGREE) | (seen.given_and_date != UNKNOWN)
        elif kind == "other" and what != "date":
            usable = same_day
        else:
            usable = np.ones(len(pairs), dtype=bool)
        if what in ("surname", "surname_of_newborn"):
            usable = usable & (seen.nameless == (what == "surname_of_newborn"))
        if what == "date":
            usable = usable & (seen.guessed == 0)
        usable = usable & _compared(seen, what)
        found = np.array(
            [
                (pairs[usable] * states[usable][:, index[:, field] == state].sum(axis=1)).sum()
                for state in range(3)
            ]
        )
        leant: tuple[float, float, float] = getattr(before, what)
        if kind == "other" and what == "date":
            found[2] += beyond
        share = (found + _LEAN[kind] * np.array(leant)) / (found.sum() + _LEAN[kind])
        if what == "date":
            # Most passes only tell whether dates are equal. The ratio of near to different dates
            # therefore stays as in the prior.
            rest = (1.0 - share[0]) / (1.0 - leant[0])
            share = np.array([share[0], leant[1] * rest, leant[2] * rest])
        changes[what] = tuple(float(x) for x in share)
    return changes


def _compared(seen: Observed, what: str) -> NDArray[np.bool_]:
    """Where a field was observed. Elsewhere its hidden state comes from the parameters alone and
    adds no information.
    """
    of_surname = ("names", "sounds", "part_of_surname", "surname_place", "surname")
    of_field = {
        "given": (
            "names",
            "sounds",
            "part_of_given",
            "given_place",
            "initial_place",
            "given_area",
            "given_and_date",
            "given",
        ),
        "surname": of_surname,
        "surname_of_newborn": of_surname,
        "postcode": ("place", "given_place", "initial_place", "surname_place"),
        "date": ("dob", "given_and_date", "date"),
    }
    known = np.zeros(len(seen), dtype=bool)
    for name in of_field[what]:
        known |= getattr(seen, name) != UNKNOWN
    return known
