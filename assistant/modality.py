"""How a thing is said: planned or done, once or still, all or some; a claim may not change that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from assistant.lexicon import (
    BE,
    FORCE,
    FORMER,
    GENERIC,
    HAVE,
    LIMITERS,
    NOUNS,
    QUALIFIERS,
    SOME,
    SPOKEN_OF,
    TENSES,
    TOTALS,
)
from assistant.reading import Reading, Window, is_of, triples
from assistant.text import Token, is_number

_RANK = re.compile(r"(?:\bnumber|#) ?(?:one|two|three|four|five|\d+)\b|\bno\.? ?\d+\b", re.I)
"""A place in an order: its words may stand in a sentence that ranks nothing, "one of the first".
"No one" is none."""
_REACH = 4
"""Words that "previously" may stand before."""


def qualifier_dropped(claim: Reading, window: Window) -> str:
    """A goal is not a result and a draft is not a law: what a sentence hedges stays hedged."""
    for reading in window.readings:
        hedge = next((t for t in reading.content if t.word in QUALIFIERS), None)
        if hedge is None or reading.words & claim.words & QUALIFIERS:
            continue
        shared = [t for t in reading.content if t.word in claim.words and t.word not in GENERIC]
        after = sum(t.start > hedge.start for t in shared)
        if after > len(shared) / 2:
            return f"the source only says so with '{hedge.surface}'"
    return ""


def limit_dropped(claim: Reading, window: Window) -> str:
    """All but one are not all, second-largest is not largest, seven months are not a year."""
    said = {t.folded for t in claim.tokens}
    limited = claim.words | claim.numbers
    for reading in window.readings:
        if once := _once(claim, reading):
            return f"the source says so of the past: '{once}'"
        for before, token, after in triples(reading.tokens):
            if token.folded == "but":
                dropped = before.folded in TOTALS & said
            elif token.folded == "one" and is_of(reading.text, token):
                dropped = after.word in limited and not said & SOME
            elif is_number(token) and reading.text[token.end : token.end + 1] == "-":
                dropped = after.word in limited
            else:
                dropped = token.folded in LIMITERS and after.word in limited
            if dropped and token.folded not in said and token.word not in claim.numbers:
                return f"the source limits this: '{token.surface}'"
    return ""


def _once(claim: Reading, reading: Reading) -> str:
    """A "previously" that a claim leaves out."""
    if claim.words & FORMER:
        return ""
    content = reading.content
    for i, token in enumerate(content):
        following = {t.word for t in content[i + 1 : i + 1 + _REACH]}
        if token.word in FORMER and len(following & claim.words - GENERIC) > 1:
            return token.surface
    return ""


def only_spoken_of(claim: Reading, window: Window) -> str:
    """An agreement "on the establishment" of a thing does not say that it was established."""
    evidence = window.carriers(claim)[0].tokens
    plain = [token for token in evidence if token.folded not in ("the", "a", "an", "further")]
    nouns = {
        after.word: after.surface
        for before, after in pairwise(plain)
        if before.folded in SPOKEN_OF and after.folded.endswith(NOUNS)
    }
    done = {t.word for t in evidence if not t.folded.endswith(NOUNS)}
    turned = (t.word for t in claim.tokens if t.folded.endswith("ed") and t.word not in done)
    found = next((nouns[word] for word in turned if word in nouns), "")
    return f"the source speaks of its '{found}' only" if found else ""


def tense_differs(claim: Reading, window: Window) -> str:
    """What was is not what is, and what will be is not yet."""
    evidence = window.carriers(claim)[0].tokens
    wrong = _auxiliary_differs(claim, evidence) or _inflection_differs(claim, evidence)
    return f"the source puts '{wrong}' in another tense" if wrong else ""


def _auxiliary_differs(claim: Reading, evidence: Sequence[Token]) -> str:
    """ "Was" of what the source says "is" or "will" of; a claim without either is not in future."""
    said = {TENSES[token.folded] for token in claim.tokens if token.folded in TENSES}
    for _, token, after in triples(evidence):
        tense = TENSES.get(token.folded)
        other = tense is not None and tense not in said and (said or tense == "future")
        if other and after.word in claim.words:
            return after.surface
    return ""


def _inflection_differs(claim: Reading, evidence: Sequence[Token]) -> str:
    """ "Included" where the source only has "includes" or "including", or the other way round."""
    spelled: dict[str, set[str]] = {}
    for before, token in pairwise([evidence[0], *evidence]):
        named = before.folded == "the" and token.folded.endswith("ing")
        spelled.setdefault(token.word, set()).add(token.word + "ed" if named else token.folded)
    for before, token in pairwise(claim.tokens):
        forms = spelled.get(token.word, set())
        alike = all(_core(form) == _core(token.folded) for form in forms)
        turned = {form.endswith("ed") for form in forms} == {not token.folded.endswith("ed")}
        if before.folded not in BE | HAVE | {"to"} and alike and turned:
            return token.surface
        ongoing = bool(forms) and all(form.endswith("ing") for form in forms)
        if ongoing and before.folded in BE | HAVE and token.folded.endswith("ed"):
            return token.surface
    return ""


def _core(verb: str) -> str:
    """What the inflections of a regular verb share: `commit` of "commits" and "committed"."""
    return re.sub(r"([^aeiou])\1$", r"\1", re.sub(r"(?:ed|es|s|e)$", "", verb))


def force_added(claim: Reading, window: Window) -> str:
    """Some are not all, what is proposed is no duty, and one thing after another no cause."""
    if (rank := _RANK.search(claim.text)) and rank[0].lower() not in window.text.lower():
        return f"the source does not say '{rank[0]}' here"
    heard = {t.folded for reading in window.readings for t in reading.tokens}
    small = (t for t in claim.tokens if t.folded in FORCE - heard and not is_number(t))
    added = next(small, None)
    return f"the source does not say '{added.surface}' here" if added else ""
