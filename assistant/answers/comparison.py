"""Two or more sources side by side: a table with a row for each aspect that any of them tells."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from assistant.answers.request import Request
from assistant.compose import Cell
from assistant.passages import Sentence
from assistant.types import Outcome

MOST = 4
"""Sources beside each other; more are no comparison but a search."""
SURE, TOLD = 0.5, 0.4
"""What the reader must give a source for an aspect, and a sentence to be the one that tells it."""


def make(request: Request) -> Outcome | None:
    """The table; None where the request names fewer than two sources, or far too many."""
    subjects = request.subjects(2)
    if len(subjects) == 1 and len(request.documents) <= MOST:
        subjects = list(request.documents)  # words of one title often name both
    if not 2 <= len(subjects) <= MOST:
        return None
    told = [request.documents[doc_id] for doc_id in subjects]
    head = [document.publisher or document.title for document in told]
    rows: list[tuple[str, Sequence[Cell]]] = []
    for aspect in _aspects():
        found = [_best(request, aspect["question"], doc_id) for doc_id in subjects]
        if any(found):
            name = aspect.get(request.composer.language, aspect["en"])
            rows.append((name, [(s.shown, [s]) if s else ("", []) for s in found]))
    if not rows:
        return None
    request.composer.table(["", *head], rows)
    return "answered"


def _best(request: Request, question: str, doc_id: str) -> Sentence | None:
    """The sentence of a source that tells an aspect; None where the reader is not sure of one."""
    answered, relevance = request.read(question, doc_id)
    if answered < SURE or not relevance:
        return None
    best = max(relevance, key=lambda sentence: relevance[sentence])
    return best if relevance[best] >= TOLD else None


@cache
def _aspects() -> Sequence[Mapping[str, str]]:
    """What sources are compared in, with the question that finds it and its name by language."""
    text = Path(__file__).with_name("aspects.toml").read_text(encoding="utf-8")
    found: Sequence[Mapping[str, str]] = tomllib.loads(text)["aspect"]
    return found
