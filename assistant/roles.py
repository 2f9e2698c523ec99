"""Who did what to whom: whose a thing is, where, in which order, and what belongs to what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, takewhile

from assistant.lexicon import CONTRASTS, COORDINATORS, PLACED, PREPOSITIONS, TIMING
from assistant.reading import Reading, Window, is_verb, triples
from assistant.text import Token, is_content, is_number, known_names
from assistant.voice import agent_differs, agents, object_differs, patient_differs

_REACH_BEFORE, _REACH_AFTER = 8, 4
"""Words that may stand between a name and what belongs to it, before it and after it."""
_NEAR, _PHRASE = 6, 3
_WITHIN = frozenset("s and of the".split())
_IDENTITY = re.compile(r"(.+?)\s(?:is|are|was|were)\s+(?:the|a|an)?\s*(.+?)\W*$")
_APPOSED_BEFORE = re.compile(r"([A-Z][\w’'-]*(?:\s[A-Z][\w’'-]*)*),\s+(?:the|a|an)\s+$")
_APPOSED_AFTER = re.compile(r"\s*\(([^)]*)\)")


def roles_differ(claim: Reading, window: Window) -> str:
    """Names keep their order, actors their acts and possessors what they possess."""
    evidence = [t for reading in window.readings for t in reading.tokens]
    wrong = (
        _possessor_differs(claim, evidence)
        or _order_differs(claim, window)
        or agent_differs(claim, window)
        or object_differs(claim, window)
        or patient_differs(claim, window)
        or _place_differs(claim, evidence)
        or _phrase_differs(claim, window)
        or _contrast_differs(claim, evidence)
        or _apposed_differs(claim, window)
        or _modifier_differs(claim, window)
    )
    return f"the source gives {wrong} another part in this" if wrong else ""


def _possessor_differs(claim: Reading, evidence: Sequence[Token]) -> str:
    """Whose it is: "Turkey's investor", "Turkish delegation", "delegation of Turkey"."""
    for owner, head in _possessions(claim.tokens):
        if not is_content(head) or head.word in known_names() or head.folded.endswith("ly"):
            continue
        heads = [j for j, t in enumerate(evidence) if t.word == head.word]
        owners = [j for j, t in enumerate(evidence) if t.word == owner.word]
        if heads and not any(_belongs(evidence, j, k) for j in owners for k in heads):
            return owner.surface
    return ""


def _possessions(words: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    """Known names with what is said to be theirs."""
    for i, token in enumerate(words):
        if token.word not in known_names():
            continue
        after = [t for t in words[i + 1 : i + 3] if t.folded != "s"]
        before = [t for t in words[max(i - 3, 0) : i] if t.folded != "the"]
        if after:
            yield token, after[0]
        if len(before) > 1 and before[-1].folded == "of":
            yield token, before[-2]


def _belongs(evidence: Sequence[Token], owner: int, head: int) -> bool:
    """Whether a name stands close before or after a word, with no other name to claim it."""
    reach = _REACH_BEFORE if owner < head else _REACH_AFTER
    between = evidence[min(owner, head) + 1 : max(owner, head)]
    others = any(t.word in known_names() for t in between)
    parted = owner < head and any(t.folded in PREPOSITIONS - {"of"} for t in between)
    return len(between) < reach and not parted and (not others or _coordinated(between))


def _order_differs(claim: Reading, window: Window) -> str:
    """Two names that were not merely listed keep their order, unless the voice was turned."""
    whole = [t for reading in window.readings for t in reading.tokens]
    if (agents(claim.tokens) ^ agents(whole)) & claim.words:
        return ""
    placed = _placed(whole)
    runs = _name_runs(claim, {t.word: sum(o.word == t.word for o in whole) for t in whole})
    for a, b in pairwise(runs):
        between = [t for t in claim.tokens if a.end <= t.start < b.start]
        if (
            a.word == b.word
            or _coordinated(between)
            or _placed(claim.tokens) & placed & {(t, w.word) for w in (a, b) for t in TIMING}
        ):
            continue
        if _turned(a.word, b.word, _telling_both(claim, window, a.word, b.word) or whole):
            return a.surface
    return ""


def _placed(words: Sequence[Token]) -> set[tuple[str, str]]:
    """Words with the "in", "at", "on" or "during" before them: wherever that stands, it says so."""
    plain = [t for t in words if t.folded != "the"]
    return {(a.folded, b.word) for a, b in pairwise(plain) if a.folded in TIMING}


def _telling_both(claim: Reading, window: Window, a: str, b: str) -> Sequence[Token]:
    """Of the sentences that name both, the one with most of the claim's words."""
    both = [r for r in window.readings if {a, b} <= {t.word for t in r.tokens}]
    return max(both, key=lambda r: len(r.words & claim.words)).tokens if both else []


def _turned(a: str, b: str, evidence: Sequence[Token]) -> bool:
    """Whether b always stands before a, and not as parts of one name."""
    first_a = min(j for j, t in enumerate(evidence) if t.word == a)
    last_b = max(j for j, t in enumerate(evidence) if t.word == b)
    return first_a > last_b and not all(
        t.surface[0].isupper() or t.folded == "s" for t in evidence[last_b:first_a]
    )


