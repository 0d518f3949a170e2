"""The match model turns the agreements of a pair of records into a weight in bits. Rule: arrays in,
arrays out.

Fellegi and Sunter (1969), with three kinds of pairs instead of two:

* `match`: records of one person;
* `relative`: records of brothers, sisters and twins. They share surname, address and mother, and
  have different given names;
* `other`: all other pairs.

Within a kind, fields agree independently. A segment combines two fields, so the state of one field
is inferred, not observed. The likelihood is summed over all hidden states of the fields (same,
near, different).
"""

from dataclasses import dataclass, fields
from functools import cache, lru_cache
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from childlink_linker.matching import similarity
from childlink_linker.matching.parameters import FIELDS, KINDS, KindShares, RoleWeights

UNKNOWN: Final = 0
AGREE, DISAGREE = 1, 2
NOT_COMPARED: Final = 100
"""Greater than any code: in a minimum of codes, anything that was compared wins."""
DISAGREE_UNTRACED: Final = 3
"""Two different NHS numbers, one of which was not traced."""
WEIGHT_OF_UNTRACED: Final = 0.5
"""How much a number that differs counts if its source has not traced it. A choice, not measured: no
data set that we could get has both the status and the truth.
"""
EXACT, NEAR, DIFFERENT = 1, 2, 3
Codes = NDArray[np.int8]
Floats = NDArray[np.float64]
_SAME, _NEAR, _DIFFERENT = 0, 1, 2
STATES: Final = tuple(product(range(3), repeat=len(FIELDS)))
"""All combinations of states of given name, surname, postcode and date: 0 same, 1 near, 2
different.
"""


@dataclass(frozen=True)
class Weighed:
    """Weights of pairs."""

    bits: NDArray[np.float64]
    """-inf where nothing could be compared."""
    kinship: NDArray[np.float64]
    """Bits in favour of brothers, sisters or twins, against one person."""
    somebody_else: NDArray[np.bool_]
    """These may be two people, even if no other record fits: given names are unlike, the mothers
    differ, or neither a certain date of birth, nor an address, mother, child or number agrees.
    """


@dataclass(frozen=True)
class Observed:
    """What n pairs agree on, as codes. 0: not comparable.

    Most fields: 1 agree, 2 disagree. `alike`: the two names have much, something or nothing in
    common; unknown where another field says so. `given`, `surname`, `date`, `given_place` and
    `surname_place`: 1 equal, 2 equal in part (names sound alike, two parts of a date agree), 3
    different. `guessed` and `nameless`: 1 where either record has a guessed date of birth, or no
    given name. `multiple`: 1 where either record has no given name and is a twin. `mother`: for
    adults, the same child
    in the same relation. `nhs`: 3 where the numbers disagree and one of them was not traced.
    `similarity`: the band of the similarity of two CLKs (see `similarity`).
    """

    nhs: Codes
    dob: Codes
    mother: Codes
    names: Codes
    sounds: Codes
    part_of_given: Codes
    part_of_surname: Codes
    given_place: Codes
    surname_place: Codes
    initial_place: Codes
    given_area: Codes
    alike: Codes
    place: Codes
    sex: Codes
    given_and_date: Codes
    given: Codes
    surname: Codes
    date: Codes
    part_of_date: Codes
    guessed: Codes
    nameless: Codes
    multiple: Codes
    similarity: Codes

    def __len__(self) -> int:
        return len(self.nhs)

    def codes(self) -> Codes:
        """As columns: (pairs, `VARIABLES`)."""
        return np.stack([getattr(self, name) for name in VARIABLES], axis=1)


VARIABLES: Final = tuple(item.name for item in fields(Observed))
FLAGS: Final = tuple(VARIABLES.index(name) for name in ("guessed", "nameless", "multiple"))
"""The variables that are not agreements, but say how much the others count."""


@dataclass(frozen=True)
class PatternWeights:
    """The model's weights of pairs."""

    bits: Floats
    """log2 of the odds that the two records are one person."""
    informative: NDArray[np.bool_]
    kinship: Floats
    """log2 of the odds of brothers, sisters or twins against one person."""


@dataclass(frozen=True)
class Patterns:
    """The distinct agreement patterns, and the pattern of each pair."""

    observed: Observed
    of_pair: NDArray[np.int64]
    counts: NDArray[np.int64]


