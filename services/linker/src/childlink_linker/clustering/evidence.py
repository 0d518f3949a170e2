"""Components with the evidence between their subjects. Rule: records, edges and decisions in,
evidence out. See `partition`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from childlink_core.profiles import Profile

from childlink_linker.clustering.cluster import DIFFERENT, SAME, Evidence, Numbers
from childlink_linker.clustering.verdicts import Opinion, standing
from childlink_linker.matching.blocking import DOB_PASS, MOTHER_NAME_PASS, MOTHER_NUMBER_PASS
from childlink_linker.matching.comparison import PairWeights, compare
from childlink_linker.matching.encodings import Encodings, from_rows
from childlink_linker.matching.parameters import Parameters
from childlink_linker.matching.weights import (
    AGREE,
    DISAGREE,
    DISAGREE_UNTRACED,
    FLAGS,
    NOT_COMPARED,
    VARIABLES,
    WEIGHT_OF_UNTRACED,
    Weigher,
)
from childlink_linker.records import StoredRecord, Subject

# Larger components are clustered on the pairs that their edges give, not on all pairs.
_LARGEST_COMPLETE_COMPONENT: Final = 400

_VERDICTS = {"same": SAME, "different": DIFFERENT}
_NHS, _MULTIPLE = VARIABLES.index("nhs"), VARIABLES.index("multiple")
# How two records of one source are recognised as one birth: a pass, a segment that must be present,
# and the segment that shows the sex.
_BIRTHS: Final[tuple[tuple[int, tuple[str, ...], tuple[str, ...]], ...]] = (
    (DOB_PASS, ("postcode",), ("postcode", "sex")),
    (MOTHER_NAME_PASS, (), ("sex",)),
    (MOTHER_NUMBER_PASS, (), ("sex",)),
)


def columns(rows: Sequence[StoredRecord], profile: Profile) -> Encodings:
    """Stored records as columns."""
    return from_rows((row.encoding for row in rows), profile)


@dataclass(frozen=True)
class SubjectPairs:
    """Pairs of subjects with the evidence between them, as columns."""

    ends: np.ndarray
    codes: np.ndarray
    forbidden: np.ndarray
    same_source: np.ndarray
    compared: np.ndarray
    like_twins: np.ndarray
    decided: np.ndarray
    """A data steward's decision: 0 none, 1 same, 2 different."""
    numbers_differ: np.ndarray
    """Both have NHS numbers, and none in common."""
    numbers: Mapping[int, Mapping[int, float]]
    """NHS numbers of each subject that has any, with how much each counts. They are hashed tokens,
    as integers.
    """


def verdicts_of(decisions: Iterable[Any]) -> dict[tuple[int, int], int]:
    """The verdicts in force, from decisions (oldest first), by pair of subjects."""
    opinions: dict[tuple[int, int], list[Opinion]] = defaultdict(list)
    for row in decisions:
        said = Opinion(row.steward, row.verdict, row.asks_second)
        opinions[row.smaller_subject_id, row.larger_subject_id].append(said)
    held = {pair: standing(said) for pair, said in opinions.items()}
    return {pair: _VERDICTS[verdict] for pair, verdict in held.items() if verdict}


def find_evidence(
    records: Sequence[StoredRecord],
    edges: Iterable[tuple[int, int]],
    verdicts: Mapping[tuple[int, int], int],
    profile: Profile,
    parameters: Parameters,
) -> SubjectPairs:
    """Evidence between every two subjects of whole components, over all pairs of their records.

    `edges` are pairs of record ids. `verdicts` about other subjects are ignored. The result does
    not depend on the order of the records.
    """
    position = {record.record_id: index for index, record in enumerate(records)}
    joined = [(position[a], position[b]) for a, b in edges]
    decided = {subject_id for pair in verdicts for subject_id in pair}
    of_decided = [index for index, record in enumerate(records) if record.subject_id in decided]
    # A decision joins the records with the greatest facets, so the order of arrival has no effect.
    face = {
        records[index].subject_id: index
        for index in sorted(of_decided, key=lambda index: records[index].facet)
    }
    verdicts = {pair: verdict for pair, verdict in verdicts.items() if face.keys() >= set(pair)}
    joined += [(face[a], face[b]) for a, b in verdicts]
    subject_of = np.array([record.subject_id for record in records], dtype=np.int64)
    groups = _connected(len(subject_of), [*joined, *_same_subject(subject_of)])
    pairs = _pairs_within(joined, subject_of, groups)
    encodings = columns(records, profile)
    encodings = replace(encodings, multiple=_of_multiple_births(encodings, profile, groups))
    result: PairWeights = compare(encodings, pairs[:, 0], pairs[:, 1], profile, parameters)
    ends, where = np.unique(np.sort(subject_of[pairs], axis=1), axis=0, return_inverse=True)
    where, size = where.reshape(-1), len(ends)

    def any_of(flags: np.ndarray) -> np.ndarray:
        return np.bincount(where, weights=flags, minlength=size) > 0

    best = best_agreements(result.codes, where, size)
    # Different NHS numbers are counted between clusters.
    numbers_differ = np.isin(best[:, _NHS], (DISAGREE, DISAGREE_UNTRACED))
    best[numbers_differ, _NHS] = 0
    numbers: dict[int, dict[int, float]] = {}
    for at in np.flatnonzero(encodings.nhs).tolist():
        held = numbers.setdefault(records[at].subject_id, {})
        weight = WEIGHT_OF_UNTRACED if encodings.untraced[at] else 1.0
        number = int(encodings.nhs[at])
        held[number] = max(held.get(number, 0.0), weight)
    return SubjectPairs(
        ends,
        best,
        any_of(result.forbidden),
        any_of(result.same_source),
        np.bincount(where, weights=result.named, minlength=size).astype(np.int64),
        np.bincount(where, weights=result.relatives, minlength=size).astype(np.int64),
        np.array([verdicts.get((a, b), 0) for a, b in ends.tolist()], dtype=np.int8),
        numbers_differ,
        numbers,
    )


