"""A limit on how often each of many people may do a thing."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

_MINUTE = 60.0
_MOST_PEOPLE = 10_000


class Rate:
    """At most so many times a minute for each of many people."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._times: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait(self, who: str) -> float:
        """Seconds until `who` may go on; 0 lets them, and counts."""
        now = self._clock()
        with self._lock:
            times = self._times.setdefault(who, deque())
            while times and now - times[0] >= _MINUTE:
                times.popleft()
            if len(times) >= self.per_minute:
                return _MINUTE - (now - times[0])
            times.append(now)
            if len(self._times) > _MOST_PEOPLE:
                self._times = {
                    name: kept for name, kept in self._times.items() if now - kept[-1] < _MINUTE
                }
        return 0.0
