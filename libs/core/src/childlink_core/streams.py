"""Check whether a batch is the next of its stream. Detects gaps, replays, swaps and restored
senders.

These rules do no I/O. A stream is (sender, topic). Within an epoch, sequence numbers are 1, 2, 3,
...; a sender restored from backup starts a greater epoch. A reader accepts only the next number, so
order is certain. After a gap the sender resends from the number in the receipt (go-back-N, as in
RFC 3366).

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
    """A resend of the same bytes. It changes nothing and gets the same receipt."""
    GAP = reasons.GAP
    REPLAY = reasons.REPLAY
    OLD_EPOCH = reasons.OLD_EPOCH


@dataclass(frozen=True)
class Position:
    """How far a stream has been read."""

    epoch: int
    next_sequence: int

    def after(self, epoch: int, sequence: int) -> "Position":
        """The position after batch (epoch, sequence) was read."""
        return Position(epoch, sequence + 1)


START = Position(0, 1)


def judge(
    position: Position, epoch: int, sequence: int, digest: bytes, known_digest: bytes | None
) -> Verdict:
    """Decide what to do with a batch.

    `known_digest` is the digest of the batch already read under this number, if it is still stored.
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
