"""Which records a change may concern: everything reachable from it in the store. Called by
`link_batch`, `relink` and `review`.
"""

from collections.abc import Iterable

from childlink_linker.records import StoredRecord
from childlink_linker.store.store import Store


def reach(store: Store, subject_ids: Iterable[int]) -> list[StoredRecord]:
    """All records of the components that the subjects belong to: everything reachable above the
    review threshold.

    Those who were one person with any of them until now belong too, even if nothing reaches them
    any more.
    """
    reached: dict[int, StoredRecord] = {}
    seen: set[int] = set()
    frontier = set(subject_ids)
    while frontier:
        persons = {s.person_id for s in store.subjects(frontier).values() if s.person_id}
        frontier |= store.subjects_of_persons(persons).keys() - seen
        seen |= frontier
        fresh = [
            record
            for record in store.records_of_subjects(frontier)
            if record.record_id not in reached
        ]
        reached |= {record.record_id: record for record in fresh}
        beyond = {
            end for pair in store.neighbours(r.record_id for r in fresh) for end in pair
        } - set(reached)
        decided = {
            end
            for row in store.decisions_of(frontier)
            for end in (row.smaller_subject_id, row.larger_subject_id)
        }
        frontier = ({record.subject_id for record in store.records(beyond)} | decided) - seen
    return list(reached.values())
