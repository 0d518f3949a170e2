"""The use cases of `proposals`: the changes that `relink` found wait until they are approved or
rejected (see `write_proposal`).

Approval applies each change separately, in one transaction and under the proposed parameters. A
change is skipped if its records, decisions or persons have been modified since, or if a new record
belongs to it. Changes use the same code as other re-clustering (`recluster`).
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
    """A proposal of `relink`, and its state."""

    proposal_id: int
    made_at_ms: int
    engine: str
    version: str
    """Version of the parameters."""
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
    """One change: the current identifiers, and the number of people afterwards."""

    subjects: int
    before: Sequence[str]
    after: int


@dataclass(frozen=True)
class Approved:
    """The result of an approval."""

    outcome: Outcome
    made: int
    skipped: int


def proposals(tx: sa.Connection) -> list[Proposal]:
    """Every proposal, oldest first."""
    return [
        _proposal(row)
        for row in tx.execute(sa.select(t.proposal).order_by(t.proposal.c.proposal_id))
    ]


def parameters_of(tx: sa.Connection, proposal_id: int) -> str:
    """The text of a proposal's parameter file. Raises ProposalError."""
    wanted = sa.select(t.proposal.c.parameters).where(t.proposal.c.proposal_id == proposal_id)
    text: str | None = tx.execute(wanted).scalar_one_or_none()
    if text is None:
        raise ProposalError(
            f"There is no proposal {proposal_id}.",
            "`childlink-linker proposals list` lists all proposals.",
        )
    return text


def largest_changes(store: Store, proposal_id: int, most: int) -> list[ProposedChange]:
    """The changes of a waiting proposal that affect the most subjects. Raises ProposalError."""
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
    """Reject a proposal. Nothing changes, and the proposal stays in the record. Raises
    ProposalError.
    """
    store.lock()
    _waiting(store, proposal_id)
    _decide(store, proposal_id, "rejected", steward, None)


def approve(store: Store, proposal_id: int, steward: str, profile: Profile) -> Approved:
    """Apply the changes of a proposal. Raises ProposalError."""
    store.lock()
    row = _waiting(store, proposal_id)
    if row.profile != profile.id:
        raise ProposalError(
            f"Proposal {proposal_id} is about encodings of profile {row.profile}.",
            "Reject it and make a new proposal.",
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
    """Replace all edges by those under the proposal's parameters. Returns the subjects that have an
    edge to a newer record.
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
    """The changes whose records, decisions and persons are unmodified since the proposal, and their
    records.
    """
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
    """Raise ProposalError if the result differs from the proposal, for example because another
    version of the linker has other rules.
    """
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
            "This linker's rules give a different result from the proposal.",
            "The linker may have been updated. Reject the proposal and make a new one.",
        )


def _changes(store: Store, proposal_id: int, start: int, end: int) -> dict[int, Change]:
    """The changes with numbers from `start` up to but not including `end`, by number."""
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
            f"No proposal {proposal_id} is waiting.",
            "`childlink-linker proposals list` lists all proposals.",
        )
    return row


def _decide(store: Store, proposal_id: int, state: str, steward: str, skipped: int | None) -> None:
    """Record the decision. The counts stay; the members and edges of the proposal are deleted."""
    if not steward.strip():
        raise ProposalError("A decision needs the name of the person who makes it.", "Give --by.")
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
