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
from assistant.page.widgets import HIDDEN, QUICK, job_html, panel
from assistant.page.words import count
from assistant.types import Document

OPEN = """
element.addEventListener('click', e => {
  const button = e.target.closest('button[data-index]');
  if (button) trigger('open', {index: Number(button.dataset.index)});
});
"""
UNREAD = '<div class="nothing"><p>Choose an article to read it here.</p></div>'


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
            panel("<h2>Sources</h2><p>The articles that answers are drawn from.</p>", "${value}")
            listing = panel(listing_html(sources), "${value}", js_on_load=OPEN)
            with gr.Row(elem_classes="controls"):
                again = gr.Button("Index again", elem_id="reindex", elem_classes="action")
            state = panel("", "${value}", elem_classes="progress")
        with gr.Column(elem_classes="sheet reader"):
            reader = panel(UNREAD, "${value}", js_on_load=FIND_MARK)
    shown = [listing, state, again]

    def read(chosen: gr.EventData) -> str:
        found = list(sources.documents.values())
        index = int(chosen.index)
        return article_page(found[index]) if 0 <= index < len(found) else UNREAD

    async def follow() -> AsyncIterator[tuple[Any, ...]]:
        yield listing_html(sources), *_progress(sources.job.state)
        if sources.job.state.running:
            async for step in sources.job.watch():
                yield gr.skip(), *_progress(step)
            yield listing_html(sources), gr.skip(), gr.skip()

    async def begin() -> AsyncIterator[tuple[Any, ...]]:
        try:
            sources.reindex()
        except AssistantError as fault:
            yield gr.skip(), job_html(State(line=str(fault), failed=True)), gr.skip()
            return
        async for step in follow():
            yield step

    tab.select(follow, None, shown, concurrency_limit=None, **HIDDEN)
    again.click(begin, None, shown, concurrency_limit=None, **HIDDEN)
    listing.open(read, None, [reader], **QUICK)


def listing_html(sources: Sources) -> str:
    items = "".join(
        _item(index, document, sources.passage_count(document.doc_id))
        for index, document in enumerate(sources.documents.values())
    )
    when = sources.indexed()
    line = f"Indexed {when:%Y-%m-%d %H:%M} UTC." if when else "There is no index; build it anew."
    return f'<ul class="cards">{items}</ul><p class="about">{line}</p>'


def _item(index: int, document: Document, passages: int) -> str:
    url = escape(document.url) if document.url else "address not given"
    return (
        f'<li><p class="source">{byline(document)}<span>{count(passages, "passage")}</span></p>'
        f'<h3 dir="auto">{escape(document.title)}</h3><p class="url">{url}</p>'
        f'<button type="button" class="plain" data-index="{index}" '
        f'aria-label="Read {escape(document.title)}">Read the article</button></li>'
    )


def _progress(state: State) -> tuple[Any, ...]:
    return job_html(state), gr.update(interactive=not state.running)
