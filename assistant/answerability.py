"""Whether the sources answer a question, and whether it is about what they are about at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.evidence import Ranked, seen
from assistant.questions import Query
from assistant.reading import Reading

ANSWERABLE = 0.5
"""The chat model's probability from which the sources answer a question."""
OFF_TOPIC_SIMILARITY = 0.2
UNKNOWN_WORDS = 0.5


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a question is to the sources. Both in [0, 1]."""

    similarity: float
    """Best similarity of the question and a window."""
    words_unknown: float
    """Share of the question's words that no source in view has."""

    @property
    def off_topic(self) -> bool:
        return self.similarity < OFF_TOPIC_SIMILARITY and self.words_unknown >= UNKNOWN_WORDS


def nearness(query: Query, ranked: Sequence[Ranked]) -> Nearness:
    words = Reading(query.text).words
    everything = frozenset().union(*(seen(hit.window) for hit in ranked))
    return Nearness(
        similarity=max(hit.similarity for hit in ranked),
        words_unknown=len(words - everything) / max(len(words), 1),
    )


def is_hopeless(probe: float | None) -> bool:
    """Whether no draft, however good, could make this an answer: then none needs to be written."""
    return probe is not None and probe < ANSWERABLE
