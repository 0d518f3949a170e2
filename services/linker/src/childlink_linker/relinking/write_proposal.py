"""The use case of `relink --propose`: records what a new partition would change. It does not change
any link; see `proposals`.
"""

import time

import numpy as np
import sqlalchemy as sa
from childlink_core.profiles import Profile

from childlink_linker.errors import ProposalError
from childlink_linker.relinking.changes import find_changes
from childlink_linker.relinking.repartition import Engine, Repartition
from childlink_linker.store import tables as t
from childlink_linker.store.snapshot import Snapshot, in_batches
from childlink_linker.store.store import Store


def propose(
    store: Store, engine: Engine, new: Repartition, profile: Profile, parameters: str
) -> int:
    """Record what `new` would change. `parameters`: the text of the parameter file. Returns the
    proposal's number. Raises ProposalError.
    """
    snapshot = engine.snapshot
    changes = find_changes(snapshot, new)
    people = store.persons(name for change in changes for name in change.persons.values())
    ages = {name: row.age for name, row in people.items()}
    counts = [change.count(ages) for change in changes]
    [proposal_id] = store.tx.execute(
        t.proposal.insert().values(
            made_at_ms=int(time.time() * 1000),
            engine=engine.name,
            profile=profile.id,
            parameters=parameters,
            records=len(snapshot.records),
            newest_record_id=snapshot.newest_record_id,
            changes=len(changes),
            merges=sum(m for m, _ in counts),
            splits=sum(s for _, s in counts),
            state="waiting",
        )
    ).inserted_primary_key or [0]
    store.insert(
        t.proposed_change,
        [
            {
                "proposal_id": proposal_id,
                "change_id": at,
                "fingerprint": change.fingerprint,
                "merges": merges,
                "splits": splits,
            }
            for at, (change, (merges, splits)) in enumerate(zip(changes, counts, strict=True))
        ],
    )
    store.insert(
        t.proposed_member,
        [
            {
                "proposal_id": proposal_id,
                "subject_id": subject_id,
                "change_id": at,
                "cluster": cluster,
            }
            for at, change in enumerate(changes)
            for subject_id, cluster in change.clusters.items()
        ],
    )
    for edges in engine.edges():
        each = zip(edges.ends.tolist(), edges.weights.tolist(), strict=True)
        rows = [
            {"proposal_id": proposal_id, "smaller": a, "larger": b, "weight": weight}
            for (a, b), weight in each
        ]
        store.insert(t.proposed_edge, rows)
    # Locked last, so that a running linker waits only for this check.
    store.lock()
    _refuse_reused_ids(store, snapshot)
    return int(proposal_id)


def _refuse_reused_ids(store: Store, snapshot: Snapshot) -> None:
    """Raise ProposalError if a record id was reused since the snapshot. Otherwise the proposal's
    edges would belong to other records.
    """
    record = t.record.c
    wanted = sa.select(record.record_id, record.digest).where(
        record.record_id <= snapshot.newest_record_id
    )
    for rows in in_batches(store.tx, wanted):
        ids = np.array([row.record_id for row in rows], dtype=np.int64)
        at = np.searchsorted(snapshot.records, ids)
        digests = np.frombuffer(b"".join(row.digest for row in rows), dtype=np.uint8).reshape(
            -1, 16
        )
        if (snapshot.records[at] != ids).any() or (snapshot.digests[at] != digests).any():
            raise ProposalError(
                "The newest records were withdrawn and their ids were reused since the records were"
                " read.",
                "Make a new proposal; if you used an export, make a new export first.",
            )
