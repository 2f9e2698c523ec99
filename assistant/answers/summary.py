"""A summary: the sentences of a source that stand for most of it, in its own words and order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assistant.answers.numbers import number_in
from assistant.answers.request import Request
from assistant.passages import Sentence
from assistant.types import Outcome

USUAL, MOST = 3, 10
"""Bullets where no number is asked for, and at most."""
LEAD, APART = 0.15, 0.5
"""What the first sentence has ahead of others, and how much likeness to one chosen weighs."""


def make(request: Request) -> Outcome:
    """So many bullets as are asked for, of the sources asked about in turn."""
    subjects = request.subjects()
    asked = min(number_in(request.text), MOST)
    for number, doc_id in enumerate(subjects):
        # So many in all, the first sources having one more where they don't divide.
        count = max((asked + len(subjects) - 1 - number) // len(subjects), 1) if asked else USUAL
        if len(subjects) > 1:
            document = request.documents[doc_id]
            told = ", ".join(part for part in (document.publisher, document.title) if part)
            request.composer.tell(told, cards=[doc_id])
        for group in _central(request, _groups(request.sentences[doc_id]), count):
            request.composer.tell(_shown(group), group, shape="- {}")
    return "answered"


def _groups(found: Sequence[Sentence]) -> list[list[Sentence]]:
    """Sentences one by one; a list with what introduces it, as one."""
    groups: list[list[Sentence]] = []
    for sentence in found:
        if sentence.item and groups and groups[-1][-1].block == sentence.block:
            groups[-1].append(sentence)
        else:
            groups.append([sentence])
    return groups


def _shown(group: Sequence[Sentence]) -> str:
    first, *items = group
    if not items:
        return f"“{first.shown}”"
    return f"{first.shown} {'; '.join(item.label for item in items)}"


def _central(
    request: Request, groups: Sequence[list[Sentence]], count: int
) -> list[list[Sentence]]:
    """The groups most like all others and least like each other, in order (MMR)."""
    likeness = request.likeness([_shown(group) for group in groups])
    worth = likeness.mean(axis=1)
    worth[0] += LEAD
    chosen: list[int] = []
    while len(chosen) < min(count, len(groups)):
        near = likeness[:, chosen].max(axis=1) if chosen else np.zeros(len(groups))
        left = worth - APART * near
        left[chosen] = -np.inf
        chosen.append(int(left.argmax()))
    return [groups[number] for number in sorted(chosen)]
