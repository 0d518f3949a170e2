"""Persons, families and declared carers in the store."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from childlink_linker.records import StoredSubject
from childlink_linker.store import tables as t
from childlink_linker.store.bulk import BulkRows
from childlink_linker.store.replay import Event, Identifiers, replay


class Identities(BulkRows):
    """Persons, their families, and the carers that partners declared."""

    def persons(self, ids: Iterable[str]) -> dict[str, "sa.Row[Any]"]:
        """Persons by id."""
        return {
            row.person_id: row
            for row in self.rows_in(sa.select(t.person), t.person.c.person_id, ids)
        }

    def set_families(self, family_of: Mapping[str, str]) -> None:
        """Write the families of persons."""
        self.update_many(t.person.c.person_id, ("family_id",), list(family_of.items()))

    def families_by_anchor(self, person_ids: Iterable[str]) -> dict[str, str]:
        """Family ids by anchor person."""
        return {
            row.anchor_person_id: row.family_id
            for row in self.rows_in(sa.select(t.family), t.family.c.anchor_person_id, person_ids)
        }

    def anchors_of_families(self, family_ids: Iterable[str]) -> dict[str, str]:
        """Anchor persons by family id."""
        return {
            row.family_id: row.anchor_person_id
            for row in self.rows_in(sa.select(t.family), t.family.c.family_id, family_ids)
        }

    def move_anchors(self, anchors: Mapping[str, str]) -> None:
        """Move families (by id) to other anchor persons."""
        self.update_many(t.family.c.family_id, ("anchor_person_id",), list(anchors.items()))

    def carers_of(self, subject_ids: Iterable[int]) -> list["sa.Row[Any]"]:
        """Declared carers of child subjects."""
        return list(self.rows_in(sa.select(t.carer), t.carer.c.child_subject_id, subject_ids))

    def children_of(self, adults: Iterable[StoredSubject]) -> list["sa.Row[Any]"]:
        """Carer declarations that name any of these adult subjects."""
        keys = {subject.key for subject in adults}
        rows = self.rows_in(
            sa.select(t.carer), t.carer.c.adult_reference, [reference for _, reference in keys]
        )
        return [row for row in rows if (row.partner, row.adult_reference) in keys]

    def datasets_of_persons(self) -> dict[str, int]:
        """Number of datasets (facets) that hold each person."""
        counted = sa.func.count(sa.distinct(t.record.c.facet))
        joined = t.record.join(t.subject, t.subject.c.subject_id == t.record.c.subject_id)
        statement = (
            sa.select(t.subject.c.person_id, counted)
            .select_from(joined)
            .group_by(t.subject.c.person_id)
        )
        return {person: count for person, count in self.tx.execute(statement) if person}

    def identifiers(self) -> tuple[Identifiers, Identifiers]:
        """All identifiers, from the tables and from the event log."""
        s, p, f, e = t.subject.c, t.person.c, t.family.c, t.event.c

        def pairs(*columns: "sa.Column[Any]") -> dict[Any, Any]:
            return {
                key: value
                for key, value in self.tx.execute(sa.select(*columns))
                if value is not None
            }

        events = self.tx.execute(
            sa.select(e.kind, e.subject_id, e.person_id, e.family_id).order_by(e.event_id)
        )
        return (
            Identifiers(
                pairs(s.subject_id, s.person_id),
                pairs(p.person_id, p.family_id),
                pairs(f.family_id, f.anchor_person_id),
            ),
            replay(Event(*row) for row in events),
        )
