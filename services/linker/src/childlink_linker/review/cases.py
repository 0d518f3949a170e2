"""The use cases of review: data stewards decide doubtful pairs. Their decisions are evidence that
is kept when records are re-linked.

Pairs that have people in common form one case and are shown together. A steward sees what the
records of two people agree on, with weights in whole bits. They see no values, references or
partner names. Pairs that do not wait are not shown: if stewards could compare any records they
chose, they could find out which people are similar.

A decision can be undone. The decision and its undoing stay in the record, with name and time. If a
subject is withdrawn, decisions about it are deleted.
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
"""The least subjects of two people, as the linker's own numbers."""


@dataclass(frozen=True)
class Doubt:
    """Two people who may be one."""

    pair: Pair
    weight: float
    persons: tuple[str, str]
    since_ms: int
    said: tuple["Decision", ...]
    """Stewards' opinions that do not settle the pair."""
    own_checks: tuple[str, str] = ("", "")
    """The partners' answers about their own rows, for each of the two: "", "asked", or the
    finding.
    """

    @property
    def unsure(self) -> int:
        """Number of stewards who answered that they do not know."""
        return sum(item.verdict == "unsure" for item in self.said)

    @property
    def asks_second(self) -> bool:
        """Whether a steward has decided and asked for a second opinion."""
        return any(item.asks_second for item in self.said)


@dataclass(frozen=True)
class Case:
    """Doubtful pairs that have people in common."""

    number: int
    """The least subject of the case."""
    doubts: tuple[Doubt, ...]
    letters: dict[str, str]
    """The letter of each person on the page: A, B, ..."""
    since_ms: int


@dataclass(frozen=True)
class Decision:
    """A steward's decision."""

    decision_id: int
    at_ms: int
    steward: str
    pair: Pair
    verdict: Verdict
    reason: str
    asks_second: bool
    undone_by: str | None

    @property
    def step(self) -> tuple[int, str]:
        """What was decided in one step has the same time and steward."""
        return self.at_ms, self.steward


def doubts(store: Store) -> list[Doubt]:
    """All doubtful pairs, greatest weight first."""
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
    """The waiting cases, clearest first: those of two people, then greatest weight, then longest
    waiting. Without the cases in which the steward already has a decision in force, or passed, on
    every pair.
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
    return sorted(
        found,
        key=lambda case: (
            len(case.doubts) > 1,
            -max(round(doubt.weight) for doubt in case.doubts),
            case.since_ms,
            case.number,
        ),
    )


def case(store: Store, number: int) -> Case:
    """A waiting case. Raises ReviewError."""
    for item in cases(store):
        if any(number in doubt.pair for doubt in item.doubts):
            return item
    raise ReviewError(
        f"No case {number} is waiting.",
        "Another steward may have decided it. See the list of waiting cases.",
    )


def show(store: Store, pair: Pair, profile: Profile, parameters: Parameters) -> list[Comparison]:
    """What the records of two people agree on: records of the one (A1, A2, ...) compared with
    records of the other (B1, B2, ...). Raises ReviewError.
    """
    check_wait(store, [pair])
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
    """Record a steward's verdicts on pairs, and re-cluster the subjects concerned. Returns what
    changed. Raises ReviewError.
    """
    _named(steward, reason)
    store.lock()
    check_wait(store, [pair for pair, _ in verdicts])
    now = int(time.time() * 1000)
    store.insert(
        t.decision,
        [
            {
                "at_ms": now,
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
    store: Store,
    decision_id: int,
    steward: str,
    profile: Profile,
    parameters: Parameters,
    *,
    whole: bool = False,
) -> Outcome:
    """Undo a decision. It stays in the record. `whole`: and all that the same steward decided in
    the same step, such as a pattern. Returns what changed. Raises ReviewError.
    """
    store.lock()
    made = decisions(store)
    found = next((item for item in made if item.decision_id == decision_id), None)
    if found is None or found.undone_by:
        raise ReviewError(
            f"There is no decision {decision_id} to undo.",
            "`childlink-linker review decisions` lists them.",
        )
    _named(steward, "undo")
    together = [
        item
        for item in made
        if item is found or (whole and item.step == found.step and not item.undone_by)
    ]
    now = int(time.time() * 1000)
    for item in together:
        store.undo_decision(item.decision_id, steward, now)
    subjects = [subject for item in together for subject in item.pair]
    return _link_anew(store, subjects, profile, parameters)


def decisions(store: Store) -> list[Decision]:
    """All decisions, oldest first, including undone ones."""
    return [_decision(row) for row in store.all_decisions()]


def _link_anew(
    store: Store, subjects: Sequence[int], profile: Profile, parameters: Parameters
) -> Outcome:
    component = reach(store, subjects)
    moved, persons, merges, splits = recluster(store, component, profile, parameters)
    return outcome_of(store, moved, regroup_families(store, persons), merges, splits)


def check_wait(store: Store, pairs: Sequence[Pair]) -> None:
    """Raise ReviewError unless each pair waits or was decided."""
    subjects = {subject for pair in pairs for subject in pair}
    known = {
        (row.smaller_subject_id, row.larger_subject_id)
        for row in (*store.review_queue_of(subjects), *store.decisions_of(subjects))
    }
    for one, other in pairs:
        if (one, other) not in known:
            raise ReviewError(
                f"No pair {one}-{other} is waiting.",
                "`childlink-linker review list` lists the waiting pairs.",
            )


def _named(steward: str, reason: str) -> None:
    if not steward.strip() or not reason.strip():
        raise ReviewError("A decision needs a name and a reason.", "Give --by and --why.")


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
