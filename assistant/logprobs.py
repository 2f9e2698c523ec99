"""How sure a chat model is, from the log-probabilities that come with its reply."""

from __future__ import annotations

import math
from typing import Any


def yes_probability(logprobs: Any) -> float | None:
    """P(yes) against P(no) for a reply's first token; None when neither is among those given.

    Providers hand over a list of tokens, or an object that has it as `content`.
    """
    content = logprobs.get("content") if isinstance(logprobs, dict) else logprobs
    mass = {"yes": 0.0, "no": 0.0}
    for choice in (content[0].get("top_logprobs") or []) if content else []:
        word = choice["token"].strip().lower()
        if word in mass:
            mass[word] += math.exp(choice["logprob"])
    total = sum(mass.values())
    return mass["yes"] / total if total > 0 else None


def said_probability(reply: str) -> float | None:
    """What a bare "yes" or "no" is taken for; None for any other reply."""
    words = reply.strip().lower().split()
    return {"yes": 0.9, "no": 0.1}.get(words[0].strip(".,!*\"'")) if words else None
