"""The use case of `missed`: how often a record without an NHS number is linked with no one, or with
another person. Measured on the store's own records, without known truth. Changes nothing.

Two records of two partners with one NHS number are one person, whatever else they say. So the
number is hidden from one of them, and the rule decides again about everything that the record
touches. This is the method of gold-standard data (Harron and others 2017) with the linker's own
rule. It assumes that records without a number are recorded as well as those with one.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from childlink_core.profiles import Profile

from childlink_linker.clustering.evidence import columns, verdicts_of
from childlink_linker.clustering.partition import partition
from childlink_linker.linking.affected_component import reach
from childlink_linker.linking.link import candidate_pairs, edges_of
from childlink_linker.matching.comparison import compare
from childlink_linker.matching.encodings import row_type
from childlink_linker.matching.parameters import Parameters
from childlink_linker.records import StoredRecord
from childlink_linker.store.store import Store

SAMPLE: Final = 300
"""Subjects of each partner and role that are tested."""
_RECORDS_AT_A_TIME: Final = 20_000
_Z: Final = 1.959964
Group = tuple[str, int]
"""Partner and role."""


@dataclass(frozen=True)
class Missed:
    """How one partner's children or adults would be linked without their numbers."""

    partner: str
    role: int
    people: int
    """Children or adults of the partner, by its own ids."""
    numbered: float
    """Share of them with an NHS number."""
    tested: int
    """Those whose number was hidden."""
    missed: int
    """Those of them who were then linked with no other partner's record of the person."""
    wrong: int
    """Those who were then linked with a record that has another number."""

    @property
    def share(self) -> tuple[float, float, float] | None:
        """The share of all of them whose links are missed for want of a number, and its 95%
        interval (Wilson 1927). None if no one could be tested.
        """
        if not self.tested:
            return None
        without = 1.0 - self.numbered
        low, high = _wilson(self.missed, self.tested)
        return without * self.missed / self.tested, without * low, without * high


def missed_links(
    store: Store,
    profile: Profile,
    parameters: Parameters,
    sample: int = SAMPLE,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[Missed]:
    """Hide the number of up to `sample` people of each partner and role, one at a time, and link
    again.
    """
    known = _read(store, profile)
    chosen = {group: known.choose(group, sample) for group in sorted(known.people)}
    every = sum(map(len, chosen.values()))
    found, done = [], 0
    for group, subjects in chosen.items():
        missed = wrong = 0
        for subject in subjects:
            alone, mixed = _without_number(store, subject, known, profile, parameters)
            missed, wrong, done = missed + alone, wrong + mixed, done + 1
            progress(done, every)
        people = known.people[group]
        numbered = len(people & known.numbered) / len(people)
        found.append(Missed(*group, len(people), numbered, len(subjects), missed, wrong))
    return found


@dataclass(frozen=True)
class _Known:
    """What the store knows of numbers."""

    people: Mapping[Group, set[int]]
    """Subjects by partner and role."""
    numbered: set[int]
    """Subjects with any number."""
    number_of: Mapping[int, int]
    """The number of each subject that has one traced number and no other."""
    holders: Mapping[int, set[int]]
    """The subjects of each number."""
    partner_of: Mapping[int, str]

    def same(self, subject: int) -> set[int]:
        """Subjects of other partners with the same number."""
        number = self.number_of.get(subject)
        others = self.holders[number] if number is not None else set()
        mine = self.partner_of[subject]
        return {other for other in others if self.partner_of[other] != mine}

    def choose(self, group: Group, most: int) -> list[int]:
        """At most so many, evenly spread over the order of arrival."""
        able = sorted(subject for subject in self.people[group] if self.same(subject))
        size = min(len(able), most)
        return [able[at * len(able) // size] for at in range(size)]


def _read(store: Store, profile: Profile) -> _Known:
    people: dict[Group, set[int]] = defaultdict(set)
    numbers: dict[int, set[int]] = defaultdict(set)
    partner_of: dict[int, str] = {}
    after = 0
    while chunk := store.records_after(after, _RECORDS_AT_A_TIME):
        after = chunk[-1].record_id
        encodings = columns(chunk, profile)
        for key, subject in store.subjects({record.subject_id for record in chunk}).items():
            people[subject.partner, subject.role].add(key)
            partner_of[key] = subject.partner
        for at in np.flatnonzero(encodings.nhs).tolist():
            # A number that was not traced may be another person's.
            traced = not encodings.untraced[at]
            numbers[chunk[at].subject_id].add(int(encodings.nhs[at]) if traced else 0)
    number_of = {
        subject_id: number
        for subject_id, held in numbers.items()
        if len(held) == 1 and (number := next(iter(held)))
    }
    holders: dict[int, set[int]] = defaultdict(set)
    for holder, number in number_of.items():
        holders[number].add(holder)
    return _Known(people, set(numbers), number_of, holders, partner_of)


def _without_number(
    store: Store, subject: int, known: _Known, profile: Profile, parameters: Parameters
) -> tuple[bool, bool]:
    """Whether the subject is then linked with none of its own, and whether with another person."""
    own = [_hidden(record, profile) for record in store.records_of_subjects([subject])]
    rows, pairs = candidate_pairs(store, own, profile)
    result = compare(columns(rows, profile), pairs[:, 0], pairs[:, 1], profile, parameters)
    fresh, _ = edges_of(rows, pairs, result, parameters)
    ids = {record.record_id for record in own}
    ends = {row.record_id: row.subject_id for row in rows}
    near = {ends[end] for pair in fresh.tolist() for end in pair} | {subject}
    component = [record for record in reach(store, near) if record.record_id not in ids] + own
    edges = {
        pair
        for pair in store.neighbours(record.record_id for record in component)
        if not ids & set(pair)
    }
    edges |= {(int(a), int(b)) for a, b in fresh}
    subjects = store.subjects({record.subject_id for record in component})
    decided = verdicts_of(
        row
        for row in store.decisions_of(subjects)
        if subject not in (row.smaller_subject_id, row.larger_subject_id)
    )
    found = partition(subjects, component, edges, decided, profile, parameters)
    [mine] = [set(members) for members in found.clusters if subject in members]
    number = known.number_of[subject]
    others = {known.number_of.get(member, number) for member in mine}
    return not mine & known.same(subject), others != {number}


def _hidden(record: StoredRecord, profile: Profile) -> StoredRecord:
    row = np.frombuffer(record.encoding, dtype=row_type(profile)).copy()
    row["nhs"] = 0
    return replace(record, encoding=row.tobytes())


def _wilson(part: int, of: int) -> tuple[float, float]:
    share = part / of
    middle = (share + _Z**2 / (2 * of)) / (1 + _Z**2 / of)
    reach_of = _Z * np.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2)) / (1 + _Z**2 / of)
    return max(0.0, float(middle - reach_of)), min(1.0, float(middle + reach_of))
