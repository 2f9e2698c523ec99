"""What the page remembers of a conversation, and the same as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from assistant.page.choice import AS_USUAL, Choice, read_choice
from assistant.types import Answer, Message

_MARKERS = re.compile(r"[ \t]*\[(\d+)\]")
BROKEN = "turn.closed"
LONGEST_TITLE = 90

Verdict = Literal["", "up", "down"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and, as far as it has come, its answer."""

    question: str
    answer: Answer | None = None
    fault: str = ""
    """What went wrong, one line or the key of a text; what was answered before that stays."""
    stopped: bool = False
    started: bool = False
    """True once its answer has been asked for, so that no second press asks again."""
    turn_id: str = ""
    asked: float = 0.0
    """When, in seconds since 1970."""
    doc_ids: tuple[str, ...] = ()
    """The sources that may answer; empty means all."""
    scope: str = ""
    """The same in words; empty when all may."""
    choice: Choice = AS_USUAL
    """How it is to be answered, as far as that was chosen."""
    verdict: Verdict = ""
    reason: str = ""
    shared: bool = False
    """True when it came out of a file, so that nobody here has seen it answered."""

    @property
    def growing(self) -> bool:
        """True while more of the answer is to come."""
        ended = self.fault or self.stopped
        return not ended and (self.answer is None or self.answer.outcome == "pending")

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values, without the verdict, which is no part of what was said."""
        return {
            "question": self.question,
            "answer": self.answer.to_dict() if self.answer else None,
            "fault": self.fault,
            "stopped": self.stopped,
            "doc_ids": list(self.doc_ids),
            "scope": self.scope,
            "choice": asdict(self.choice),
            "shared": self.shared,
        }


def turn_from_dict(data: Any) -> Turn:
    """The turn of `to_dict()`; one that was still growing is broken off.

    Raises `ValueError` naming what is not as it should be.
    """
    if not isinstance(data, Mapping):
        raise ValueError("a turn is not what it should be")
    for name, kind in (("question", str), ("fault", str), ("scope", str), ("stopped", bool)):
        if not isinstance(data.get(name, kind()), kind):
            raise ValueError(f"{name} is not what it should be")
    doc_ids = data.get("doc_ids", [])
    if not isinstance(doc_ids, list) or not all(isinstance(one, str) for one in doc_ids):
        raise ValueError("doc_ids is not what it should be")
    if not data.get("question"):
        raise ValueError("a turn has no question")
    answer = data.get("answer")
    turn = Turn(
        question=data["question"],
        answer=None if answer is None else Answer.from_dict(answer),
        fault=data.get("fault", ""),
        stopped=data.get("stopped", False),
        started=True,
        doc_ids=tuple(doc_ids),
        scope=data.get("scope", ""),
        choice=read_choice(data.get("choice")),
        shared=bool(data.get("shared", False)),
    )
    return broken_off(turn)


def broken_off(turn: Turn) -> Turn:
    """The turn as it is when nobody writes its answer any more."""
    return replace(turn, fault=BROKEN) if turn.growing else turn


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


def as_title(text: str) -> str:
    """`text` in one line of a length that a list has room for."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 2].rstrip() + " …"
