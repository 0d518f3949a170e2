"""Doubtful pairs, stewards' decisions and requests to partners in the store."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from childlink_linker.store import tables as t
from childlink_linker.store.bulk import BulkRows


class Reviews(BulkRows):
    """What data stewards see and decide."""

    def replace_review_pairs(
        self, subject_ids: Iterable[int], pairs: Sequence[tuple[int, int, float]]
    ) -> None:
        """Replace the doubtful pairs of these subjects by exactly these pairs."""
        ids = list(subject_ids)
        ends = (t.review_pair.c.smaller_subject_id, t.review_pair.c.larger_subject_id)
        since = {
            (row.smaller_subject_id, row.larger_subject_id): row.since_ms
            for row in self.review_queue_of(ids)
        }
        for end in ends:
            self.delete_in(end, ids)
        now = int(time.time() * 1000)
        ordered = [(min(a, b), max(a, b), weight) for a, b, weight in pairs]
        self.insert(
            t.review_pair,
            [
                {
                    "smaller_subject_id": a,
                    "larger_subject_id": b,
                    "weight": weight,
                    "since_ms": since.get((a, b), now),
                }
                for a, b, weight in ordered
            ],
        )

    def review_queue(self) -> Sequence["sa.Row[Any]"]:
        """Every doubtful pair of subjects."""
        return self.tx.execute(sa.select(t.review_pair)).all()

    def review_queue_of(self, subject_ids: Iterable[int]) -> Sequence["sa.Row[Any]"]:
        """Doubtful pairs that involve any of these subjects."""
        ids = list(subject_ids)
        ends = (t.review_pair.c.smaller_subject_id, t.review_pair.c.larger_subject_id)
        rows = {
            tuple(row): row
            for end in ends
            for row in self.rows_in(sa.select(t.review_pair), end, ids)
        }
        return list(rows.values())

    def subjects_in_review(self) -> set[int]:
        """Subjects in a doubtful pair."""
        pairs = self.tx.execute(
            sa.select(t.review_pair.c.smaller_subject_id, t.review_pair.c.larger_subject_id)
        )
        return {subject for pair in pairs for subject in pair}

    def decisions_of(self, subject_ids: Iterable[int]) -> Sequence["sa.Row[Any]"]:
        """Decisions in force about any of these subjects, oldest first."""
        ids = list(subject_ids)
        standing = sa.select(t.decision).where(t.decision.c.undone_at_ms.is_(None))
        ends = (t.decision.c.smaller_subject_id, t.decision.c.larger_subject_id)
        rows = {row.decision_id: row for end in ends for row in self.rows_in(standing, end, ids)}
        return [rows[key] for key in sorted(rows)]

    def all_decisions(self) -> Sequence["sa.Row[Any]"]:
        """Every decision, oldest first."""
        return self.tx.execute(sa.select(t.decision).order_by(t.decision.c.decision_id)).all()

    def undo_decision(self, decision_id: int, steward: str, at_ms: int) -> None:
        """Mark a decision as undone."""
        wanted = t.decision.c.decision_id == decision_id
        self.tx.execute(
            t.decision.update().where(wanted).values(undone_at_ms=at_ms, undone_by=steward)
        )

    def own_checks(self, subject_ids: Iterable[int]) -> Sequence["sa.Row[Any]"]:
        """Requests to partners about these subjects, in the order of asking."""
        rows = self.rows_in(sa.select(t.own_check), t.own_check.c.subject_id, subject_ids)
        return sorted(rows, key=lambda row: row.asked_at_ms)

    def answer_own_check(
        self, partner: str, request_id: bytes, link_reference: bytes, outcome: str
    ) -> None:
        """Store a partner's answer if it concerns the subject of the request."""
        c = t.subject.c
        about = sa.select(c.subject_id).where(
            c.partner == partner, c.link_reference == link_reference
        )
        asked = sa.and_(t.own_check.c.request_id == request_id, t.own_check.c.subject_id.in_(about))
        self.tx.execute(t.own_check.update().where(asked).values(outcome=outcome))
