"""No advice: what the sources say that bears on what somebody is to decide."""

from __future__ import annotations

from assistant.answers.request import Request
from assistant.types import Outcome

BEARS, MOST = 0.3, 3
"""What the reader must give a sentence for it to be shown, and how many are."""


def make(request: Request) -> Outcome:
    """That no advice is given, then the sentences nearest to the matter."""
    relevance = request.bearing()
    best = sorted(relevance, key=lambda sentence: -relevance[sentence])[:MOST]
    bearing = [sentence for sentence in best if relevance[sentence] >= BEARS]
    request.composer.frame("no_advice", "bears" if bearing else "nothing_bears")
    for sentence in bearing:
        request.composer.tell(sentence.shown, [sentence], shape="- “{}”")
    return "not_in_sources"
