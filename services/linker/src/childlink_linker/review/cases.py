"""The use cases of review: doubtful pairs wait for a data steward; a decision is evidence that
outlives re-linking.

Pairs that have people in common are one case, and are shown together. A steward sees what two
people's records agree on and what that weighs, in whole bits, never a value, a reference or a
partner's name; of pairs that do not wait, nothing at all, since agreement between records of one's
own choice would tell who is like whom. A decision can be undone; both stay in the record, with who
and when. Whoever is withdrawn takes the decisions about them along.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from childlink_core.profiles import Profile

from childlink_linker.clustering.verdicts import Verdict
from childlink_linker.errors import ReviewError
from childlink_linker.linking.affected_component import reach
from childlink_linker.linking.link import outcome_of, recluster
from childlink_linker.linking.update_families import regroup_families
from childlink_linker.matching.parameters import Parameters
from childlink_linker.records import Outcome
from childlink_linker.review.explain import Comparison, compare_groups, letter
from childlink_linker.store import tables as t
from childlink_linker.store.store import Store

Pair = tuple[int, int]
"""The least subjects of two people, by the linker's own numbers."""


@dataclass(frozen=True)
class Doubt:
    """Two people who may be one."""

    pair: Pair
    weight: float
    persons: tuple[str, str]
    since_ms: int
    said: tuple["Decision", ...]
    """What stewards have said of it that does not settle it."""
    own_checks: tuple[str, str] = ("", "")
    """What the partners of the two say of their own rows: "", "asked", or what they found."""

    @property
    def unsure(self) -> int:
        """How many stewards have said that they do not know."""
        return sum(item.verdict == "unsure" for item in self.said)

    @property
    def asks_second(self) -> bool:
        """Whether a steward has decided and asks for a second opinion."""
        return any(item.asks_second for item in self.said)


@dataclass(frozen=True)
class Case:
    """Doubtful pairs that have people in common."""

    number: int
    """Its least subject's."""
    doubts: tuple[Doubt, ...]
    letters: dict[str, str]
    """What each person is called on the page: A, B, ..."""
    since_ms: int


@dataclass(frozen=True)
class Decision:
    """What a steward said."""

    decision_id: int
    at_ms: int
    steward: str
    pair: Pair
    verdict: Verdict
    reason: str
    asks_second: bool
    undone_by: str | None


def doubts(store: Store) -> list[Doubt]:
    """What waits, the likeliest first."""
    rows = store.review_queue()
    subjects = store.subjects(
        {subject for row in rows for subject in (row.smaller_subject_id, row.larger_subject_id)}
    )
    said: dict[Pair, list[Decision]] = defaultdict(list)
    for item in map(_decision, store.decisions_of(subjects)):
        said[item.pair].append(item)
    checks = {row.subject_id: row.outcome or "asked" for row in store.own_checks(subjects)}
    found = []
    for row in rows:
        pair = (row.smaller_subject_id, row.larger_subject_id)
        one, other = (subjects[subject].person_id or "" for subject in pair)
        found.append(
            Doubt(
                pair,
                row.weight,
                (one, other),
                row.since_ms,
                tuple(said[pair]),
                (checks.get(pair[0], ""), checks.get(pair[1], "")),
            )
        )
    return sorted(found, key=lambda doubt: (-doubt.weight, doubt.pair))


def cases(store: Store, steward: str = "") -> list[Case]:
    """What waits, as cases, the longest waiting first; without those that the steward passed on, or
    spoke of already.
    """
    waiting = doubts(store)
    root: dict[str, str] = {}

    def find(person: str) -> str:
        while root.setdefault(person, person) != person:
            person = root[person]
        return person

    for doubt in waiting:
        root[find(doubt.persons[0])] = find(doubt.persons[1])
    groups: dict[str, list[Doubt]] = defaultdict(list)
    for doubt in waiting:
        groups[find(doubt.persons[0])].append(doubt)
    found = []
    for group in groups.values():
        if steward and all(any(item.steward == steward for item in doubt.said) for doubt in group):
            continue
        persons = dict.fromkeys(
            person for doubt in sorted(group, key=lambda d: d.pair) for person in doubt.persons
        )
        letters = {person: letter(at) for at, person in enumerate(persons)}
        number = min(min(doubt.pair) for doubt in group)
        found.append(Case(number, tuple(group), letters, min(doubt.since_ms for doubt in group)))
    return sorted(found, key=lambda case: (case.since_ms, case.number))


