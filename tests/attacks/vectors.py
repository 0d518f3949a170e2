"""Graph matching with vectors as edges: the attacker sees, for each pair of records, which segment
agrees and how many bits of which filter are common. He weighs each channel by the noise that keys
make in it.

Stronger than `matching`, which sees one number a pair. The attacker knows the profile and everybody
in the block in plain text, or another source's records of them; he has no key. With `known`, he
also knows for certain who some of the records are.

Beside the share that the search finds, `Vectors` gives the share of people whom the attacker names
rightly and with confidence: an average hides a sure few. He ranks his claims by how much worse the
fit gets if two people change places, and makes as many as are right nine times out of ten. (Where
that is, a real attacker would have to guess.)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from childlink_core.profiles import Pass, Profile
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.pseudonymise.split import Subject
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tests.attacks.population import secret

Edges = NDArray[np.float32]
"""(channels, records, records): in how much two records agree. The diagonal: whether a record has
the segment, or the number of its filter's bits.
"""
Ints = NDArray[np.int64]
Channels = Callable[[Sequence[Subject], int], Edges]
"""The edges of people of one block, under the key of this number."""
OWN_KEYS: Final = 8
CONFIDENT: Final = 0.9
# Variance of a channel in which keys make no noise. It stands for what the attacker's plain text
# gets wrong.
_LEAST_VARIANCE: Final = 0.02
_STARTS: Final = 8
_GRAMPA: Final = 0.2
_SURER: Final = np.geomspace(0.01, 1.0, 25)


def _balanced(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Beliefs whose rows add up to one, and whose columns to at most about one (Sinkhorn 1967)."""
    belief = np.exp(np.clip(logs - logs.max(axis=1, keepdims=True), -60.0, 0.0))
    for _ in range(20):
        belief /= belief.sum(axis=1, keepdims=True)
        belief /= np.maximum(belief.sum(axis=0, keepdims=True), 1.0)
    return belief / belief.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Vectors:
    """The result of the attack over many blocks."""

    people: int
    found: float
    """Share that the search names rightly."""
    ceiling: float
    """Share named rightly where a search from the truth ends with a better fit. Protection must not
    depend on the search being hard.
    """
    guessed: float
    sure: float
    """Share named rightly among the claims that are right nine times out of ten."""

    @property
    def gain(self) -> float:
        """Percentage points above guessing."""
        return 100.0 * (max(self.found, self.ceiling) - self.guessed)

    @property
    def error(self) -> float:
        """Standard error of the gain, in points, as if people were independent."""
        best = max(self.found, self.ceiling)
        return 100.0 * float(np.sqrt(max(best * (1.0 - best), 1e-4) / self.people))

    @property
    def most(self) -> float:
        """The upper end of the gain's 95% interval, in points."""
        return self.gain + 1.96 * self.error


def pass_channels(profile: Profile, number: int) -> Channels:
    """The channels of one pass of a profile: one for each segment, and one for each filter."""
    item = profile.get_pass(number)
    if item is None:
        raise ValueError(f"{profile.id} has no pass {number}")

    def edges(subjects: Sequence[Subject], key: int) -> Edges:
        records = Encoder(profile, secret(key)).encode(subjects)
        held = [
            next(found for found in record.passes if found.pass_number == number)
            for record in records
        ]
        return edges_of(item, [one.filter for one in held], [one.bloom_filters for one in held])

    return edges


def edges_of(item: Pass, segments: Sequence[bytes], blooms: Sequence[bytes]) -> Edges:
    """The edges of records of one block."""
    found = []
    if item.segments:
        values = np.frombuffer(b"".join(segments), dtype="<u4").reshape(len(segments), -1)
        for column in values.T:
            found.append((column[:, None] == column[None, :]) & (column[:, None] != 0))
    at = 0
    for one in item.filters:
        size = one.bits // 8
        bits = np.unpackbits(
            np.frombuffer(b"".join(b[at : at + size] for b in blooms), dtype=np.uint8).reshape(
                len(blooms), -1
            ),
            axis=1,
        ).astype(np.float32)
        found.append(bits @ bits.T)
        at += size
    return np.stack(found).astype(np.float32)


def without_numbers(blocks: Sequence[Sequence[Subject]]) -> list[list[Subject]]:
    """The same people without NHS numbers, so that their records carry filters."""
    return [
        [replace(one, identity=replace(one.identity, nhs_number="")) for one in block]
        for block in blocks
    ]


