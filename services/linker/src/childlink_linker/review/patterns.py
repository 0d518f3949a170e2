"""The use cases of patterns: waiting pairs whose records agree and differ in exactly the same
fields.

A steward who decides one of them would decide the others the same way, because no more is known of
any. So one steward proposes a verdict for the whole pattern, and a second steward approves it. Only
cases of two people belong to a pattern. If a third person fits as well, a steward looks at the case
itself.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np
from childlink_core.profiles import Profile

from childlink_linker.clustering.evidence import best_agreements, columns
from childlink_linker.clustering.verdicts import PROPOSALS, Proposal
from childlink_linker.errors import ReviewError
from childlink_linker.matching.comparison import Codes, compare
from childlink_linker.matching.parameters import Parameters
from childlink_linker.matching.weights import Weigher
from childlink_linker.records import StoredRecord, StoredSubject
from childlink_linker.review.cases import Doubt, Pair, cases
from childlink_linker.review.explain import Finding, expected_same, findings_of
from childlink_linker.store.store import Store

EXAMPLES: Final = 10
"""The most pairs of a pattern that are shown."""


@dataclass(frozen=True)
class Pattern:
    """Waiting pairs that agree and differ in the same fields."""

    name: str
    """Six hexadecimal digits, made from what the pairs agree on. It stays the same over time."""
    doubts: tuple[Doubt, ...]
    findings: tuple[Finding, ...]
    expected_same: float
    """The share of the pairs that is expected to be one person, by their weights."""

    @property
    def examples(self) -> list[Pair]:
        """The pairs that a steward may open before deciding."""
        return self.pairs[:EXAMPLES]

    @property
    def pairs(self) -> list[Pair]:
        """Its pairs, the smallest numbers first."""
        return sorted(doubt.pair for doubt in self.doubts)

    def proposed(self, verdict: Proposal) -> int:
        """Number of pairs for which a steward has proposed this verdict."""
        return sum(any(said.verdict == verdict for said in doubt.said) for doubt in self.doubts)


def patterns(store: Store, profile: Profile, parameters: Parameters, steward: str) -> list[Pattern]:
    """The patterns with at least two pairs that wait for this steward: proposed ones first, then
    those with the most pairs.
    """
    waiting = [case.doubts[0] for case in cases(store, steward) if len(case.doubts) == 1]
    doubts, codes, roles = _agreements(store, waiting, profile, parameters)
    alike: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for at, role in enumerate(roles):
        alike[role, codes[at].tobytes()].append(at)
    weighers = {role: Weigher(weights) for role, weights in parameters.roles.items()}
    found = []
    for (role, key), members in alike.items():
        if len(members) > 1:
            held = tuple(doubts[at] for at in members)
            found.append(
                Pattern(
                    blake2b(bytes([role]) + key, digest_size=3).hexdigest(),
                    held,
                    tuple(findings_of(codes[members[0]], weighers[role], parameters.roles[role])),
                    expected_same(np.array([doubt.weight for doubt in held])),
                )
            )
    return sorted(
        found,
        key=lambda pattern: (
            -max(pattern.proposed(verdict) for verdict in PROPOSALS),
            -len(pattern.doubts),
            pattern.name,
        ),
    )


def pattern(
    store: Store, profile: Profile, parameters: Parameters, steward: str, name: str
) -> Pattern:
    """A pattern that waits for this steward. Raises ReviewError."""
    for item in patterns(store, profile, parameters, steward):
        if item.name == name:
            return item
    raise ReviewError(
        f"No pattern {name} is waiting for you.",
        "Perhaps you decided it, or fewer than two of its pairs are left. `childlink-linker review"
        " patterns` lists the patterns.",
    )


def _agreements(
    store: Store, doubts: Sequence[Doubt], profile: Profile, parameters: Parameters
) -> tuple[list[Doubt], Codes, list[int]]:
    """The best agreements between the two people of each doubt, and their role. Doubts whose
    records cannot be compared are left out.
    """
    of_person: dict[str, list[StoredRecord]] = defaultdict(list)
    subjects: dict[int, StoredSubject] = store.subjects_of_persons(
        {person for doubt in doubts for person in doubt.persons}
    )
    for record in store.records_of_subjects(subjects):
        of_person[subjects[record.subject_id].person_id or ""].append(record)
    records: list[StoredRecord] = []
    left, right, where = [], [], []
    for number, doubt in enumerate(doubts):
        one, other = (of_person[person] for person in doubt.persons)
        first, second = len(records), len(records) + len(one)
        records += [*one, *other]
        for a in range(first, second):
            for b in range(second, len(records)):
                left.append(a)
                right.append(b)
                where.append(number)
    if not records:
        return [], np.zeros((0, 0), dtype=np.int8), []
    ends = np.array(left, dtype=np.int64), np.array(right, dtype=np.int64)
    encodings = columns(records, profile)
    compared = compare(encodings, *ends, profile, parameters)
    codes = best_agreements(compared.codes, np.array(where, dtype=np.int64), len(doubts))
    known = np.flatnonzero(codes.any(axis=1)).tolist()
    roles = [subjects[doubts[at].pair[0]].role for at in known]
    return [doubts[at] for at in known], codes[known], roles
