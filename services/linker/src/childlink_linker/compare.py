"""Compares encodings: what pairs of records agree on, and the match weight of that, in bits. Rule: arrays in, arrays out.

Records are held as columns. `observe` says what a pair agrees on, as codes; `model` turns codes into weights. A pair that has
nothing to compare is *uninformative*: its weight says nothing and is left out of averages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.profiles import Pass, Profile
from numpy.typing import NDArray

from childlink_linker.model import AGREE, DIFFERENT, DISAGREE, EXACT, NEAR, UNKNOWN, VARIABLES, Observed, weigh
from childlink_linker.parameters import Parameters

Indexes = NDArray[np.int64]
Codes = NDArray[np.int8]
DOB_PASS, NAME_PASS, MOTHER_NUMBER_PASS, MOTHER_NAME_PASS, NUMBER_PASS = 1, 2, 3, 4, 5
# Diffused segments of unlike values differ in half of their 256 bits, give or take 3% of them; of values a typing error apart, in a third.
_NEAR_BELOW: Final = 0.42
_PAIRS_AT_A_TIME: Final = 200_000


@dataclass(frozen=True)
class PassColumns:
    """One pass of n records. Token 0 means that the record does not carry the pass."""

    tokens: NDArray[np.int64]
    segments: NDArray[np.uint64]
    """(records, segments, words)."""
    present: NDArray[np.int64]
    """Bit s is set when the record has segment s."""


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
class Outcomes:
    """What pairs agree on, and what is known of them beside."""

    observed: Observed
    same_source: NDArray[np.bool_]
    forbidden: NDArray[np.bool_]
    named: NDArray[np.bool_]
    """Given names were compared, or the NHS number is one."""


@dataclass(frozen=True)
class PairWeights:
    """Match weights of pairs."""

    weight: NDArray[np.float64]
    informative: NDArray[np.bool_]
    forbidden: NDArray[np.bool_]
    """Hard evidence that the two are different people, whatever the weight."""
    codes: Codes
    """What the pairs agree on: (pairs, `model.VARIABLES`)."""
    same_source: NDArray[np.bool_]
    named: NDArray[np.bool_]
    """The two were compared by names, or have one NHS number: not by what twins share as well."""
    relatives: NDArray[np.bool_]
    """Rather brothers, sisters or twins than one person."""


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
    n = len(records)
    numbers = _Numbers()
    carried: dict[int, tuple[list[int], list[wire.PassEncoding]]] = {item.number: ([], []) for item in profile.passes}
    for row, record in enumerate(records):
        for encoding in record.passes:
            rows, encodings = carried[encoding.pass_number]
            rows.append(row)
            encodings.append(encoding)
    passes = {}
    for item in profile.passes:
        rows, encodings = carried[item.number]
        words = profile.segment_bytes(item) // 8
        tokens, present = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        segments = np.zeros((n, len(item.segments), words), dtype=np.uint64)
        if rows:
            tokens[rows] = [numbers[encoding.block_token] for encoding in encodings]
            present[rows] = [encoding.present for encoding in encodings]
            filters = b"".join([encoding.filter for encoding in encodings])
            segments[rows] = np.frombuffer(filters, dtype="<u8").reshape(len(rows), len(item.segments), words)
        passes[item.number] = PassColumns(tokens, segments, present)
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
    n = len(left)
    tokens = {number: _state(columns.tokens, left, right) for number, columns in encodings.passes.items()}
    levels: dict[tuple[int, int], Codes] = {}
    for item in profile.passes:
        found = _levels(encodings.passes[item.number], tokens[item.number], left, right, item)
        levels |= {(item.number, segment): codes for segment, codes in enumerate(found)}
    # Both passes of the mother say one thing; where she is the same in one, she is.
    by_number, by_name = tokens[MOTHER_NUMBER_PASS], tokens[MOTHER_NAME_PASS]
    mother = np.where((by_number == AGREE) | (by_name == AGREE), AGREE, np.maximum(by_number, by_name))
    nameless = np.zeros(n, dtype=bool)
    for end in (left, right):
        dob = encodings.passes[DOB_PASS]
        nameless |= (dob.tokens[end] > 0) & (dob.present[end] & 0b011 == 0)
    observed = Observed(
        nhs=_state(encodings.nhs, left, right),
        dob=tokens[DOB_PASS],
        mother=mother.astype(np.int8),
        names=levels[DOB_PASS, 0],
        given_place=_either(levels[DOB_PASS, 1], levels[NAME_PASS, 0]),
        surname_place=levels[DOB_PASS, 2],
        given_date=levels[NAME_PASS, 1],
        given_exact=_agreement(levels[NUMBER_PASS, 0]),
        surname_exact=_agreement(levels[NUMBER_PASS, 1]),
        date_exact=_agreement(levels[NUMBER_PASS, 2]),
        sex=_agreement(_either(levels[MOTHER_NUMBER_PASS, 0], levels[MOTHER_NAME_PASS, 0])),
        given=_either(levels[MOTHER_NUMBER_PASS, 1], levels[MOTHER_NAME_PASS, 1]),
        nameless=nameless.astype(np.int8),
    )
    orders_left, orders_right = encodings.birth_order[left], encodings.birth_order[right]
    different_twin = (orders_left > 0) & (orders_right > 0) & (orders_left != orders_right)
    incomparable = (encodings.role[left] != encodings.role[right]) | (
        encodings.key_version[left] != encodings.key_version[right]
    )
    named = observed.nhs == AGREE
    for codes in (observed.names, observed.given_place, observed.given):
        named |= codes != UNKNOWN
    return Outcomes(
        observed=observed,
        same_source=encodings.source[left] == encodings.source[right],
        forbidden=incomparable | different_twin,
        named=named,
    )


def compare(
    encodings: Encodings, left: Indexes, right: Indexes, profile: Profile, parameters: Parameters
) -> PairWeights:
    """Match weights of the pairs (left[k], right[k])."""
    weight = np.full(len(left), -np.inf)
    informative = np.zeros(len(left), dtype=bool)
    forbidden = np.ones(len(left), dtype=bool)
    codes = np.zeros((len(left), len(VARIABLES)), dtype=np.int8)
    same_source = encodings.source[left] == encodings.source[right]
    named, relatives = np.zeros(len(left), dtype=bool), np.zeros(len(left), dtype=bool)
    for role, weights in parameters.roles.items():
        of_role = np.flatnonzero((encodings.role[left] == role) & (encodings.role[right] == role))
        for start in range(0, len(of_role), _PAIRS_AT_A_TIME):
            at = of_role[start : start + _PAIRS_AT_A_TIME]
            outcomes = observe(encodings, left[at], right[at], profile)
            found = weigh(outcomes.observed, weights)
            weight[at] = found.bits + np.where(outcomes.same_source, weights.same_source, 0.0)
            informative[at], codes[at] = found.informative, outcomes.observed.codes()
            named[at], relatives[at] = outcomes.named, found.relatives & outcomes.named
            # A source that keeps two children of one birthday apart under different names means two: twins, one of them
            # perhaps with the other's number.
            forbidden[at] = outcomes.forbidden | (
                outcomes.same_source & relatives[at] & (outcomes.observed.dob == AGREE)
            )
    return PairWeights(weight, informative, forbidden, codes, same_source, named, relatives)


def _state(tokens: NDArray[np.int64], left: Indexes, right: Indexes) -> Codes:
    a, b = tokens[left], tokens[right]
    return np.where((a > 0) & (b > 0), np.where(a == b, AGREE, DISAGREE), UNKNOWN).astype(np.int8)


def _levels(columns: PassColumns, state: Codes, left: Indexes, right: Indexes, item: Pass) -> NDArray[np.int8]:
    """How alike each segment is, where both records have it under one salt: (segments, pairs)."""
    levels = np.full((len(item.segments), len(left)), UNKNOWN, dtype=np.int8)
    at = np.flatnonzero(state == AGREE)
    a, b = left[at], right[at]
    bits = 64 * columns.segments.shape[2]
    apart = np.bitwise_count(columns.segments[a] ^ columns.segments[b]).sum(axis=2, dtype=np.int64) / bits
    both = columns.present[a] & columns.present[b]
    for segment in range(len(item.segments)):
        distance = apart[:, segment]
        near = NEAR if not item.exact else DIFFERENT
        level = np.where(distance == 0, EXACT, np.where(distance < _NEAR_BELOW, near, DIFFERENT))
        levels[segment, at] = np.where(both >> segment & 1, level, UNKNOWN)
    return levels


def _either(one: Codes, other: Codes) -> Codes:
    """What the one pass says, or else the other."""
    return np.where(one != UNKNOWN, one, other)


def _agreement(levels: Codes) -> Codes:
    """Equal or not."""
    return np.where(levels == UNKNOWN, UNKNOWN, np.where(levels == EXACT, AGREE, DISAGREE)).astype(np.int8)
