"""Reading a chat model's doubt from more than its "yes" and "no".

The scores of the tokens that may come next are a linear image of the model's last hidden state; a
few hundred fixed ones hold nearly all of it. A logistic model over them, fitted by
`python -m evals.fit_probe`, tells better whether the sources state an answer than the two words do.
It belongs to one file of weights; other models are asked for their "yes".
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HEAD = Path(__file__).with_name("probe_head.json")


@dataclass(frozen=True)
class ProbeHead:
    """A logistic model over the scores of `tokens`; `yes` and `no` count as those words."""

    file_name: str
    file_size: int
    tokens: tuple[int, ...]
    weights: tuple[float, ...]
    yes: tuple[int, ...]
    no: tuple[int, ...]
    words_weight: float
    bias: float

    def probability(self, scores: Sequence[float]) -> float:
        """Probability in (0, 1) of a yes, from the log-probability of each token."""
        mean = sum(scores) / len(scores)
        state = sum(w * (s - mean) for w, s in zip(self.weights, scores, strict=True))
        return 1 / (1 + math.exp(-self.bias - state - self.words_weight * self.words(scores)))

    def words(self, scores: Sequence[float]) -> float:
        """Log-odds of the words for yes against those for no."""
        return words_log_odds(dict(zip(self.tokens, scores, strict=True)), self.yes, self.no)

    def save(self) -> None:
        HEAD.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")


def words_log_odds(scores: dict[int, float], yes: Sequence[int], no: Sequence[int]) -> float:
    """From the log-probabilities of tokens."""
    return _log_sum([scores[token] for token in yes]) - _log_sum([scores[token] for token in no])


def _log_sum(logs: Sequence[float]) -> float:
    """The logarithm of a sum, from those of its terms."""
    most = max(logs)
    return most + math.log(sum(math.exp(log - most) for log in logs))


def head_for(weights: Path) -> ProbeHead | None:
    """The head that was fitted on a file of weights, known by its name and size."""
    stored: dict[str, Any] = json.loads(HEAD.read_text(encoding="utf-8"))
    head = ProbeHead(**{name: _frozen(value) for name, value in stored.items()})
    known = weights.name == head.file_name and weights.stat().st_size == head.file_size
    return head if known else None


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
