"""What the page remembers of a conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.types import Answer, Message

_MARKERS = re.compile(r"[ \t]*\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and, as far as it has come, its answer."""

    question: str
    answer: Answer | None = None
    fault: str = ""
    """One line saying what went wrong; what was answered before that stays."""
    stopped: bool = False
    started: bool = False
    """True once its answer has been asked for, so that no second press asks again."""

    @property
    def growing(self) -> bool:
        """True while more of the answer is to come."""
        ended = self.fault or self.stopped
        return not ended and (self.answer is None or self.answer.outcome == "pending")


def without_markers(answer: Answer) -> str:
    """The text of an answer without its citation markers; other brackets stay."""
    known = {str(citation.marker) for citation in answer.citations}
    return _MARKERS.sub(lambda m: "" if m[1] in known else m[0], answer.text).strip()


def messages(turns: Sequence[Turn]) -> list[Message]:
    """The finished turns as chat messages, oldest first."""
    history: list[Message] = []
    for turn in turns:
        if turn.answer is not None and not turn.fault and (said := without_markers(turn.answer)):
            history.append({"role": "user", "content": turn.question})
            history.append({"role": "assistant", "content": said})
    return history
