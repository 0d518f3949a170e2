"""Estimates match parameters from the encodings, without known truth. Rule: arrays in, parameters
out.

Expectation-maximisation (Winkler 2000; Herzog, Scheuren & Winkler 2007, chapter 9) over the
agreement patterns of all candidate pairs. It uses the three kinds of pairs and the hidden states of
fields that `weights` describes.

Candidate pairs are not a random sample. All other pairs of records are counted as unrelated. How
often fields agree by chance is learnt from unrelated pairs with the same date of birth, because the
date is independent of the other fields.

A source rarely holds a person twice. The pairs inside a source therefore show what other people
have in common, and how many of them are twins. Pairs across sources cannot show that: a twin and a
child with a new name look the same there.

Each share is combined with the versioned prior, which counts as a number of pairs. A small data set
therefore changes little.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from childlink_core.profiles import Profile
from numpy.typing import NDArray

from childlink_linker.matching.blocking import DOB_PASS
from childlink_linker.matching.comparison import Indexes, observe
from childlink_linker.matching.encodings import Encodings
from childlink_linker.matching.estimate_similarity import (
    bits_of_overlap,
    lowered,
    with_similarities,
)
from childlink_linker.matching.parameters import (
    FIELDS,
    KINDS,
    KindShares,
    Parameters,
    RoleWeights,
    Shares,
    Thresholds,
)
from childlink_linker.matching.similarity import LEVELS
from childlink_linker.matching.weights import (
    AGREE,
    DISAGREE,
    EXACT,
    STATES,
    UNKNOWN,
    Observed,
    of_hidden,
    of_kind,
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
# How many records the share of twins in the prior counts for.
_RECORDS_OF_PRIOR: Final = 1_000.0
# How many pairs of one person the prior of `same_source` counts for.
_MATCHES_OF_PRIOR: Final = 100.0
# An estimate keeps at least this part of the prior's share of twins. Sources may each hold one of
# two twins, and then none of them shows that there are twins.
_FEWEST_TWINS: Final = 0.5
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Account:
    """What an estimate would change for a role, in pairs of records from different sources."""

    role: int
    linked: tuple[int, int]
    """Pairs at or above the threshold `link`: with the parameters in use, with the estimate."""
    waiting: tuple[int, int]
    """Pairs between `review` and `link`, likewise. Clustering decides many of them, so fewer wait
    in the end.
    """
    matches: int
    """Pairs that are expected to be one person, by the estimate."""
    twins_at_least: bool
    """The share of twins is the least that an estimate may have. The sources show fewer."""


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
    accounts: Sequence[Account] = ()


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
    roles, refusals, accounts = {}, [], []
    overlaps: list[float] = []
    dates = encodings.passes[
        DOB_PASS if profile.clk_pass is None else profile.clk_pass.number
    ].tokens
    for role, weights in prior.roles.items():
        at = np.flatnonzero((encodings.role[left] == role) & (encodings.role[right] == role))
        of_role = encodings.role == role
        records = _Records.of(encodings.source[of_role], dates[of_role])
        outcomes = observe(encodings, left[at], right[at], profile)
        inside = outcomes.same_source
        across = _Sample.of(outcomes.observed, ~inside & ~outcomes.forbidden)
        own = _Sample.of(outcomes.observed, inside & (~outcomes.forbidden | outcomes.co_twins))
        if profile.clk_pass:
            found = with_similarities(
                weights,
                _by_similarity(across),
                _by_similarity(own),
                records.pairs - records.pairs_inside,
                records.pairs_inside,
            )
            if len(at):
                overlaps.append(bits_of_overlap(found, records.sizes))
        else:
            found = _estimate_role(across, own, records, weights)
        refusal = _refusal(role, across, weights, found, prior.thresholds.link)
        refusals += [refusal] if refusal else []
        accounts.append(_account(role, across, weights, found, prior.thresholds))
        roles[role] = weights if refusal else found
    thresholds = lowered(prior.thresholds, min(overlaps, default=0.0))
    return Estimated(Parameters(version, thresholds, roles), refusals, accounts)


def _by_similarity(sample: "_Sample") -> Floats:
    counts: Floats = np.bincount(sample.seen.similarity, sample.counts, LEVELS).astype(float)
    return counts


def _account(
    role: int, sample: "_Sample", before: RoleWeights, after: RoleWeights, at: Thresholds
) -> Account:
    old, new = (weigh(sample.seen, weights).bits for weights in (before, after))

    def pairs(least: float, most: float) -> tuple[int, int]:
        of_old, of_new = (
            int(sample.counts[(bits >= least) & (bits < most)].sum()) for bits in (old, new)
        )
        return of_old, of_new

    expected = (sample.counts / (1.0 + np.exp2(-new)))[np.isfinite(new)].sum()
    return Account(
        role,
        pairs(at.link, np.inf),
        pairs(at.review, at.link),
        round(float(expected)),
        twins_of(after) <= twins_of(before) * _FEWEST_TWINS * 1.001,
    )


def _refusal(
    role: int, sample: "_Sample", before: RoleWeights, after: RoleWeights, link: float
) -> Refusal | None:
    linked = weigh(sample.seen, before).bits >= link
    lost = linked & (weigh(sample.seen, after).bits < link)
    of_linked, of_lost = int(sample.counts[linked].sum()), int(sample.counts[lost].sum())
    return Refusal(role, of_linked, of_lost) if of_lost > LARGEST_LOSS * of_linked else None


@dataclass(frozen=True)
class _Records:
    """How many records and pairs of records a role has."""

    pairs: float
    pairs_inside: float
    """Pairs inside one source."""
    dated: int
    """Records with a date of birth."""
    sizes: NDArray[np.int64]
    """Records of each source."""

    @classmethod
    def of(cls, sources: NDArray[np.uint32], dates: NDArray[np.uint64]) -> "_Records":
        _, sizes = np.unique(sources, return_counts=True)
        size = len(sources)
        inside = float((sizes * (sizes - 1.0) / 2.0).sum())
        return cls(size * (size - 1) / 2, inside, int((dates > 0).sum()), sizes)


@dataclass(frozen=True)
class _Sample:
    """Pairs as patterns, with the likelihood of each pattern under each hidden state."""

    seen: Observed
    counts: Floats
    hidden: Floats

    @classmethod
    def of(cls, observed: Observed, at: NDArray[np.bool_]) -> "_Sample":
        each = patterns(Observed(**{name: codes[at] for name, codes in vars(observed).items()}))
        return cls(each.observed, each.counts.astype(float), of_hidden(each.observed))

    @property
    def same_day(self) -> NDArray[np.bool_]:
        """Which pairs have one date of birth."""
        found: NDArray[np.bool_] = self.seen.dob == AGREE
        return found


@dataclass(frozen=True)
class _Expected:
    """A sample with the expected number of pairs of each kind, and the probability of each hidden
    state within a kind: (patterns, states).
    """

    sample: _Sample
    pairs: Mapping[str, Floats]
    states: Mapping[str, Floats]

    def same_day(self, kind: str) -> float:
        """Expected pairs of a kind with the same date of birth."""
        return float(self.pairs[kind][self.sample.same_day].sum())


def _estimate_role(
    across: _Sample, own: _Sample, records: _Records, prior: RoleWeights
) -> RoleWeights:
    """`across` are pairs of two sources, and `own` are pairs inside one source."""
    if int(across.counts.sum()) < FEWEST_PAIRS:
        return prior
    weights = prior
    for _ in range(_ROUNDS):
        weights = _maximise(
            _expect(across, weights, 0.0),
            _expect(own, weights, weights.same_source),
            prior,
            records,
        )
    return weights


def _expect(sample: _Sample, weights: RoleWeights, of_match: float) -> _Expected:
    """`of_match`: evidence for one person that all pairs of the sample share, in bits."""
    joint, states = [], {}
    for name, bits in zip(KINDS, prior_bits(weights), strict=True):
        shares: KindShares = getattr(weights, name)
        within = sample.hidden * of_states(sample.seen, shares) * of_kind(sample.seen, name, shares)
        total = within.sum(axis=1)
        states[name] = within / total[:, None]
        more = of_match if name == "match" else 0.0
        joint.append(total * of_plain(sample.seen, shares) * np.exp2(bits + more))
    stacked = np.stack(joint, axis=1)
    kinds = stacked / stacked.sum(axis=1, keepdims=True)
    return _Expected(
        sample, {name: sample.counts * kinds[:, at] for at, name in enumerate(KINDS)}, states
    )


def twins_of(weights: RoleWeights) -> float:
    """The number of twin pairs for each pair of records of one person, both with one date of birth.
    Where every source holds both twins, this is the share of people who are twins.
    """
    match, relative = weights.match, weights.relative
    return float(2.0 ** (relative.prior - match.prior) * relative.date[0] / match.date[0])


def _maximise(
    across: _Expected, own: _Expected, prior: RoleWeights, records: _Records
) -> RoleWeights:
    dated, beyond = records.dated, records.pairs - across.sample.counts.sum()
    others = across.pairs["other"].sum() + beyond
    # One pair is added, because zero has no logarithm. Only pairs with the same date are counted:
    # other pairs become candidates only if they share a rarer token. Where few have a date, the
    # candidates are what there is to count.
    matches = max(across.same_day("match"), across.pairs["match"].sum() * prior.match.date[0]) + 1.0
    usual = twins_of(prior)
    twins = (usual * _RECORDS_OF_PRIOR + 2.0 * own.same_day("relative")) / (
        _RECORDS_OF_PRIOR + dated
    )
    same_day = {
        "match": matches,
        "relative": matches * max(twins, usual * _FEWEST_TWINS),
    }
    # Pairs of strangers with one date. Inside a source they hardly hide pairs of one person.
    strangers = own if own.same_day("other") >= FEWEST_PAIRS else across
    updated: dict[str, Any] = {}
    for name in KINDS:
        before: KindShares = getattr(prior, name)
        changes: dict[str, Any] = {}
        if name != "other":
            changes["prior"] = float(np.log2(same_day[name] / before.date[0] / others))
        source = strangers if name == "other" else across
        changes |= _plain_shares(source, before, name)
        if name == "relative":
            # Relatives share surnames and addresses as often as two records of one person do. Their
            # other shares come from demography, because there are too few relatives to learn them
            # from.
            match: KindShares = updated["match"]
            changes |= {
                what: getattr(match, what) for what in ("surname", "surname_of_newborn", "postcode")
            }
            changes["given"] = _with_namesakes(own, before, same_day["relative"] / matches, dated)
        else:
            changes |= _field_shares(source, before, name)
            if name == "other":
                changes["date"] = _field_shares(across, before, name, beyond)["date"]
        updated[name] = replace(before, **changes)
    # If pairs inside a source were as often of one person as others, there would be this many.
    expected = matches * records.pairs_inside / max(records.pairs - records.pairs_inside, 1.0)
    twice = (own.same_day("match") + 2.0**prior.same_source * _MATCHES_OF_PRIOR) / (
        expected + _MATCHES_OF_PRIOR
    )
    return replace(prior, same_source=min(float(np.log2(twice)), 0.0), **updated)


def _with_namesakes(own: _Expected, before: KindShares, twins: float, dated: int) -> Shares:
    """The shares of relatives' given names. A mother and daughter, or a father and son, may have
    one name: pairs inside a source show how many do.
    """
    seen = own.sample.seen
    alike = (seen.dob == DISAGREE) & (seen.given_place == EXACT) & (seen.surname_place == EXACT)
    namesakes = 2.0 * own.pairs["relative"][alike].sum()
    # Relatives born on other days, for each record.
    others = twins / before.date[0] * (1.0 - before.date[0])
    same = (before.given[0] * _RECORDS_OF_PRIOR + namesakes) / (_RECORDS_OF_PRIOR + others * dated)
    rest = (1.0 - same) / (1.0 - before.given[0])
    return same, before.given[1] * rest, before.given[2] * rest


def _plain_shares(expected: _Expected, before: KindShares, kind: str) -> dict[str, float]:
    """Shares of agreement in NHS number, mother and sex.

    For relatives, and for unrelated pairs except sex, the shares stay fixed: a shared number there
    is a clerical mistake and does not depend on the data set.
    """
    seen, pairs = expected.sample.seen, expected.pairs[kind]
    changes = {}
    for what in ("nhs", "mother", "sex"):
        if kind == "match" or (kind == "other" and what == "sex"):
            codes = getattr(seen, what)
            # The mother is compared only where dates of birth agree. Among matches this does not
            # select the better ones.
            known = (codes == AGREE) | (codes == DISAGREE)
            agreeing, total = pairs[codes == AGREE].sum(), pairs[known].sum()
            changes[what] = float(
                (agreeing + _LEAN[kind] * getattr(before, what)) / (total + _LEAN[kind])
            )
    return changes


def _field_shares(
    expected: _Expected, before: KindShares, kind: str, beyond: float = 0.0
) -> dict[str, tuple[float, ...]]:
    sample, pairs, states = expected.sample, expected.pairs[kind], expected.states[kind]
    seen, same_day = sample.seen, sample.same_day
    changes = {}
    index = np.array(STATES)
    for what in ("given", "surname", "surname_of_newborn", "postcode", "date"):
        field = FIELDS.index(what.removesuffix("_of_newborn"))
        if kind == "match" and what == "date":
            # Use pairs that were found by NHS number, or by names and postcode, whatever their
            # dates. The other pairs were found by their date.
            usable = (seen.nhs == AGREE) | (seen.given_and_date != UNKNOWN) | (seen.date != UNKNOWN)
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
    of_surname = ("names", "sounds", "part_of_surname", "alike", "surname_place", "surname")
    of_field = {
        "given": (
            "names",
            "sounds",
            "part_of_given",
            "given_place",
            "initial_place",
            "given_area",
            "alike",
            "given_and_date",
            "given",
        ),
        "surname": of_surname,
        "surname_of_newborn": of_surname,
        "postcode": ("place", "given_place", "initial_place", "surname_place"),
        "date": ("dob", "given_and_date", "date", "part_of_date"),
    }
    known = np.zeros(len(seen), dtype=bool)
    for name in of_field[what]:
        known |= getattr(seen, name) != UNKNOWN
    return known