def patterns(observed: Observed) -> Patterns:
    """The distinct patterns. There are few, however many pairs there are."""
    packed = observed.codes().astype(np.int64) @ _RADIX
    unique, of_pair, counts = np.unique(packed, return_inverse=True, return_counts=True)
    columns = {}
    for name, levels in zip(VARIABLES, _LEVELS, strict=True):
        columns[name] = (unique % levels).astype(np.int8)
        unique //= levels
    return Patterns(Observed(**columns), of_pair.reshape(-1), counts)


def weigh(observed: Observed, weights: RoleWeights) -> PatternWeights:
    """Weights of pairs."""
    each = patterns(observed)
    seen = each.observed
    bits, kinship = _bits(likelihoods(seen, weights), weights)
    informative = np.zeros(len(seen), dtype=bool)
    for name in VARIABLES:
        if name not in ("guessed", "nameless", "multiple"):
            informative |= getattr(seen, name) != UNKNOWN
    at = each.of_pair
    return PatternWeights(bits[at], informative[at], kinship[at])


class Weigher:
    """`weigh` for a few pairs at a time. It caches each pattern, because patterns recur."""

    def __init__(self, weights: RoleWeights) -> None:
        self._weights = weights
        self._known: dict[int, tuple[float, ...]] = {}

    def __call__(self, codes: Codes) -> tuple[Weighed, Weighed]:
        """The weight of each pair (-inf where nothing was compared), and its weight without the NHS
        numbers.
        """
        packed = (codes.astype(np.int64) @ _RADIX).tolist()
        fresh = [at for at, key in enumerate(packed) if key not in self._known]
        if fresh:
            of_fresh = (*self._weigh(codes[fresh]), *self._weigh(codes[fresh] * _ALL_BUT_NUMBER))
            for at, *each in zip(fresh, *of_fresh, strict=True):
                self._known[packed[at]] = tuple(each)
        found = np.array([self._known[key] for key in packed], dtype=float).reshape(-1, 6)
        return (
            Weighed(found[:, 0], found[:, 1], found[:, 2] > 0),
            Weighed(found[:, 3], found[:, 4], found[:, 5] > 0),
        )

    def _weigh(self, codes: Codes) -> tuple[list[float], list[float], list[bool]]:
        seen = Observed(*codes.T)
        found = weigh(seen, self._weights)
        bits = np.where(found.informative, found.bits, -np.inf)
        return bits.tolist(), found.kinship.tolist(), _may_be_another(seen).tolist()


def _may_be_another(seen: Observed) -> NDArray[np.bool_]:
    names = (seen.names, seen.sounds, seen.part_of_given, seen.initial_place, seen.given_area)
    alike = np.any([codes == AGREE for codes in names], axis=0) | np.isin(seen.alike, (EXACT, NEAR))
    alike |= np.isin(seen.given_place, (EXACT, NEAR)) | np.isin(seen.given, (EXACT, NEAR))
    compared = (seen.given_place == DIFFERENT) | (seen.given == DIFFERENT)
    compared |= seen.names == DISAGREE
    sure = (seen.dob == AGREE) & (seen.guessed == 0)
    for codes in (seen.place, seen.mother, seen.nhs):
        sure |= codes == AGREE
    # A CLK compares all that is known.
    sure |= seen.similarity > 0
    another: NDArray[np.bool_] = (compared & ~alike) | (seen.mother == DISAGREE) | ~sure
    return another


_LEVELS: Final = tuple(similarity.LEVELS if name == "similarity" else 4 for name in VARIABLES)
"""How many codes each variable has."""
_RADIX: Final = np.cumprod([1, *_LEVELS[:-1]], dtype=np.int64)
_ALL_BUT_NUMBER: Final = np.array([name != "nhs" for name in VARIABLES], dtype=np.int8)


def _bits(likelihood: Floats, weights: RoleWeights) -> tuple[Floats, Floats]:
    match, relative, other = (likelihood * np.exp2(prior_bits(weights))).T
    return np.log2(match) - np.log2(relative + other), np.log2(relative) - np.log2(match)


def prior_bits(weights: RoleWeights) -> Floats:
    """log2 of the number of pairs of each kind for each unrelated pair."""
    return np.array([weights.match.prior, weights.relative.prior, 0.0])


def likelihoods(seen: Observed, weights: RoleWeights) -> Floats:
    """The likelihood of each pattern in each kind of pair: (patterns, kinds)."""
    hidden = of_hidden(seen)
    out = np.empty((len(seen), len(KINDS)))
    for kind, name in enumerate(KINDS):
        shares: KindShares = getattr(weights, name)
        states = hidden * of_states(seen, shares) * of_kind(seen, name, shares)
        out[:, kind] = states.sum(axis=1) * of_plain(seen, shares)
    # A twin without a name is equally likely to be either twin.
    match, relative = weights.match, weights.relative
    twins = 2.0 ** (match.prior - relative.prior) * match.date[0] / relative.date[0]
    out[:, KINDS.index("relative")] *= np.where(seen.multiple > 0, twins, 1.0)
    return out


