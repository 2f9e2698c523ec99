"""Who did what to whom: whose a thing is, the order of names, and who is said to have acted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from assistant.reading import Reading, Window
from assistant.text import Token, is_content, is_number, known_names

BE = frozenset("is are was were be been being".split())
HAVE = frozenset("has have had".split())
PREPOSITIONS = frozenset(
    "in at on during between of for with from within to among under since after before by".split()
)
_PLACING = frozenset("in at on during".split())
_VERBS = frozenset("led held won gave took met made said put set chose left".split())
_REACH_BEFORE, _REACH_AFTER = 8, 4
"""Words that may stand between a name and what belongs to it, before it and after it."""
_COORDINATORS = frozenset("and or between with as well both the of s".split())
_ACTED_ON = frozenset({"by", "between"})
"""What stands between a verb in the passive and those who did it."""


def roles_differ(claim: Reading, window: Window) -> str:
    """Names keep their order, actors their acts and possessors what they possess."""
    evidence = [t for reading in window.readings for t in reading.tokens]
    wrong = (
        _possessor_differs(claim, evidence)
        or _order_differs(claim, window)
        or _agent_differs(claim, window)
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
    if (_agents(claim.tokens) ^ _agents(whole)) & claim.words:
        return ""
    placed = _placed(whole)
    runs = _name_runs(claim, {t.word: sum(o.word == t.word for o in whole) for t in whole})
    for a, b in pairwise(runs):
        between = [t for t in claim.tokens if a.end <= t.start < b.start]
        if (
            a.word == b.word
            or _coordinated(between)
            or _placed(claim.tokens) & placed & {(t, w.word) for w in (a, b) for t in _PLACING}
        ):
            continue
        if _turned(a.word, b.word, _telling_both(claim, window, a.word, b.word) or whole):
            return a.surface
    return ""


def _placed(words: Sequence[Token]) -> set[tuple[str, str]]:
    """Words with the "in", "at", "on" or "during" before them: wherever that stands, it says so."""
    plain = [t for t in words if t.folded != "the"]
    return {(a.folded, b.word) for a, b in pairwise(plain) if a.folded in _PLACING}


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


def _agent_differs(claim: Reading, window: Window) -> str:
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
        if _is_verb(token) and token.start not in names and not hyphenated:
            bare = before not in HAVE and after is not None and after.folded in PREPOSITIONS
            if before not in BE:
                yield [t for t in _actors(phrase, names) if t.start in names or not bare], token
            verb, phrase, opened = token, [], ""
        elif token.folded in PREPOSITIONS:
            if opened == "by" and verb:
                yield _actors(phrase, names), verb
                phrase = []
            opened = token.folded
        elif (is_content(token) and not is_number(token)) and opened in ("", "by"):
            phrase.append(token)
        before = token.folded if token.folded != "the" else before
    if opened == "by" and verb:
        yield _actors(phrase, names), verb


def _ends_clause(text: str, token: Token) -> bool:
    return text[: token.start].rstrip().endswith((",", ";", ":"))


def _actors(phrase: Sequence[Token], names: set[int]) -> list[Token]:
    """The names of a noun phrase and its last word, which is what it speaks of."""
    head = [t for t in phrase if not t.folded.endswith(("ly", "ing"))][-1:]
    return list(dict.fromkeys([t for t in phrase if t.start in names] + head))


def _is_verb(token: Token) -> bool:
    return token.folded in _VERBS or (token.folded.endswith("ed") and len(token.folded) > 4)


def _does(name: str, verb: str, reading: Reading) -> bool:
    """Whether a name comes before a verb in a sentence, or after it and "by"; or has none there."""
    places = [i for i, t in enumerate(reading.tokens) if t.word == name]
    acts = [i for i, t in enumerate(reading.tokens) if t.word == verb]
    if not places or not acts:
        return False
    passive = [i for i, (a, b) in enumerate(pairwise(reading.tokens)) if b.folded in _ACTED_ON]
    turned = [i for i in acts if i in passive]
    return min(places) < max(acts) or any(i < max(places) for i in turned)


def _agents(words: Sequence[Token]) -> frozenset[str]:
    """Verbs in the passive, such as "signed by": what stands after them did it."""
    return frozenset(a.word for a, b in pairwise(words) if b.folded == "by")


def _coordinated(between: Sequence[Token]) -> bool:
    return all(t.folded in _COORDINATORS or t.word in known_names() for t in between)
