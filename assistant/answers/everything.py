"""Everything the sources say of a subject, by source."""

from __future__ import annotations

from assistant.answers.request import Request
from assistant.types import Outcome

LEAST, SHARE = 0.2, 0.25
"""What the reader must give a sentence, in itself and beside what the best one has."""


def make(request: Request) -> Outcome | None:
    """Every sentence on the subject under the source it stands in, in the order of the texts."""
    relevance = request.bearing()
    enough = max(LEAST, SHARE * max(relevance.values(), default=0.0))
    chosen = {sentence for sentence, share in relevance.items() if share >= enough}
    if not chosen:
        return None
    for doc_id, document in request.documents.items():
        found = [sentence for sentence in request.sentences[doc_id] if sentence in chosen]
        if found:
            told = ", ".join(part for part in (document.publisher, document.title) if part)
            request.composer.tell(told, cards=[doc_id])
        for sentence in found:
            request.composer.tell(sentence.shown, [sentence], shape="- “{}”")
    return "answered"
