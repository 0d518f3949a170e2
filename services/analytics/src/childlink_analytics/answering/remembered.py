"""Answers that were given before. An answer is a function of a frozen release, the question and the
caller's purposes, so it never becomes wrong.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final

from childlink.analytics.v1 import analytics_pb2 as pb

MOST_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class GivenAnswer:
    """An answer, and how many of its cells were withheld by reason."""

    response: pb.QueryResponse
    withheld: Mapping[str, int]
    size: int
    """Bytes of the message."""


class Remembered:
    """The answers of the last questions, up to a number of bytes. For use by many threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._bytes = most_bytes, 0
        self._answers: OrderedDict[Hashable, GivenAnswer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> GivenAnswer | None:
        """The answer to a question that was asked before."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def put(
        self, key: Hashable, response: pb.QueryResponse, withheld: Mapping[str, int]
    ) -> GivenAnswer:
        """Remember an answer, and forget those that were not asked for longest."""
        given = GivenAnswer(response, withheld, response.ByteSize())
        with self._lock:
            if key not in self._answers and given.size <= self._most:
                self._answers[key] = given
                self._bytes += given.size
                while self._bytes > self._most:
                    _, oldest = self._answers.popitem(last=False)
                    self._bytes -= oldest.size
        return given