def _name_runs(claim: Reading, counts: Mapping[str, int]) -> list[Token]:
    """The rarest word of each run of names, but for one that a preposition puts at the front."""
    names = {t.start for t in claim.names}
    runs: list[list[Token]] = []
    joined = False
    fronted = bool(claim.tokens) and claim.tokens[0].folded in PREPOSITIONS
    for token in claim.tokens:
        if token.start in names and token.word in counts:
            if joined:
                runs[-1].append(token)
            else:
                runs.append([token])
            joined = True
        elif token.folded not in ("of", "the", "s"):
            joined = False
    return [min(run, key=lambda t: counts[t.word]) for run in runs[fronted:]]


def _place_differs(claim: Reading, evidence: Sequence[Token]) -> str:
    """ "At the ministry" where the source has the ministry otherwise."""
    names = {t.start for t in claim.names}
    plain = [t for t in claim.tokens if t.folded != "the"]
    for before, token in pairwise(plain):
        if before.folded == "at" and token.start in names:
            places = [i for i, t in enumerate(evidence) if t.word == token.word]
            if places and not any(_before_name(evidence, i) in PLACED for i in places):
                return token.surface
    return ""


def _before_name(evidence: Sequence[Token], place: int) -> str:
    """The small word before the run of names that a name belongs to."""
    while place and _may_be_named(evidence[place]):
        place -= 1
    return evidence[place].folded


def _may_be_named(token: Token) -> bool:
    return token.surface[0].isupper() or is_number(token) or token.folded in _WITHIN


def _phrase_differs(claim: Reading, window: Window) -> str:
    """What is said to be of something stands near it: "the northern shore of Lake Ontario"."""
    names = {t.start for t in claim.names}
    for i, token in enumerate(claim.tokens[:-1]):
        after = (t for t in claim.tokens[i + 1 :] if t.folded != "the")
        run = list(takewhile(lambda t: t.start in names or t.folded == "s", after))
        if token.folded != "of" or not run:
            continue
        owner = run[-1]
        phrase = {t.word for t in _noun_phrase(claim, i)} & window.words
        told = [r for r in window.readings if phrase and phrase | {owner.word} <= r.words]
        if told and not any(_is_of_owner(phrase, owner.word, claim, r) for r in told):
            return owner.surface
    return ""


def _noun_phrase(claim: Reading, end: int) -> list[Token]:
    """The words right before a place in a claim, with no mark or small word between them."""
    found: list[Token] = []
    for token in reversed(claim.tokens[max(end - _PHRASE, 0) : end]):
        following = found[-1].start if found else claim.tokens[end].start
        if not is_content(token) or claim.text[token.end : following].strip():
            break
        found.append(token)
    return found


def _is_of_owner(phrase: set[str], owner: str, claim: Reading, evidence: Reading) -> bool:
    """Whether all words of a phrase stand near an owner, with nobody else's name between."""
    words = evidence.tokens
    for place in (i for i, t in enumerate(words) if t.word == owner):
        near = [i for i in range(max(place - _NEAR, 0), min(place + _NEAR + 1, len(words)))]
        found = [i for i in near if words[i].word in phrase]
        if not phrase <= {words[i].word for i in found}:
            continue
        head = min(found, key=lambda i: abs(i - place))
        between = words[min(place, head) + 1 : max(place, head)]
        others = [t for t in between if t.surface[0].isupper() and t.word not in claim.words]
        if all(t.word in known_names() for t in others):
            return True
    return False


def _contrast_differs(claim: Reading, evidence: Sequence[Token]) -> str:
    """ "Unlike animals" is not "unlike plants"."""
    for small, after in _contrasts(claim.tokens):
        heard = [word for other, word in _contrasts(evidence) if other.folded == small.folded]
        if heard and after.word not in {t.word for t in heard}:
            return after.surface
    return ""


def _contrasts(words: Sequence[Token]) -> list[tuple[Token, Token]]:
    return [(token, after) for _, token, after in triples(words) if token.folded in CONTRASTS]


def _apposed_differs(claim: Reading, window: Window) -> str:
    """Who "is" something that the source calls another: "UNICE, the confederation, and CEEP"."""
    match = _IDENTITY.match(claim.text)
    if not match:
        return ""
    for reading in window.readings:
        start = reading.text.casefold().find(match[2].casefold())
        if start < 0:
            continue
        before = _APPOSED_BEFORE.search(reading.text[:start])
        after = _APPOSED_AFTER.match(reading.text[start + len(match[2]) :])
        for found in filter(None, (before, after)):
            if not Reading(found[1]).words & claim.words:
                return found[1]
    return ""


def _modifier_differs(claim: Reading, window: Window) -> str:
    """ "Southern shore" where the source has the southern border and the northern shore."""
    said = _beside(claim)
    heard = [pair for reading in window.readings for pair in _beside(reading)]
    for first, second in said:
        if is_verb(first):  # what it is done to may stand further on
            continue
        after = {b.word for a, b in heard if a.word == first.word}
        before = {a.word for a, b in heard if b.word == second.word}
        if after and before and second.word not in after and first.word not in before:
            return first.surface
    return ""


def _beside(reading: Reading) -> list[tuple[Token, Token]]:
    """Content words with nothing but a space between them."""
    return [
        (a, b)
        for a, b in pairwise(reading.tokens)
        if is_content(a) and is_content(b) and reading.text[a.end : b.start].isspace()
    ]


def _coordinated(between: Sequence[Token]) -> bool:
    return all(t.folded in COORDINATORS or t.word in known_names() for t in between)
