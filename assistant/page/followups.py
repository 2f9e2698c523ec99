"""Questions to ask next, each answered from the sources before it is offered."""

from __future__ import annotations

import logging
import threading
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from rapidfuzz import fuzz

from assistant.errors import AssistantError
from assistant.page.conversation import Turn
from assistant.page.widgets import Answering
from assistant.text import tokens
from assistant.types import Citation, Document, Span

log = logging.getLogger("ots_assistant.page")

STARTERS = 4
OFFERED = 3
_SAME = 88
"""Per cent of words in common from which two questions count as the same."""
_ELSEWHERE = 10**9
"""How far apart two articles are, in characters."""

Index = tuple[tuple[str, str], ...]
"""Ids and hashes of the sources: when it changes, every question is checked again."""


def candidates() -> list[str]:
    """The questions that may be offered, in order."""
    text = Path(__file__).with_name("followups.toml").read_text(encoding="utf-8")
    return [str(question) for question in tomllib.loads(text)["questions"]]


class Suggestions:
    """Asks candidates of the assistant in quoting mode and keeps those the sources answer.

    A wrong suggestion is worse than none: until a question has been checked against the sources
    as they are now, it is not offered.
    """

    def __init__(self, assistant: Answering, questions: Sequence[str]) -> None:
        self._assistant = assistant
        self._questions = tuple(questions)
        self._lock = threading.Lock()
        self._index: Index = ()
        self._answers: dict[tuple[str, tuple[str, ...]], tuple[Citation, ...]] = {}
        self._checking = False

    def start(self) -> None:
        """Check all questions in the background."""
        self._checking = True
        threading.Thread(target=self._check_all, name="suggestions", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether all questions have been checked against the sources as they are now."""
        known = self._known()
        return all((question, ()) in known for question in self._questions)

    def starters(self) -> list[str]:
        """Questions to start with; none until all are checked."""
        if not self.ready:
            return []
        known = self._known()
        return [q for q in self._questions if known[q, ()]][:STARTERS]

    def after(self, turns: Sequence[Turn], doc_ids: tuple[str, ...] = ()) -> list[str]:
        """What to ask after the last answer: what stands nearest to its quotes comes first.

        `doc_ids` are the sources that may answer; empty means all.
        """
        if not turns or turns[-1].growing or turns[-1].answer is None:
            return []
        here = _spans(turns[-1])
        read = {span for turn in turns for span in _quotes(turn)}
        asked = [turn.question for turn in turns]
        offered: list[str] = []
        for question in self._by_distance(here):
            if _is_among(question, [*asked, *offered]):
                continue
            cited = {(c.doc_id, c.start, c.end) for c in self._ask(question, doc_ids)}
            if cited and not cited <= read:
                offered.append(question)
                read |= cited
            if len(offered) == OFFERED:
                break
        return offered

    def _by_distance(self, here: Collection[tuple[str, Span]]) -> list[str]:
        known = self._known()
        far = {q: _distance(known.get((q, ()), ()), here) for q in self._questions}
        return sorted((q for q in self._questions if known.get((q, ()))), key=lambda q: far[q])

    def _check_all(self) -> None:
        while not self.ready:  # The sources may change while they are asked.
            for question in self._questions:
                self._ask(question, ())
        self._checking = False

    def _ask(self, question: str, doc_ids: tuple[str, ...]) -> tuple[Citation, ...]:
        """The quotes that answer a question; none where the sources don't."""
        index, key = self._now(), (question, doc_ids)
        known = self._known()
        if key in known:
            return known[key]
        cited: tuple[Citation, ...] = ()
        try:
            *_, answer = self._assistant.quoting().stream(question, (), doc_ids or None)
            if answer.outcome == "answered" and not answer.error_code:
                cited = answer.citations
        except AssistantError as fault:
            log.info("Not offered, %s: %s", question, fault)
        except Exception:
            log.exception("Not offered: %s", question)
        with self._lock:
            if index == self._index:
                self._answers[key] = cited
        return cited

    def _now(self) -> Index:
        documents: Mapping[str, Document] = self._assistant.documents
        return tuple((one.doc_id, one.content_hash) for one in documents.values())

    def _known(self) -> dict[tuple[str, tuple[str, ...]], tuple[Citation, ...]]:
        """What has been checked; nothing once the sources have changed."""
        now = self._now()
        with self._lock:
            if now != self._index:
                anew = bool(self._index)
                self._index, self._answers = now, {}
                if anew and not self._checking:
                    self.start()
            return dict(self._answers)


def _is_among(question: str, asked: Sequence[str]) -> bool:
    said = _words(question)
    return any(fuzz.token_set_ratio(said, _words(one)) >= _SAME for one in asked)


def _words(question: str) -> str:
    return " ".join(token.word for token in tokens(question))


def _quotes(turn: Turn) -> Iterator[tuple[str, int, int]]:
    for citation in turn.answer.citations if turn.answer else ():
        yield citation.doc_id, citation.start, citation.end


def _spans(turn: Turn) -> list[tuple[str, Span]]:
    """Where an answer stands in the sources: its quotes, or else the best passage."""
    if quotes := [(doc_id, (start, end)) for doc_id, start, end in _quotes(turn)]:
        return quotes
    found = turn.answer.retrieved[:1] if turn.answer else ()
    return [(one.passage.doc_id, (one.passage.start, one.passage.end)) for one in found]


def _distance(citations: Sequence[Citation], here: Collection[tuple[str, Span]]) -> int:
    """Characters between the nearest two, 0 where they overlap."""
    return min(
        (
            max(0, c.start - end, start - c.end) if c.doc_id == doc_id else _ELSEWHERE
            for c in citations
            for doc_id, (start, end) in here
        ),
        default=_ELSEWHERE,
    )
