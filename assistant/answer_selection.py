"""Answer sentence selection: which of the best sentences answers a question, and whether any does.

A small chat model phrases facts well and judges badly. A low-rank adapter to it (LoRA), fitted by
`python -m evals.fit_selection`, makes it a judge: shown a few lettered sentences and a question,
its next token tells by "yes" against "no" whether they state the answer, and by the letters which
does. The adapter belongs to one file of weights; llama.cpp applies it to these requests alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from assistant.evidence import Ranked
from assistant.passages import Sentence
from assistant.types import Selection
from assistant.weights import CHAT_MODEL

ADAPTER = Path(__file__).with_name("answer_selection.gguf")
MOST = 6
"""Sentences shown to the model at most."""
LETTERS = tuple(range(32, 32 + MOST))
"""The tokens "A", "B", … in the model's vocabulary."""
YES, NO = 9693, 2152
"""The tokens "yes" and "no"."""
TOKENS = (*LETTERS, YES, NO)


def adapter_for(weights: Path) -> Path | None:
    """The adapter that was fitted on a file of weights, known by its name and size."""
    known = weights.name == CHAT_MODEL.file_name and weights.stat().st_size == CHAT_MODEL.size
    return ADAPTER if known and ADAPTER.is_file() else None


def options(ranked: Sequence[Ranked]) -> list[Sentence]:
    """The best sentences, in the order of their documents, where they lean on each other."""
    singles = [hit.window.sentences[0] for hit in ranked if len(hit.window.sentences) == 1]
    return sorted(singles[:MOST], key=lambda sentence: (sentence.doc_id, sentence.start))


def as_read(sentence: Sentence, ranked: Sequence[Ranked]) -> str:
    """A sentence as the model reads it; a list's introduction with what the items are called."""
    if sentence.item or not sentence.text.endswith(":"):
        return sentence.text
    items = {
        other.start: other.label
        for hit in ranked
        for other in hit.window.sentences
        if other.item and (other.doc_id, other.block) == (sentence.doc_id, sentence.block)
    }
    labels = "; ".join(items[start] for start in sorted(items))
    return f"{sentence.text} {labels}." if labels else sentence.text


def read(scores: Sequence[float], count: int) -> Selection:
    """What the scores of `TOKENS` say of `count` sentences."""
    letters, yes, no = scores[:count], scores[-2], scores[-1]
    most = max(letters)
    weights = [math.exp(score - most) for score in letters]
    # Far apart, either way, the exponential would overflow or its sign not matter.
    answered = 1 / (1 + math.exp(min(max(no - yes, -50.0), 50.0)))
    return Selection(answered, tuple(weight / sum(weights) for weight in weights))
