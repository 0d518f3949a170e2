"""Finds the records that a change may affect: all records that are reachable from it in the store.
Called by `linking.link`, `relinking` and `review`.
"""

from collections.abc import Iterable

from childlink_linker.records import StoredRecord
from childlink_linker.store.store import Store


def reach(store: Store, subject_ids: Iterable[int]) -> list[StoredRecord]:
    """All records of the subjects' components: everything reachable at or above the review
    threshold.

    Includes the records of current members of the same persons, even if no edge reaches them any
    longer.
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
