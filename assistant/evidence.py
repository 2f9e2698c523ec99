"""Question -> the source sentences that bear on it, and how likely they are to answer it."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from assistant.questions import Wanted, wanted
from assistant.reading import Reading, Window
from assistant.text import MONTHS, Token, is_number
from assistant.types import Encoder, ScoredPassage

_WEIGHTS = Path(__file__).with_name("answerability.json")
_CACHED_VECTORS = 20_000
_NO_WORDS: frozenset[str] = frozenset()
_AT = frozenset("in at near from to".split())
_SINGLING_OUT = frozenset("but only just exactly".split())
_QUOTED = re.compile(r"[\"“«][^\"”»]*[\"”»]")
_AMOUNTS = frozenset("$€₼₺₸£¥") | {"percent", "thousand", "million", "billion", "trillion"}
CLOSE = 0.55
"""Cosine similarity from which two words count as nearly the same."""
IN_TOPIC = 0.8
"""What a word counts that only the topic of the sentence's document has, its title and lead: every
sentence is about that, and naming it again tells nothing."""
COVERAGE_WEIGHT = 1.5
SIMILARITY_WEIGHT = 0.6
PASSAGE_WEIGHT = 0.3
HINT_WEIGHT = 0.35
LACKING_WEIGHT = 0.4
PAIR_WEIGHT = 0.2
APART_WEIGHT = 0.5
"""What weighs in the ranking: the question's words, the meaning of the whole, the passage around, a
draft's words; and against it: a missing kind of answer, a second sentence of the same paragraph,
one of another. Chosen on the development questions."""

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
    """Cosine similarity of question and window."""
    lacking: tuple[Wanted, ...]
    """The kinds of thing asked for that the window does not hold, or that the question gave."""


@dataclass(frozen=True, slots=True)
class Features:
    """What tells whether the sources answer a question. All in [0, 1] but for the probe."""

    probe: float
    """Log-odds of the chat model's "yes" when asked whether the articles state the answer."""
    coverage: float
    """Best coverage of the question by a window."""
    similarity: float
    """Best similarity of the question and a window."""
    answer_coverage: float
    """Best coverage by a window that holds every kind of thing asked for."""
    names_apart: float
    """Share of the question's names and numbers that the best window lacks."""
    names_unknown: float
    """Share of the question's names and numbers that no source in view has."""
    words_unknown: float
    """Share of the question's words that no source in view has or comes close to."""
    wanted_lacking: float
    """Share of the kinds of thing asked for that the best window lacks."""
    draft_coverage: float
    """Coverage of the draft's best claim by its evidence."""
    draft_supported: float
    """Share of the draft's claims that are supported."""


class Evidence:
    """Ranks windows of source sentences for questions.

    `topics` holds the words of each document's title and lead.
    """

    def __init__(
        self, encoder: Encoder, topics: Mapping[str, frozenset[str]] = MappingProxyType({})
    ) -> None:
        self._encoder = encoder
        self._topics = topics
        self._vectors: dict[str, Vector] = {}

    def rank(
        self,
        question: str,
        windows: Sequence[Window],
        hits: Sequence[ScoredPassage] = (),
        draft: Sequence[str] = (),
    ) -> list[Ranked]:
        """Windows by fit to the question, best first.

        The passage a sentence stands in tells which agreement it is about, so its score counts; a
        draft's words, even wrong ones, help too.
        """
        asked = Reading(question)
        rarity = _rarity(windows)
        hints = frozenset().union(*(Reading(claim).words for claim in draft)) - asked.words
        query = np.asarray(self._encoder.encode_query(question), dtype=np.float32)
        vectors = self._embed([window.text for window in windows])
        close = self._close_words(asked, windows)
        kinds = wanted(question)
        ranked = []
        for window, vector in zip(windows, vectors, strict=True):
            lacking = tuple(kind for kind in kinds if not holds(kind, window.readings, asked))
            topic = self._topics.get(window.sentences[0].doc_id, _NO_WORDS)
            coverage = covered(asked.words, window.words, rarity, close, topic)
            similarity = float(query @ vector)
            score = (
                COVERAGE_WEIGHT * coverage
                + SIMILARITY_WEIGHT * similarity
                + PASSAGE_WEIGHT * _passage_score(window, hits)
                + HINT_WEIGHT * covered(hints, window.words, rarity)
                - LACKING_WEIGHT * len(lacking) / max(len(kinds), 1)
                - (0.0 if len(window.sentences) == 1 else _pair_weight(window))
            )
            ranked.append(Ranked(window, score, coverage, similarity, lacking))
        return sorted(ranked, key=lambda r: -r.score)

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
        nearness = asked_for @ here.T
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


def _rarity(windows: Sequence[Window]) -> dict[str, float]:
    """Inverse sentence frequency of each word; the empty key holds that of an unseen one."""
    singles = [w for w in windows if len(w.sentences) == 1]
    counts = Counter(word for window in singles for word in window.words)
    rarity = {word: math.log(1 + len(singles) / count) for word, count in counts.items()}
    return rarity | {"": math.log(1 + max(len(singles), 1))}


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
            # What introduces a list is counted by it.
            return bool(_counts(reading) - asked.numbers) or reading.text.endswith(":")
        case "amount":
            return any(n[0].isdigit() and not _is_year(n) for n in new) and (
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
        if counts and token.word[0].isdigit() and not beside_month:
            found.add(token.word)
        before = token.word
    return frozenset(n for n in found if not n.endswith("th") and not _is_year(n))


def _is_year(number: str) -> bool:
    return len(number) == 4 and number.isdigit() and number[0] in "12"


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
        if token.folded != "the":
            before = token
    return places


def features(
    question: str,
    ranked: Sequence[Ranked],
    probe: float | None,
    draft_coverage: float,
    draft_supported: float,
) -> Features:
    """What is known about a question and its evidence, as numbers."""
    asked = Reading(question)
    everything = frozenset().union(*(seen(r.window) for r in ranked))
    best = ranked[0]
    particular = frozenset(t.word for t in asked.names) | asked.numbers
    p = min(max(0.5 if probe is None else probe, 0.001), 0.999)
    return Features(
        probe=math.log(p / (1 - p)),
        coverage=max(r.coverage for r in ranked),
        similarity=max(r.similarity for r in ranked),
        answer_coverage=max(
            (r.coverage for r in ranked if not r.lacking and len(r.window.sentences) == 1),
            default=0.0,
        ),
        names_apart=_share(particular - seen(best.window), particular),
        names_unknown=_share(particular - everything, particular),
        words_unknown=_share(asked.words - everything, asked.words),
        wanted_lacking=len(best.lacking) / max(len(wanted(question)), 1),
        draft_coverage=draft_coverage,
        draft_supported=draft_supported,
    )


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


def _share(part: frozenset[str], whole: frozenset[str]) -> float:
    return len(part) / len(whole) if whole else 0.0


@cache
def _fitted() -> dict[str, float]:
    weights: dict[str, float] = json.loads(_WEIGHTS.read_text(encoding="utf-8"))
    return weights


def answerability(found: Features) -> float:
    """Probability in [0, 1] that the sources answer the question (a fitted logistic model)."""
    weights = _fitted()
    score = weights["bias"] + sum(
        weights.get(name, 0.0) * value for name, value in asdict(found).items()
    )
    return 1 / (1 + math.exp(-score))
