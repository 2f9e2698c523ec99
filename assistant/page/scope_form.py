"""The choice of sources as HTML: the line above the composer, and the form that it unfolds."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from assistant.page.scope import Chosen, Scope
from assistant.page.words import Words
from assistant.types import Document


def scope_line_html(say: Words, chosen: Chosen, documents: Mapping[str, Document]) -> str:
    """How many sources may answer, and why others may not."""
    total = len(documents)
    line = say.html("scope.all", n=total)
    if not chosen.all:
        articles = say.count("count.articles", total)
        line = say.html("scope.some", n=len(chosen.doc_ids), articles=articles)
    problem = chosen.fault or ("" if chosen.doc_ids else say("scope.empty"))
    told = f'<p class="fault" role="alert">{escape(problem)}</p>' if problem else ""
    left = "".join(f"<li>{escape(one)}</li>" for one in chosen.left)
    listed = (
        f'<ul class="left" aria-label="{say.html("scope.left_out")}">{left}</ul>' if left else ""
    )
    return (
        '<button type="button" class="quiet" id="scope-toggle" aria-controls="scope-form" '
        f'data-scope="toggle">{line}</button>{told}{listed}'
    )


def scope_form_html(say: Words, scope: Scope, documents: Mapping[str, Document]) -> str:
    """The form as a browser remembered it."""
    boxes = "".join(_box(say, document, scope) for document in documents.values())
    names = sorted({document.publisher for document in documents.values()})
    choices = "".join(
        f'<option value="{escape(name)}"{" selected" if name == scope.publisher else ""}>'
        f"{escape(name)}</option>"
        for name in names
    )
    bounds = "".join(
        f"<label>{say.html(f'scope.{name}')}"
        f'<input data-scope="{key}" value="{escape(value)}" maxlength="10" '
        'placeholder="2021-09" aria-describedby="scope-hint" autocomplete="off"></label>'
        for name, key, value in (("from", "since", scope.since), ("to", "until", scope.until))
    )
    unsure = " checked" if scope.unsure else ""
    return (
        f'<div class="scope" role="group" aria-label="{say.html("scope.label")}">'
        f'<ul>{boxes}</ul><div class="row"><label>{say.html("scope.publisher")}'
        f'<select data-scope="publisher"><option value="">{say.html("scope.any")}</option>'
        f"{choices}</select></label>{bounds}</div>"
        f'<p id="scope-hint">{say.html("scope.hint")}</p>'
        f'<label class="tick"><input type="checkbox" data-scope="unsure"{unsure}>'
        f"<span>{say.html('scope.also_unsure')}</span></label></div>"
    )


def _box(say: Words, document: Document, scope: Scope) -> str:
    ticked = "" if document.doc_id in scope.left_out else " checked"
    about = f"{document.publisher} · {say.date(document.published)}"
    return (
        f'<li><label class="tick"><input type="checkbox" data-scope="source"{ticked} '
        f'value="{escape(document.doc_id)}"><span><span dir="auto">{escape(document.title)}</span>'
        f"<small>{escape(about)}</small></span></label></li>"
    )