def of_kind(seen: Observed, kind: str, shares: KindShares) -> Floats:
    """What a kind of pair changes in the likelihood of each pattern under each hidden state:
    (patterns, states), or (patterns, 1).

    CLKs of relatives are more alike than those of strangers. Brothers and sisters who are not twins
    are seldom born in one year.
    """
    of_code = (1.0, *shares.similarity) if shares.similarity else similarity.SHARES[kind]
    alike: Floats = np.asarray(of_code)[seen.similarity][:, None]
    if kind != "relative":
        return alike
    of_a_year = np.isin(seen.part_of_date, (1, 2))[:, None] & (_DATE_STATES == _DIFFERENT)[None, :]
    factors: Floats = np.where(of_a_year, _SIBLINGS_OF_A_YEAR, 1.0) * alike
    return factors


def of_plain(seen: Observed, shares: KindShares) -> Floats:
    """The part of the likelihood without hidden states: NHS number, mother, sex."""
    total = np.ones(len(seen))
    for name, share in (("nhs", shares.nhs), ("mother", shares.mother), ("sex", shares.sex)):
        of_code = [1.0, share, 1.0 - share, (1.0 - share) ** WEIGHT_OF_UNTRACED]
        total *= np.array(of_code)[getattr(seen, name)]
    return total


def of_states(seen: Observed, shares: KindShares) -> Floats:
    """The share of each hidden state in a kind of pair, for each pattern: (patterns, states)."""
    of_pattern: Floats = _share_tables(shares)[
        seen.guessed.astype(np.int64), seen.nameless.astype(np.int64)
    ]
    return of_pattern


@lru_cache(maxsize=64)
def _share_tables(shares: KindShares) -> Floats:
    return np.array(
        [
            [state_shares(shares, newborn, guessed) for newborn in (False, True)]
            for guessed in (False, True)
        ]
    )


def state_shares(shares: KindShares, newborn: bool, guessed: bool) -> Floats:
    """The share of each hidden state in a kind of pair. `newborn`: one record has no given name, so
    the surname has shares of its own. `guessed`: one date is a guess, so the date has shares of its
    own.
    """
    surname = shares.surname_of_newborn if newborn else shares.surname
    date = shares.date_guessed if guessed else shares.date
    of_field = (shares.given, surname, shares.postcode, date)
    return np.array(
        [
            np.prod([of[state] for of, state in zip(of_field, states, strict=True)])
            for states in STATES
        ]
    )


def of_hidden(seen: Observed) -> Floats:
    """The likelihood of each pattern under each hidden state: (patterns, states)."""
    total = np.ones((len(seen), len(STATES)))
    for name, table in _tables().items():
        total *= table[getattr(seen, name)]
    return total


# The probability that two segments are equal, given the states of their fields. These are
# properties of names, spelling and the profile, not of a data set. They were measured on names in
# English birth registrations with random typing errors. `_NEAR`: how often near names sound alike,
# or begin or end alike.
_SOUNDS_ALIKE: Final = {_SAME: 1.0, _NEAR: 0.6, _DIFFERENT: 0.03}
_BEGINS_OR_ENDS_ALIKE: Final = {_SAME: 1.0, _NEAR: 0.95, _DIFFERENT: 0.04}
_ALIKE_SOMEHOW: Final = {_SAME: 1.0, _NEAR: 0.97, _DIFFERENT: 0.10}
_SAME_INITIAL: Final = {_SAME: 1.0, _NEAR: 0.6, _DIFFERENT: 0.08}
_SAME_IN_PART: Final = {_SAME: 1.0, _NEAR: 0.95, _DIFFERENT: 0.01}
_SLIP: Final = 1e-5
"""The probability that a comparison agrees or disagrees by error."""


