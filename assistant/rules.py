"""The rules a claim must pass to be supported by a window of evidence.

Each is a function from a claim and a window to an objection in words, or an empty string. They are
strict on purpose: what is withheld is replaced by the source's own sentence, so a false alarm costs
style and a miss would cost the reader's trust.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from assistant.reading import Reading, Window
from assistant.roles import BE, HAVE, PREPOSITIONS, roles_differ
from assistant.text import Token, is_content, is_number, normal_form


def _forms(words: str) -> frozenset[str]:
    return frozenset(normal_form(word) for word in words.split())


GENERIC = _forms(
    "according accordingly address addressed agreement area article aspect aspects call called "
    "concern concerns consist consists country cover covers describe described detail details "
    "focus focuses following happen happened held identify include includes including inform "
    "involve involves known list listed main meant mention mentioned name named note noted number "
    "occur occurred particular part particularly place point provide provides refer refers related "
    "report reported role said say says several specific specifically state stated take taken text "
    "thing things took topic use used various well document"
)
"""Words that say nothing of their own, so that a claim may use them freely."""
QUALIFIERS = _forms(
    "goal plan plans planned propose proposed proposal draft expect expected envisage readiness "
    "interest intend intends discuss discussed commit reading purpose strategic could would may "
    "should if unless negotiate consider possible"
)
"""Words that keep a sentence from stating a plain fact; a claim may not drop the only one."""
_LIMITERS = frozenset(
    "except excluding only almost nearly partly partially months half quarter".split()
)
_FORCE = frozenset(
    "all any always both each every only must should can could may might because since until till "
    "before after more most many few less least than same other another already still yet now "
    "again once soon ever".split()
)
"""Small words that make another claim of it; what says how sure, how many or when."""
_SOME = frozenset({"one", "among", "some"})
_TOTALS = frozenset("all none nothing everything every everyone".split())
_TENSES = {
    "is": "present", "are": "present", "takes": "present", "was": "past", "were": "past",
    "took": "past", "will": "future", "shall": "future", "would": "future",
}  # fmt: skip


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
    return "the source says it the other way round" if claim.negated != window.negated else ""


def words_outside(claim: Reading, window: Window) -> str:
    """No word of the claim may be its own: a verb the source lacks is another statement."""
    novel = [t for t in claim.content if t.word not in window.words and t.word not in GENERIC]
    novel = [t for t in novel if t.folded != "one" or not _is_of(claim.text, t)]
    return f"the source does not say '{novel[0].surface}' here" if novel else ""


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
        for before, token, after in _triples(reading.tokens):
            if token.folded == "but":
                dropped = before.folded in _TOTALS & said
            elif token.folded == "one" and _is_of(reading.text, token):
                dropped = after.word in limited and not said & _SOME
            elif is_number(token) and reading.text[token.end : token.end + 1] == "-":
                dropped = after.word in limited
            else:
                dropped = token.folded in _LIMITERS and after.word in limited
            if dropped and token.folded not in said and token.word not in claim.numbers:
                return f"the source limits this: '{token.surface}'"
    return ""


def _is_of(text: str, token: Token) -> bool:
    """Whether a word is followed by "of"."""
    return text[token.end :].split()[:1] == ["of"]


def _triples(words: Sequence[Token]) -> Iterator[tuple[Token, Token, Token]]:
    """Each word with the one before and the next that is no function word."""
    for i, token in enumerate(words):
        following = (t for t in words[i + 1 :] if is_content(t) or is_number(t))
        yield words[max(i - 1, 0)], token, next(following, token)


def tense_differs(claim: Reading, window: Window) -> str:
    """What was is not what is, and what will be is not yet."""
    evidence = max(window.readings, key=lambda r: len(r.words & claim.words)).tokens
    wrong = _auxiliary_differs(claim, evidence) or _inflection_differs(claim, evidence)
    return f"the source puts '{wrong}' in another tense" if wrong else ""


def _auxiliary_differs(claim: Reading, evidence: Sequence[Token]) -> str:
    """ "Was" of what the source says "is" or "will" of; a claim without either is not in future."""
    said = {_TENSES[token.folded] for token in claim.tokens if token.folded in _TENSES}
    for _, token, after in _triples(evidence):
        tense = _TENSES.get(token.folded)
        other = tense is not None and tense not in said and (said or tense == "future")
        if other and after.word in claim.words:
            return after.surface
    return ""


def _inflection_differs(claim: Reading, evidence: Sequence[Token]) -> str:
    """ "Included" where the source only has "includes", or the other way round."""
    spelled: dict[str, set[str]] = {}
    for token in evidence:
        spelled.setdefault(token.word, set()).add(token.folded)
    for before, token in pairwise(claim.tokens):
        forms = spelled.get(token.word, set())
        alike = all(_core(form) == _core(token.folded) for form in forms)
        turned = {form.endswith("ed") for form in forms} == {not token.folded.endswith("ed")}
        if before.folded not in BE | HAVE and alike and turned:
            return token.surface
    return ""


def _core(verb: str) -> str:
    """What the inflections of a regular verb share: `commit` of "commits" and "committed"."""
    return re.sub(r"([^aeiou])\1$", r"\1", re.sub(r"(?:ed|es|s|e)$", "", verb))


def force_added(claim: Reading, window: Window) -> str:
    """Some are not all, what is proposed is no duty, and one thing after another no cause."""
    heard = {t.folded for reading in window.readings for t in reading.tokens}
    small = (t for t in claim.tokens if t.folded in _FORCE - heard and not is_number(t))
    added = next(small, None)
    return f"the source does not say '{added.surface}' here" if added else ""


def borrowed(claim: Reading, window: Window) -> str:
    """Of two sentences one carries the claim; the other may say what it is about, no more."""
    if len(window.sentences) == 1 or window.sentences[-1].item:
        return ""
    particular = {
        token.word: token.surface
        for before, token, _ in _triples(claim.tokens)
        if is_number(token) or (token in claim.names and before.folded in PREPOSITIONS)
    }
    absent = [particular.keys() - {t.word for t in r.tokens} for r in window.readings]
    fewest = min(absent, key=len)
    return f"the source does not say so of {particular[min(fewest)]}" if fewest else ""


Rule = Callable[[Reading, Window], str]
RULES: tuple[Rule, ...] = (
    numbers_outside,
    names_outside,
    polarity_differs,
    words_outside,
    force_added,
    tense_differs,
    qualifier_dropped,
    limit_dropped,
    borrowed,
    roles_differ,
)
