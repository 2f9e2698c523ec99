"""Every date in the sources with what is said of it, in order."""

from __future__ import annotations

from assistant.answers.request import Request
from assistant.timeline import by_date, events
from assistant.types import Outcome

FEWEST = 2


def make(request: Request) -> Outcome | None:
    """All dates, oldest first and those without a year last; none of it where hardly any stands."""
    asked = [request.documents[doc_id] for doc_id in request.subjects()]
    found = by_date([event for document in asked for event in events(document)])
    if len(found) < FEWEST:
        return None
    request.composer.frame("dates")
    for event in found:
        document = request.documents[event.doc_id]
        said = document.text[event.date_start : event.date_end]
        sentence = next(s for s in request.sentences[event.doc_id] if s.start == event.start)
        request.composer.tell(f"{said}: “{sentence.shown}”", [sentence], shape="- {}")
    return "answered"
