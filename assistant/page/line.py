"""Who waits for a chat model that writes one answer at a time."""

from __future__ import annotations

import threading


class Line:
    """The turns being answered by each model, in the order they were asked."""

    def __init__(self) -> None:
        self._asked: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def join(self, model: str, turn_id: str) -> int:
        """How many come before."""
        with self._lock:
            line = self._asked.setdefault(model, [])
            line.append(turn_id)
            return len(line) - 1

    def leave(self, turn_id: str) -> None:
        with self._lock:
            for line in self._asked.values():
                if turn_id in line:
                    line.remove(turn_id)
