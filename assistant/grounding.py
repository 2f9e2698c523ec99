"""Draft -> claims -> supported or withheld, with the exact spans that say so.

A claim is supported by one source sentence or by two that stand side by side (a list's introduction
counts as beside each of its items). The rules are strict on purpose: what is withheld is replaced
by the source's own sentence, so a false alarm costs style and a miss would cost the reader's trust.
Each rule is a function from a claim and a window of evidence to an objection in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from assistant.passages import Sentence
from assistant.text import (
    Token,
    is_content,
    is_name,
    is_number,
    known_names,
    negated,
    normal_form,
    numbers,
    sentence_spans,
    tokens,
)

_MAX_DRAFT_CHARS = 6000


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
_URL = re.compile(
    r"https?:|www\.|\b[\w-]+\.(?:com|org|net|io|ru|az|tr|gov|info)\b|[<>{}]|\]\(|@", re.I
)
_MARKUP = re.compile(r"\*\*|__|`+|^#+\s*|^>\s*", re.MULTILINE)
_MARKER = re.compile(
    r"\s?[\[【(]\s*(?:\^|sources?\s|passages?\s|articles?\s)?\d+(?:\s*[,;–-]\s*\d+)*\s*[\]】)]",
    re.I,
)
_BULLET = re.compile(r"^\s*(?:[-–—•*·]|\d{1,2}[.)])\s+")
_VERBS = frozenset("led held won gave took met made said put set chose left".split())
_BE = frozenset("is are was were be been being".split())
_PREPOSITIONS = frozenset(
    "in at on during between of for with from within to among under since after before by".split()
)
_COORDINATORS = frozenset({"and", "or", "between", "with", "as", "well", "both", "the", "of"})


@dataclass(frozen=True)
class Reading:
    """A text with its words told apart: what it names, counts and says."""

    text: str

    @cached_property
    def tokens(self) -> list[Token]:
        return tokens(self.text)

    @cached_property
    def _openers(self) -> frozenset[int]:
        """Offsets of words that open a sentence, where a capital says nothing."""
        starts = [start for start, _ in sentence_spans(self.text)]
        return frozenset(
            next((t.start for t in self.tokens if t.start >= start), -1) for start in starts
        )

    @cached_property
    def content(self) -> list[Token]:
        return [token for token in self.tokens if is_content(token) or is_number(token)]

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(token.word for token in self.content)

    @cached_property
    def names(self) -> list[Token]:
        return [token for token in self.tokens if is_name(token, token.start in self._openers)]

    @cached_property
    def numbers(self) -> frozenset[str]:
        return frozenset(numbers(self.text, self.tokens))

    @cached_property
    def negated(self) -> bool:
        return negated(self.tokens)


@dataclass(frozen=True)
class Window:
    """One source sentence, or two side by side, read as one piece of evidence."""

    sentences: tuple[Sentence, ...]
    readings: tuple[Reading, ...]

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset().union(*(reading.words for reading in self.readings))

    @cached_property
    def every_word(self) -> frozenset[str]:
        return frozenset(t.word for reading in self.readings for t in reading.tokens)

    @cached_property
    def negated(self) -> bool:
        return any(reading.negated for reading in self.readings)

    @cached_property
    def blocks(self) -> frozenset[int]:
        """The paragraphs or lists it draws on."""
        return frozenset(sentence.block for sentence in self.sentences)

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True)
class Verdict:
    """What became of a claim: its evidence when supported, the objection when not."""

    text: str
    window: Window | None
    objection: str = ""
    coverage: float = 0.0

    @property
    def supported(self) -> bool:
        return self.window is not None and not self.objection


class Grounder:
    """Judges claims against the sentences of the sources in view."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        readings = [Reading(sentence.text) for sentence in sentences]
        self.windows = list(_windows(sentences, readings))

    def judge(self, text: str) -> Verdict:
        """The best evidence for a claim; an objection where even that does not carry it."""
        claim = Reading(text)
        if _URL.search(text):
            return Verdict(text, None, "it carries a link or markup")
        if not claim.words:
            return Verdict(text, None, "it says nothing that can be checked")
        judged = (self._against(claim, window) for window in self.windows)
        return max(judged, key=_strength, default=Verdict(text, None, "there is no source in view"))

    def _against(self, claim: Reading, window: Window) -> Verdict:
        covered = sum(token.word in window.words for token in claim.content)
        objection = next((said for rule in RULES if (said := rule(claim, window))), "")
        return Verdict(claim.text, window, objection, covered / max(len(claim.content), 1))


