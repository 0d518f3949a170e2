"""Items of the spool: the two halves of rows, and tombstones. Plain values."""

from typing import Final, Literal, NamedTuple

Half = Literal["encodings", "observations"]
DELETED: Final = "deleted in the source"


class StagedItem(NamedTuple):
    """An encoding or observation, ready to be batched."""

    reference: bytes
    """16 bytes."""
    facet: bytes
    """4 bytes for an encoding; empty for an observation."""
    digest: bytes
    """Hash of the payload, 16 bytes."""
    payload: bytes
    companion: bytes | None = None
    """For an encoding: the analytics reference, which travels in the capsule. For an observation:
    the reference of its main person.
    """
    also: bytes | None = None
    """For an encoding: the spool's keyed hash of the NHS number. For an observation: the reference
    of the other person on the row.
    """


class StagedRow(NamedTuple):
    """The items of a row, as references of 16 bytes."""

    number: int
    observation: bytes
    child: bytes | None
    adult: bytes | None


class Tombstone(NamedTuple):
    """A withdrawal.

    Among observations it withdraws a row, or all rows of a subject. Among encodings it withdraws a
    subject, or one facet of it.
    """

    half: Half
    reference: bytes
    facet: bytes = b""
