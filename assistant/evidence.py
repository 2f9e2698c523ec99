"""Question -> the source sentences that bear on it, best first."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from assistant.passages import Sentence
from assistant.questions import Query, Wanted
from assistant.reading import Reading, Window
from assistant.text import MONTHS, Token, is_number
from assistant.types import Encoder, ScoredPassage, similarity

_CACHED_VECTORS = 20_000
_NO_WORDS: frozenset[str] = frozenset()
_AT = frozenset("in at near from to".split())
_SINGLING_OUT = frozenset("but only just exactly".split())
_ENUMERATION = re.compile(r"[^\W_][\w-]*, (?:[\w-]+ ?){1,4},? and [^\W_]")
_QUOTED = re.compile(r"[\"“«][^\"”»]*[\"”»]")
_AMOUNTS = frozenset("$€₼₺₸£¥") | {"percent", "thousand", "million", "billion", "trillion"}
CLOSE = 0.64
"""Similarity from which two words count as nearly the same."""
IN_TOPIC = 0.8
"""What a word counts that only the topic of the sentence's document has, its title and lead: every
sentence is about that, and naming it again tells nothing."""
ASKED_BEFORE = 0.5
"""What a word counts that comes from the turn before, not from the question asked now."""
TOLD_SHARE = 0.6
"""A sentence with more of its words in the turn before may have been the answer there."""
COVERAGE_WEIGHT = 1.5
SIMILARITY_WEIGHT = 0.6
BEYOND_WEIGHT = 1.5
PASSAGE_WEIGHT = 0.3
HINT_WEIGHT = 0.75
RELEVANCE_WEIGHT = 1.5
LACKING_WEIGHT = 0.4
TOLD_WEIGHT = 2.5
PAIR_WEIGHT = 0.3
APART_WEIGHT = 0.6
"""What weighs in the ranking: the question's words, the meaning of the whole and of what it asks
beyond the topic, the passage around, a draft's words, the model's choice; and against it: a missing
kind of answer, what was told already, a second sentence of the same paragraph, one of another.
Chosen on the development questions."""

Vector = NDArray[np.float32]
Closeness = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A window of evidence with how well it fits the question; higher is better."""

    window: Window
    score: float
    coverage: float
    """Share of the question's words, weighted by rarity, that the window has, comes close to or
    inherits from the topic of its document."""
    similarity: float
    """Of question and window: 1 for the same, 0 for unrelated."""
    lacking: tuple[Wanted, ...]
    """The kinds of thing asked for that the window does not hold, or that the question gave."""
    relevance: float = 0.0
    """The model's choice: the probability of the window's sentences, on average, to belong to the
    answer."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the questions within a question, with its own evidence."""

    ranked: list[Ranked]
    probe: float | None = None
    """Probability that the chat model gives a "yes" when asked whether that states the answer."""


