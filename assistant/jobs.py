"""One piece of long work at a time in the background: start it, watch it, end it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from assistant.errors import AssistantError
from assistant.types import Progress

log = logging.getLogger("ots_assistant.jobs")
_PAUSE = 0.25
"""Seconds between two looks at how far it is."""


class BusyError(AssistantError):
    """The work goes on already."""


class _Cancelled(Exception):
    """Someone ended the work."""


@dataclass(frozen=True, slots=True)
class State:
    """How far the work is; `failed` tells a fault from news.

    `line` is for people: a line, or the key of one of the page's texts.
    """

    running: bool = False
    done: int = 0
    total: int = 0
    line: str = ""
    failed: bool = False


class Job:
    """Work named `name`, such as "eval run", that is done by one thread at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.state = State()

    def start(self, work: Callable[[Progress], str]) -> None:
        """Begin; `work` reports its progress and returns a line on how it ended."""
        with self._lock:
            if self.state.running:
                raise BusyError(
                    f"The {self._name} is going on already.", "wait for it to end, or cancel it"
                )
            self._ended.clear()
            self.state = State(running=True, line="job.starting")
        threading.Thread(target=self._run, args=(work,), name=self._name, daemon=True).start()

    def cancel(self) -> None:
        """End the work at its next step."""
        if self.state.running:
            self._ended.set()
            self.state = replace(self.state, line="job.ending")

    async def watch(self) -> AsyncIterator[State]:
        """The state whenever it has changed; last the one it ended with."""
        seen = None
        while (now := self.state).running:
            if now != seen:
                seen = now
                yield now
            await asyncio.sleep(_PAUSE)
        yield now

    def _run(self, work: Callable[[Progress], str]) -> None:
        try:
            ended = State(line=work(self._progress))
        except _Cancelled:
            ended = State(line="job.cancelled")
        except AssistantError as fault:
            ended = State(line=str(fault), failed=True)
        except Exception:
            log.exception("The %s broke off", self._name)
            ended = State(line="job.broke_off", failed=True)
        self.state = ended

    def _progress(self, what: str, done: int, total: int, unit: str) -> None:
        if self._ended.is_set() and done < total:
            raise _Cancelled
        line = f"{what}: {done} of {total} {unit}"
        self.state = replace(self.state, done=done, total=total, line=line)
