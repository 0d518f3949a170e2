"""Is a batch the next of its stream? Pure rules: a gap, a replay, a swap and a restored sender are
all seen.

A stream is (sender, topic). Within an epoch, sequence numbers go 1, 2, 3, ...; a sender restored
from backup starts a greater epoch. Only the next number is read, so order is certain; after a gap
the sender sends again from the number that the receipt names (go-back-N, as in RFC 3366).

>>> at = Position(epoch=7, next_sequence=3)
>>> judge(at, 7, 3, b"x", None)
<Verdict.NEXT: 'next'>
>>> judge(at, 7, 5, b"x", None)
<Verdict.GAP: 'gap'>
>>> judge(at, 7, 2, b"x", b"x")
<Verdict.DUPLICATE: 'duplicate'>
>>> judge(at, 7, 2, b"forged", b"x")
<Verdict.REPLAY: 'replay'>
>>> judge(at, 8, 1, b"x", None)
<Verdict.NEXT: 'next'>
>>> judge(at, 6, 9, b"x", None)
<Verdict.OLD_EPOCH: 'old-epoch'>
"""

import enum
from dataclasses import dataclass

from childlink_core import reasons


class Verdict(enum.Enum):
    """What a reader does with a batch."""

    NEXT = "next"
    DUPLICATE = "duplicate"
    """The same bytes again (a resend): changes nothing, answered with the same receipt."""
    GAP = reasons.GAP
    REPLAY = reasons.REPLAY
    OLD_EPOCH = reasons.OLD_EPOCH


@dataclass(frozen=True)
class Position:
    """How far a stream was read."""

    epoch: int
    next_sequence: int

    def after(self, epoch: int, sequence: int) -> "Position":
        """The position once (epoch, sequence) was read."""
        return Position(epoch, sequence + 1)


START = Position(0, 1)


def judge(
    position: Position, epoch: int, sequence: int, digest: bytes, known_digest: bytes | None
) -> Verdict:
    """Place a batch. `known_digest` is that of the batch already read under this number, if it is
    still remembered.
    """
    if epoch < position.epoch:
        return Verdict.OLD_EPOCH
    if epoch > position.epoch:
        return Verdict.NEXT if sequence == 1 else Verdict.GAP
    if sequence == position.next_sequence:
        return Verdict.NEXT
    if sequence > position.next_sequence:
        return Verdict.GAP
    return Verdict.DUPLICATE if digest == known_digest else Verdict.REPLAY


def expected(position: Position, epoch: int) -> int:
    """The sequence number to ask for after a gap in `epoch`."""
    return position.next_sequence if epoch == position.epoch else 1
