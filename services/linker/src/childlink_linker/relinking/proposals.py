"""The use cases of `proposals`: what `relink` would change waits until a person approves or rejects
it (see `propose`).

Approving makes each change alone, if its records, decisions and persons are those that it was
proposed on and no newcomer belongs to it; by the code that every change goes through (`recluster`),
under the parameters that were proposed, all in one transaction.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from childlink_core.profiles import Profile

from childlink_linker.errors import ProposalError
from childlink_linker.linking.link import outcome_of, recluster
from childlink_linker.linking.update_families import regroup_families
from childlink_linker.matching.parameters import Parameters, parse_parameters
from childlink_linker.records import Outcome, StoredRecord, StoredSubject
from childlink_linker.relinking.changes import Change, fingerprint, ids_in
from childlink_linker.relinking.relink import edges_anew
from childlink_linker.store import tables as t
from childlink_linker.store.store import Store

_CHANGES_AT_A_TIME: Final = 5_000


@dataclass(frozen=True)
class Proposal:
    """What `relink` proposed, and what became of it."""

    proposal_id: int
    made_at_ms: int
    engine: str
    version: str
    """Of the parameters."""
    records: int
    changes: int
    merges: int
    splits: int
    state: str
    decided_at_ms: int | None
    decided_by: str | None
    skipped: int | None


@dataclass(frozen=True)
class ProposedChange:
    """One change: today's identifiers, and how many people there would be."""

    subjects: int
    before: Sequence[str]
    after: int


@dataclass(frozen=True)
class Approved:
    """What approving did."""

    outcome: Outcome
    made: int
    skipped: int


def proposals(tx: sa.Connection) -> list[Proposal]:
    """Every proposal, oldest first."""
    return [
        _proposal(row)
        for row in tx.execute(sa.select(t.proposal).order_by(t.proposal.c.proposal_id))
    ]


def largest_changes(store: Store, proposal_id: int, most: int) -> list[ProposedChange]:
    """The changes of a waiting proposal that concern the most subjects."""
    _waiting(store, proposal_id)
    member = t.proposed_member.c
    size = sa.func.count().label("size")
    largest = (
        sa.select(member.change_id, size)
        .where(member.proposal_id == proposal_id)
        .group_by(member.change_id)
        .order_by(size.desc(), member.change_id)
        .limit(most)
    )
    found = []
    for row in store.tx.execute(largest).all():
        [change] = _changes(store, proposal_id, row.change_id, row.change_id + 1).values()
        held = store.subjects(change.clusters).values()
        before = sorted({subject.person_id for subject in held if subject.person_id})
        found.append(ProposedChange(row.size, before, len(change.parts())))
    return found


def reject(store: Store, proposal_id: int, steward: str) -> None:
    """Nothing changes; that it was proposed stays in the record. Raises ProposalError."""
    store.lock()
    _waiting(store, proposal_id)
    _decide(store, proposal_id, "rejected", steward, None)


def approve(store: Store, proposal_id: int, steward: str, profile: Profile) -> Approved:
    """Make the changes. Raises ProposalError."""
    store.lock()
    row = _waiting(store, proposal_id)
    if row.profile != profile.id:
        raise ProposalError(
            f"Proposal {proposal_id} is about encodings of profile {row.profile}.",
            "Reject it, and propose anew.",
        )
    parameters = parse_parameters(row.parameters)
    newcomers = _replace_edges(store, row, profile, parameters)
    moved: dict[int, StoredSubject] = {}
    persons: set[str] = set()
    made = merges = splits = 0
    for at in range(0, row.changes, _CHANGES_AT_A_TIME):
        changes = _changes(store, proposal_id, at, at + _CHANGES_AT_A_TIME)
        intact, records = _intact(store, list(changes.values()), newcomers)
        assigned, touched, merged, split = recluster(store, records, profile, parameters)
        _check(store, intact)
        moved |= assigned
        persons |= touched
        made, merges, splits = made + len(intact), merges + merged, splits + split
    _decide(store, proposal_id, "approved", steward, row.changes - made)
    outcome = outcome_of(store, moved, regroup_families(store, persons), merges, splits)
    return Approved(outcome, made, row.changes - made)


def _replace_edges(
    store: Store, row: "sa.Row[Any]", profile: Profile, parameters: Parameters
) -> set[int]:
    """All edges are those under the proposal's parameters. Returns the subjects next to whom
    somebody has come since.
    """
    edge, ends = t.proposed_edge.c, [t.record.alias("one"), t.record.alias("other")]
    still_there = t.proposed_edge.join(ends[0], ends[0].c.record_id == edge.smaller).join(
        ends[1], ends[1].c.record_id == edge.larger
    )
    proposed = sa.select(edge.smaller, edge.larger, edge.weight).select_from(still_there)
    store.delete_edges()
    store.tx.execute(
        t.edge.insert().from_select(
            ["smaller", "larger", "weight"], proposed.where(edge.proposal_id == row.proposal_id)
        )
    )
    beside: set[int] = set()
    for pairs, weights in edges_anew(store, profile, parameters, row.newest_record_id):
        store.insert_edges(pairs, weights)
        beside |= {record.subject_id for record in store.records(np.unique(pairs).tolist())}
    return beside