def attack_blocks(
    blocks: Sequence[Sequence[Subject]],
    channels: Channels,
    theirs: Sequence[Sequence[Subject]] | None = None,
    stored: float = 1.0,
    known: float = 0.0,
    *,
    leaked: bool = False,
) -> Vectors:
    """Attack blocks one by one. `theirs` is what the attacker knows of the same people, in the same
    order; by default what was encoded. Only a share of them is `stored`; of a share, the attacker
    knows who they are. With `leaked`, he has the linkage secret as well (and not the linker's own
    key), so he knows exactly which edges to expect.
    """
    people = found = near = 0
    guessed = 0.0
    claims: list[tuple[float, bool]] = []
    for number, block in enumerate(blocks):
        rng = np.random.default_rng(number)
        held = rng.permutation(len(block))[: max(2, round(stored * len(block)))]
        told = np.flatnonzero(rng.random(len(held)) < known)
        target = channels([block[at] for at in held], number)
        plain = theirs[number] if theirs else block
        mean, variance = (
            (exact := channels(plain, number), np.zeros_like(exact))
            if leaked
            else _expected(plain, channels)
        )
        search = _Search(target, mean, variance, {int(at): int(held[at]) for at in told})
        best, truth = search.best(number), search.climb(held.copy())
        better = truth if search.misfit(truth) < search.misfit(best) - 1e-6 else best
        asked = np.setdiff1d(np.arange(len(held)), told)
        right = best == held
        people += len(asked)
        found += int(right[asked].sum())
        near += int((better == held)[asked].sum())
        claims += zip(search.confidence(best)[asked], right[asked], strict=True)
        guessed += len(asked) / (len(block) - len(told))
    return Vectors(people, found / people, near / people, guessed / people, _sure(claims) / people)


def _sure(claims: Sequence[tuple[float, bool]]) -> int:
    """How many claims are right, of the surest ones that are right nine times out of ten. The truth
    chooses how many.
    """
    ranked = sorted(claims, key=lambda claim: -claim[0])
    right = np.cumsum([claim[1] for claim in ranked])
    enough = np.flatnonzero(right >= CONFIDENT * (1.0 + np.arange(len(ranked))))
    return int(right[enough[-1]]) if len(enough) else 0


def _expected(subjects: Sequence[Subject], channels: Channels) -> tuple[Edges, Edges]:
    """What the attacker expects of these people, and the noise, over keys of his own."""
    made = np.stack([channels(subjects, 1_000 + key) for key in range(OWN_KEYS)])
    return made.mean(axis=0), made.var(axis=0, ddof=1)


