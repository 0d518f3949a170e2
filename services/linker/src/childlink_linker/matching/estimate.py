"""Estimates match parameters from the encodings themselves, without truth. Rule: arrays in,
parameters out.

Expectation-maximisation (Winkler 2000; Herzog, Scheuren & Winkler 2007, chapter 9) over the
patterns of agreement of all candidate pairs, with the three kinds of pairs and the hidden states of
fields that `model` describes. Candidates are no random pairs: all other pairs of records are
counted as unrelated, and how often fields agree by chance is learnt among those who share a date of
birth, which has nothing to do with the other fields. Every share leans on the versioned prior as if
a number of pairs had been seen before, so that little data changes little.
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
"""Share of the links in use that an estimate may lose."""
_ROUNDS: Final = 40
# The prior counts as this many pairs. How often strangers agree is known well before any data: few
# pairs that agree in an address and nothing else are a person whose names were changed, not
# strangers of one house.
_LEAN: Final = {"match": 100.0, "other": 3_000.0}
# Pairs of records of twins for each pair of records of one child: 3% of children are twins, and
# each twin's records meet all of the other's. More pairs than that which differ in the given name
# alone are children whose names were changed.
_MOST_TWINS: Final = 0.06
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Refusal:
    """A role whose estimate would unlink pairs that the parameters in use link. It keeps those
    parameters.
    """

    role: int
    linked: int
    """Pairs of records that the parameters in use link."""
    lost: int
    """Of them, those that the estimate would not."""


@dataclass(frozen=True)
class Estimated:
    """Parameters, and the roles for which none were estimated because links would be lost."""

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
    """New parameters from candidate pairs (left[k], right[k]); every pair that shares a token,
    once.

    A role keeps the parameters in use where its own estimate would lose more than `LARGEST_LOSS` of
    their links: little data, no twins, or people without a date of birth can pull the estimate away
    from every match there is.
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
    """How likely each pattern is of each kind: (patterns, kinds); and, for each kind, in each
    hidden state: (patterns, states).
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
            # As if one pair of the kind had been seen: none at all has no logarithm. Counted where
            # dates agree: of the others only those are candidates that share a rarer token.
            same_day = pairs[name][seen.dob == AGREE].sum() + 1.0
            if name == "relative":
                same_day = min(
                    same_day, _MOST_TWINS * pairs["match"][seen.dob == AGREE].sum() + 1.0
                )
            changes["prior"] = float(np.log2(same_day / before.date[0] / others))
        changes |= _plain_shares(seen, pairs[name], before, name)
        if name == "relative":
            # Brothers and sisters share names and addresses as far as one person's records do; what
            # else they share is known from demography, and too few are seen to learn it.
            match: KindShares = updated["match"]
            changes |= {
                what: getattr(match, what) for what in ("surname", "surname_of_newborn", "postcode")
            }
        else:
            changes |= _field_shares(seen, pairs[name], states[kind], before, name, beyond)
        updated[name] = replace(before, **changes)
    return replace(prior, **updated)


def _plain_shares(seen: Observed, pairs: Floats, before: KindShares, kind: str) -> dict[str, float]:
    """NHS number, mother, sex: how often they agree. That strangers or relatives hold one number is
    a clerk's mistake: a constant of the number, not of a data set.
    """
    changes = {}
    for what in ("nhs", "mother", "sex"):
        if kind == "match" or (kind == "other" and what == "sex"):
            codes = getattr(seen, what)
            # Where the mother is compared, dates of birth agree: among matches that is no choice of
            # the better ones.
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
            # Of pairs that the NHS number found, or names and postcode, whatever their dates; the
            # others were found by their date.
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
            # Most passes say only whether dates are the same: how many of the others are near stays
            # as it was.
            rest = (1.0 - share[0]) / (1.0 - leant[0])
            share = np.array([share[0], leant[1] * rest, leant[2] * rest])
        changes[what] = tuple(float(x) for x in share)
    return changes


def _compared(seen: Observed, what: str) -> NDArray[np.bool_]:
    """Where anything was seen of a field: elsewhere its hidden state is what the parameters say,
    and teaches nothing.
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