def _intact(
    store: Store, changes: Sequence[Change], newcomers: set[int]
) -> tuple[list[Change], list[StoredRecord]]:
    """Those changes that rest on what they did, and their records."""
    ids = ids_in(changes)
    place = {subject_id: at for at, change in enumerate(changes) for subject_id in change.clusters}
    persons: list[dict[int, str]] = [{} for _ in changes]
    records: list[list[StoredRecord]] = [[] for _ in changes]
    decisions: list[dict[int, str]] = [{} for _ in changes]
    subjects = store.subjects(ids)
    for subject in subjects.values():
        if subject.person_id:
            persons[place[subject.subject_id]][subject.subject_id] = subject.person_id
    for record in store.records_of_subjects(ids):
        records[place[record.subject_id]].append(record)
    for row in store.decisions_of(ids):
        for subject_id in {row.smaller_subject_id, row.larger_subject_id} & place.keys():
            decisions[place[subject_id]][row.decision_id] = row.verdict
    joined_since = store.subjects_of_persons(s.person_id for s in subjects.values() if s.person_id)
    strangers = {s.person_id for s in joined_since.values() if s.subject_id not in place}
    intact = [
        at
        for at, change in enumerate(changes)
        if not newcomers & change.clusters.keys()
        and not strangers & set(persons[at].values())
        and change.fingerprint
        == fingerprint(
            persons[at], ((r.record_id, r.digest) for r in records[at]), decisions[at].items()
        )
    ]
    return [replace(changes[at], persons=persons[at]) for at in intact], [
        r for at in intact for r in records[at]
    ]


def _check(store: Store, changes: Sequence[Change]) -> None:
    """What was made is what was proposed: a linker of another version may have other rules."""
    persons = {
        subject.subject_id: subject.person_id
        for subject in store.subjects(ids_in(changes)).values()
    }
    proposed = {
        (change.clusters[subject_id], persons[subject_id])
        for change in changes
        for subject_id in change.clusters
    }
    if (
        not len(proposed)
        == len({cluster for cluster, _ in proposed})
        == len({person for _, person in proposed})
    ):
        raise ProposalError(
            "This linker's rules give other people than were proposed.",
            "Was it updated since? Reject the proposal, and propose anew.",
        )


def _changes(store: Store, proposal_id: int, start: int, end: int) -> dict[int, Change]:
    """The changes from one number up to another, by number."""
    change, member = t.proposed_change.c, t.proposed_member.c
    within = (
        (change.proposal_id == proposal_id) & (change.change_id >= start) & (change.change_id < end)
    )
    found = {
        row.change_id: Change({}, {}, row.fingerprint)
        for row in store.tx.execute(
            sa.select(t.proposed_change).where(within).order_by(change.change_id)
        )
    }
    clusters: dict[int, dict[int, int]] = {number: {} for number in found}
    within = (
        (member.proposal_id == proposal_id) & (member.change_id >= start) & (member.change_id < end)
    )
    for row in store.tx.execute(sa.select(t.proposed_member).where(within)):
        clusters[row.change_id][row.subject_id] = row.cluster
    return {number: replace(item, clusters=clusters[number]) for number, item in found.items()}


def _waiting(store: Store, proposal_id: int) -> "sa.Row[Any]":
    row = store.tx.execute(
        sa.select(t.proposal).where(t.proposal.c.proposal_id == proposal_id)
    ).one_or_none()
    if row is None or row.state != "waiting":
        raise ProposalError(
            f"No proposal {proposal_id} waits.",
            "`childlink-linker proposals list` shows what was proposed.",
        )
    return row


def _decide(store: Store, proposal_id: int, state: str, steward: str, skipped: int | None) -> None:
    """Note who decided what and when; the counts stay, who is who in them does not."""
    if not steward.strip():
        raise ProposalError("A decision needs who made it.", "Give --by.")
    store.tx.execute(
        t.proposal.update()
        .where(t.proposal.c.proposal_id == proposal_id)
        .values(state=state, decided_at_ms=_now(), decided_by=steward, skipped=skipped)
    )
    for table in (t.proposed_edge, t.proposed_member, t.proposed_change):
        store.tx.execute(table.delete().where(table.c.proposal_id == proposal_id))


def _proposal(row: "sa.Row[Any]") -> Proposal:
    return Proposal(
        row.proposal_id,
        row.made_at_ms,
        row.engine,
        parse_parameters(row.parameters).version,
        row.records,
        row.changes,
        row.merges,
        row.splits,
        row.state,
        row.decided_at_ms,
        row.decided_by,
        row.skipped,
    )


def _now() -> int:
    return int(time.time() * 1000)
