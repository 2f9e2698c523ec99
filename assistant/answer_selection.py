"""Answer sentence selection: which sentences answer a question, and whether any does.

A small chat model phrases facts well and judges badly. A low-rank adapter to it (LoRA), fitted by
`python -m evals.fit_selection`, makes it a judge: shown lettered sentences and a question, its next
token tells by "yes", "part", "no" or "false" whether they state the answer, and by the letters
which do. It belongs to one file of weights; llama.cpp applies it to these requests alone.
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
"""Sentences shown to the model of sources that can't be shown whole."""
LETTERS = (*range(32, 32 + 26), *range(64, 64 + 26))
"""The tokens "A" to "Z" and "a" to "z" in the model's vocabulary."""
REST = 12
"""The token "-": a sentence belongs to the answer as far as its letter outweighs this."""
YES, PART, NO, FALSE = 9693, 4480, 2152, 3849
"""The tokens "yes", "part", "no" and "false"."""
TOKENS = (*LETTERS, REST, YES, PART, NO, FALSE)


def adapter_for(weights: Path) -> Path | None:
    """The adapter that was fitted on a file of weights, known by its name and size."""
    known = weights.name == CHAT_MODEL.file_name and weights.stat().st_size == CHAT_MODEL.size
    return ADAPTER if known and ADAPTER.is_file() else None


def options(ranked: Sequence[Ranked], whole: bool) -> list[Sentence]:
    """The sentences to choose from, in the order of their documents, where they lean on each other.

    All, where what is in view is the `whole` of the sources and there are letters enough; else the
    best.
    """
    singles = [hit.window.sentences[0] for hit in ranked if len(hit.window.sentences) == 1]
    shown = singles if whole and len(singles) <= len(LETTERS) else singles[:MOST]
    return sorted(shown, key=lambda sentence: (sentence.doc_id, sentence.start))


def as_read(sentence: Sentence, ranked: Sequence[Ranked]) -> str:
    """A sentence as the model reads it; a list's introduction with what the items are called."""
    if sentence.item or not sentence.shown.endswith(":"):
        return sentence.shown
    items = {
        other.start: other.label
        for hit in ranked
        for other in hit.window.sentences
        if other.item and (other.doc_id, other.block) == (sentence.doc_id, sentence.block)
    }
    labels = "; ".join(items[start] for start in sorted(items))
    return f"{sentence.shown} {labels}." if labels else sentence.shown


def read(scores: Sequence[float], count: int) -> Selection:
    """What the scores of `TOKENS` say of `count` sentences."""
    rest = scores[TOKENS.index(REST)]
    relevance = [_softmax([score, rest])[0] for score in scores[:count]]
    yes, part, no, false = _softmax(scores[-4:])
    return Selection((yes + part) / max(yes + part + no, 1e-9), tuple(relevance), part, false)


def _softmax(scores: Sequence[float]) -> list[float]:
    most = max(scores)
    weights = [math.exp(score - most) for score in scores]
    return [weight / sum(weights) for weight in weights]
