"""A rate limit per caller. No I/O.

>>> limiter = Limiter(60, clock=lambda: 0.0)
>>> [limiter.wait_s("a") for _ in range(61)][-2:], limiter.wait_s("b")
([0.0, 1.0], 0.0)
"""

import threading
import time
from collections.abc import Callable


class Limiter:
    """A token bucket per caller: at most `calls_a_minute` calls per minute, also in one burst."""

    def __init__(self, calls_a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.calls_a_minute = calls_a_minute
        self._clock = clock
        self._lock = threading.Lock()
        # Content of each bucket, and when it was computed. Callers are names of the policy file, so
        # the number of buckets is bounded.
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_s(self, caller: str) -> float:
        """Take one call. Returns 0 if the call may go ahead.

        Otherwise takes nothing and returns the seconds until the next call may go ahead.
        """
        a_second = self.calls_a_minute / 60
        with self._lock:
            now = self._clock()
            held, at = self._buckets.get(caller, (float(self.calls_a_minute), now))
            held = min(float(self.calls_a_minute), held + (now - at) * a_second)
            if held < 1:
                self._buckets[caller] = (held, now)
                return (1 - held) / a_second
            self._buckets[caller] = (held - 1, now)
            return 0.0