def _strength(verdict: Verdict) -> tuple[bool, float, int]:
    size = len(verdict.window.sentences) if verdict.window else 9
    return verdict.supported, round(verdict.coverage, 3), -size


def _windows(sentences: Sequence[Sentence], readings: Sequence[Reading]) -> Iterator[Window]:
    intro: int | None = None
    for i, sentence in enumerate(sentences):
        yield Window((sentence,), (readings[i],))
        before = sentences[i - 1] if i else None
        beside = before is not None and before.doc_id == sentence.doc_id
        if sentence.item:
            if beside and before is not None and not before.item:
                intro = i - 1
            if intro is not None:
                yield Window((sentences[intro], sentence), (readings[intro], readings[i]))
        elif beside and before is not None and not before.item:
            yield Window((before, sentence), (readings[i - 1], readings[i]))


# The rules. Each returns why the window does not carry the claim, or an empty string.


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
        if hedge is None or any(t.word in claim.words & QUALIFIERS for t in reading.content):
            continue
        shared = [t for t in reading.content if t.word in claim.words and t.word not in GENERIC]
        after = sum(t.start > hedge.start for t in shared)
        if after > len(shared) / 2:
            return f"the source only says so with '{hedge.surface}'"
    return ""


def roles_differ(claim: Reading, window: Window) -> str:
    """Who did what to whom: names keep their order and possessors keep what they possess."""
    evidence = [t for reading in window.readings for t in reading.tokens]
    wrong = (
        _possessor_differs(claim, evidence, window)
        or _order_differs(claim, evidence)
        or _agent_differs(claim, window)
    )
    return f"the source gives {wrong} another part in this" if wrong else ""


def _possessor_differs(claim: Reading, evidence: Sequence[Token], window: Window) -> str:
    names = frozenset(t.word for r in window.readings for t in r.names) | known_names()
    for i, token in enumerate(claim.tokens[:-2]):
        if claim.tokens[i + 1].folded != "s" or not is_name(token, False):
            continue
        head = claim.tokens[i + 2].word
        if not any(t.word == head for t in evidence):
            continue
        if not any(
            t.word == token.word and _reaches(evidence, j, head, names)
            for j, t in enumerate(evidence)
        ):
            return token.surface
    return ""


def _reaches(evidence: Sequence[Token], start: int, head: str, names: frozenset[str]) -> bool:
    """Whether `head` follows a name within a few words and before another name's possession."""
    for token in evidence[start + 1 : start + 9]:
        if token.word == head:
            return True
        if token.word in known_names() and token.word in names:
            return False
    return False


def _order_differs(claim: Reading, evidence: Sequence[Token]) -> str:
    places: dict[str, list[int]] = {}
    for j, token in enumerate(evidence):
        places.setdefault(token.word, []).append(j)
    said = [(i, t) for i, t in enumerate(claim.tokens) if t.word in known_names()]
    turned = _agents(claim.tokens) ^ _agents(evidence)
    for (i, a), (j, b) in pairwise(said):
        if a.word == b.word or turned & claim.words or _coordinated(claim.tokens[i + 1 : j]):
            continue
        firsts, seconds = places.get(a.word, []), places.get(b.word, [])
        if firsts and seconds and min(firsts) > max(seconds):
            return a.surface
    return ""


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
    qualifier_dropped,
    roles_differ,
)


def clean(draft: str) -> str:
    """A draft without citation markers and markup."""
    return _MARKUP.sub("", _MARKER.sub("", draft))


def split_claims(draft: str) -> list[str]:
    """The sentences of a draft, list bullets taken off, each only once."""
    text = clean(draft[:_MAX_DRAFT_CHARS])
    claims: list[str] = []
    for line in text.splitlines():
        body = _BULLET.sub("", line).strip()
        claims += [body[start:end] for start, end in sentence_spans(body)]
    return list(dict.fromkeys(claims))


def markers(draft: str) -> list[int]:
    """The numbers of every citation marker in a draft."""
    return [int(n) for m in _MARKER.finditer(draft) for n in re.findall(r"\d+", m.group())]


def is_fragment(text: str) -> bool:
    """A draft too short to be a statement of its own, such as `2021` or `Yes.`"""
    return len(tokens(text)) < 5
