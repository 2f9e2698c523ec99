"""What is known so far about a question that is being answered."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from assistant.compose import Composer
from assistant.errors import AssistantError
from assistant.evidence import Part
from assistant.grounding import Grounder, Verdict, markers, split_claims
from assistant.passages import Sentence
from assistant.phrase import Phrase
from assistant.questions import Query
from assistant.types import Message, Passage, ScoredPassage


@dataclass(frozen=True)
class Judged:
    """What a chat model makes of the sentences for a question."""

    probe: float | None = None
    """Probability that they state the answer; None where it can't be told."""
    relevance: Mapping[Sentence, float] = field(default_factory=dict)
    """Probability of each to belong to the answer; empty where it can't be told."""
    partly: float = 0.0
    """Probability that they state a part of the answer only."""
    false_premise: float = 0.0
    """Probability that the question takes something for granted that they contradict."""
    leads: tuple[Sentence, ...] = ()
    """The sentences that may hold the answer, likeliest first, where a search and the reader found
    them; none where the chat model chose among all that the sources say."""


@dataclass
class Turn:
    """What is known so far about the question being answered."""

    question: str
    history: list[Message]
    """The turns that the question can't be understood without; empty where it can."""
    language: str
    asked: str
    """The sentences that ask; in the language of the sources, where they came in another."""
    query: Query = field(default_factory=lambda: Query(""))
    candidates: list[ScoredPassage] = field(default_factory=list)
    hits: list[ScoredPassage] = field(default_factory=list)
    """The best of the candidates, which a reader is shown."""
    passages: list[Passage] = field(default_factory=list)
    whole: bool = False
    """Whether the passages in view are all that the sources hold."""
    composer: Composer = field(default_factory=lambda: Composer({}, ()))
    grounder: Grounder = field(default_factory=lambda: Grounder(()))
    request: str = ""
    """The question as it came, with the turn it leans on: what a chat model is asked."""
    draft: str = ""
    phrase: Phrase | None = None
    """The words of the sources that answer by themselves."""
    judged: Judged = field(default_factory=Judged)
    model: str = ""
    notice: str = ""
    error_code: int = 0
    dropped_markers: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    @property
    def written(self) -> bool:
        """Whether the chat model wrote any of the sentences shown."""
        drafted = {verdict.text for verdict in self.verdicts}
        return any(c.status == "supported" and c.text in drafted for c in self.composer.claims)

    def claims(self, pieces: Iterable[str]) -> list[str]:
        """The claims of a draft, which it takes down as it comes."""
        for piece in pieces:
            self.mark("first_token")
            self.draft += piece
        self.dropped_markers = len(markers(self.draft))
        return split_claims(self.draft)

    def mark(self, moment: str) -> None:
        self.timings.setdefault(moment, round(time.perf_counter() - self.started, 4))

    def fail(self, fault: AssistantError) -> None:
        """The reader still gets the quoted evidence, and one line that says what failed."""
        self.notice, self.error_code = str(fault), fault.exit_code
