"""The rules a claim must pass to be supported by a window of evidence.

Each is a function from a claim and a window to an objection in words, or an empty string. They are
strict on purpose: what is withheld is replaced by the source's own sentence, so a false alarm costs
style and a miss would cost the reader's trust. Those that read how a thing is said are in
`modality.py`, those that read who did what in `roles.py` and `voice.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from assistant.lexicon import GENERIC, POINTERS, PREPOSITIONS, PRONOUNS, TIMING
from assistant.modality import (
    force_added,
    limit_dropped,
    only_spoken_of,
    qualifier_dropped,
    tense_differs,
)
from assistant.reading import Reading, Window, is_of, is_verb
from assistant.roles import roles_differ
from assistant.text import MONTHS, Token, is_content, is_number

_OPENING = 3
"""Words within which a sentence says what it goes on about."""
_COUNTED = 3
"""Words after a number within which what it counts is named."""


def names_outside(claim: Reading, window: Window) -> str:
    """A name must stand in the evidence; so must any word that a capital makes look like one."""
    missing = [t.surface for t in claim.names if t.word not in window.every_word]
    return f"the source does not name {missing[0]} here" if missing else ""


def numbers_outside(claim: Reading, window: Window) -> str:
    """All numbers, dates and amounts of a claim must stand together in one sentence."""
    if not claim.numbers:
        return ""
    best = min((claim.numbers - reading.numbers for reading in window.readings), key=len)
    return f"the source does not give {sorted(best)[0]} here" if best else ""


def polarity_differs(claim: Reading, window: Window) -> str:
    turned = claim.negated != window.carriers(claim)[0].negated
    return "the source says it the other way round" if turned else ""


def words_outside(claim: Reading, window: Window) -> str:
    """No word of the claim may be its own: a verb the source lacks is another statement."""
    novel = [t for t in claim.content if t.word not in window.words and t.word not in GENERIC]
    novel = [t for t in novel if t.folded != "one" or not is_of(claim.text, t)]
    return f"the source does not say '{novel[0].surface}' here" if novel else ""


def count_differs(claim: Reading, window: Window) -> str:
    """A number counts what it counts in the source: 3,000 miles are not 3,000 kilometres."""
    for i, (number, counted) in enumerate(pairwise(claim.tokens)):
        if claim.tokens[i - 1].word in MONTHS or not _counts(claim.text, number, counted):
            continue
        after = [
            {t.word for t in r.tokens[i + 1 : i + 1 + _COUNTED]}
            for r in window.readings
            for i, t in enumerate(r.tokens)
            if t.word == number.word
        ]
        elsewhere = counted.word in window.every_word
        if after and elsewhere and not any(counted.word in words for words in after):
            return f"the source does not count {number.surface} {counted.surface}"
    return ""


def _counts(text: str, number: Token, counted: Token) -> bool:
    """Whether a number stands right before what it counts; years and days count none."""
    dated = number.surface.isdecimal() and len(number.surface) == 4
    month = counted.word in MONTHS or number.word in MONTHS
    ordinal = number.word.endswith("th")
    beside = text[number.end : counted.start] in (" ", "-", "\u00a0")
    return beside and is_number(number) and is_content(counted) and not (dated or month or ordinal)


def borrowed(claim: Reading, window: Window) -> str:
    """Of two sentences one carries the claim; the first may lend the second what it is about.

    And that only where the second refers back to the first.
    """
    if len(window.sentences) == 1 or window.sentences[-1].item:
        return ""
    wrong = [_borrows(claim, carrier, window) for carrier in window.carriers(claim)]
    return "" if "" in wrong else f"the source does not say so of {wrong[0]}"


def _borrows(claim: Reading, carrier: Reading, window: Window) -> str:
    """A word of the claim that its carrier lacks and the other sentence may not lend it."""
    first, second = window.readings
    leans = carrier is second and _leans(second)
    lending = _topics(first) if leans else set()
    own = {t.word for t in carrier.tokens}
    verb = next((t.start for t in claim.tokens if is_verb(t) and t.word in own), len(claim.text))
    plain = [t for t in claim.tokens if t.folded != "the"]
    after = {b.start for a, b in pairwise(plain) if a.folded in PREPOSITIONS}
    placed = {t.start for t in claim.names} & after
    for token in claim.content:
        if token.word in own | lending or (token.word in GENERIC and token.start not in placed):
            continue
        particular = is_number(token) or token.start in placed
        if not leans or token.start > verb or particular:
            return token.surface
    return ""


def _topics(sentence: Reading) -> set[str]:
    """The names that the next sentence may refer back to; not where or when things happened."""
    plain = [token for token in sentence.tokens if token.folded != "the"]
    placed = {after.start for before, after in pairwise(plain) if before.folded in TIMING}
    return {token.word for token in sentence.names if token.start not in placed}


def _leans(sentence: Reading) -> bool:
    """Whether a sentence refers to the one before it."""
    said = [token.folded for token in sentence.tokens]
    return not POINTERS.isdisjoint(said[:_OPENING]) or not PRONOUNS.isdisjoint(said)


Rule = Callable[[Reading, Window], str]
RULES: tuple[Rule, ...] = (
    numbers_outside,
    count_differs,
    names_outside,
    polarity_differs,
    words_outside,
    force_added,
    tense_differs,
    qualifier_dropped,
    only_spoken_of,
    limit_dropped,
    borrowed,
    roles_differ,
)
