"""Compares encodings: the match weight of pairs of records, in bits. Rule: arrays in, arrays out.

Records are held as columns. A pair's weight is the prior plus the evidence of the NHS number token and of each pass (Fellegi
& Sunter 1969). A pair that has nothing to compare is *uninformative*: its weight says nothing and is left out of averages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.profiles import Profile
from childlink_linker.parameters import Parameters, PassWeights

Indexes = NDArray[np.int64]
_DOB_PASS: Final = 1
_NAME_PASS: Final = 2
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

    nhs: NDArray[np.int64]
    passes: Mapping[int, PassColumns]
    source: NDArray[np.int64]
    birth_order: NDArray[np.int64]
    comparable: NDArray[np.int64]
    """Role and key version: only records with the same number are ever compared."""

    def __len__(self) -> int:
        return len(self.nhs)


@dataclass(frozen=True)
class PairWeights:
    """The outcome for pairs."""

    weight: NDArray[np.float64]
    informative: NDArray[np.bool_]
    forbidden: NDArray[np.bool_]
    """Hard evidence that the two are different people, whatever the weight."""


class _Numbers:
    """Gives equal values equal numbers, from 1."""

    def __init__(self) -> None:
        self._known: dict[object, int] = {}

    def __getitem__(self, value: object) -> int:
        return self._known.setdefault(value, len(self._known) + 1)


def to_columns(records: Sequence[wire.EncodedRecord], sources: Sequence[object], versions: Sequence[int], profile: Profile) -> Encodings:
    """Records, where each comes from, and its key version, as columns."""
    n, words = len(records), profile.filter_bits // 64
    numbers = _Numbers()
    nhs = np.fromiter((numbers[r.nhs_token] if r.nhs_token else 0 for r in records), dtype=np.int64, count=n)
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
    source = np.fromiter((numbers[s] for s in sources), dtype=np.int64, count=n)
    order = np.fromiter((r.birth_order for r in records), dtype=np.int64, count=n)
    comparable = np.fromiter((numbers[(r.role, v)] for r, v in zip(records, versions, strict=True)), dtype=np.int64, count=n)
    return Encodings(nhs, passes, source, order, comparable)


def compare(encodings: Encodings, left: Indexes, right: Indexes, profile: Profile, parameters: Parameters) -> PairWeights:
    """Weights of the pairs (left[k], right[k])."""
    if len(left) > _PAIRS_AT_A_TIME:
        parts = [
            compare(encodings, left[at : at + _PAIRS_AT_A_TIME], right[at : at + _PAIRS_AT_A_TIME], profile, parameters)
            for at in range(0, len(left), _PAIRS_AT_A_TIME)
        ]
        return PairWeights(
            np.concatenate([p.weight for p in parts]),
            np.concatenate([p.informative for p in parts]),
            np.concatenate([p.forbidden for p in parts]),
        )
    evidence, informative = _both_have(encodings.nhs, left, right, parameters.nhs_agree, parameters.nhs_disagree)
    same_birth_date = np.zeros(len(left), dtype=bool)
    for item in profile.passes:
        weights, columns = parameters.passes[item.number], encodings.passes[item.number]
        bits, known = _both_have(columns.tokens, left, right, weights.agree, weights.disagree)
        same_block = known & (columns.tokens[left] == columns.tokens[right])
        at = np.flatnonzero(same_block)
        bits[at] += _similarity_bits(columns, left[at], right[at], item.weighty, weights)
        if item.number == _DOB_PASS:
            same_birth_date = same_block
        if item.number == _NAME_PASS:
            # The same names were already compared under the same date of birth: the evidence counts once.
            known &= ~same_birth_date
            bits[~known] = 0.0
        evidence += bits
        informative |= known
    same_source = encodings.source[left] == encodings.source[right]
    weight = parameters.prior + evidence + np.where(same_source, parameters.same_source, 0.0)
    orders_left, orders_right = encodings.birth_order[left], encodings.birth_order[right]
    different_twin = (orders_left > 0) & (orders_right > 0) & (orders_left != orders_right)
    forbidden = (encodings.comparable[left] != encodings.comparable[right]) | different_twin
    return PairWeights(weight, informative, forbidden)


def _both_have(
    tokens: NDArray[np.int64], left: Indexes, right: Indexes, agree: float, disagree: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    a, b = tokens[left], tokens[right]
    known = (a > 0) & (b > 0)
    return np.where(known, np.where(a == b, agree, disagree), 0.0), known


def _similarity_bits(
    columns: PassColumns, left: Indexes, right: Indexes, weighty: Sequence[int], weights: PassWeights
) -> NDArray[np.float64]:
    shared = np.bitwise_count(columns.filters[left] & columns.filters[right]).sum(axis=1, dtype=np.int64)
    ones_left, ones_right = columns.ones[left], columns.ones[right]
    dice = 2.0 * shared / np.maximum(ones_left + ones_right, 1)
    contained = shared / np.maximum(np.minimum(ones_left, ones_right), 1)
    names = sum(1 << index for index in weighty)
    full = (columns.present[left] & columns.present[right] & names) == names
    edges = np.asarray(weights.edges)
    by_dice = np.asarray(weights.full)[np.searchsorted(edges, dice, side="right")]
    by_share = np.asarray(weights.partial)[np.searchsorted(edges, contained, side="right")]
    return np.where(full, by_dice, by_share)
