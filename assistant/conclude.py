"""Verdicts, evidence and the model's own doubt -> outcome, and what is shown for it."""

from __future__ import annotations

from collections.abc import Sequence

from assistant import compose
from assistant.compose import Composer
from assistant.evidence import Features, Ranked, answerability, features, missing_kinds
from assistant.grounding import Reading, Verdict, Window, is_fragment
from assistant.questions import assumes, wanted
from assistant.types import Outcome

ANSWERABLE = 0.5
"""From this probability on, a question counts as answered by the sources."""
OFF_TOPIC_SIMILARITY = 0.2
_NEAREST = 2
"""Windows quoted where the sources do not answer."""


def conclude(
    question: str,
    ranked: Sequence[Ranked],
    verdicts: Sequence[Verdict],
    probe: float | None,
    composer: Composer,
) -> tuple[Outcome, str]:
    """Fill the composer; returns the outcome and what is missing, in words."""
    for verdict in verdicts:
        if not verdict.supported:
            composer.withhold(verdict)
    found = read(question, ranked, verdicts, probe)
    if not ranked or is_off_topic(found):
        composer.frame(compose.OFF_TOPIC)
        return "off_topic", compose.OFF_TOPIC
    if answerability(found, probe is not None) >= ANSWERABLE:
        return _answer(question, ranked, [v for v in verdicts if v.supported], composer)
    return _decline(question, ranked, composer)


def read(
    question: str, ranked: Sequence[Ranked], verdicts: Sequence[Verdict], probe: float | None
) -> Features:
    return features(
        question,
        ranked,
        probe,
        max((v.coverage for v in verdicts), default=0.0),
        sum(v.supported for v in verdicts) / max(len(verdicts), 1),
    )


def is_off_topic(found: Features) -> bool:
    return found.similarity < OFF_TOPIC_SIMILARITY and found.words_unknown >= 0.5


def _answer(
    question: str, ranked: Sequence[Ranked], supported: Sequence[Verdict], composer: Composer
) -> tuple[Outcome, str]:
    _show(supported, ranked, composer)
    if not composer.shows:
        composer.frame(compose.SAYS)
        composer.quote(ranked[0].window)
    kinds = wanted(question)
    for hit in ranked[:3]:
        lacking = missing_kinds(kinds, _readings(composer))
        if lacking and not set(lacking) <= set(missing_kinds(lacking, hit.window.readings)):
            composer.quote(hit.window)
    missing = " ".join(compose.MISSING[k] for k in missing_kinds(kinds, _readings(composer)))
    composer.frame(missing)
    return ("partial" if missing else "answered"), missing


def _show(supported: Sequence[Verdict], ranked: Sequence[Ranked], composer: Composer) -> None:
    """Supported claims as drafted; fragments as the sentence they stand in; lists complete."""
    labels = [v.window for v in supported if v.window is not None and _is_label(v)]
    for verdict in supported:
        window = verdict.window
        assert window is not None
        if _is_label(verdict):
            same = [w for w in labels if w.sentences[-1].block == window.sentences[-1].block]
            composer.listing(_whole_list(window, ranked) if len(same) > 1 else window)
        elif is_fragment(verdict.text):
            if not composer.has_shown(window.sentences):
                composer.quote(window)
        else:
            composer.support(verdict)


def _is_label(verdict: Verdict) -> bool:
    """Whether a claim only names a list item."""
    item = verdict.window.sentences[-1] if verdict.window else None
    return bool(item and item.item and Reading(verdict.text).words <= Reading(item.label).words)


def _whole_list(window: Window, ranked: Sequence[Ranked]) -> Window:
    """The list a window belongs to: its introduction and every item."""
    last = window.sentences[-1]
    members = {
        sentence.start: sentence
        for hit in ranked
        for sentence in hit.window.sentences
        if (sentence.doc_id, sentence.block) == (last.doc_id, last.block)
    }
    found = tuple(members[start] for start in sorted(members))
    return Window(found, tuple(Reading(sentence.text) for sentence in found))


def _readings(composer: Composer) -> list[Reading]:
    return [Reading(claim.text) for claim in composer.claims if claim.status == "supported"]


def _decline(question: str, ranked: Sequence[Ranked], composer: Composer) -> tuple[Outcome, str]:
    if assumes(question):
        composer.frame(compose.CORRECTED)
        outcome: Outcome = "corrected_premise"
    else:
        composer.frame(compose.NOT_IN_SOURCES)
        composer.frame(compose.NEAREST)
        outcome = "not_in_sources"
    for hit in ranked[:_NEAREST]:
        if not composer.has_shown(hit.window.sentences):
            composer.quote(hit.window)
    return outcome, compose.NOT_IN_SOURCES
