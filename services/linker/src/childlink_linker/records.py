"""The values that every room of the linker passes along: records as they come in, as they lie in
the store, and what changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

# A key that more records than this hold is a placeholder, not a key: it makes no candidates.
LARGEST_BLOCK: Final = 2_000


@dataclass(frozen=True)
class StoredRecord:
    """A record as it lies in the store."""

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
        """What names the subject whatever its arrival."""
        return self.partner, self.link_reference


@dataclass
class StoredSubject(Subject):
    """A subject as it lies in the store."""

    person_id: str | None
    link_version: int
    capsule: bytes
    capsule_key_id: int


@dataclass(frozen=True)
class Answer:
    """What a partner says of a subject of its own."""

    partner: str
    request_id: bytes
    link_reference: bytes
    outcome: int


@dataclass(frozen=True)
class Arrival:
    """A record as it comes in, its tokens already hashed again; `capsule_key` is the index of its
    batch's key.
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
    """Number of its batch in the micro-batch, and its own in the batch."""

    @property
    def key(self) -> tuple[str, bytes]:
        """What names its subject."""
        return self.partner, self.link_reference


@dataclass(frozen=True)
class Withdrawal:
    """A subject that its partner takes back; or only what one facet says of it."""

    partner: str
    reference: bytes
    facet: bytes | None = None

    def covers(self, arrival: Arrival) -> bool:
        """Whether it takes this record back."""
        same = (self.partner, self.reference) == (arrival.partner, arrival.link_reference)
        return same and self.facet in (None, arrival.facet)


@dataclass(frozen=True)
class Arrivals:
    """Everything of one micro-batch. Withdrawals come first: a record that came before its
    withdrawal is not in it.
    """

    records: Sequence[Arrival]
    capsule_keys: Sequence[tuple[str, bytes]]
    withdrawn: Sequence[Withdrawal]
    answers: Sequence[Answer] = ()


@dataclass(frozen=True)
class Outcome:
    """What changed."""

    linked: list[StoredSubject]
    """Subjects whose person or family is new or other than before (person None: withdrawn)."""
    records: int
    merges: int
    splits: int
    pair_weights: np.ndarray
    deferred: Sequence[tuple[int, int]] = ()
    """Places of arrivals that are kept and linked with nobody: batch of the micro-batch, record of
    the batch.
    """
