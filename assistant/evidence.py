"""Question -> the source sentences that bear on it, and how likely they are to answer it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from assistant.grounding import Reading, Window
from assistant.questions import Wanted, wanted
from assistant.text import MONTHS
from assistant.types import Encoder

_WEIGHTS = Path(__file__).with_name("answerability.json")
_CACHED_VECTORS = 20_000
_AT = frozenset("in at near from to".split())


@dataclass(frozen=True, slots=True)
class Ranked:
    """A window of evidence with how well it fits the question; higher is better."""

    window: Window
    score: float
    coverage: float
    """Share of the question's words, weighted by rarity, that stand in the window."""
    similarity: float
    """Cosine similarity of question and window."""


@dataclass(frozen=True, slots=True)
class Features:
    """What tells whether the sources answer a question. All near [0, 1] but for the probe."""

    probe: float
    """Log-odds of the chat model's "yes" when asked whether the articles state the answer."""
    coverage: float
    similarity: float
    names_missing: float
    """Share of the question's names and numbers that the best window lacks."""
    names_unknown: float
    """Share of the question's names and numbers that no source in view has."""
    wanted_missing: float
    """Share of the kinds of thing asked for that the best window lacks."""
    words_unknown: float
    """Share of the question's words that no source in view has."""
    draft_coverage: float
    """Coverage of the draft's best claim by its evidence."""
    draft_supported: float
    """Share of the draft's claims that are supported."""


class Evidence:
    """Ranks windows of source sentences for questions."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, list[float]] = {}

    def rank(
        self, question: str, windows: Sequence[Window], draft: Sequence[str] = ()
    ) -> list[Ranked]:
        """Windows by fit to the question, best first; a draft's words, even wrong ones, help."""
        asked = Reading(question)
        rarity = _rarity(windows)
        hints = frozenset().union(*(Reading(claim).words for claim in draft)) - asked.words
        query = self._encoder.encode_query(question)
        vectors = self._embed([window.text for window in windows])
        kinds = wanted(question)
        ranked = []
        for window, vector in zip(windows, vectors, strict=True):
            coverage = covered(asked.words, window.words, rarity)
            similarity = _cosine(query, vector)
            score = (
                coverage
                + similarity
                + 0.5 * covered(hints, window.words, rarity)
                - 0.25 * missing_share(kinds, window)
                - 0.1 * (len(window.sentences) - 1)
            )
            ranked.append(Ranked(window, score, coverage, similarity))
        return sorted(ranked, key=lambda r: -r.score)

    def _embed(self, texts: Sequence[str]) -> list[list[float]]:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            if len(self._vectors) + len(new) > _CACHED_VECTORS:
                self._vectors.clear()
                new = list(dict.fromkeys(texts))
            self._vectors.update(zip(new, self._encoder.encode_documents(new), strict=True))
        return [self._vectors[text] for text in texts]


def covered(words: Iterable[str], present: frozenset[str], rarity: dict[str, float]) -> float:
    """Share of `words` that are `present`, each weighted by its rarity; 0 for no words."""
    weights = {word: rarity.get(word, rarity[""]) for word in words}
    total = sum(weights.values())
    return sum(w for word, w in weights.items() if word in present) / total if total else 0.0


def _rarity(windows: Sequence[Window]) -> dict[str, float]:
    """Inverse sentence frequency of each word; the empty key holds that of an unseen one."""
    singles = [w for w in windows if len(w.sentences) == 1]
    counts = Counter(word for window in singles for word in window.words)
    rarity = {word: math.log(1 + len(singles) / count) for word, count in counts.items()}
    return rarity | {"": math.log(1 + max(len(singles), 1))}


def has(kind: Wanted, reading: Reading) -> bool:
    """Whether a text holds a thing of the kind: a date, a number, an amount, a name, a reason."""
    if kind == "year":
        return any(len(n) == 4 and n.isdigit() and n[0] in "12" for n in reading.numbers)
    if kind == "date":
        return bool(reading.numbers & set(MONTHS)) or has("year", reading)
    if kind == "amount":
        return any(n[0].isdigit() for n in reading.numbers)
    if kind == "number":
        return any(n[0].isdigit() and not n.endswith("th") for n in reading.numbers)
    if kind == "place":
        return any(a.folded in _AT and b in reading.names for a, b in pairwise(reading.tokens))
    if kind == "person":
        return bool(reading.names)
    return True


def missing_kinds(kinds: Sequence[Wanted], readings: Sequence[Reading]) -> list[Wanted]:
    return [kind for kind in kinds if not any(has(kind, reading) for reading in readings)]


def missing_share(kinds: Sequence[Wanted], window: Window) -> float:
    return len(missing_kinds(kinds, window.readings)) / len(kinds) if kinds else 0.0


def features(
    question: str,
    ranked: Sequence[Ranked],
    probe: float | None,
    draft_coverage: float,
    draft_supported: float,
) -> Features:
    """What is known about a question and its evidence, as numbers."""
    asked = Reading(question)
    everything = frozenset().union(*(r.window.every_word for r in ranked))
    best = ranked[0].window if ranked else None
    at_best = (
        best.every_word | frozenset().union(*(r.numbers for r in best.readings))
        if best
        else frozenset()
    )
    particular = frozenset(t.word for t in asked.names) | asked.numbers
    p = min(max(0.5 if probe is None else probe, 0.001), 0.999)
    return Features(
        probe=math.log(p / (1 - p)),
        coverage=max((r.coverage for r in ranked), default=0.0),
        similarity=max((r.similarity for r in ranked), default=0.0),
        names_missing=_share(particular - at_best, particular),
        names_unknown=_share(particular - everything, particular),
        wanted_missing=missing_share(wanted(question), best) if best else 1.0,
        words_unknown=_share(asked.words - everything, asked.words),
        draft_coverage=draft_coverage,
        draft_supported=draft_supported,
    )


def _share(part: frozenset[str], whole: frozenset[str]) -> float:
    return len(part) / len(whole) if whole else 0.0


def _cosine(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


@lru_cache(2)
def _fitted(probed: bool) -> dict[str, float]:
    weights: dict[str, dict[str, float]] = json.loads(_WEIGHTS.read_text(encoding="utf-8"))
    return weights["with_probe" if probed else "without_probe"]


def answerability(found: Features, probed: bool) -> float:
    """Probability in [0, 1] that the sources answer the question (a fitted logistic model)."""
    weights = _fitted(probed)
    score = weights["bias"] + sum(
        weights.get(name, 0.0) * value for name, value in asdict(found).items()
    )
    return 1 / (1 + math.exp(-score))