class Evidence:
    """Ranks windows of source sentences for questions.

    `topics` holds the words of each document's title and lead.
    """

    def __init__(
        self, encoder: Encoder, topics: Mapping[str, frozenset[str]] = MappingProxyType({})
    ) -> None:
        self._encoder = encoder
        self._topics = topics
        self._every_topic = _NO_WORDS.union(*topics.values())
        self._vectors: dict[str, Vector] = {}

    def rank(
        self,
        query: Query,
        windows: Sequence[Window],
        hits: Sequence[ScoredPassage] = (),
        draft: Sequence[str] = (),
        relevance: Mapping[Sentence, float] = MappingProxyType({}),
    ) -> list[Ranked]:
        """Windows by fit to the question, best first.

        The passage a sentence stands in tells which agreement it is about, so its score counts; a
        draft's words, even wrong ones, help too. `relevance` is what a chat model made of the
        sentences: the probability of each to belong to the answer.
        """
        asked, now = Reading(query.text), Reading(query.now)
        rarity = rarities(windows)
        weights = _weights(asked, now, rarity)
        told = Reading(query.told).words
        hints = frozenset().union(*(Reading(claim).words for claim in draft)) - asked.words - told
        known = told | asked.words if told else _NO_WORDS
        likeness = self._similarities(query.text, [[window.text] for window in windows])
        beyond = self._similarities(self._beyond(now), [window.clauses for window in windows])
        close = self._close_words(asked, windows)
        kinds = query.wanted
        ranked = []
        for window, alike, nearest in zip(windows, likeness, beyond, strict=True):
            lacking = tuple(kind for kind in kinds if not holds(kind, window.readings, asked))
            topic = self._topics.get(window.sentences[0].doc_id, _NO_WORDS)
            coverage = covered(asked.words, window.words, weights, close, topic)
            relevant = _relevance(window, relevance)
            score = (
                COVERAGE_WEIGHT * coverage
                + SIMILARITY_WEIGHT * alike
                + BEYOND_WEIGHT * nearest
                + PASSAGE_WEIGHT * _passage_score(window, hits)
                + HINT_WEIGHT * covered(hints, window.words, rarity)
                + RELEVANCE_WEIGHT * relevant
                - TOLD_WEIGHT * max(covered(window.words, known, rarity) - TOLD_SHARE, 0.0)
                - LACKING_WEIGHT * len(lacking) / max(len(kinds), 1)
                - (0.0 if len(window.sentences) == 1 else _pair_weight(window))
            )
            ranked.append(Ranked(window, score, coverage, alike, lacking, relevant))
        return sorted(ranked, key=lambda r: -r.score)

    def _beyond(self, now: Reading) -> str:
        """What is asked now, beyond what the documents are about; empty if that is nothing.

        Every sentence of a document is near a question that names its topic, so the topic hides
        which of them is near the rest of it; and so does what was asked before.
        """
        if now.words <= self._every_topic:
            return ""
        return " ".join(t.folded for t in now.tokens if t.word not in self._every_topic)

    def _similarities(self, text: str, options: Sequence[Sequence[str]]) -> list[float]:
        """Similarity of a query and, of each group of texts, the one nearest to it.

        All are 0 for an empty query.
        """
        vectors = self._embed([option for group in options for option in group])
        if not text:
            return [0.0] * len(options)
        meant = np.asarray(self._encoder.encode_query(text), dtype=np.float32)
        found = iter(similarity(float(meant @ vector), self._encoder) for vector in vectors)
        return [max(next(found) for _ in group) for group in options]

    def _close_words(self, asked: Reading, windows: Sequence[Window]) -> Closeness:
        """For each word asked that no window has, the words in view that mean nearly the same."""
        known = {t.word: t.folded for w in windows for r in w.readings for t in r.content}
        unknown = {
            t.word: t.folded
            for t in asked.content
            if t.word not in known and not is_number(t) and t not in asked.names
        }
        if not unknown or not known:
            return {}
        here = np.stack(self._embed(list(known.values())))
        asked_for = np.stack(self._embed(list(unknown.values())))
        nearness = similarity(asked_for @ here.T, self._encoder)
        words = list(known)
        return {
            word: {words[j]: float(nearness[i, j]) for j in np.flatnonzero(nearness[i] >= CLOSE)}
            for i, word in enumerate(unknown)
        }

    def _embed(self, texts: Sequence[str]) -> list[Vector]:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            if len(self._vectors) + len(new) > _CACHED_VECTORS:
                self._vectors.clear()
                new = list(dict.fromkeys(texts))
            made = np.asarray(self._encoder.encode_documents(new), dtype=np.float32)
            self._vectors.update(zip(new, made, strict=True))
        return [self._vectors[text] for text in texts]


def covered(
    words: Iterable[str],
    present: frozenset[str],
    rarity: dict[str, float],
    close: Closeness | None = None,
    topic: frozenset[str] = _NO_WORDS,
) -> float:
    """Share of `words` that are `present`, each weighted by its rarity; 0 for no words.

    A word that only comes `close` to one present counts as much as it comes close, and one of the
    `topic` nearly in full.
    """
    weights = {word: rarity.get(word, rarity[""]) for word in words}
    total = sum(weights.values())
    if not total:
        return 0.0
    return (
        sum(weight * _presence(word, present, close, topic) for word, weight in weights.items())
        / total
    )


def _presence(
    word: str, present: frozenset[str], close: Closeness | None, topic: frozenset[str]
) -> float:
    if word in present:
        return 1.0
    near = (close or {}).get(word, {})
    nearest = max((value for other, value in near.items() if other in present), default=0.0)
    return max(nearest, IN_TOPIC if word in topic else 0.0)


