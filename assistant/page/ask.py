"""The Ask tab: questions on the left, their evidence on the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant.page.desk import Desk, Keeper
from assistant.page.followups import Suggestions, candidates
from assistant.page.here import ARRIVE, SAVE, WITH_HERE
from assistant.page.keeping import Keeping
from assistant.page.store import Store
from assistant.page.talk import Page, View
from assistant.page.widgets import HIDDEN, LABELS, QUICK, Answering, forward, panel

AT_ONCE = 4
"""Questions answered at the same time; later ones wait in the queue, which shows their place."""


def ask_tab(assistant: Answering, blocks: gr.Blocks, store: Store | None = None) -> None:
    """Lay out the tab and wire it to an assistant; without a store nothing outlives the page."""
    suggestions = Suggestions(assistant, candidates())
    suggestions.start()
    page = Page(assistant, Keeper(store), suggestions)
    wire(page, lay_out(), blocks)


@dataclass(frozen=True)
class Parts:
    """The components that handlers read and write."""

    desk: gr.State
    here: gr.Textbox
    parcel: gr.JSON
    bar: gr.HTML
    talk: gr.HTML
    status: gr.HTML
    question: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    evidence: gr.HTML
    past: gr.HTML
    scope_line: gr.HTML
    scope_form: gr.HTML
    more: gr.HTML

    @property
    def shown(self) -> list[Any]:
        """The outputs of every handler, as `View` names them."""
        return [getattr(self, name) for name in View._fields]


def lay_out() -> Parts:
    """Empty panels: what stands in them comes with the first event, in the right language."""
    desk, here = gr.State(Desk()), gr.Textbox(visible=False)
    parcel = gr.JSON(visible=False)
    with gr.Row(elem_id="desk"):
        past = panel(
            "", "${value}", elem_id="past",
            js_on_load=forward("open", "new", "rename", "delete", "reopen"),
        )  # fmt: skip
        with gr.Column(elem_id="talk"):
            bar = panel("", "${value}", elem_id="bar", js_on_load=forward("new", "save"))
            talk = panel(
                "",
                '<div class="scroll" role="region" aria-label="${label}">${value}</div>',
                label=LABELS("ask.conversation"),
                elem_id="conversation",
                js_on_load=forward("evidence", "starter", "again", "verdict"),
            )
            more = panel("", "${value}", elem_id="more", js_on_load=forward("starter"))
            status = panel("", '<p role="status">${value}</p>', elem_id="status")
            scope_form = panel("", "${value}", elem_id="scope-form", js_on_load=forward("scope"))
            scope_line = panel("", "${value}", elem_id="scope-line")
            with gr.Row(elem_id="composer"):
                question = gr.Textbox(
                    label=LABELS("ask.question"),
                    show_label=False,
                    placeholder=LABELS("ask.placeholder"),
                    max_lines=6,
                    container=False,
                    autofocus=True,
                    elem_id="question",
                )
                ask = gr.Button(LABELS("ask.ask"), variant="primary", elem_id="ask")
                stop = gr.Button(LABELS("ask.stop"), variant="stop", elem_id="stop", visible=False)
        with gr.Column(elem_id="evidence"):
            evidence = panel(
                "",
                '<div class="scroll" role="region" aria-label="${label}" tabindex="0">'
                "${value}</div>",
                label=LABELS("evidence.title"),
            )
    return Parts(
        desk, here, parcel, bar, talk, status, question, ask, stop, evidence, past,
        scope_line, scope_form, more,
    )  # fmt: skip


def wire(page: Page, parts: Parts, blocks: gr.Blocks) -> None:
    """A question is shown at once, then waits its turn in the queue to be answered."""
    desk, shown = [parts.desk], parts.shown
    submitted = [parts.question.submit, parts.ask.click]
    asked = [parts.question, parts.here, parts.desk]
    begun = [
        gr.on(submitted, page.begin, asked, shown, js=WITH_HERE, **QUICK),
        parts.talk.starter(page.begin_starter, desk, shown, **QUICK),
        parts.more.starter(page.begin_starter, desk, shown, **QUICK),
        parts.talk.again(page.again, desk, shown, **QUICK),
    ]
    answers = [
        start.then(
            page.answer,
            desk,
            shown,
            concurrency_limit=AT_ONCE,
            concurrency_id="answer",
            # Gradio would drop a question asked while the one before is still being stopped.
            trigger_mode="multiple",
            show_progress="minimal",
            show_progress_on=parts.status,
            api_visibility="private",
        )
        for start in begun
    ]
    for answer in answers:
        answer.failure(page.refused, desk, shown, **QUICK)
        answer.then(page.more, desk, [parts.more], **QUICK)
    # An answer that was stopped or left ends by itself. Gradio takes a while to cancel one,
    # and what is asked meanwhile would be lost with it.
    parts.stop.click(page.stop, desk, shown, **QUICK)
    parts.talk.evidence(page.show_evidence, desk, [parts.evidence], **QUICK)
    arrived = blocks.load(page.enter, [parts.here, parts.desk], shown, js=ARRIVE, **QUICK)
    arrived.then(page.welcome, desk, [parts.talk], concurrency_limit=None, **HIDDEN)
    wire_keeping(page, parts)


def wire_keeping(page: Page, parts: Parts) -> None:
    """What is done with whole conversations. Leaving one ends the answer that it waits for."""
    keeping, desk, shown = Keeping(page), [parts.desk], parts.shown
    parts.talk.verdict(keeping.judge, desk, shown, **QUICK)
    parts.past.rename(keeping.rename, desk, shown, **QUICK)
    parts.past.open(keeping.open, desk, shown, **QUICK)
    parts.past.reopen(keeping.reopen, desk, shown, **QUICK)
    parts.past.delete(keeping.delete, desk, shown, **QUICK)
    for place in (parts.bar, parts.past):
        place.new(keeping.new, desk, shown, **QUICK)
    # Two ticks in a row: Gradio drops what is pressed meanwhile, and the last one counts.
    last = {"trigger_mode": "always_last", **QUICK}
    parts.scope_form.scope(keeping.narrow, desk, shown, **last)
    saved = parts.bar.save(keeping.save, desk, [parts.parcel], **QUICK)
    saved.then(None, [parts.parcel], None, js=SAVE, **QUICK)
