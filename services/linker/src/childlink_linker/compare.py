"""Compares encodings: the match weight of pairs of records, in bits. Rule: arrays in, arrays out.

Records are held as columns. `observe` says what a pair agrees on; `weigh` turns that into the prior plus the evidence of the
NHS number token and of each pass (Fellegi & Sunter 1969). A pair that has nothing to compare is *uninformative*: its weight
says nothing and is left out of averages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.profiles import Profile
from numpy.typing import NDArray

from childlink_linker.parameters import Parameters, PassWeights, RoleWeights

Indexes = NDArray[np.int64]
UNKNOWN, AGREE, DISAGREE = 0, 1, 2
DOB_PASS: Final = 1
NAME_PASS: Final = 2
_PAIRS_AT_A_TIME: Final = 200_000


@dataclass(frozen=True)
class PassColumns:
    """One pass of n records. Token 0 means that the record does not carry the pass."""

    tokens: NDArray[np.int64]
    filters: NDArray[np.uint64]
    ones: NDArray[np.int64]
    present: NDArray[np.int64]


@dataclass(frozen=True)
class Encodings:
    """n records as columns. Equal numbers mean equal tokens, sources or key versions; 0 means missing."""

    role: NDArray[np.int64]
    key_version: NDArray[np.int64]
    nhs: NDArray[np.int64]
    passes: Mapping[int, PassColumns]
    source: NDArray[np.int64]
    birth_order: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.nhs)


@dataclass(frozen=True)
class PassOutcome:
    """What pairs say in one pass: whether their tokens agree and, where they do, the level of similarity."""

    state: NDArray[np.int8]
    similarity: NDArray[np.float64]
    full: NDArray[np.bool_]
    """Both records have all name fields of the pass."""


@dataclass(frozen=True)
class Outcomes:
    """What pairs agree on."""

    nhs: NDArray[np.int8]
    passes: Mapping[int, PassOutcome]
    same_source: NDArray[np.bool_]
    forbidden: NDArray[np.bool_]


@dataclass(frozen=True)
class PairWeights:
    """Match weights of pairs."""

    weight: NDArray[np.float64]
    informative: NDArray[np.bool_]
    forbidden: NDArray[np.bool_]
    """Hard evidence that the two are different people, whatever the weight."""
    relief: NDArray[np.float64]
    """What the weight would gain if the two records' NHS numbers did not differ. See `assign`."""
    named: NDArray[np.bool_]
    """The two were compared by full names, or have one NHS number: not by what twins share as well."""


class _Numbers:
    """Gives equal values equal numbers, from 1."""

    def __init__(self) -> None:
        self._known: dict[object, int] = {}

    def __getitem__(self, value: object) -> int:
        return self._known.setdefault(value, len(self._known) + 1)


def to_columns(
    records: Sequence[wire.EncodedRecord], sources: Sequence[object], versions: Sequence[int], profile: Profile
) -> Encodings:
    """Records, where each comes from, and its key version, as columns."""
    n, words = len(records), profile.filter_bits // 64
    numbers = _Numbers()
    passes = {}
    for item in profile.passes:
        tokens = np.zeros(n, dtype=np.int64)
        present = np.zeros(n, dtype=np.int64)
        rows: list[int] = []
        filters: list[bytes] = []
        for row, record in enumerate(records):
            for encoding in record.passes:
                if encoding.pass_number == item.number:
                    tokens[row] = numbers[encoding.block_token]
                    present[row] = encoding.present
                    rows.append(row)
                    filters.append(encoding.filter)
        grid = np.zeros((n, words), dtype=np.uint64)
        if rows:
            grid[rows] = np.frombuffer(b"".join(filters), dtype="<u8").reshape(len(rows), words)
        passes[item.number] = PassColumns(tokens, grid, np.bitwise_count(grid).sum(axis=1, dtype=np.int64), present)
    return Encodings(
        role=np.fromiter((r.role for r in records), dtype=np.int64, count=n),
        key_version=np.array(versions, dtype=np.int64),
        nhs=np.fromiter((numbers[r.nhs_token] if r.nhs_token else 0 for r in records), dtype=np.int64, count=n),
        passes=passes,
        source=np.fromiter((numbers[s] for s in sources), dtype=np.int64, count=n),
        birth_order=np.fromiter((r.birth_order for r in records), dtype=np.int64, count=n),
    )


