"""What the spool keeps account of: the two halves of rows, and what takes them back. Plain
values.
"""

from typing import Final, Literal, NamedTuple

Half = Literal["encodings", "observations"]
DELETED: Final = "deleted in the source"


class StagedItem(NamedTuple):
    """An encoding or observation, ready to be batched."""

    reference: bytes
    """16 bytes."""
    facet: bytes
    """Of an encoding: 4 bytes; of an observation: none."""
    digest: bytes
    """Of the payload, 16 bytes."""
    payload: bytes
    companion: bytes | None = None
    """Of an encoding: its analytics reference, which travels in the capsule. Of an observation:
    whom it is about.
    """
    also: bytes | None = None
    """Of an encoding: the spool's keyed hash of the NHS number. Of an observation: the other person
    on the row.
    """


class StagedRow(NamedTuple):
    """Which items a row consists of: references of 16 bytes."""

    number: int
    observation: bytes
    child: bytes | None
    adult: bytes | None


class Tombstone(NamedTuple):
    """What is withdrawn: a row or all rows of a subject (observations), a subject or one facet of
    it (encodings).
    """

    half: Half
    reference: bytes
    facet: bytes = b""