def best_agreements(codes: np.ndarray, where: np.ndarray, size: int) -> np.ndarray:
    """The best agreement in each field over the pairs of records of two subjects (or people).

    `codes`: of pairs of records, (pairs, `VARIABLES`). `where`: for each, the number of its two
    subjects. Returns (`size`, `VARIABLES`).
    """
    best = np.full((size, len(VARIABLES)), NOT_COMPARED, dtype=np.int8)
    for column, of_pairs in enumerate(codes.T):
        if column in FLAGS:
            # What makes a comparison weaker counts only if every pair of records has it.
            np.minimum.at(best[:, column], where, of_pairs)
        else:
            np.minimum.at(best[:, column], where, np.where(of_pairs == 0, NOT_COMPARED, of_pairs))
    best[best == NOT_COMPARED] = 0
    return best


def _of_multiple_births(
    encodings: Encodings, profile: Profile, groups: Sequence[Sequence[int]]
) -> np.ndarray:
    """Which records are of twins whom only a name distinguishes.

    Their source also holds a co-twin of the same sex from the same birth (same mother, or same
    address and day). Or it holds no co-twin, and their order of birth is not the first. The co-twin
    must be in the same component. Otherwise the result would depend on which records arrived
    together.
    """
    multiple = encodings.multiple.copy()
    component = np.zeros(len(encodings), dtype=np.int64)
    for number, members in enumerate(groups):
        component[members] = number
    for number, place, sex in _BIRTHS:
        item = profile.get_pass(number)
        if item is None or sex not in item.segments:
            continue
        columns = encodings.passes[number]
        where = (
            columns.segments[:, item.segments.index(place)]
            if place
            else np.ones(len(encodings), dtype=np.uint32)
        )
        sexes = columns.segments[:, item.segments.index(sex)]
        births: dict[tuple[int, int, int, int], list[int]] = defaultdict(list)
        for at in np.flatnonzero(
            (columns.tokens > 0) & (where > 0) & (encodings.birth_order > 0)
        ).tolist():
            births[
                int(component[at]),
                int(encodings.source[at]),
                int(columns.tokens[at]),
                int(where[at]),
            ].append(at)
        for together in births.values():
            for at in together:
                others = [
                    b for b in together if encodings.birth_order[b] != encodings.birth_order[at]
                ]
                if others:
                    multiple[at] = any(
                        0 in (sexes[at], sexes[b]) or sexes[at] == sexes[b] for b in others
                    )
    return multiple


def _pairs_within(
    edges: Sequence[tuple[int, int]], subject_of: np.ndarray, groups: Sequence[Sequence[int]]
) -> np.ndarray:
    """All pairs of records of different subjects within one component (`groups`). In a very large
    component, only pairs joined by an edge.
    """
    parts = []
    of_size: dict[int, list[Sequence[int]]] = defaultdict(list)
    for members in groups:
        if len(members) > _LARGEST_COMPLETE_COMPONENT:
            inside = set(members)
            kept = {(min(pair), max(pair)) for pair in edges if pair[0] in inside}
            parts.append(np.array(sorted(kept), dtype=np.int64))
        elif len(members) > 1:
            of_size[len(members)].append(members)
    for size, alike in of_size.items():
        # Process all components of one size at once. Most have two members.
        i, j = np.triu_indices(size, k=1)
        at = np.array(alike, dtype=np.int64)
        parts.append(np.stack([at[:, i].ravel(), at[:, j].ravel()], axis=1))
    if not parts:
        return np.zeros((0, 2), dtype=np.int64)
    pairs: np.ndarray = np.concatenate(parts)
    different = subject_of[pairs[:, 0]] != subject_of[pairs[:, 1]]
    return np.compress(different, pairs, axis=0)