@cache
def _tables() -> dict[str, Floats]:
    """For each variable, the likelihood of each code under each hidden state: (codes, states). The
    likelihood of code 0 is 1.
    """
    given, surname, postcode, date = range(len(FIELDS))
    same = [{_SAME: 1.0, _NEAR: 0.0, _DIFFERENT: 0.0}] * len(FIELDS)
    district = {_SAME: 1.0, _NEAR: 1.0, _DIFFERENT: 0.0}

    def both(of_one: dict[int, float], one: int, of_other: dict[int, float], other: int) -> Floats:
        return _agrees([of_one[states[one]] * of_other[states[other]] for states in STATES])

    def alone(of_field: dict[int, float], field: int) -> Floats:
        return _agrees([of_field[states[field]] for states in STATES])

    return {
        "names": both(same[given], given, same[surname], surname),
        "sounds": both(_SOUNDS_ALIKE, given, _SOUNDS_ALIKE, surname),
        "part_of_given": both(_BEGINS_OR_ENDS_ALIKE, given, same[surname], surname),
        "part_of_surname": both(same[given], given, _BEGINS_OR_ENDS_ALIKE, surname),
        "given_place": _levels(given, _SOUNDS_ALIKE, postcode),
        "surname_place": _levels(surname, _SOUNDS_ALIKE, postcode),
        "initial_place": both(_SAME_INITIAL, given, same[postcode], postcode),
        "given_area": both(same[given], given, district, postcode),
        "alike": _in_common(given, surname),
        "place": alone(same[postcode], postcode),
        "given_and_date": both(same[given], given, _SAME_IN_PART, date),
        "given": _levels(given, _ALIKE_SOMEHOW),
        "surname": _levels(surname, _ALIKE_SOMEHOW),
        "date": _levels(date, _SAME_IN_PART),
        "part_of_date": _partial(date),
        "dob": alone(same[date], date),
    }


def _agrees(chances: list[float]) -> Floats:
    """Likelihoods of codes 1 and 2, and of code 3, which these variables never have."""
    agree = np.clip(np.array(chances), _SLIP, 1.0 - _SLIP)
    return np.vstack([np.ones_like(agree), agree, 1.0 - agree, np.full_like(agree, _SLIP)])


# How often the filters of two names have much, or something, in common, by the states of the names.
# Estimated by hand from febrl4 and from made-up children, where both names of a pair differ. The
# thresholds behind them were chosen on febrl and the ESSnet pair, and held on a second made-up
# partnership (ADR 32).
_IN_COMMON: Final = {
    (_SAME, _SAME): (1.0 - 2 * _SLIP, _SLIP),
    (_SAME, _NEAR): (0.50, 0.30),
    (_NEAR, _NEAR): (0.15, 0.30),
    (_SAME, _DIFFERENT): (0.002, 0.012),
    (_NEAR, _DIFFERENT): (0.0005, 0.004),
    (_DIFFERENT, _DIFFERENT): (0.0001, 0.0016),
}


def _in_common(one: int, other: int) -> Floats:
    """Likelihoods of codes 1 to 3: two names have much, something or nothing in common."""
    rows = []
    for states in STATES:
        low, high = sorted((states[one], states[other]))
        much, something = _IN_COMMON[low, high]
        rows.append((much, something, 1.0 - much - something))
    return np.vstack([np.ones(len(rows)), np.array(rows).T])


def _levels(field: int, alike: dict[int, float], beside: int | None = None) -> Floats:
    """Likelihoods of codes 1 to 3 of a field. With `beside`, another field must be the same as
    well.
    """
    rows = []
    for states in STATES:
        if beside is not None and states[beside] != _SAME:
            rows.append((_SLIP, _SLIP, 1.0 - 2 * _SLIP))
        elif states[field] == _SAME:
            rows.append((1.0 - 2 * _SLIP, _SLIP, _SLIP))
        else:
            rows.append((_SLIP, alike[states[field]] - _SLIP, 1.0 - alike[states[field]]))
    return np.vstack([np.ones(len(rows)), np.array(rows).T])


# How often two dates have the same month and year, or the same year but not the same month, by the
# state of the date. Children of a partnership are born in about six years.
_SAME_MONTH: Final = {_SAME: 1.0, _NEAR: 0.6, _DIFFERENT: 0.015}
_SIBLINGS_OF_A_YEAR: Final = 0.2
"""How often brothers and sisters are born in one year, against any two children."""
_DATE_STATES: Final = np.array(STATES)[:, FIELDS.index("date")]
_SAME_YEAR: Final = {_SAME: 1.0, _NEAR: 0.35, _DIFFERENT: 0.15}


def _partial(field: int) -> Floats:
    """Likelihoods of codes 1 to 3 of a date of which only a part is known: the month agrees, the
    year agrees but not the month (or no month is known), or what is known differs.
    """
    rows = [
        (
            _SAME_MONTH[state],
            _SAME_YEAR[state],
            max(1.0 - _SAME_MONTH[state] - _SAME_YEAR[state], _SLIP),
        )
        for state in (states[field] for states in STATES)
    ]
    return np.vstack([np.ones(len(rows)), np.array(rows).T])
