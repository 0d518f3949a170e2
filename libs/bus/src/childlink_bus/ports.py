"""What a service needs of a bus. Each topic is one ordered log (one partition)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from childlink_core.errors import UserError


class BusError(UserError):
    """The broker cannot be reached, or refuses us."""


@dataclass(frozen=True)
class Message:
    """A message as read: where it was, and its bytes."""

    topic: str
    offset: int
    value: bytes


class Publisher(Protocol):
    """Appends messages to topics."""

    def publish(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Append (topic, value) pairs in order; return when every one is stored, or raise
        BusError.
        """

    def close(self) -> None:
        """Let go of connections."""


class Subscriber(Protocol):
    """Reads topics from given offsets on. Keeps no place of its own: the service's database
    does.
    """

    def poll(self, timeout_s: float) -> list[Message]:
        """The next messages, in order within each topic; empty after `timeout_s` without any.
        Topics take turns, so that a full one does not hold up the others.
        """

    def lag(self) -> dict[str, int]:
        """Messages not yet returned by `poll`, by topic."""

    def rewound(self) -> dict[str, int]:
        """Topics that `poll` reads from their beginning, because they end before the offset that
        was asked for; with that offset. Each is told once. The broker lost its disk, or the topic
        was made anew: sequence numbers make reading twice harmless, while waiting at an offset that
        may never come, or is another message's when it comes, would lose messages in silence.
        """

    def close(self) -> None:
        """Let go of connections."""
