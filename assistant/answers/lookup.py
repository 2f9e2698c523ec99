"""A question that a few sentences answer, found by the search and the reader."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answerability import is_hopeless
from assistant.compose import Composer
from assistant.conclude import Conclusion
from assistant.grounding import Verdict, is_fragment
from assistant.passages import Sentence
from assistant.phrase import Phrase
from assistant.reading import Reading, Window
from assistant.turn import Judged

BESIDE = 0.5
"""What the reader must give a sentence, of what it gives the likeliest, to be quoted beside it."""
FIRST = 2
"""So many of the sentences that may hold the answer are believed to: words of another answer only
seemingly."""
MOST, NEAREST = 3, 2
"""Sentences quoted for an answer; and where there is none."""


def conclude(
    judged: Judged,
    phrase: Phrase | None,
    verdicts: Sequence[Verdict] | None,
    composer: Composer,
) -> Conclusion:
    """The words that answer and the sentences they stand in; else the sentences; else that none do.

    `phrase` is what the chat model made of them, `verdicts` what became of a reply that was none;
    None where it was not asked.
    """
    signals = {"answerability": judged.probe or 0.0}
    first = judged.leads[:FIRST]
    if not first or is_hopeless(judged.probe):
        missing = composer.frame("not_in_sources")
        if first:
            composer.frame("nearest")
            _quote(composer, judged.leads[:NEAREST])
        return Conclusion("not_in_sources", missing, signals)
    if phrase and set(phrase.sentences).intersection(first):
        composer.tell(phrase.text, phrase.sentences)
        _quote(composer, phrase.sentences)
    elif supported := [v for v in verdicts or () if _states(v)]:
        for verdict in supported:
            composer.support(verdict)
    elif verdicts is None:
        composer.frame("says")
        _quote(composer, _likeliest(judged))
    else:
        # Where the chat model finds no words in them the reader is not right often enough.
        missing = composer.frame("unsure")
        composer.frame("nearest")
        _quote(composer, judged.leads[:MOST])
        return Conclusion("partial", missing, signals)
    return Conclusion("answered", "", signals)


def _states(verdict: Verdict) -> bool:
    """Whether it is a whole statement that a source carries: a lone word says nothing of what."""
    return verdict.supported and not is_fragment(verdict.text) and "|" not in verdict.text


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
