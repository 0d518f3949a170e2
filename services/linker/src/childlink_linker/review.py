"""The use cases of `review`: doubtful pairs wait for a data steward; a decision is evidence that outlives re-linking.

A steward sees what two people's records agree on and what that weighs, never a value, a reference or a partner's name. A decision can be
undone; both stay in the record, with who and when. Whoever is withdrawn takes the decisions about them along.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from childlink_core.profiles import Profile

from childlink_linker import tables as t
from childlink_linker.errors import ReviewError
from childlink_linker.explain import Comparison, compare_groups
from childlink_linker.link_batch import Outcome, outcome_of, recluster
from childlink_linker.parameters import Parameters
from childlink_linker.reach import reach
from childlink_linker.regroup import regroup_families
from childlink_linker.store import Store

Verdict = Literal["same", "different", "unsure"]
VERDICTS: Final[tuple[Verdict, ...]] = ("same", "different", "unsure")


@dataclass(frozen=True)
class Doubt:
    """Two people who may be one. `pair` names it: the least subjects of the two, by the linker's own numbers."""

    pair: tuple[int, int]
    weight: float
    persons: tuple[str, str]
    unsure: int
    """How many stewards have said that they do not know."""


@dataclass(frozen=True)
class Decision:
    """What a steward decided."""

    decision_id: int
    at_ms: int
    steward: str
    pair: tuple[int, int]
    verdict: Verdict
    reason: str
    undone_by: str | None


def doubts(store: Store) -> list[Doubt]:
    """What waits, the likeliest first."""
    rows = store.review_queue()
    subjects = store.subjects({subject for row in rows for subject in (row.smaller_subject_id, row.larger_subject_id)})
    found = []
    for row in rows:
        pair = (row.smaller_subject_id, row.larger_subject_id)
        persons = tuple(subjects[subject].person_id or "" for subject in pair)
        unsure = sum(item.verdict == "unsure" for item in store.decisions_of(pair) if _pair(item) == pair)
        found.append(Doubt(pair, row.weight, persons, unsure))  # type: ignore[arg-type]
    return sorted(found, key=lambda doubt: (-doubt.weight, doubt.pair))


def show(store: Store, pair: tuple[int, int], profile: Profile, parameters: Parameters) -> list[Comparison]:
    """What the records of the two people agree on: pairs of a record of the one (A1, A2, ...) and one of the other (B1, ...)."""
    _known(store, pair)
    subjects = store.subjects(pair)
    groups = []
    for subject_id in pair:
        person = subjects[subject_id].person_id
        of_person = store.subjects_of_persons([person]) if person else {subject_id: subjects[subject_id]}
        groups.append(store.records_of_subjects(of_person))
    return compare_groups(groups[0], groups[1], subjects[pair[0]].role, profile, parameters)


def decide(
    store: Store,
    pair: tuple[int, int],
    verdict: Verdict,
    steward: str,
    reason: str,
    profile: Profile,
    parameters: Parameters,
) -> Outcome:
    """Write a decision down and link anew whom it concerns. Returns what changed."""
    _known(store, pair)
    _named(steward, reason)
    store.lock()
    store.insert(
        t.decision,
        [{
            "at_ms": int(time.time() * 1000), "steward": steward, "smaller_subject_id": pair[0], "larger_subject_id": pair[1],
            "verdict": verdict, "reason": reason,
        }],
    )  # fmt: skip
    return _link_anew(store, pair, profile, parameters)


def undo(store: Store, decision_id: int, steward: str, profile: Profile, parameters: Parameters) -> Outcome:
    """Take a decision back; it stays in the record. Returns what changed."""
    store.lock()
    found = next((item for item in decisions(store) if item.decision_id == decision_id), None)
    if found is None or found.undone_by:
        raise ReviewError(
            f"There is no decision {decision_id} to undo.", "`childlink-linker review decisions` lists them."
        )
    _named(steward, "undo")
    store.undo_decision(decision_id, steward, int(time.time() * 1000))
    return _link_anew(store, found.pair, profile, parameters)


def decisions(store: Store) -> list[Decision]:
    """Every decision, oldest first, undone ones too."""
    return [
        Decision(row.decision_id, row.at_ms, row.steward, _pair(row), row.verdict, row.reason, row.undone_by)
        for row in store.all_decisions()
    ]


def _link_anew(store: Store, pair: Sequence[int], profile: Profile, parameters: Parameters) -> Outcome:
    component = reach(store, pair)
    moved, persons, merges, splits = recluster(store, component, profile, parameters)
    return outcome_of(store, moved, regroup_families(store, persons), merges, splits)


def _known(store: Store, pair: tuple[int, int]) -> None:
    if len(store.subjects(pair)) < 2 or pair[0] >= pair[1]:
        raise ReviewError(f"There is no pair {pair[0]}-{pair[1]}.", "`childlink-linker review list` shows what waits.")


def _named(steward: str, reason: str) -> None:
    if not steward.strip() or not reason.strip():
        raise ReviewError("A decision needs who made it and why.", "Give --by and --why.")


def _pair(row: object) -> tuple[int, int]:
    return row.smaller_subject_id, row.larger_subject_id  # type: ignore[attr-defined]
