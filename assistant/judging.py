"""Whether passages answer a question, and which of their sentences do, as the reader has it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from assistant.passages import Sentence
from assistant.reader import Page, Reading, Reads, header
from assistant.turn import Judged
from assistant.types import Document, Passage, ScoredPassage

CONTRADICTED = 0.8
"""The reader's probability from which a passage is taken to contradict a question's premise: below
it is wrong too often to be told."""
LEADS = 4
"""Sentences that may hold the answer."""
PASSAGE_WEIGHT, SENTENCE_WEIGHT = 0.05, 0.05
"""What the reader's logits for a passage and for a sentence count beside the score of the search:
among many passages one that only looks like an answer is likely, so the search has its say."""
OTHERS = 0.5
"""What counts of the reader's probability for a sentence beside those that may hold the answer."""


class Judge:
    """Reads passages for questions; `reader` is called when it is first needed."""

    def __init__(
        self,
        documents: Mapping[str, Document],
        sentences: Mapping[str, Sequence[Sentence]],
        reader: Callable[[], Reads],
    ) -> None:
        """`sentences` holds those of each document, in order."""
        self._documents = documents
        self._sentences = sentences
        self._reader = reader

    def judge(self, question: str, passages: Sequence[Passage]) -> Judged:
        """What the passages have to do with a question: as much as the best of them has."""
        pages, readings = self._read(question, passages)
        if not readings:
            return Judged(0.0)
        relevance: dict[Sentence, float] = {}
        for page, reading in zip(pages, readings, strict=True):
            relevance |= zip(page, reading.sentences, strict=True)
        return _judged(readings, relevance)

    def choose(
        self, question: str, hits: Sequence[ScoredPassage], count: int
    ) -> tuple[Judged, list[Passage]]:
        """The same of passages found by a search, with the sentences that may hold the answer.

        And the `count` passages that answer best, best first.
        """
        pages, readings = self._read(question, [hit.passage for hit in hits])
        if not readings:
            return Judged(0.0), []
        found: list[tuple[float, int, Sentence, float]] = []
        for at, (hit, page, reading) in enumerate(zip(hits, pages, readings, strict=True)):
            worth = hit.score + PASSAGE_WEIGHT * _logit(reading.answered)
            for sentence, p in zip(page, reading.sentences, strict=True):
                found.append((worth + SENTENCE_WEIGHT * _logit(p), at, sentence, p))
        found.sort(key=lambda one: -one[0])
        once: dict[str, int] = {}
        for place, (_, _, sentence, _) in enumerate(found):
            once.setdefault(sentence.shown, place)
        best = list(once.values())[:LEADS]
        read = {found[place][1] for place in best}
        leads = tuple(found[place][2] for place in best)
        relevance = {
            sentence: p if sentence in leads else OTHERS * p
            for _, at, sentence, p in found
            if at in read
        }
        judged = _judged([readings[at] for at in read], relevance)
        order = list(dict.fromkeys(at for _, at, _, _ in found))[:count]
        return replace(judged, leads=leads), [hits[at].passage for at in order]

    def within(self, passage: Passage) -> list[Sentence]:
        """The sentences of a passage."""
        found = self._sentences[passage.doc_id]
        return [s for s in found if passage.start <= s.start < passage.end]

    def _read(
        self, question: str, passages: Sequence[Passage]
    ) -> tuple[list[list[Sentence]], list[Reading]]:
        """The sentences of each passage, and what the reader makes of them."""
        pages = [self.within(passage) for passage in passages]
        read = [
            Page(self._header(passage), tuple(sentence.shown for sentence in page))
            for passage, page in zip(passages, pages, strict=True)
        ]
        return pages, self._reader().read(question, read)

    def _header(self, passage: Passage) -> str:
        document = self._documents[passage.doc_id]
        return header(document.title, document.publisher, document.published)


def _judged(readings: Sequence[Reading], relevance: Mapping[Sentence, float]) -> Judged:
    best = max(readings, key=lambda reading: reading.answered)
    against = max(reading.contradicted for reading in readings)
    against = against if against >= CONTRADICTED else 0.0
    return Judged(best.answered, relevance, best.partly, against)


def _logit(p: float) -> float:
    return math.log((p + 1e-3) / (1 - p + 1e-3))
