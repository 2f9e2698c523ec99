"""What a module of `answers` is given, and what it may draw on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assistant.compose import Composer
from assistant.passages import Sentence
from assistant.text import is_content, tokens
from assistant.types import Answer, Document


@dataclass(frozen=True, slots=True)
class Request:
    """A request with the sources that may answer; the `composer` takes what is shown."""

    text: str
    kind: str
    documents: Mapping[str, Document]
    sentences: Mapping[str, Sequence[Sentence]]
    """Those of each document, in order."""
    composer: Composer
    relevance: Callable[[], Mapping[Sentence, float]]
    """The probability of each sentence of the best passages to belong to the answer."""
    encode: Callable[[Sequence[str]], list[list[float]]]
    """Vectors of unit length for texts."""
    again: Callable[[], Answer | None]
    """The last answer of the conversation; None where there is none."""

    def subjects(self) -> list[str]:
        """The documents a request names by words of title or publisher that only some have; or all.

        Of those it names, the ones with most of the words.
        """
        words = {d.doc_id: _words(f"{d.title} {d.publisher}") for d in self.documents.values()}
        shared = frozenset.intersection(*words.values())
        asked = _words(self.text) - shared
        counts = {doc_id: len(asked & own) for doc_id, own in words.items()}
        most = max(counts.values())
        return [doc_id for doc_id, count in counts.items() if count == most]


def _words(text: str) -> frozenset[str]:
    return frozenset(token.word for token in tokens(text) if is_content(token))
