"""Which kind of request a text is, learnt from a thousand of them in seven languages.

A linear classifier on what the embedding model makes of the text, fitted by `training.fit_kinds`.
Where it is not sure the kind is `lookup`: a question that one or a few sentences answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from assistant.e5 import E5, MAX_TOKENS, Floats

WEIGHTS = Path(__file__).parent.parent / "weights_data" / "kinds.safetensors"
LOOKUP = "lookup"
SURE, SURER = 0.6, 0.9
"""The probability from which a kind other than `lookup` is believed, and one of those below."""
STRICT = frozenset(
    "advice author comparison dates difference everything older published summary".split()
)
"""Kinds whose answers are beside the point where a sentence would have answered."""


class TellsKinds(Protocol):
    """What tells kinds of request apart: `Kinds`, or a stand-in for it."""

    def kind(self, text: str) -> str: ...


class Kinds:
    """Tells kinds of request apart."""

    def __init__(self, e5: E5, weights: Path = WEIGHTS) -> None:
        from safetensors import safe_open
        from safetensors.numpy import load_file

        self._e5 = e5
        tensors = load_file(weights)
        self._weight, self._bias = tensors["weight"].astype(np.float32), tensors["bias"]
        with safe_open(weights, "numpy") as file:
            self.names: list[str] = file.metadata()["kinds"].split()

    def kind(self, text: str) -> str:
        """The kind of a request; `lookup` unless another is sure."""
        logits = self._weight @ vector(self._e5, text) + self._bias
        shares = np.exp(logits - logits.max())
        best = int(shares.argmax())
        kind = self.names[best]
        return kind if shares[best] / shares.sum() >= bound(kind) else LOOKUP


def bound(kind: str) -> float:
    """The probability from which a kind is believed."""
    return SURER if kind in STRICT else SURE


def vector(e5: E5, text: str) -> Floats:
    """The means of what each part of the embedding model makes of a text's tokens.

    The middle of the model tells the form of a question better than its end, which tells the topic.
    """
    made: Floats = e5.states(e5.ids(f"query: {text}")[:MAX_TOKENS]).mean(axis=0)
    return made
