"""The choice of sources as HTML: the line above the composer, and the form that it unfolds."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from assistant.page.scope import Chosen, Scope
from assistant.page.words import count, date_in_words
from assistant.types import Document

EMPTY = "No article is left to answer from: tick one, or widen the publisher and the dates."


def scope_line_html(chosen: Chosen, documents: Mapping[str, Document]) -> str:
    """How many sources may answer, and why others may not."""
    total = len(documents)
    line = f"Answers from {len(chosen.doc_ids)} of {count(total, 'article')}"
    if chosen.all:
        line = f"Answers from {'both articles' if total == 2 else f'all {total} articles'}"
    problem = chosen.fault or ("" if chosen.doc_ids else EMPTY)
    told = f'<p class="fault" role="alert">{escape(problem)}</p>' if problem else ""
    left = "".join(f"<li>{escape(one)}</li>" for one in chosen.left)
    listed = f'<ul class="left" aria-label="Left out">{left}</ul>' if left else ""
    return (
        '<button type="button" class="quiet" id="scope-toggle" aria-controls="scope-form" '
        f'data-scope="toggle">{line}</button>{told}{listed}'
    )


def scope_form_html(scope: Scope, documents: Mapping[str, Document]) -> str:
    """The form as a browser remembered it."""
    boxes = "".join(_box(document, scope) for document in documents.values())
    names = sorted({document.publisher for document in documents.values()})
    choices = "".join(
        f'<option value="{escape(name)}"{" selected" if name == scope.publisher else ""}>'
        f"{escape(name)}</option>"
        for name in names
    )
    bounds = "".join(
        f'<label>{name}<input data-scope="{key}" value="{escape(value)}" maxlength="10" '
        'placeholder="2021-09" aria-describedby="scope-hint" autocomplete="off"></label>'
        for name, key, value in (("From", "since", scope.since), ("To", "until", scope.until))
    )
    unsure = " checked" if scope.unsure else ""
    return (
        '<div class="scope" role="group" aria-label="Articles that may answer">'
        f'<ul>{boxes}</ul><div class="row"><label>Publisher<select data-scope="publisher">'
        f'<option value="">Any</option>{choices}</select></label>{bounds}</div>'
        '<p id="scope-hint">Dates as 2021, 2021-09 or 2021-09-15. An article whose date is not '
        "fully known lies between two dates only when every day it may stand for does; without a "
        "year, that is never certain.</p>"
        f'<label class="tick"><input type="checkbox" data-scope="unsure"{unsure}>'
        "<span>Also articles of which that is uncertain</span></label></div>"
    )


def _box(document: Document, scope: Scope) -> str:
    ticked = "" if document.doc_id in scope.left_out else " checked"
    about = f"{document.publisher} · {date_in_words(document.published)}"
    return (
        f'<li><label class="tick"><input type="checkbox" data-scope="source"{ticked} '
        f'value="{escape(document.doc_id)}"><span><span dir="auto">{escape(document.title)}</span>'
        f"<small>{escape(about)}</small></span></label></li>"
    )
