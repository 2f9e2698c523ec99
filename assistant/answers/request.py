"""What a module of `answers` is given, and what it may draw on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.compose import Composer
from assistant.passages import Sentence
from assistant.text import is_content, tokens
from assistant.types import Answer, Document

NEARER = 0.06
"""Likeness by which one title must be ahead of another for only its document to be meant."""
Read = Callable[[str, str], tuple[float, Mapping[Sentence, float]]]
"""For a question and a document's id: how surely that answers, and what each sentence has of it."""


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
    bearing: Callable[[], Mapping[Sentence, float]]
    """The same by the reader, which gives what only bears on the request more than others do."""
    found: Sequence[str]
    """Of more documents than can be shown whole, those in which something was found, best first."""
    read: Read
    likeness: Callable[[Sequence[str]], NDArray[np.float32]]
    """The similarity of each of some texts to each."""
    says_yes: Callable[[Sentence], float | None]
    """The chat model's probability that a sentence says yes to the request; None without one."""
    again: Callable[[], Answer | None]
    """The last answer of the conversation; None where there is none."""

    def subjects(self, count: int = 1) -> list[str]:
        """The documents that a request is about.

        Of many, those `count` in which most was found; of few, those with most of its words that
        stand in some titles and publishers only, or all.
        """
        if self.found:
            return list(self.found[:count])
        words = {d.doc_id: _words(f"{d.title} {d.publisher}") for d in self.documents.values()}
        shared = frozenset.intersection(*words.values())
        asked = _words(self.text) - shared
        counts = {doc_id: len(asked & own) for doc_id, own in words.items()}
        most = max(counts.values())
        if not most and len(words) > 1:
            return self._nearest()
        return [doc_id for doc_id, count in counts.items() if count == most]

    def _nearest(self) -> list[str]:
        """The documents whose title means what the request says more than others'; else all."""
        titles = [document.title for document in self.documents.values()]
        near = self.likeness([self.text, *titles])[0, 1:]
        return [
            doc_id
            for doc_id, likeness in zip(self.documents, near, strict=True)
            if likeness >= near.max() - NEARER
        ]


def _words(text: str) -> frozenset[str]:
    return frozenset(token.word for token in tokens(text) if is_content(token))