def rarities(windows: Sequence[Window]) -> dict[str, float]:
    """Inverse sentence frequency of each word; the empty key holds that of an unseen one."""
    singles = [w for w in windows if len(w.sentences) == 1]
    counts = Counter(word for window in singles for word in window.words)
    rarity = {word: math.log(1 + len(singles) / count) for word, count in counts.items()}
    return rarity | {"": math.log(1 + max(len(singles), 1))}


def weight(words: Iterable[str], rarity: Mapping[str, float]) -> float:
    """What words weigh together, each by its rarity."""
    return sum(rarity.get(word, rarity[""]) for word in words)


def _weights(asked: Reading, now: Reading, rarity: dict[str, float]) -> dict[str, float]:
    """What each word of a question weighs: by its rarity, and less when it was asked before."""
    return {
        word: rarity.get(word, rarity[""]) * (1.0 if word in now.words else ASKED_BEFORE)
        for word in asked.words
    } | {"": rarity[""]}


def holds(kind: Wanted, readings: Sequence[Reading], asked: Reading) -> bool:
    """Whether sentences hold a thing of the kind that the question itself did not give."""
    return any(_holds(kind, reading, asked) for reading in readings)


def _holds(kind: Wanted, reading: Reading, asked: Reading) -> bool:
    new = reading.numbers - asked.numbers
    names = [t for t in reading.names if t.word not in asked.words]
    match kind:
        case "year":
            return any(_is_year(n) for n in new)
        case "date":
            return bool(new & set(MONTHS)) or any(_is_year(n) for n in new)
        case "number":
            # What lists things tells how many there are.
            lists = reading.text.endswith(":") or _ENUMERATION.search(reading.text)
            return bool(_counts(reading) - asked.numbers or lists)
        case "amount":
            return any(n[:1].isdecimal() and not _is_year(n) for n in new) and (
                len(reading.numbers & _AMOUNTS) > 0
            )
        case "place":
            return any(t in names for t in _places(reading))
        case "person":
            return any(t not in _places(reading) for t in names)
        case _:
            return True


def _counts(reading: Reading) -> frozenset[str]:
    """Numbers that are no part of a date and no ordinal; "one" after "but" or "only"."""
    found, before = set(), ""
    for token, after in pairwise([*reading.tokens, *reading.tokens[-1:]]):
        beside_month = before in MONTHS or after.word in MONTHS
        counts = is_number(token) or (token.folded == "one" and before in _SINGLING_OUT)
        if counts and token.word[:1].isdecimal() and not beside_month:
            found.add(token.word)
        before = token.word
    return frozenset(n for n in found if not n.endswith("th") and not _is_year(n))


def _is_year(number: str) -> bool:
    return len(number) == 4 and number.isdecimal() and number[0] in "12"


def _places(reading: Reading) -> list[Token]:
    """Names that follow "in", "at" and the like, with the names that directly follow those.

    Not within quotation marks: there stands a title, and its capitals name no place.
    """
    titles = [match.span() for match in _QUOTED.finditer(reading.text)]
    places: list[Token] = []
    before: Token | None = None
    for token in reading.tokens:
        titled = any(start <= token.start < end for start, end in titles)
        if (
            token in reading.names
            and not titled
            and before
            and (before.folded in _AT or before in places)
        ):
            places.append(token)
        if token.folded not in ("the", "s"):
            before = token
    return places


def _passage_score(window: Window, hits: Sequence[ScoredPassage]) -> float:
    first = window.sentences[0]
    return max(
        (
            hit.score
            for hit in hits
            if hit.passage.doc_id == first.doc_id
            and hit.passage.start <= first.start < hit.passage.end
        ),
        default=0.0,
    )


def _pair_weight(window: Window) -> float:
    return PAIR_WEIGHT if len(window.blocks) == 1 else APART_WEIGHT


def seen(window: Window) -> frozenset[str]:
    """Everything a window has that a question may name: words, names, numbers."""
    return window.every_word.union(*(reading.numbers for reading in window.readings))


def _relevance(window: Window, relevance: Mapping[Sentence, float]) -> float:
    """What the model made of a window's sentences, on average: one that adds nothing weakens it."""
    return sum(relevance.get(one, 0.0) for one in window.sentences) / len(window.sentences)