def observe(encodings: Encodings, left: Indexes, right: Indexes, profile: Profile) -> Outcomes:
    """What the pairs (left[k], right[k]) agree on."""
    passes = {
        item.number: _observe_pass(encodings.passes[item.number], left, right, item.weighty) for item in profile.passes
    }
    for item in profile.passes:
        if item.instead_of is not None:
            passes[item.number].state[passes[item.instead_of].state == AGREE] = UNKNOWN
    orders_left, orders_right = encodings.birth_order[left], encodings.birth_order[right]
    different_twin = (orders_left > 0) & (orders_right > 0) & (orders_left != orders_right)
    incomparable = (encodings.role[left] != encodings.role[right]) | (
        encodings.key_version[left] != encodings.key_version[right]
    )
    return Outcomes(
        nhs=_state(encodings.nhs, left, right),
        passes=passes,
        same_source=encodings.source[left] == encodings.source[right],
        forbidden=incomparable | different_twin,
    )


def compare(
    encodings: Encodings, left: Indexes, right: Indexes, profile: Profile, parameters: Parameters
) -> PairWeights:
    """Match weights of the pairs (left[k], right[k])."""
    weight = np.full(len(left), -np.inf)
    informative = np.zeros(len(left), dtype=bool)
    forbidden = np.ones(len(left), dtype=bool)
    relief = np.zeros(len(left))
    named = np.zeros(len(left), dtype=bool)
    for role, weights in parameters.roles.items():
        of_role = np.flatnonzero((encodings.role[left] == role) & (encodings.role[right] == role))
        for start in range(0, len(of_role), _PAIRS_AT_A_TIME):
            at = of_role[start : start + _PAIRS_AT_A_TIME]
            outcomes = observe(encodings, left[at], right[at], profile)
            weight[at], informative[at] = weigh(outcomes, weights)
            forbidden[at] = outcomes.forbidden | _twins_of_one_source(outcomes, weights.twins_below)
            named[at] = outcomes.nhs == AGREE
            for outcome in outcomes.passes.values():
                named[at] |= (outcome.state == AGREE) & outcome.full
            relief[at] = np.where(outcomes.nhs == DISAGREE, -weights.nhs_disagree, 0.0)
    return PairWeights(weight, informative, forbidden, relief, named)


def _twins_of_one_source(outcomes: Outcomes, below: float) -> NDArray[np.bool_]:
    born = outcomes.passes.get(DOB_PASS)
    if born is None or not below:
        return np.zeros(len(outcomes.nhs), dtype=bool)
    unlike: NDArray[np.bool_] = (born.state == AGREE) & born.full & (born.similarity < below)
    return unlike & outcomes.same_source


def weigh(outcomes: Outcomes, weights: RoleWeights) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Weight of each pair in bits, and whether it had anything to compare."""
    total = weights.prior + np.array([0.0, weights.nhs_agree, weights.nhs_disagree])[outcomes.nhs]
    informative = outcomes.nhs != UNKNOWN
    for number, outcome in outcomes.passes.items():
        if number in weights.passes:
            total += pass_bits(outcome, weights.passes[number])
            informative |= outcome.state != UNKNOWN
    return total + np.where(outcomes.same_source, weights.same_source, 0.0), informative


def pass_bits(outcome: PassOutcome, weights: PassWeights) -> NDArray[np.float64]:
    """Evidence of one pass."""
    at = level(outcome, weights)
    similarity = np.where(outcome.full, np.asarray(weights.full)[at], np.asarray(weights.partial)[at])
    return np.array([0.0, weights.agree, weights.disagree])[outcome.state] + np.where(
        outcome.state == AGREE, similarity, 0.0
    )


def level(outcome: PassOutcome, weights: PassWeights) -> Indexes:
    """The similarity level of each pair, from 0."""
    return np.searchsorted(np.asarray(weights.edges), outcome.similarity, side="right").astype(np.int64)


def _state(tokens: NDArray[np.int64], left: Indexes, right: Indexes) -> NDArray[np.int8]:
    a, b = tokens[left], tokens[right]
    return np.where((a > 0) & (b > 0), np.where(a == b, AGREE, DISAGREE), UNKNOWN).astype(np.int8)


def _observe_pass(columns: PassColumns, left: Indexes, right: Indexes, weighty: Sequence[int]) -> PassOutcome:
    state = _state(columns.tokens, left, right)
    similarity = np.zeros(len(left))
    full = np.zeros(len(left), dtype=bool)
    at = np.flatnonzero(state == AGREE)
    a, b = left[at], right[at]
    shared = np.bitwise_count(columns.filters[a] & columns.filters[b]).sum(axis=1, dtype=np.int64)
    ones_a, ones_b = columns.ones[a], columns.ones[b]
    names = sum(1 << index for index in weighty)
    full[at] = (columns.present[a] & columns.present[b] & names) == names
    dice = 2.0 * shared / np.maximum(ones_a + ones_b, 1)
    contained = shared / np.maximum(np.minimum(ones_a, ones_b), 1)
    similarity[at] = np.where(full[at], dice, contained)
    return PassOutcome(state, similarity, full)