def case(store: Store, number: int) -> Case:
    """A case that waits. Raises ReviewError."""
    for item in cases(store):
        if any(number in doubt.pair for doubt in item.doubts):
            return item
    raise ReviewError(
        f"No case {number} waits.", "Somebody may have decided it: look at the list of what waits."
    )


def show(store: Store, pair: Pair, profile: Profile, parameters: Parameters) -> list[Comparison]:
    """What the records of the two people agree on: pairs of a record of the one (A1, A2, ...) and
    one of the other (B1, ...).
    """
    check_waits(store, pair)
    subjects = store.subjects(pair)
    groups = []
    for subject_id in pair:
        person = subjects[subject_id].person_id
        of_person = (
            store.subjects_of_persons([person]) if person else {subject_id: subjects[subject_id]}
        )
        groups.append(store.records_of_subjects(of_person))
    return compare_groups(groups[0], groups[1], subjects[pair[0]].role, profile, parameters)


def decide(
    store: Store,
    verdicts: Sequence[tuple[Pair, Verdict]],
    steward: str,
    reason: str,
    profile: Profile,
    parameters: Parameters,
    *,
    asks_second: bool = False,
) -> Outcome:
    """Write down what a steward says of some pairs, and link anew whom it concerns. Returns what
    changed.
    """
    _named(steward, reason)
    store.lock()
    for pair, _ in verdicts:
        check_waits(store, pair)
    store.insert(
        t.decision,
        [
            {
                "at_ms": int(time.time() * 1000),
                "steward": steward,
                "smaller_subject_id": pair[0],
                "larger_subject_id": pair[1],
                "verdict": verdict,
                "reason": reason,
                "asks_second": asks_second and verdict in ("same", "different"),
            }
            for pair, verdict in verdicts
        ],
    )
    return _link_anew(
        store, [subject for pair, _ in verdicts for subject in pair], profile, parameters
    )


def undo(
    store: Store, decision_id: int, steward: str, profile: Profile, parameters: Parameters
) -> Outcome:
    """Take a decision back; it stays in the record. Returns what changed."""
    store.lock()
    found = next((item for item in decisions(store) if item.decision_id == decision_id), None)
    if found is None or found.undone_by:
        raise ReviewError(
            f"There is no decision {decision_id} to undo.",
            "`childlink-linker review decisions` lists them.",
        )
    _named(steward, "undo")
    store.undo_decision(decision_id, steward, int(time.time() * 1000))
    return _link_anew(store, found.pair, profile, parameters)


def decisions(store: Store) -> list[Decision]:
    """Everything that stewards said, oldest first, undone ones too."""
    return [_decision(row) for row in store.all_decisions()]


def _link_anew(
    store: Store, subjects: Sequence[int], profile: Profile, parameters: Parameters
) -> Outcome:
    component = reach(store, subjects)
    moved, persons, merges, splits = recluster(store, component, profile, parameters)
    return outcome_of(store, moved, regroup_families(store, persons), merges, splits)


def check_waits(store: Store, pair: Pair) -> None:
    """Raise ReviewError unless the pair waits, or was decided."""
    waits = any(
        (row.smaller_subject_id, row.larger_subject_id) == pair
        for row in store.review_queue_of(pair)
    )
    if not waits and not any(_decision(row).pair == pair for row in store.decisions_of(pair)):
        raise ReviewError(
            f"There is no pair {pair[0]}-{pair[1]} that waits.",
            "`childlink-linker review list` shows what waits.",
        )


def _named(steward: str, reason: str) -> None:
    if not steward.strip() or not reason.strip():
        raise ReviewError("A decision needs who made it and why.", "Give --by and --why.")


def _decision(row: Any) -> Decision:
    return Decision(
        row.decision_id,
        row.at_ms,
        row.steward,
        (row.smaller_subject_id, row.larger_subject_id),
        row.verdict,
        row.reason,
        row.asks_second,
        row.undone_by,
    )