class _Search:
    """Looks for the assignment of records to people under which the edges fit best: a quadratic
    assignment problem with Gaussian noise in each channel.
    """

    def __init__(self, target: Edges, mean: Edges, variance: Edges, known: dict[int, int]) -> None:
        scale = np.sqrt(variance.mean(axis=(1, 2)) + _LEAST_VARIANCE)[:, None, None]
        target, mean = target / scale, mean / scale
        self._size, self._people = target.shape[1], mean.shape[1]
        ones, expected = (np.einsum("cii->ci", edges) for edges in (target, mean))
        self._node = ((ones[:, :, None] - expected[:, None, :]) ** 2).sum(axis=0)
        for record, person in known.items():
            self._node[record] += 1e6
            self._node[:, person] += 1e6
            self._node[record, person] -= 2e6
        self._target = target * (1.0 - np.eye(self._size, dtype=np.float32))
        self._mean = mean * (1.0 - np.eye(self._people, dtype=np.float32))

    def best(self, seed: int) -> Ints:
        """The best assignment of several starts."""
        rng = np.random.default_rng(seed)
        first = linear_sum_assignment(self._signature_costs())[1]
        starts = _STARTS if self._people <= 60 else 2
        places = [first, self._spectral(), self._annealed()]
        places += [self._shaken(first, rng, number / starts) for number in range(1, starts)]
        tried = [self.climb(place) for place in places]
        return min(tried, key=self.misfit)

    def _spectral(self) -> Ints:
        """A start from the eigenvectors of both graphs, in every channel: GRAMPA (Fan, Mao, Wu & Xu
        2019), with nodes that differ counted against.
        """
        alike = -self._node / max(float(np.abs(self._node).max()), 1.0)
        for target, mean in zip(self._target, self._mean, strict=True):
            if not target.any():
                continue
            of_target, own = np.linalg.eigh(target / np.abs(target).max())
            of_mean, theirs = np.linalg.eigh(mean / max(float(np.abs(mean).max()), 1e-9))
            near = 1.0 / ((of_target[:, None] - of_mean[None, :]) ** 2 + _GRAMPA**2)
            sums = own.sum(axis=0)[:, None] * theirs.sum(axis=0)[None, :]
            found = own @ (near * sums) @ theirs.T
            alike += found / max(float(np.abs(found).max()), 1e-9)
        return linear_sum_assignment(-alike)[1]

    def _annealed(self) -> Ints:
        """A start from beliefs of who each record may be, passed along all edges again and again,
        ever more surely (mean field of the assignment; Gold & Rangarajan 1996).
        """
        n, m = self._size, self._people
        belief = np.full((n, m), 1.0 / m)
        squared = (self._mean**2).sum(axis=0)
        for sure in _SURER:
            fit = np.zeros((n, m))
            for target, mean in zip(self._target, self._mean, strict=True):
                fit += target @ belief @ mean
            # What others are believed to be is expected at each person.
            costs = self._node - 2.0 * fit + (belief.sum(axis=0) @ squared)[None, :] * (n - 1) / n
            belief = _balanced(-sure * costs)
        return linear_sum_assignment(-belief)[1]

    def climb(self, found: Ints) -> Ints:
        """Improve an assignment until nothing changes."""
        return self._swap(self._refine(found))

    def misfit(self, found: Ints) -> float:
        """Squared differences of all edges and nodes, in units of the noise."""
        edges = ((self._target - self._mean[:, found][:, :, found]) ** 2).sum() / 2
        return float(edges + self._node[np.arange(self._size), found].sum())

    def confidence(self, found: Ints) -> NDArray[np.float64]:
        """For each record, how much better its place fits than all exchanges with others (log
        odds).
        """
        worse = -self._gains(self._filled(found))[: self._size]
        np.fill_diagonal(worse, np.inf)
        odds = np.exp(-np.clip(worse, 0.0, 200.0) / 2.0).sum(axis=1)
        return -np.log(odds)

    def _signature_costs(self) -> NDArray[np.float64]:
        """Records are similar to people whose neighbours are as near, in every channel."""
        left, right = np.sort(self._target, axis=2), np.sort(self._mean, axis=2)
        quantiles = np.linspace(0.0, 1.0, min(self._size, 33))
        left, right = (
            np.quantile(edges, quantiles, axis=2).transpose(2, 1, 0).reshape(edges.shape[1], -1)
            for edges in (left, right)
        )
        costs = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :]
        scale = self._size / len(quantiles)
        return scale * (costs - 2.0 * left @ right.T) + self._node

    def _refine(self, found: Ints) -> Ints:
        flat = self._target.transpose(1, 0, 2).reshape(self._size, -1)
        own = (flat**2).sum(axis=1)
        for _ in range(30):
            rows = self._mean[:, :, found].transpose(1, 0, 2).reshape(self._people, -1)
            costs = own[:, None] + (rows**2).sum(axis=1)[None, :] - 2.0 * flat @ rows.T
            again = linear_sum_assignment(costs + self._node)[1]
            if (again == found).all():
                break
            found = again
        return found

    def _swap(self, found: Ints) -> Ints:
        """Exchange two people, one of whom may not be assigned, as long as the fit improves."""
        found = self._filled(found)
        for _ in range(3 * self._people):
            gain = self._gains(found)
            one, other = np.unravel_index(int(gain.argmax()), gain.shape)
            if gain[one, other] <= 1e-6:
                break
            found[[one, other]] = found[[other, one]]
        return found[: self._size]

    def _gains(self, found: Ints) -> NDArray[np.float64]:
        """How much the misfit falls if two change places: (people, people)."""
        n, m = self._size, self._people
        seen = np.zeros((len(self._target), m, m), dtype=np.float32)
        seen[:, :n, :n] = self._target
        there = np.zeros((m, m), dtype=np.float32)
        there[:n, :n] = 1.0 - np.eye(n, dtype=np.float32)
        permuted = self._mean[:, found][:, :, found]
        fit = np.einsum("cik,cjk->ij", seen, permuted, optimize=True)
        both = np.einsum("cij,cij->ij", seen, permuted)
        gain = 2.0 * (fit + fit.T - fit.diagonal()[:, None] - fit.diagonal()[None, :] + 2.0 * both)
        if n < m:
            squared = (permuted**2).sum(axis=0)
            rest = there @ squared
            gain -= rest + rest.T - rest.diagonal()[:, None] - rest.diagonal()[None, :]
            gain -= 2.0 * there * squared
        node = np.zeros((m, m))
        node[:n] = -self._node
        chosen = node[:, found]
        gain = gain + chosen + chosen.T - chosen.diagonal()[:, None] - chosen.diagonal()[None, :]
        np.fill_diagonal(gain, 0.0)
        return gain

    def _filled(self, found: Ints) -> Ints:
        rest = np.setdiff1d(np.arange(self._people), found)
        return np.concatenate([found, rest]).astype(np.int64)

    def _shaken(self, found: Ints, rng: np.random.Generator, share: float) -> Ints:
        filled = self._filled(found)
        which = rng.permutation(self._people)[: max(2, round(share * self._people))]
        filled[which] = filled[rng.permutation(which)]
        return filled[: self._size]
