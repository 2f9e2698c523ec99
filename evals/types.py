"""What the evals hand to each other: cases, results, scores and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from assistant.errors import AssistantError
from assistant.types import Answer, Message, Span

Expected = Literal["answer", "partial", "decline", "correct", "off_topic"]
Split = Literal["development", "test"]

EXPECTED: tuple[str, ...] = ("answer", "partial", "decline", "correct", "off_topic")
LANGUAGES: tuple[str, ...] = ("en", "tr", "az", "ru", "kk", "ky", "uz")
KINDS: tuple[str, ...] = (
    "fact",
    "list",
    "date",
    "number",
    "comparison",
    "multi-hop",
    "paraphrase",
    "follow-up",
    "unanswerable",
    "near-miss",
    "false-premise",
    "conflict",
    "injection",
    "off-topic",
    "typo",
)
REQUEST_KINDS: tuple[str, ...] = (
    "yes-no",
    "count",
    "dates",
    "difference",
    "summary",
    "everything",
    "metadata",
    "advice",
    "form",
    "small-talk",
)
"""Kinds of `requests.jsonl` and `general.jsonl`, beside those of the first set."""


class EvalError(AssistantError):
    """A fault in the question set, a run or a gate file that a person can mend."""

    exit_code = 8


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """Where a gold quote, or an alternative to it, stands in a source."""

    doc_id: str
    start: int
    end: int
    sentences: Span
    """The whole citable sentences that hold it; a citation of those is as good as the quote."""


@dataclass(frozen=True, slots=True)
class GoldQuote:
    """One thing the sources say that an answer needs; citing any of the spans will do."""

    quote: str
    spans: tuple[GoldSpan, ...]


@dataclass(frozen=True, slots=True)
class EvalCase:
    """One question of the set and what an acceptable answer to it is."""

    id: str
    question: str
    history: tuple[Message, ...]
    language: str
    kind: str
    expected: Expected
    gold_answer: str
    accept: tuple[tuple[str, ...], ...]
    """Groups; an acceptable answer contains at least one string of each."""
    reject: tuple[str, ...]
    gold: tuple[GoldQuote, ...]
    direct: tuple[tuple[str, ...], ...]
    """Groups, as in `accept`, that the first sentence of the answer itself must have."""
    bullets: int
    """How many bullets are asked for; 0 where none are."""
    table: bool
    note: str
    digest: str
    """Changes whenever anything about the case does, but for its note."""

    @property
    def declinable(self) -> bool:
        """Whether the sources hold no answer at all."""
        return self.expected in ("decline", "off_topic")


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One question asked once: the answer, or why there is none, and its values."""

    case: EvalCase
    repeat: int
    answer: Answer | None
    error: str = ""
    values: Mapping[str, float | None] = field(default_factory=dict)
    """By metric. A metric that does not apply is absent; None is a value that couldn't be told."""
    objections: tuple[str, ...] = ()
    """Why the answer is not acceptable; empty when it is."""

    @property
    def verdict(self) -> Literal["acceptable", "not acceptable", "failed"]:
        if self.answer is None:
            return "failed"
        return "not acceptable" if self.objections else "acceptable"


@dataclass(frozen=True, slots=True)
class Score:
    """A metric over a group of cases; `value` is None when nothing could be scored, never zero."""

    name: str
    value: float | None
    n: int
    """Cases that were scored."""
    low: float | None
    """Lower end of the bootstrap interval."""
    high: float | None
    explanation: str
    unscored: int = 0
    """Cases where the metric applies and no value could be told."""
    failed: int = 0
    """Cases of the group that brought no answer."""
    spread: float | None = None
    """Standard deviation over repeated runs; None for a single run."""


@dataclass(frozen=True, slots=True)
class EvalReport:
    """A whole run: what was run, the scores and every case."""

    meta: Mapping[str, Any]
    scores: tuple[Score, ...]
    by_kind: Mapping[str, tuple[Score, ...]]
    by_language: Mapping[str, tuple[Score, ...]]
    results: tuple[CaseResult, ...]

    def score(self, name: str) -> Score:
        return next(score for score in self.scores if score.name == name)
