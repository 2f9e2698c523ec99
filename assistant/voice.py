"""Who acted and what was acted on: verbs in the active and in the passive voice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from assistant.lexicon import BE, GENERIC, HAVE, PREPOSITIONS, PRONOUNS, RELATIVES
from assistant.reading import Reading, Window, is_verb
from assistant.text import Token, is_content, is_number

_LINKS = frozenset({"of", "on", "for", "between"})
"""Prepositions within a noun phrase."""
_ACTED_ON = frozenset({"by", "between"})
"""What stands between a verb in the passive and those who did it."""


def agent_differs(claim: Reading, window: Window) -> str:
    """Who did it: what stands before an active verb, or after "… by"; the source must agree."""
    for actors, verb in _acts(claim):
        for actor in actors:
            if not any(_does(actor.word, verb.word, reading) for reading in window.readings):
                return actor.surface
    return ""


def _acts(claim: Reading) -> Iterator[tuple[list[Token], Token]]:
    """Each verb of a claim with those who are said to have done it: its names and its head."""
    names = {t.start for t in claim.names}
    phrase: list[Token] = []
    verb: Token | None = None
    opened = before = ""
    for token, after in zip(claim.tokens, [*claim.tokens[1:], None], strict=True):
        if _ends_clause(claim.text, token):
            opened = ""
        hyphenated = claim.text[token.start - 1 : token.start] == "-"
        if is_verb(token) and token.start not in names and not hyphenated:
            bare = before not in HAVE and after is not None and after.folded in PREPOSITIONS
            if before not in BE:
                yield [t for t in _actors(phrase, names) if t.start in names or not bare], token
            verb, phrase, opened = token, [], ""
        elif token.folded in PREPOSITIONS:
            if opened == "by" and verb:
                yield _actors(phrase, names), verb
            phrase = [] if "by" in (opened, token.folded) else phrase
            opened = token.folded
        elif (is_content(token) and not is_number(token)) and opened in ("", "by"):
            phrase.append(token)
        before = token.folded if token.folded != "the" else before
    if opened == "by" and verb:
        yield _actors(phrase, names), verb


def _actors(phrase: Sequence[Token], names: set[int]) -> list[Token]:
    """The names of a noun phrase and its last word, which is what it speaks of."""
    head = [t for t in phrase if not t.folded.endswith(("ly", "ing"))][-1:]
    return list(dict.fromkeys([t for t in phrase if t.start in names] + head))


def _does(name: str, verb: str, reading: Reading) -> bool:
    """Whether a name comes before a verb in the active, or after one in the passive and "by".

    "A delegation led by her" is in the passive too, "grew by 4 percent" is not.
    """
    places = [i for i, t in enumerate(reading.tokens) if t.word == name]
    acts = [i for i, t in enumerate(reading.tokens) if t.word == verb]
    if not places or not acts:
        return False
    after = [*(t.folded for t in reading.tokens[1:]), ""]
    turned = [i for i in acts if after[i] in _ACTED_ON]
    measured = {i - 2 for i, token in enumerate(reading.tokens) if is_number(token)}
    reduced = [i for i in turned if after[i] == "by" and i not in measured]
    active = [i for i in acts if i not in reduced and not _is_passive(reading, i)]
    return any(min(places) < i for i in active) or any(i < max(places) for i in turned)


def _is_passive(reading: Reading, place: int) -> bool:
    """Whether "was" and the like governs a verb, also over "was put to the vote and approved"."""
    for before, token in pairwise(reversed(reading.tokens[: place + 1])):
        if token.folded in HAVE | RELATIVES or _ends_clause(reading.text, before):
            return False
        if token.folded in BE:
            return True
    return False


def object_differs(claim: Reading, window: Window) -> str:
    """A name that the claim puts after a verb, and the source only between actor and verb."""
    names = {t.start for t in claim.names}
    for actors, verb in _acts(claim):
        following = (t for t in claim.tokens if t.start > verb.start)
        objects = [t for t in takewhile(_is_no_preposition, following) if t.start in names]
        for actor, acted_on in [(a, o) for a in actors for o in objects]:
            told = [_positions(r, actor, acted_on, verb) for r in window.readings]
            told = [places for places in told if all(places)]
            if told and all(max(o) < max(v) and min(a) < min(o) for a, o, v in told):
                return acted_on.surface
    return ""


def _is_no_preposition(token: Token) -> bool:
    return token.folded not in PREPOSITIONS and token.folded != "as"


def _positions(reading: Reading, *words: Token) -> list[list[int]]:
    return [[i for i, t in enumerate(reading.tokens) if t.word == w.word] for w in words]


def patient_differs(claim: Reading, window: Window) -> str:
    """What it was done to: "a delegation led by her" does not tell who led the group."""
    for patient, verb in _patients(claim):
        told = [found for r in window.readings for found in _undergoing(r, verb.word)]
        if told and patient.word not in frozenset().union(*told):
            return patient.surface
    return ""


def _patients(claim: Reading) -> Iterator[tuple[Token, Token]]:
    """Verbs in the passive with the head of what stands before them."""
    subject: list[Token] = []
    closed = False
    for before, token in pairwise(claim.tokens):
        closed = closed or before.folded in PREPOSITIONS
        if is_content(before) and not is_number(before) and not closed:
            subject.append(before)
        if before.folded in BE and is_verb(token) and subject:
            yield subject[-1], token
        if _ends_clause(claim.text, token) or is_verb(token):
            subject, closed = [], False


def _undergoing(reading: Reading, verb: str) -> Iterator[frozenset[str]]:
    """For each place of a verb in the passive the words that it may be said of.

    All that stand before it in the sentence; but where no "was" goes before the verb, as in "a
    delegation led by", only those of the phrase it ends.
    """
    words = reading.tokens
    for i, token in enumerate(words[:-1]):
        passive = i and words[i - 1].folded in BE
        reduced = i and is_content(words[i - 1]) and words[i + 1].folded == "by"
        if token.word != verb or not (passive or reduced):
            continue
        if passive and any(_refers_back(t) for t in words[:i]):
            return
        phrase = takewhile(_within_phrase, reversed(words[:i]))
        yield frozenset(t.word for t in (words[:i] if passive else phrase))


def _refers_back(token: Token) -> bool:
    return token.folded in PRONOUNS or token.word in GENERIC


def _within_phrase(token: Token) -> bool:
    return not is_verb(token) and (token.folded not in PREPOSITIONS or token.folded in _LINKS)


def agents(words: Sequence[Token]) -> frozenset[str]:
    """Verbs in the passive, such as "signed by": what stands after them did it."""
    return frozenset(a.word for a, b in pairwise(words) if b.folded == "by")


def _ends_clause(text: str, token: Token) -> bool:
    return text[: token.start].rstrip().endswith((",", ";", ":"))
