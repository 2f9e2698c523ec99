"""The rules a claim must pass to be supported by a window of evidence.

Each is a function from a claim and a window to an objection in words, or an empty string. They are
strict on purpose: what is withheld is replaced by the source's own sentence, so a false alarm costs
style and a miss would cost the reader's trust.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from assistant.reading import Reading, Window
from assistant.text import Token, is_content, is_number, known_names, normal_form


def _forms(words: str) -> frozenset[str]:
    return frozenset(normal_form(word) for word in words.split())


GENERIC = _forms(
    "according accordingly address addressed agreement area article aspect aspects call called "
    "concern concerns consist consists country cover covers describe described detail details "
    "focus focuses following happen happened held identify include includes including inform "
    "involve involves known list listed main mention mentioned name named note noted number occur "
    "occurred particular particularly place point provide provides refer refers related report "
    "reported role said say says several specific specifically state stated take taken text thing "
    "things took topic use used various well took document"
)
"""Words that say nothing of their own, so that a claim may use them freely."""
QUALIFIERS = _forms(
    "goal plan plans planned propose proposed proposal draft expect expected envisage readiness "
    "interest intend intends discuss discussed commit reading purpose strategic could would may "
    "should if unless negotiate consider possible"
)
"""Words that keep a sentence from stating a plain fact; a claim may not drop the only one."""
_VERBS = frozenset("led held won gave took met made said put set chose left".split())
_REACH_BEFORE, _REACH_AFTER = 8, 4
"""Words that may stand between a name and what belongs to it, before it and after it."""
_LIMITERS = frozenset(
    "except excluding only almost nearly partly partially months half quarter".split()
)
_TOTALS = frozenset("all none nothing everything every everyone".split())
_BE = frozenset("is are was were be been being".split())
_HAVE = frozenset("has have had".split())
_TENSES = {
    "is": "present", "are": "present", "takes": "present", "was": "past", "were": "past",
    "took": "past", "will": "future", "shall": "future", "would": "future",
}  # fmt: skip
_PREPOSITIONS = frozenset(
    "in at on during between of for with from within to among under since after before by".split()
)
_COORDINATORS = frozenset({"and", "or", "between", "with", "as", "well", "both", "the", "of"})


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
            elif is_number(token) and reading.text[token.end : token.end + 1] == "-":
                dropped = after.word in limited
            else:
                dropped = token.folded in _LIMITERS and after.word in limited
            if dropped and token.folded not in said and token.word not in claim.numbers:
                return f"the source limits this: '{token.surface}'"
    return ""


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
        if before.folded not in _BE | _HAVE and alike and turned:
            return token.surface
    return ""


def _core(verb: str) -> str:
    """What the inflections of a regular verb share: `commit` of "commits" and "committed"."""
    return re.sub(r"([^aeiou])\1$", r"\1", re.sub(r"(?:ed|es|s|e)$", "", verb))


def borrowed(claim: Reading, window: Window) -> str:
    """Of two sentences one carries the claim; the other may say what it is about, no more."""
    if len(window.sentences) == 1 or window.sentences[-1].item:
        return ""
    particular = {
        token.word: token.surface
        for before, token, _ in _triples(claim.tokens)
        if is_number(token) or (token in claim.names and before.folded in _PREPOSITIONS)
    }
    absent = [particular.keys() - {t.word for t in r.tokens} for r in window.readings]
    fewest = min(absent, key=len)
    return f"the source does not say so of {particular[min(fewest)]}" if fewest else ""


def roles_differ(claim: Reading, window: Window) -> str:
    """Who did what to whom: names keep their order and possessors keep what they possess."""
    evidence = [t for reading in window.readings for t in reading.tokens]
    wrong = (
        _possessor_differs(claim, evidence)
        or _order_differs(claim, evidence)
        or _agent_differs(claim, window)
    )
    return f"the source gives {wrong} another part in this" if wrong else ""


def _possessor_differs(claim: Reading, evidence: Sequence[Token]) -> str:
    """Whose it is: "Turkey's investor", "Turkish delegation"."""
    for i, token in enumerate(claim.tokens[:-1]):
        if token.word not in known_names():
            continue
        rest = claim.tokens[i + 1 :]
        head = rest[1] if rest[0].folded == "s" and len(rest) > 1 else rest[0]
        if not is_content(head) or head.word in known_names() or head.folded.endswith("ly"):
            continue
        heads = [j for j, t in enumerate(evidence) if t.word == head.word]
        owners = [j for j, t in enumerate(evidence) if t.word == token.word]
        if heads and not any(_belongs(evidence, j, k) for j in owners for k in heads):
            return token.surface
    return ""


def _belongs(evidence: Sequence[Token], owner: int, head: int) -> bool:
    """Whether a name stands close before or after a word, with no other name to claim it."""
    reach = _REACH_BEFORE if owner < head else _REACH_AFTER
    between = evidence[min(owner, head) + 1 : max(owner, head)]
    others = any(t.word in known_names() for t in between)
    return len(between) < reach and (not others or _coordinated(between))


def _order_differs(claim: Reading, evidence: Sequence[Token]) -> str:
    """Two names that were not merely listed keep their order, unless the voice was turned."""
    places: dict[str, list[int]] = {}
    for j, token in enumerate(evidence):
        places.setdefault(token.word, []).append(j)
    if (_agents(claim.tokens) ^ _agents(evidence)) & claim.words:
        return ""
    for a, b in pairwise(_name_runs(claim, places)):
        between = [t for t in claim.tokens if a.end <= t.start < b.start]
        if a.word == b.word or _coordinated(between):
            continue
        last_b, first_a = max(places[b.word]), min(places[a.word])
        if first_a > last_b and not all(
            t.surface[0].isupper() or t.folded == "s" for t in evidence[last_b:first_a]
        ):
            return a.surface
    return ""


def _name_runs(claim: Reading, places: Mapping[str, list[int]]) -> list[Token]:
    """The rarest word of each run of names, but for one that a preposition puts at the front."""
    names = {t.start for t in claim.names}
    runs: list[list[Token]] = []
    joined = False
    fronted = bool(claim.tokens) and claim.tokens[0].folded in _PREPOSITIONS
    for token in claim.tokens:
        if token.start in names and token.word in places:
            if joined:
                runs[-1].append(token)
            else:
                runs.append([token])
            joined = True
        elif token.folded not in ("of", "the", "s"):
            joined = False
    return [min(run, key=lambda t: len(places[t.word])) for run in runs[fronted:]]


def _agent_differs(claim: Reading, window: Window) -> str:
    """Who did it: the name before an active verb, or after "… by"; the source must agree."""
    names = {t.start for t in claim.names}
    before = ""
    subject: Token | None = None
    verb: Token | None = None
    for token in claim.tokens:
        if token.start in names:
            if before not in _PREPOSITIONS:
                subject = token
            if before == "by" and verb and not _did(token.word, verb.word, window):
                return token.surface
            continue
        if _is_verb(token):
            active = before not in _BE
            if subject and active and not _did(subject.word, token.word, window):
                return subject.surface
            verb, subject = token, None
        if token.folded != "the":
            before = token.folded
    return ""


def _did(name: str, verb: str, window: Window) -> bool:
    return any(_does(name, verb, reading) for reading in window.readings)


def _is_verb(token: Token) -> bool:
    return token.folded in _VERBS or (token.folded.endswith("ed") and len(token.folded) > 4)


def _does(name: str, verb: str, reading: Reading) -> bool:
    """Whether a name comes before a verb in a sentence, or after it and "by"; or has none there."""
    places = [i for i, t in enumerate(reading.tokens) if t.word == name]
    acts = [i for i, t in enumerate(reading.tokens) if t.word == verb]
    if not places or not acts:
        return False
    passive = [
        i for i in acts if reading.tokens[i + 1 : i + 2] and reading.tokens[i + 1].folded == "by"
    ]
    return min(places) < max(acts) or any(i < max(places) for i in passive)


def _agents(words: Sequence[Token]) -> frozenset[str]:
    """Verbs in the passive, such as "signed by": what stands after them did it."""
    return frozenset(a.word for a, b in pairwise(words) if b.folded == "by")


def _coordinated(between: Sequence[Token]) -> bool:
    return all(t.folded in _COORDINATORS or t.word in known_names() for t in between)


Rule = Callable[[Reading, Window], str]
RULES: tuple[Rule, ...] = (
    numbers_outside,
    names_outside,
    polarity_differs,
    words_outside,
    tense_differs,
    qualifier_dropped,
    limit_dropped,
    borrowed,
    roles_differ,
)
