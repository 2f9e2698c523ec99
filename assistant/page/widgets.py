"""What the tabs share: the assistant they need, HTML panels, and options of event handlers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Protocol

import gradio as gr

from assistant.jobs import State
from assistant.types import Answer, Document, Message

HIDDEN: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
QUICK: dict[str, Any] = {"queue": False, **HIDDEN}
"""For handlers that only redraw: they never wait behind a question."""


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


def panel(value: str, template: str, **more: Any) -> gr.HTML:
    """An HTML panel; the template's own element stays in place when the value changes."""
    more.setdefault("js_on_load", None)
    return gr.HTML(value, html_template=template, apply_default_css=False, **more)


def forward(*events: str) -> str:
    """Hand browser events from script.js on to Python."""
    return "".join(
        f"element.addEventListener('ots:{event}', e => trigger('{event}', e.detail));"
        for event in events
    )


def fault_html(line: str) -> str:
    return f'<p class="fault" role="alert">{escape(line)}</p>'


def job_html(state: State) -> str:
    """How far work in the background is: a line, and a bar while it goes on."""
    if state.failed:
        return fault_html(state.line)
    bar = ""
    if state.running and state.total:
        bar = (
            f'<progress value="{state.done}" max="{state.total}" aria-label="Progress"></progress>'
        )
    return f'<p role="status">{escape(state.line)}</p>{bar}' if state.line else ""
