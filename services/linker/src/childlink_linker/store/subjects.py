"""Subjects in the store, and the versions of their links."""

import time
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from childlink_linker.records import StoredSubject
from childlink_linker.store import tables as t
from childlink_linker.store.bulk import BulkRows


class Subjects(BulkRows):
    """The subjects that partners sent."""

    def subjects_by_key(
        self, keys: Sequence[tuple[str, bytes]]
    ) -> dict[tuple[str, bytes], StoredSubject]:
        """Subjects by (partner, link reference)."""
        wanted = set(keys)
        rows = self.rows_in(
            sa.select(t.subject), t.subject.c.link_reference, [reference for _, reference in wanted]
        )
        found = (StoredSubject(*tuple(row)) for row in rows)
        return {subject.key: subject for subject in found if subject.key in wanted}

    def subjects(self, ids: Iterable[int]) -> dict[int, StoredSubject]:
        """Subjects by id."""
        return {
            row.subject_id: StoredSubject(*tuple(row))
            for row in self.rows_in(sa.select(t.subject), t.subject.c.subject_id, ids)
        }

    def all_subjects(self) -> list[StoredSubject]:
        """Every subject."""
        return [
            StoredSubject(*tuple(row))
            for row in self.tx.execute(sa.select(t.subject).order_by(t.subject.c.subject_id))
        ]

    def subjects_of_persons(self, person_ids: Iterable[str]) -> dict[int, StoredSubject]:
        """Subjects of some persons, by id."""
        return {
            row.subject_id: StoredSubject(*tuple(row))
            for row in self.rows_in(sa.select(t.subject), t.subject.c.person_id, person_ids)
        }

    def some_subjects(self, partner: str, role: int, but: int, most: int) -> list[StoredSubject]:
        """Up to `most` random subjects of a partner with this role, except the subject `but`."""
        c = t.subject.c
        wanted = sa.select(t.subject).where(
            c.partner == partner, c.role == role, c.subject_id != but
        )
        return [
            StoredSubject(*tuple(row))
            for row in self.tx.execute(wanted.order_by(sa.func.random()).limit(most))
        ]

    def update_subjects(self, subjects: Sequence[StoredSubject]) -> None:
        """Write the person and link version of subjects."""
        rows = [(s.subject_id, s.person_id, s.link_version) for s in subjects]
        self.update_many(t.subject.c.subject_id, ("person_id", "link_version"), rows)

    def renew_links(self) -> None:
        """Give every link a version that is greater than all versions given so far, here or in a
        lost store.

        Later subjects also get greater versions, because the lost store may have known and
        withdrawn them.
        """
        now, c = time.time_ns() // 1_000_000, t.subject.c
        later = sa.case((c.link_version >= now, c.link_version + 1), else_=now)
        self.tx.execute(t.subject.update().values(link_version=later))
        self.note_gone(now)

    def gone_version(self) -> int:
        """The greatest link version of any withdrawn subject. 0 if there is none."""
        return self.tx.execute(sa.select(sa.func.max(t.gone_version.c.version))).scalar() or 0

    def note_gone(self, version: int) -> None:
        """Record the link version of a withdrawn subject. Call `lock` first."""
        if version > self.gone_version():
            self.tx.execute(t.gone_version.delete())
            self.tx.execute(t.gone_version.insert().values(version=version))
