"""The Sources tab: what is indexed, each article to read, and what may be added and taken out."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from html import escape
from typing import Any, Protocol

import gradio as gr

from assistant.documents.adding import printable
from assistant.documents.extracted import MOST_BYTES
from assistant.errors import AssistantError
from assistant.jobs import Job, State
from assistant.page.reader import FIND_MARK, article_page, byline
from assistant.page.rights import Rights
from assistant.page.sources_routes import Changing
from assistant.page.widgets import (
    HIDDEN,
    LABELS,
    QUICK,
    fault_html,
    forward,
    intro,
    job_html,
    nothing_html,
    panel,
    place,
)
from assistant.page.words import Words, words_of
from assistant.types import Document

OPEN = """
element.addEventListener('click', e => {
  const button = e.target.closest('button[data-index]');
  if (button) trigger('open', {index: Number(button.dataset.index)});
});
"""


class Sources(Changing, Protocol):
    """What the tab needs of the assistant in use."""

    @property
    def documents(self) -> Mapping[str, Document]: ...

    @property
    def job(self) -> Job: ...

    def passage_count(self, doc_id: str) -> int: ...

    def indexed(self) -> datetime | None: ...

    def reindex(self) -> None: ...


def sources_tab(tab: gr.Tab, sources: Sources, rights: Rights) -> None:
    """Lay out the tab and wire it; what changes the sources goes by `sources_routes`."""
    with gr.Row(elem_classes="split"):
        with gr.Column(elem_classes="sheet"):
            intro("sources")
            _adder(tab, rights)
            listing = panel(
                "", "${value}", js_on_load=OPEN + forward("sources"), elem_id="source-list"
            )
            with gr.Row(elem_classes="controls"):
                again = gr.Button(LABELS("sources.again"), elem_id="reindex", elem_classes="action")
            state = panel("", "${value}", elem_classes="progress")
        with gr.Column(elem_classes="sheet reader"):
            reader = panel(nothing_html(LABELS("sources.unread")), "${value}", js_on_load=FIND_MARK)
    shown = [listing, state, again]

    def listed(request: gr.Request) -> str:
        return listing_html(words_of(request), sources, _may_change(rights, request))

    def read(chosen: gr.EventData, request: gr.Request) -> str:
        say = words_of(request)
        found = list(sources.documents.values())
        index = place(chosen, "index")
        if not 0 <= index < len(found):
            return nothing_html(say.html("sources.unread"))
        return article_page(say, found[index])

    async def follow(request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        say = words_of(request)
        yield listed(request), *_progress(say, sources.job.state)
        if sources.job.state.running:
            async for step in sources.job.watch():
                yield gr.skip(), *_progress(say, step)
            yield listed(request), gr.skip(), gr.skip()

    async def begin(request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        try:
            sources.reindex()
        except AssistantError as fault:
            yield gr.skip(), fault_html(words_of(request), str(fault)), gr.skip()
            return
        async for step in follow(request):
            yield step

    tab.select(follow, None, shown, concurrency_limit=None, **HIDDEN)
    listing.sources(listed, None, [listing], **QUICK)
    again.click(begin, None, shown, concurrency_limit=None, **HIDDEN)
    listing.open(read, None, [reader], **QUICK)


def _adder(tab: gr.Tab, rights: Rights) -> None:
    """Where sources are added, for whoever may."""
    adder = panel("", "${value}", elem_id="source-adder")

    def offer(request: gr.Request) -> str:
        return adder_html(words_of(request)) if _may_change(rights, request) else ""

    tab.select(offer, None, [adder], **QUICK)


def _may_change(rights: Rights, request: gr.Request) -> bool:
    return rights.may_change(getattr(request, "username", None), request.headers)


def adder_html(say: Words) -> str:
    """Where files are dropped and addresses pasted, and what became of each."""
    most = MOST_BYTES // 1_000_000
    return (
        f'<section class="adder" aria-label="{say.html("sources.add")}">'
        f'<div id="source-drop" data-most="{MOST_BYTES}"><label for="source-files">'
        f"{say.html('sources.drop')}</label>"
        '<input type="file" id="source-files" multiple aria-describedby="source-hint">'
        f'<p id="source-hint">{say.html("sources.hint", most=most)}</p></div>'
        f'<p class="address"><label for="source-address">{say.html("sources.address")}</label>'
        '<input type="url" id="source-address" placeholder="https://" dir="ltr">'
        f'<button type="button" class="plain" data-source="address">{say.html("sources.fetch")}'
        '</button></p><ul id="source-news" role="status"></ul></section>'
    )


def listing_html(say: Words, sources: Sources, may_change: bool = False) -> str:
    items = "".join(
        _item(say, index, document, sources.passage_count(document.doc_id), may_change)
        for index, document in enumerate(sources.documents.values())
    )
    when = sources.indexed()
    line = say.html("sources.no_index")
    if when:
        line = say.html("sources.indexed", when=f"{when:%Y-%m-%d %H:%M}")
    return f'<ul class="cards">{items}</ul><p class="about">{line}</p>'


def _item(say: Words, index: int, document: Document, passages: int, may_change: bool) -> str:
    count = escape(say.count("count.passages", passages))
    acts = _acts(say, index, document) if may_change and document.added else ""
    return (
        f'<li><p class="source">{byline(say, document)}<span>{count}</span></p>'
        f'<h3 dir="auto">{escape(document.title)}</h3>'
        f'<p class="url">{escape(_origin(say, document))}</p>'
        f'<button type="button" class="plain" data-index="{index}" '
        f'aria-label="{say.html("sources.read_it", title=document.title)}">'
        f"{say.html('sources.read')}</button>{acts}</li>"
    )


def _origin(say: Words, document: Document) -> str:
    """Where a source came from and when: an address, or the name of a file, without its folders."""
    if not document.added:
        return document.url or say("sources.no_address")
    file = re.split(r"[/\\]", document.origin)[-1]
    when = say.date(document.added[:10])
    return say("sources.from", origin=document.url or printable(file), when=when)


def _acts(say: Words, index: int, document: Document) -> str:
    """What may be done with a source that was added: set what it is called, take it out."""
    doc_id, title = escape(document.doc_id), document.title
    fields = "".join(
        f"<label>{say.html(f'sources.{name}_field')}"
        f'<input name="{name}" value="{escape(value)}" maxlength="300" dir="auto"></label>'
        for name, value in (
            ("title", title),
            ("publisher", document.publisher),
            ("published", document.published),
        )
    )
    return (
        f'<button type="button" class="plain" data-source="fold" data-id="edit-{index}" '
        f'aria-expanded="false" aria-controls="edit-{index}" '
        f'aria-label="{say.html("sources.edit_it", title=title)}">{say.html("sources.edit")}'
        f'</button><button type="button" class="plain" data-source="remove" data-id="{doc_id}" '
        f'data-name="{escape(title)}" aria-label="{say.html("sources.remove_it", title=title)}">'
        f'{say.html("sources.remove")}</button><div class="edit" id="edit-{index}" hidden>{fields}'
        f'<button type="button" class="plain" data-source="edit" data-id="{doc_id}" '
        f'data-name="{escape(title)}">{say.html("past.save")}</button></div>'
    )


def _progress(say: Words, state: State) -> tuple[Any, ...]:
    return job_html(say, state), gr.update(interactive=not state.running)
