"""Value types that all parts of the linker share: incoming records, stored records, and what
changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

# A key shared by more records than this is treated as a placeholder. It makes no candidates.
LARGEST_BLOCK: Final = 2_000


@dataclass(frozen=True)
class StoredRecord:
    """A record as the store holds it."""

    record_id: int
    subject_id: int
    facet: bytes
    key_version: int
    digest: bytes
    encoding: bytes


@dataclass
class Subject:
    """A subject, as far as clustering reads it."""

    subject_id: int
    partner: str
    link_reference: bytes
    role: int

    @property
    def key(self) -> tuple[str, bytes]:
        """The subject's key. It does not depend on the order of arrival."""
        return self.partner, self.link_reference


@dataclass
class StoredSubject(Subject):
    """A subject as the store holds it."""

    person_id: str | None
    link_version: int
    capsule: bytes
    capsule_key_id: int


@dataclass(frozen=True)
class Answer:
    """A partner's answer about one of its own subjects."""

    partner: str
    request_id: bytes
    link_reference: bytes
    outcome: int


@dataclass(frozen=True)
class Arrival:
    """An incoming record. Its tokens have been hashed again. `capsule_key` is an index into
    `Arrivals.capsule_keys`.
    """

    partner: str
    link_reference: bytes
    facet: bytes
    role: int
    key_version: int
    digest: bytes
    row: bytes
    """See `encodings`."""
    capsule: bytes
    capsule_key: int
    carers: Sequence[tuple[bytes, int]]
    """Link reference and relation of each declared parent or carer."""
    place: tuple[int, int]
    """Number of its batch in the micro-batch, and of the record in the batch."""

    @property
    def key(self) -> tuple[str, bytes]:
        """The key of its subject."""
        return self.partner, self.link_reference


@dataclass(frozen=True)
class Withdrawal:
    """The withdrawal of a subject, or of what one facet says about it."""

    partner: str
    reference: bytes
    facet: bytes | None = None

    def covers(self, arrival: Arrival) -> bool:
        """Whether it withdraws this record."""
        same = (self.partner, self.reference) == (arrival.partner, arrival.link_reference)
        return same and self.facet in (None, arrival.facet)


@dataclass(frozen=True)
class Arrivals:
    """The contents of one micro-batch. Withdrawals apply first: records that arrived before their
    own withdrawal are left out.
    """

    records: Sequence[Arrival]
    capsule_keys: Sequence[tuple[str, bytes]]
    withdrawn: Sequence[Withdrawal]
    answers: Sequence[Answer] = ()


@dataclass(frozen=True)
class Outcome:
    """The result of linking or re-clustering."""

    linked: list[StoredSubject]
    """Subjects whose person or family is new or changed. Person None: withdrawn."""
    records: int
    merges: int
    splits: int
    pair_weights: np.ndarray
    deferred: Sequence[tuple[int, int]] = ()
    """Places of arrivals that are stored but not linked: number of the batch, number of the record
    in the batch.
    """
