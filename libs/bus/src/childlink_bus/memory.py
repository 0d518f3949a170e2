"""An in-memory replacement for Kafka, for tests.

>>> broker = MemoryBroker()
>>> broker.publisher().publish([("links", b"a"), ("links", b"b")])
>>> [m.value for m in broker.subscriber({"links": 1}).poll(0)]
[b'b']
"""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence

from childlink_bus.ports import Message


class MemoryBroker:
    """Topics as lists."""

    def __init__(self) -> None:
        self.topics: dict[str, list[bytes]] = defaultdict(list)

    def publisher(self) -> "MemoryPublisher":
        """Return a publisher to this broker."""
        return MemoryPublisher(self)

    def subscriber(
        self, positions: Mapping[str, int], max_messages: int = 16
    ) -> "MemorySubscriber":
        """Return a subscriber that reads each topic of `positions` from the given offset."""
        return MemorySubscriber(self, positions, max_messages)


class MemoryPublisher:
    """See `ports.Publisher`."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def publish(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """See `ports.Publisher.publish`."""
        for topic, value in messages:
            self._broker.topics[topic].append(value)

    def close(self) -> None:
        """Does nothing: there is no connection."""


class MemorySubscriber:
    """See `ports.Subscriber`."""

    def __init__(
        self, broker: MemoryBroker, positions: Mapping[str, int], max_messages: int
    ) -> None:
        self._broker = broker
        self._next = dict(positions)
        self._turns = deque(positions)
        self._max_messages = max_messages
        self._rewound: dict[str, int] = {}

    def poll(self, timeout_s: float) -> list[Message]:
        """See `ports.Subscriber.poll`."""
        messages: list[Message] = []
        without = 0
        while len(messages) < self._max_messages and without < len(self._turns):
            topic = self._turns[0]
            self._turns.rotate(-1)
            values, at = self._broker.topics[topic], self._next[topic]
            if at > len(values):
                self._rewound[topic], self._next[topic] = at, 0
                at = 0
            without = 0 if at < len(values) else without + 1
            if not without:
                messages.append(Message(topic, at, values[at]))
                self._next[topic] = at + 1
        return messages

    def lag(self) -> dict[str, int]:
        """See `ports.Subscriber.lag`."""
        return {
            topic: len(self._broker.topics[topic]) - start for topic, start in self._next.items()
        }

    def rewound(self) -> dict[str, int]:
        """See `ports.Subscriber.rewound`."""
        told, self._rewound = self._rewound, {}
        return told

    def close(self) -> None:
        """Does nothing: there is no connection."""
