"""A question that a few sentences answer, found by the search and the reader."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answerability import is_hopeless
from assistant.compose import Composer
from assistant.conclude import Conclusion
from assistant.passages import Sentence
from assistant.phrase import Phrase
from assistant.prompts import NOT_STATED
from assistant.reading import Reading, Window
from assistant.turn import Judged

BESIDE = 0.5
"""What the reader must give a sentence, of what it gives the likeliest, to be quoted beside it."""
_AROUND = " \n\t-*\"'“”"
MOST, NEAREST = 3, 2
"""Sentences quoted for an answer; and where there is none."""


def conclude(judged: Judged, phrase: Phrase | None, reply: str, composer: Composer) -> Conclusion:
    """The words that answer and the sentences they stand in; else the sentences; else that none do.

    `phrase` and `reply` are the chat model's: it saw the sentences that may hold the answer.
    """
    signals = {"answerability": judged.probe or 0.0}
    if not judged.leads:
        return Conclusion("not_in_sources", composer.frame("not_in_sources"), signals)
    if phrase:
        composer.tell(phrase.text, phrase.sentences)
        _quote(composer, phrase.sentences)
        return Conclusion("answered", "", signals)
    if is_hopeless(judged.probe) or reply.strip(_AROUND).lower().startswith(NOT_STATED):
        # Where reader and chat model disagree neither is right often enough to be believed.
        unsure = not is_hopeless(judged.probe)
        missing = composer.frame("unsure" if unsure else "not_in_sources")
        composer.frame("nearest")
        _quote(composer, judged.leads[: MOST if unsure else NEAREST])
        return Conclusion("partial" if unsure else "not_in_sources", missing, signals)
    composer.frame("says")
    _quote(composer, _likeliest(judged))
    return Conclusion("answered", "", signals)


def _likeliest(judged: Judged) -> list[Sentence]:
    """The first sentence that may hold the answer, and others of its text nearly as likely."""
    first = judged.leads[0]
    enough = BESIDE * max(judged.relevance[lead] for lead in judged.leads)
    beside = [
        lead
        for lead in judged.leads[1:]
        if lead.doc_id == first.doc_id and judged.relevance[lead] >= enough
    ]
    return [first, *beside][:MOST]


def _quote(composer: Composer, sentences: Sequence[Sentence]) -> None:
    for sentence in sentences:
        composer.quote(Window((sentence,), (Reading(sentence.shown),)))
