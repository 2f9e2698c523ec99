"""Who wrote and published the sources, when, and in which order: from their own data."""

from __future__ import annotations

from itertools import pairwise

from assistant.answers.request import Request
from assistant.compose import wording
from assistant.dates import parts_of
from assistant.types import Document, Outcome


def author(request: Request) -> Outcome:
    """The author of each source asked about, or that it gives none."""
    return _each(request, "author")


def published(request: Request) -> Outcome:
    """The date of each source asked about, as far as it is known."""
    return _each(request, "published")


def order(request: Request) -> Outcome:
    """The sources by date of publication; those without a year apart, since nothing places them."""
    documents = list(request.documents.values())
    dated = sorted((d for d in documents if parts_of(d.published)[0]), key=lambda d: d.published)
    undated = [d for d in documents if d not in dated]
    clear = len(dated) > 1 and not _tied(dated)
    request.composer.frame("oldest_first" if clear else "order_unknown")
    for number, document in enumerate(dated, 1):
        shape = f"{number}. {{}}" if clear else "- {}"
        _tell(request, document, document.published, shape, worked_out=clear)
    for document in undated:
        language = request.composer.language
        value = date_told(document, language) or wording(language, "published_not_given")
        _tell(request, document, value, "- {}")
    return "answered" if clear and not undated else "partial"


def _tied(dated: list[Document]) -> bool:
    """Whether two dates may be the same, one being known to the year or month only."""
    return any(
        one.published.startswith(two.published) or two.published.startswith(one.published)
        for one, two in pairwise(dated)
    )


def _each(request: Request, field: str) -> Outcome:
    """A line for each source; where several have nothing to tell, those that do come first."""
    asked = [request.documents[doc_id] for doc_id in request.subjects()]
    known = [document for document in asked if getattr(document, field)]
    for document in [*known, *(d for d in asked if d not in known)]:
        value = getattr(document, field)
        if field == "published":
            value = date_told(document, request.composer.language)
        value = value or wording(request.composer.language, f"{field}_not_given")
        _tell(request, document, value, "{}" if len(asked) == 1 else "- {}")
    return "answered" if len(known) == len(asked) else "partial" if known else "not_in_sources"


def date_told(document: Document, language: str) -> str:
    """`2021-09-15`, or `03-18, year not given`; empty where nothing is known."""
    known = document.published.removeprefix("--")
    if not known or parts_of(document.published)[0]:
        return known
    return f"{known}, {wording(language, 'year_not_given')}"


def _tell(
    request: Request, document: Document, value: str, shape: str, worked_out: bool = False
) -> None:
    text = f"{document.publisher}: {value}"
    request.composer.tell(text, cards=[document.doc_id], shape=shape, worked_out=worked_out)
