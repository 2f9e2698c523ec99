"""The Sources tab: what is indexed, each article to read, and the index built anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from html import escape
from typing import Any, Protocol

import gradio as gr

from assistant.errors import AssistantError
from assistant.jobs import Job, State
from assistant.page.reader import FIND_MARK, article_page, byline
from assistant.page.widgets import (
    HIDDEN,
    LABELS,
    QUICK,
    fault_html,
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


class Sources(Protocol):
    """What the tab needs of the assistant in use."""

    @property
    def documents(self) -> Mapping[str, Document]: ...

    @property
    def job(self) -> Job: ...

    def passage_count(self, doc_id: str) -> int: ...

    def indexed(self) -> datetime | None: ...

    def reindex(self) -> None: ...


def sources_tab(tab: gr.Tab, sources: Sources) -> None:
    """Lay out the tab and wire it."""
    with gr.Row(elem_classes="split"):
        with gr.Column(elem_classes="sheet"):
            intro("sources")
            listing = panel("", "${value}", js_on_load=OPEN)
            with gr.Row(elem_classes="controls"):
                again = gr.Button(LABELS("sources.again"), elem_id="reindex", elem_classes="action")
            state = panel("", "${value}", elem_classes="progress")
        with gr.Column(elem_classes="sheet reader"):
            reader = panel(nothing_html(LABELS("sources.unread")), "${value}", js_on_load=FIND_MARK)
    shown = [listing, state, again]

    def read(chosen: gr.EventData, request: gr.Request) -> str:
        say = words_of(request)
        found = list(sources.documents.values())
        index = place(chosen, "index")
        if not 0 <= index < len(found):
            return nothing_html(say.html("sources.unread"))
        return article_page(say, found[index])

    async def follow(request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        say = words_of(request)
        yield listing_html(say, sources), *_progress(say, sources.job.state)
        if sources.job.state.running:
            async for step in sources.job.watch():
                yield gr.skip(), *_progress(say, step)
            yield listing_html(say, sources), gr.skip(), gr.skip()

    async def begin(request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        try:
            sources.reindex()
        except AssistantError as fault:
            yield gr.skip(), fault_html(words_of(request), str(fault)), gr.skip()
            return
        async for step in follow(request):
            yield step

    tab.select(follow, None, shown, concurrency_limit=None, **HIDDEN)
    again.click(begin, None, shown, concurrency_limit=None, **HIDDEN)
    listing.open(read, None, [reader], **QUICK)


def listing_html(say: Words, sources: Sources) -> str:
    items = "".join(
        _item(say, index, document, sources.passage_count(document.doc_id))
        for index, document in enumerate(sources.documents.values())
    )
    when = sources.indexed()
    line = say.html("sources.no_index")
    if when:
        line = say.html("sources.indexed", when=f"{when:%Y-%m-%d %H:%M}")
    return f'<ul class="cards">{items}</ul><p class="about">{line}</p>'


def _item(say: Words, index: int, document: Document, passages: int) -> str:
    url = escape(document.url or say("sources.no_address"))
    count = escape(say.count("count.passages", passages))
    return (
        f'<li><p class="source">{byline(say, document)}<span>{count}</span></p>'
        f'<h3 dir="auto">{escape(document.title)}</h3><p class="url">{url}</p>'
        f'<button type="button" class="plain" data-index="{index}" '
        f'aria-label="{say.html("sources.read_it", title=document.title)}">'
        f"{say.html('sources.read')}</button></li>"
    )


def _progress(say: Words, state: State) -> tuple[Any, ...]:
    return job_html(say, state), gr.update(interactive=not state.running)
