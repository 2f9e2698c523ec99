"""Whether passages answer a question, and which of their sentences do, as the reader has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from assistant.passages import Sentence
from assistant.reader import Page, Reads, header
from assistant.turn import Judged
from assistant.types import Document, Passage


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
        return self.best(question, passages, len(passages))[0]

    def best(
        self, question: str, passages: Sequence[Passage], count: int
    ) -> tuple[Judged, list[Passage]]:
        """What they have to do with a question, and those `count` that answer it best, in order."""
        pages = [self.within(passage) for passage in passages]
        read = [Page(self._header(p), _shown(s)) for p, s in zip(passages, pages, strict=True)]
        readings = self._reader().read(question, read)
        if not readings:
            return Judged(0.0), []
        order = sorted(range(len(passages)), key=lambda at: -readings[at].answered)
        kept = sorted(order[:count])
        readings = [readings[at] for at in kept]
        pages = [pages[at] for at in kept]
        relevance: dict[Sentence, float] = {}
        for page, reading in zip(pages, readings, strict=True):
            relevance |= zip(page, reading.sentences, strict=True)
        best = max(readings, key=lambda reading: reading.answered)
        against = max(reading.contradicted for reading in readings)
        judged = Judged(best.answered, relevance, best.partly, against)
        return judged, [passages[at] for at in kept]

    def within(self, passage: Passage) -> list[Sentence]:
        """The sentences of a passage."""
        found = self._sentences[passage.doc_id]
        return [s for s in found if passage.start <= s.start < passage.end]

    def _header(self, passage: Passage) -> str:
        document = self._documents[passage.doc_id]
        return header(document.title, document.publisher, document.published)


def _shown(sentences: Sequence[Sentence]) -> tuple[str, ...]:
    return tuple(sentence.shown for sentence in sentences)