def _same_subject(subject_of: np.ndarray) -> Iterator[tuple[int, int]]:
    first: dict[int, int] = {}
    for index, subject_id in enumerate(subject_of.tolist()):
        if subject_id in first:
            yield first[subject_id], index
        else:
            first[subject_id] = index


def _connected(size: int, edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    parent = list(range(size))

    def root(x: int) -> int:
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    for a, b in edges:
        parent[root(a)] = root(b)
    groups: dict[int, list[int]] = {}
    for index in range(size):
        groups.setdefault(root(index), []).append(index)
    return list(groups.values())


Key = tuple[str, bytes]


def components(
    subjects: Mapping[int, Subject], evidence: SubjectPairs, parameters: Parameters
) -> Iterator[tuple[list[Key], Evidence | None]]:
    """Components with their subjects in the order of their keys, so that ids given at arrival have
    no effect. Evidence is None for subjects who are certainly one person.
    """
    weighers = {role: Weigher(weights) for role, weights in parameters.roles.items()}
    ids = sorted(subjects, key=lambda subject_id: subjects[subject_id].key)
    index = {subject_id: at for at, subject_id in enumerate(ids)}
    ends = np.array(
        [[index[a], index[b]] for a, b in evidence.ends.tolist()], dtype=np.int64
    ).reshape(-1, 2)
    groups = _connected(len(ids), ((a, b) for a, b in ends.tolist()))
    role_of = np.array([subjects[subject_id].role for subject_id in ids])
    surely = _surely_one(evidence, role_of[ends[:, 0]], weighers, parameters)
    group_of = np.zeros(len(ids), dtype=np.int64)
    place = np.zeros(len(ids), dtype=np.int64)
    for number, members in enumerate(groups):
        group_of[members], place[members] = number, np.arange(len(members))
    order = np.argsort(group_of[ends[:, 0]], kind="stable")
    bounds = np.searchsorted(group_of[ends[order, 0]], np.arange(len(groups) + 1))
    sure_pairs = np.bincount(group_of[ends[:, 0]], weights=surely, minlength=len(groups)).tolist()
    for number, members in enumerate(groups):
        n = len(members)
        held = [subjects[ids[member]] for member in members]
        if sure_pairs[number] == n * (n - 1) // 2:
            yield [subject.key for subject in held], None
            continue
        at = order[bounds[number] : bounds[number + 1]]
        i, j = place[ends[at]].T
        weights = parameters.roles[held[0].role]
        codes, forbidden = (
            np.zeros((n, n, len(VARIABLES)), dtype=np.int8),
            np.zeros((n, n), dtype=bool),
        )
        same_source = np.zeros((n, n))
        compared, like_twins = np.zeros((n, n), dtype=np.int64), np.zeros((n, n), dtype=np.int64)
        decided = np.zeros((n, n), dtype=np.int8)
        for array, values in (
            (codes, evidence.codes),
            (forbidden, evidence.forbidden),
            (same_source, np.where(evidence.same_source, weights.same_source, 0.0)),
            (compared, evidence.compared),
            (like_twins, evidence.like_twins),
            (decided, evidence.decided),
        ):
            array[i, j] = array[j, i] = values[at]
        numbers = Numbers(
            [evidence.numbers.get(subject.subject_id, {}) for subject in held],
            [subject.partner for subject in held],
            weights.numbers_differ,
        )
        weigher = weighers[held[0].role]
        yield (
            [subject.key for subject in held],
            Evidence(
                codes,
                weigher,
                forbidden,
                same_source,
                compared,
                like_twins,
                decided,
                numbers,
                codes[:, :, _NHS] == AGREE,
                _MULTIPLE,
                FLAGS,
            ),
        )


def _surely_one(
    evidence: SubjectPairs,
    roles: np.ndarray,
    weighers: Mapping[int, Weigher],
    parameters: Parameters,
) -> np.ndarray:
    """Pairs of subjects that are linked regardless of other evidence. Most pairs are, and need no
    clustering.
    """
    sure = np.zeros(len(roles), dtype=bool)
    for role, weigher in weighers.items():
        at = np.flatnonzero(roles == role)
        weighed, _ = weigher(evidence.codes[at])
        same_source = np.where(evidence.same_source[at], parameters.roles[role].same_source, 0.0)
        sure[at] = (weighed.bits + same_source).round(6) >= parameters.thresholds.link
    apart = (
        evidence.forbidden | (2 * evidence.like_twins > evidence.compared) | evidence.numbers_differ
    )
    sure &= ~apart & (evidence.decided != DIFFERENT)
    return sure
