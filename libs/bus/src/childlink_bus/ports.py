"""The bus interface. Each topic is one ordered log (one partition)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from childlink_core.errors import UserError


class BusError(UserError):
    """The broker cannot be reached, or refuses the connection."""


@dataclass(frozen=True)
class Message:
    """A message, with its topic and offset."""

    topic: str
    offset: int
    value: bytes


class Publisher(Protocol):
    """Appends messages to topics."""

    def publish(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Append (topic, value) pairs in order.

        Returns when all are stored. Raises BusError.
        """

    def close(self) -> None:
        """Close the connections."""


class Subscriber(Protocol):
    """Reads topics from given offsets. Stores no position: the service's database does."""

    def poll(self, timeout_s: float) -> list[Message]:
        """The next messages, in order within each topic; empty if there are none within
        `timeout_s`.

        Topics take turns, so that a busy topic does not delay the others.
        """

    def lag(self) -> dict[str, int]:
        """Number of messages that `poll` has not returned yet, by topic."""

    def rewound(self) -> dict[str, int]:
        """Topics that `poll` reads from the beginning because they end before the requested offset.

        Returns the requested offset by topic, each topic once. The broker lost its disk, or the
        topic was created again. Reading twice is harmless, because batches have sequence numbers.
        Waiting at the old offset could silently lose messages: it may never come, or may belong to
        another message.
        """

    def close(self) -> None:
        """Close the connections."""
