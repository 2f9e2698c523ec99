"""Tells of which kind a request is, and has it answered by that kind's module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.answers import (
    about,
    advice,
    comparison,
    count,
    dates,
    difference,
    everything,
    form,
    metadata,
    summary,
    translate,
    yes_no,
)
from assistant.answers.request import Read, Request
from assistant.compose import Composer
from assistant.passages import Sentence
from assistant.requests.kinds import TellsKinds
from assistant.types import Answer, Document, Encoder, Outcome, similarity

Make = Callable[[Request], Outcome | None]
"""Fills the request's composer; None, and nothing filled in, where the evidence does not do."""

MAKERS: Mapping[str, Make] = {
    "greeting": about.greet,
    "thanks": about.greet,
    "about": about.introduce,
    "sources": about.name_sources,
    "author": metadata.author,
    "published": metadata.published,
    "older": metadata.order,
    "dates": dates.make,
    "count": count.make,
    "yes_no": yes_no.make,
    "comparison": comparison.make,
    "difference": difference.make,
    "summary": summary.make,
    "everything": everything.make,
    "shorter": form.shorten,
    "bullets": form.list_up,
    "translate": translate.make,
    "advice": advice.make,
}
"""A kind that is not among these is looked up like any other question."""
CONVERSATIONAL = ("greeting", "thanks", "about", "sources", "shorter", "bullets", "translate")


class Writer:
    """Answers requests that no single sentence answers.

    `kinds` is called when it is first needed; without it all requests are left to be looked up.
    """

    def __init__(self, kinds: Callable[[], TellsKinds] | None, encoder: Encoder) -> None:
        self._kinds = kinds
        self._encoder = encoder

    def write(
        self,
        text: str,
        documents: Mapping[str, Document],
        sentences: Mapping[str, Sequence[Sentence]],
        composer: Composer,
        relevance: Callable[[], Mapping[Sentence, float]],
        bearing: Callable[[], Mapping[Sentence, float]],
        found: Sequence[str],
        read: Read,
        says_yes: Callable[[Sentence], float | None],
        again: Callable[[], Answer | None],
        leans: bool = False,
    ) -> Outcome | None:
        """Fill the composer; None, and nothing filled in, for what is to be looked up.

        What `leans` on the conversation is looked up, unless its kind is one of those that do.
        """
        kind = self._kinds().kind(text) if self._kinds and text else ""
        if kind not in MAKERS or (leans and kind not in CONVERSATIONAL):
            return None
        return MAKERS[kind](
            Request(
                text=text,
                kind=kind,
                documents=documents,
                sentences=sentences,
                composer=composer,
                relevance=relevance,
                bearing=bearing,
                found=found,
                read=read,
                likeness=self._likeness,
                says_yes=says_yes,
                again=again,
            )
        )

    def _likeness(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.array(self._encoder.encode_documents(texts), np.float32)
        return similarity(vectors @ vectors.T, self._encoder)
