"""What was sent about each subject, and what is withdrawn."""

from collections.abc import Iterable, Sequence

from childlink_ingest.model.items import Half, Tombstone
from childlink_ingest.spool.past import Past


class Withdrawals(Past):
    """Part of the spool."""

    def stage_withdrawals(self, tombstones: Iterable[Tombstone]) -> None:
        """Stage withdrawals."""
        self._db.executemany("INSERT OR IGNORE INTO staged_withdrawal VALUES (?, ?, ?)", tombstones)

    def withdrawals(self, half: Half) -> list[Tombstone]:
        """The staged withdrawals of a half. Their order reveals nothing."""
        rows = self._db.execute(
            "SELECT * FROM staged_withdrawal WHERE half = ? ORDER BY reference, facet", (half,)
        )
        return [Tombstone(*row) for row in rows]

    def rows_of(self, feed: str | None, analytics_reference: bytes) -> list[Tombstone]:
        """The sent rows about a subject, of one feed or of all."""
        return [
            Tombstone("observations", row[0])
            for row in self._db.execute(
                "SELECT reference FROM item WHERE half = 'observations' AND about = ? AND state <>"
                " 'withdrawn' AND (? IS NULL OR feed = ?)",
                (analytics_reference, feed, feed),
            )
        ]

    def is_out(self, tombstone: Tombstone) -> bool:
        """Whether anything that this tombstone would withdraw was sent, or may have been sent."""
        if self.lost_past() is not None:
            return True  # it may have been sent; this spool cannot know
        found = self._one(
            "SELECT count(*) FROM item WHERE half = ? AND state <> 'withdrawn' AND (reference = ?"
            " OR about = ? OR also = ?) AND (? = x'' OR facet = ?)",
            tombstone.half,
            *([tombstone.reference] * 3),
            tombstone.facet,
            tombstone.facet,
        )
        return bool(found)

    def subject(self, link_reference: bytes) -> tuple[bytes, bytes] | None:
        """The references of a subject that was sent, or None."""
        query = "SELECT link_reference, analytics_reference FROM subject WHERE link_reference = ?"
        found: tuple[bytes, bytes] | None = self._db.execute(query, (link_reference,)).fetchone()
        return found

    def subjects_with(self, nhs_key: bytes) -> list[tuple[bytes, bytes]]:
        """The references of subjects that were sent with an NHS number, by its keyed hash."""
        return self._all(
            "SELECT link_reference, analytics_reference FROM subject WHERE nhs_key = ?", nhs_key
        )

    def withdraw_for_good(self, marks: Iterable[bytes]) -> None:
        """Withhold people in every later run, by link reference or keyed NHS number."""
        self._db.executemany(
            "INSERT OR IGNORE INTO withdrawn_subject VALUES (?)", ((mark,) for mark in marks)
        )

    def allow_again(self, marks: Iterable[bytes]) -> int:
        """Undo `withdraw_for_good`. Returns the number of removed marks."""
        one_each = [(mark,) for mark in marks]
        return self._db.executemany(
            "DELETE FROM withdrawn_subject WHERE link_reference = ?", one_each
        ).rowcount

    def withdrawn_subjects(self) -> frozenset[bytes]:
        """Link references and keyed NHS numbers of people who are permanently withdrawn."""
        return frozenset(
            row[0] for row in self._db.execute("SELECT link_reference FROM withdrawn_subject")
        )

    def gone(self, feed: str, run_id: int) -> tuple[list[Tombstone], int]:
        """Items of a feed that were not in this run, and the number of sent rows of the feed.

        Call it after `mark_seen`.
        """
        rows = self._db.execute(
            "SELECT half, reference, facet FROM item WHERE feed = ? AND state <> 'withdrawn' AND"
            " coalesce(seen_run, 0) < ?",
            (feed, run_id),
        )
        out = self._one(
            "SELECT count(*) FROM item WHERE half = 'observations' AND feed = ? AND state <>"
            " 'withdrawn'",
            feed,
        )
        return [Tombstone(*row) for row in rows], int(out)

    def retired(self, feed: str, facets: Sequence[bytes]) -> tuple[list[Tombstone], int]:
        """Encodings of a feed under a linkage secret that is no longer in use (not of `facets`).

        Returns those whose subject is also encoded under a secret in use, and the number of the
        others.
        """
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS in_use (facet BLOB PRIMARY KEY)")
        self._db.execute("DELETE FROM temp.in_use")
        self._db.executemany("INSERT INTO temp.in_use VALUES (?)", [(facet,) for facet in facets])
        rows = self._all(
            "SELECT old.half, old.reference, old.facet, EXISTS (SELECT 1 FROM item new WHERE"
            " new.half = 'encodings' AND new.reference = old.reference AND new.facet IN (SELECT"
            " facet FROM temp.in_use) AND new.state <> 'withdrawn') FROM item old WHERE old.half ="
            " 'encodings' AND old.feed = ? AND old.state <> 'withdrawn' AND old.facet NOT IN"
            " (SELECT facet FROM temp.in_use)",
            feed,
        )
        replaced = [
            Tombstone(half, reference, facet) for half, reference, facet, out in rows if out
        ]
        return replaced, len(rows) - len(replaced)

    def sent_by(self, run_id: int) -> list[Tombstone]:
        """All items whose newest version was sent by a run."""
        rows = self._db.execute(
            "SELECT half, reference, facet FROM item WHERE sent_run = ? AND state <> 'withdrawn'",
            (run_id,),
        )
        return [Tombstone(*row) for row in rows]
