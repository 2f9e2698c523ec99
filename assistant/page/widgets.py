"""What the tabs share: the assistant they need, HTML panels, and options of event handlers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Protocol

import gradio as gr

from assistant.jobs import State
from assistant.page.choice import Choice, Offer
from assistant.page.words import WORDS, Words
from assistant.types import Answer, Document, Message

HIDDEN: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
QUICK: dict[str, Any] = {"queue": False, **HIDDEN}
"""For handlers that only redraw: they never wait behind a question."""
LABELS = gr.I18n(**{code: dict(words.texts) for code, words in WORDS.items()})  # type: ignore[arg-type]
"""The same texts for Gradio's own parts, which the browser puts in."""


class Answering(Protocol):
    """What the page needs of an `Assistant`."""

    @property
    def documents(self) -> Mapping[str, Document]: ...

    def warm(self) -> None: ...

    def stream(
        self,
        question: str,
        history: Sequence[Message] = (),
        doc_ids: Collection[str] | None = None,
    ) -> Iterator[Answer]: ...

    def quoting(self) -> Answering: ...

    @property
    def offer(self) -> Offer: ...

    def choosing(self, choice: Choice) -> Answering:
        """The same answering as a person chose, from what is on offer."""
        ...


def panel(value: str, template: str, **more: Any) -> gr.HTML:
    """An HTML panel; the template's own element stays in place when the value changes."""
    more.setdefault("js_on_load", None)
    return gr.HTML(value, html_template=template, apply_default_css=False, **more)


def intro(section: str) -> gr.HTML:
    """The heading of a tab and a line about it."""
    template = "<h2>${label}</h2><p>${value}</p>"
    return panel(str(LABELS(f"{section}.about")), template, label=LABELS(f"{section}.title"))


def place(event: gr.EventData, name: str) -> int:
    """The place in a list that a browser names in an event; -1 for what is none."""
    given = str(getattr(event, name, ""))
    return int(given) if re.fullmatch("[0-9]{1,9}", given) else -1


def nothing_html(line: object) -> str:
    return f'<div class="nothing"><p>{line}</p></div>'


def forward(*events: str) -> str:
    """Hand browser events from script.js on to Python."""
    return "".join(
        f"element.addEventListener('ots:{event}', e => trigger('{event}', e.detail));"
        for event in events
    )


def fault_html(say: Words, line: str) -> str:
    return f'<p class="fault" role="alert">{say.told(line)}</p>'


def job_html(say: Words, state: State) -> str:
    """How far work in the background is: a line, and a bar while it goes on."""
    if state.failed:
        return fault_html(say, state.line)
    bar, line = "", say.line(state.line)
    if state.running and state.total:
        if state.line not in say.texts:
            line = say("job.so_far", done=state.done, total=state.total)
        bar = (
            f'<progress value="{state.done}" max="{state.total}" '
            f'aria-label="{say.html("job.progress")}"></progress>'
        )
    return f'<p role="status">{escape(line)}</p>{bar}' if line else ""
