"""How likely it is that the sources answer a question."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from assistant.evidence import Ranked, seen
from assistant.grounding import Verdict
from assistant.questions import Query
from assistant.reading import Reading

_WEIGHTS = Path(__file__).with_name("answerability.json")
ANSWERABLE = 0.5
"""From this probability on, a question counts as answered by the sources."""
OFF_TOPIC_SIMILARITY = 0.2
UNKNOWN_WORDS = 0.5


@dataclass(frozen=True, slots=True)
class Features:
    """What tells whether the sources answer a question. All in [0, 1] but for the probe."""

    probe: float
    """Log-odds of the chat model's "yes" when asked whether the best sentences state the answer."""
    wanted_lacking: float
    """Share of the kinds of thing asked for that the best window lacks."""
    draft_coverage: float
    """Share of the words of the draft's best claim that its evidence has."""
    similarity: float
    """Best similarity of the question and a window."""
    words_unknown: float
    """Share of the question's words that no source in view has."""

    @property
    def off_topic(self) -> bool:
        return self.similarity < OFF_TOPIC_SIMILARITY and self.words_unknown >= UNKNOWN_WORDS


def features(
    query: Query, ranked: Sequence[Ranked], verdicts: Sequence[Verdict], probe: float | None
) -> Features:
    """What is known about a question, its evidence and its draft, as numbers."""
    words = Reading(query.text).words
    everything = frozenset().union(*(seen(hit.window) for hit in ranked))
    return Features(
        probe=log_odds(0.5 if probe is None else probe),
        wanted_lacking=len(ranked[0].lacking) / max(len(query.wanted), 1),
        draft_coverage=max((verdict.coverage for verdict in verdicts), default=0.0),
        similarity=max(hit.similarity for hit in ranked),
        words_unknown=len(words - everything) / max(len(words), 1),
    )


def is_hopeless(probe: float | None) -> bool:
    """Whether no draft, however good, could make this an answer: then none needs to be written."""
    if probe is None:
        return False
    best = Features(log_odds(probe), 0.0, draft_coverage=1.0, similarity=1.0, words_unknown=0.0)
    return answerability(best) < ANSWERABLE


def log_odds(probability: float) -> float:
    """Log-odds of a probability, which counts as no surer than one in a thousand."""
    p = min(max(probability, 0.001), 0.999)
    return math.log(p / (1 - p))


def answerability(found: Features) -> float:
    """Probability in [0, 1] that the sources answer the question (a fitted logistic model)."""
    values = asdict(found) | {"bias": 1.0}
    score = sum(weight * values[name] for name, weight in _fitted().items())
    return 1 / (1 + math.exp(-score))


@cache
def _fitted() -> dict[str, float]:
    weights: dict[str, float] = json.loads(_WEIGHTS.read_text(encoding="utf-8"))
    return weights
