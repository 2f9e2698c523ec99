"""Greetings, thanks, and what the assistant can do and draws on."""

from __future__ import annotations

from assistant.answers.metadata import date_told
from assistant.answers.request import Request
from assistant.types import Outcome


def greet(request: Request) -> Outcome:
    """A greeting or a word of thanks is returned."""
    request.composer.frame(request.kind)
    return "about_the_assistant"


def introduce(request: Request) -> Outcome:
    """What the assistant does, and the sources it does that with."""
    request.composer.frame("about")
    return name_sources(request)


def name_sources(request: Request) -> Outcome:
    """The sources that may answer, each citing its card."""
    request.composer.frame("sources")
    for doc_id, document in request.documents.items():
        date = date_told(document, request.composer.language)
        told = ", ".join(part for part in (document.title, document.publisher, date) if part)
        request.composer.tell(told, cards=[doc_id], shape="- {}")
    return "about_the_assistant"
