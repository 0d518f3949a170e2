"""Experiments: what could be done to filters before they leave, to say what it would buy. Nothing of this is in the profile.

Linear diffusion: Armknecht, Heng and Schnell, "Strengthening privacy-preserving record linkage using diffusion" (PoPETs 2023);
each bit out is the XOR of `t` bits in. Noise (BLIP): Schnell and Borgs, "Randomized response and balanced Bloom filters" (2016).
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from childlink_ingest.split import Subject
from numpy.typing import NDArray

from tests.attacks.population import Bits, EncodeGroup


@dataclass(frozen=True)
class Diffused:
    """Diffusion under the key of the date of birth: which bits are combined, and (`masked`) a constant over all bits out.

    The constant hides how many bits a filter has; distances stay.
    """

    inner: EncodeGroup
    t: int = 5
    bits: int = 2_048
    masked: bool = False

    def __call__(self, subjects: Sequence[Subject], key: int) -> Bits:
        inside = self.inner(subjects, key)
        return diffuse(inside, combined(key, self.t, self.bits, inside.shape[1]), self.mask(key))

    def mask(self, key: int) -> Bits:
        """The constant, 0 if none is used."""
        made = np.random.default_rng([key, 2]).integers(0, 2, self.bits).astype(np.uint8)
        return made if self.masked else np.zeros_like(made)


def combined(key: int, t: int, bits: int, inside: int) -> NDArray[np.int64]:
    """Which `t` bits in make each bit out: (bits out, t). Each bit in is used equally often; where one permutation ends and
    the next begins, a bit may come twice and cancel."""
    rng = np.random.default_rng([key, 1])
    rounds = -(-bits * t // inside)
    return np.concatenate([rng.permutation(inside) for _ in range(rounds)])[: bits * t].reshape(bits, t)


def diffuse(bits: Bits, columns: NDArray[np.int64], mask: Bits) -> Bits:
    """Apply it."""
    return np.bitwise_xor.reduce(bits[:, columns], axis=2) ^ mask


@dataclass(frozen=True)
class Noisy:
    """Randomised response: each bit is flipped with this probability, by a coin of its own (the best case for privacy)."""

    inner: EncodeGroup
    flipped: float

    def __call__(self, subjects: Sequence[Subject], key: int) -> Bits:
        bits = self.inner(subjects, key)
        # Other records get other coins, also under the same key: equal noise on both sides would cost nothing and hide nothing.
        coins = np.random.default_rng([key, zlib.crc32(bits.tobytes())])
        return bits ^ (coins.random(bits.shape) < self.flipped).astype(np.uint8)


def undo(bits: Bits, columns: NDArray[np.int64], mask: Bits, inside: int) -> Bits:
    """Undo a diffusion that is known: as many or more bits come out as go in, so it is a system of linear equations over GF(2)."""
    equations = np.zeros((len(columns), inside), dtype=np.uint8)
    np.bitwise_xor.at(equations, (np.arange(len(columns))[:, None], columns), 1)
    work = np.concatenate([equations, (bits ^ mask).T], axis=1)
    row, pivots = 0, []
    for column in range(inside):
        below = np.flatnonzero(work[row:, column])
        if not len(below):
            continue
        work[[row, row + below[0]]] = work[[row + below[0], row]]
        others = np.flatnonzero(work[:, column])
        others = others[others != row]
        work[others] ^= work[row]
        pivots.append(column)
        row += 1
    solved = np.zeros((len(bits), inside), dtype=np.uint8)
    solved[:, pivots] = work[: len(pivots), inside:].T
    return solved


def recall(
    groups: Sequence[Sequence[Subject]], again: Sequence[Sequence[Subject]], encode: EncodeGroup, wrong: float = 0.001
) -> float:
    """What it costs: share of true pairs (the same children, written down twice) that are nearer than the nearest `wrong` of
    pairs of others who share the date of birth. Each pair's distance is what of both filters differs (a Dice distance);
    where a constant hides the number of bits, the share of all bits."""
    same, other = [], []
    for number, (left, right) in enumerate(zip(groups, again, strict=True)):
        one, two = (encode(side, number).astype(np.float32) for side in (left, right))
        sizes = one.sum(axis=1)[:, None] + two.sum(axis=1)[None, :]
        apart = sizes - 2.0 * one @ two.T
        away = apart / (one.shape[1] if isinstance(encode, Diffused) else sizes)
        same += away.diagonal().tolist()
        other += away[~np.eye(len(left), dtype=bool)].tolist()
    return float((np.array(same) < np.quantile(other, wrong)).mean())
