"""The browser page: `python app.py`.

Questions on the left, their evidence on the right. This file wires the page to an `Assistant`;
what is shown is rendered in `assistant/page`, what is said is worked out in `assistant/chat.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
import threading
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from assistant.errors import AssistantError, QuestionError
from assistant.page import render
from assistant.page.conversation import Turn, messages
from assistant.page.guard import Guard
from assistant.page.server import has_display, listen, serve
from assistant.settings import Settings, stay_offline
from assistant.types import Answer, Document, Message

stay_offline()  # Gradio reads the environment when it is imported.

import gradio as gr  # noqa: E402
from fastapi import FastAPI  # noqa: E402

log = logging.getLogger("ots_assistant.page")

PAGE = Path(render.__file__).parent
TITLE = "OTS Digital Agreements"
AT_ONCE = 4
"""Questions answered at the same time; later ones wait in the queue, which shows their place."""
SHOWN = 7
"""How many outputs every step of an answer has: `Parts.shown`."""
STARTERS = (
    "Where was the Digital Economy Partnership Agreement signed?",
    "Which countries are parties to the agreement?",
    "What does the agreement say about electronic signatures?",
    "What did Azerbaijan and Turkey sign in September 2021?",
)
BUSY = "Too many questions are waiting just now. Ask again in a minute."
SURPRISE = "Something unexpected went wrong; the terminal has the details. You can ask again."


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


class Readiness:
    """Loads the models in the background and says in one line how far that is."""

    def __init__(self, assistant: Answering) -> None:
        self._assistant = assistant
        self.done = False
        self.line = "Loading the models; the first answer takes a little longer."

    def start(self) -> None:
        threading.Thread(target=self._warm, name="warm", daemon=True).start()

    def _warm(self) -> None:
        try:
            self._assistant.warm()
            self.line = ""
        except AssistantError as fault:
            self.line = str(fault)
        except Exception:
            log.exception("The models could not be loaded")
            self.line = "The models could not be loaded; the terminal has the details."
        self.done = True


class Page:
    """The handlers behind the page; each returns what its outputs show next."""

    def __init__(self, assistant: Answering, readiness: Readiness) -> None:
        self._assistant = assistant
        self._readiness = readiness

    def view(self, turns: Sequence[Turn]) -> tuple[list[Turn], str, str, str]:
        """State, conversation, status line and evidence of the last turn."""
        last = turns[-1] if turns else None
        talk = render.conversation_html(turns) if turns else render.welcome_html(STARTERS)
        evidence = render.evidence_html(len(turns), last, self._assistant.documents)
        return list(turns), talk, render.status_line(turns), evidence

    def begin(self, question: str, turns: list[Turn]) -> tuple[Any, ...]:
        """Show the question at once; while an answer is being written, it waits in the box."""
        if turns and turns[-1].growing:
            return (gr.skip(),) * SHOWN
        return "", *self.view([*turns, Turn(question.strip())]), *buttons(asking=True)

    def begin_starter(self, turns: list[Turn], chosen: gr.EventData) -> tuple[Any, ...]:
        return self.begin(STARTERS[int(chosen.index) % len(STARTERS)], turns)

    def answer(self, turns: list[Turn]) -> Iterator[tuple[Any, ...]]:
        """Stream the answer to the last question."""
        if not turns or not turns[-1].growing or turns[-1].started:
            yield (gr.skip(),) * SHOWN
            return
        earlier, turn = turns[:-1], replace(turns[-1], started=True)
        yield gr.skip(), *self.view([*earlier, turn]), *buttons(asking=True)
        try:
            growth = self._assistant.stream(turn.question, messages(earlier))
            with contextlib.closing(growth) as snapshots:  # type: ignore[type-var]
                for snapshot in snapshots:
                    turn = replace(turn, answer=snapshot)
                    yield gr.skip(), *self.view([*earlier, turn]), *buttons(asking=turn.growing)
        except QuestionError as fault:
            # The question never was one: it goes back into the box, to be changed.
            _, talk, _, evidence = self.view(earlier)
            yield turn.question, earlier, talk, str(fault), evidence, *buttons(asking=False)
            return
        except AssistantError as fault:
            turn = replace(turn, fault=str(fault))
        except Exception:
            log.exception("No answer to %r", turn.question[:200])
            turn = replace(turn, fault=SURPRISE)
        if turn.growing:
            turn = replace(turn, fault="The answer broke off. You can ask again.")
        yield gr.skip(), *self.view([*earlier, turn]), *buttons(asking=False)

    def broke_off(self, turns: list[Turn]) -> tuple[Any, ...]:
        """What Gradio itself refused, such as a question for which the queue has no room."""
        if turns and turns[-1].growing:
            turns = [*turns[:-1], replace(turns[-1], fault=BUSY)]
        return gr.skip(), *self.view(turns), *buttons(asking=False)

    def stop(self, turns: list[Turn]) -> tuple[Any, ...]:
        if turns and turns[-1].growing:
            turns = [*turns[:-1], replace(turns[-1], stopped=True)]
        return gr.skip(), *self.view(turns), *buttons(asking=False)

    def show_evidence(self, turns: list[Turn], chosen: gr.EventData) -> str:
        """The evidence of an earlier turn, whose marker was clicked."""
        number = int(chosen.turn)
        turn = turns[number - 1] if 0 < number <= len(turns) else None
        return render.evidence_html(number, turn, self._assistant.documents)

    async def readiness(self) -> AsyncIterator[str]:
        while not self._readiness.done:
            yield self._readiness.line
            await asyncio.sleep(0.3)
        yield self._readiness.line


def buttons(asking: bool) -> tuple[Any, Any]:
    """Either Ask or Stop."""
    return gr.update(visible=not asking), gr.update(visible=asking)


def panel(value: str, template: str, **more: Any) -> gr.HTML:
    """An HTML panel; the template's own element stays in place when the value changes."""
    more.setdefault("js_on_load", None)
    return gr.HTML(value, html_template=template, apply_default_css=False, **more)


def forward(event: str) -> str:
    """Hand a browser event from script.js on to Python."""
    return f"element.addEventListener('ots:{event}', e => trigger('{event}', e.detail));"


@dataclass(frozen=True)
class Parts:
    """The components that handlers read and write."""

    turns: gr.State
    ready: gr.HTML
    talk: gr.HTML
    status: gr.HTML
    question: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    evidence: gr.HTML

    @property
    def shown(self) -> list[Any]:
        """The outputs of every step of an answer, in the order of `Page.view`."""
        view = [self.turns, self.talk, self.status, self.evidence]
        return [self.question, *view, self.ask, self.stop]


def lay_out(page: Page) -> Parts:
    _, talk_html, _, evidence_html = page.view([])
    turns = gr.State([])
    with gr.Row(elem_id="masthead"):
        panel(render.masthead_html(TITLE), "${value}")
        ready = panel("", '<p role="status">${value}</p>', elem_id="ready")
    with gr.Row(elem_id="desk"):
        with gr.Column(elem_id="talk"):
            talk = panel(
                talk_html,
                '<div class="scroll" role="region" aria-label="Conversation">${value}</div>',
                elem_id="conversation",
                js_on_load=forward("evidence") + forward("starter"),
            )
            status = panel("", '<p role="status">${value}</p>', elem_id="status")
            with gr.Row(elem_id="composer"):
                question = gr.Textbox(
                    label="Your question",
                    show_label=False,
                    placeholder="Ask about the agreements",
                    max_lines=6,
                    container=False,
                    autofocus=True,
                    elem_id="question",
                )
                ask = gr.Button("Ask", variant="primary", elem_id="ask")
                stop = gr.Button("Stop", variant="stop", elem_id="stop", visible=False)
        with gr.Column(elem_id="evidence"):
            evidence = panel(
                evidence_html,
                '<div class="scroll" role="region" aria-label="Evidence" tabindex="0">'
                "${value}</div>",
            )
    return Parts(turns, ready, talk, status, question, ask, stop, evidence)


def wire(page: Page, blocks: gr.Blocks, parts: Parts) -> None:
    """A question is shown at once, then waits its turn in the queue to be answered."""
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    quick: dict[str, Any] = {"queue": False, **hidden}
    turns, shown = [parts.turns], parts.shown
    submitted = [parts.question.submit, parts.ask.click]
    begun = [
        gr.on(submitted, page.begin, [parts.question, parts.turns], shown, **quick),
        parts.talk.starter(page.begin_starter, turns, shown, **quick),
    ]
    answers = [
        start.then(
            page.answer,
            turns,
            shown,
            concurrency_limit=AT_ONCE,
            concurrency_id="answer",
            show_progress="minimal",
            show_progress_on=parts.status,
            api_visibility="private",
        )
        for start in begun
    ]
    for answer in answers:
        answer.failure(page.broke_off, turns, shown, **quick)
    parts.stop.click(page.stop, turns, shown, cancels=answers, **quick)
    parts.talk.evidence(page.show_evidence, turns, [parts.evidence], **quick)
    blocks.load(page.readiness, None, [parts.ready], concurrency_limit=None, **hidden)


def build_blocks(page: Page) -> gr.Blocks:
    blocks: gr.Blocks
    with gr.Blocks(title=TITLE, fill_width=True, analytics_enabled=False) as blocks:
        wire(page, blocks, lay_out(page))
    return blocks


def theme() -> gr.themes.Base:
    """Gradio's own parts in the page's colours; only fonts that the system has."""
    sans = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
    base = gr.themes.Base(font=sans, font_mono=("ui-monospace", "monospace"))
    return base.set(
        body_background_fill="#f6f4ef",
        body_background_fill_dark="#15181b",
        body_text_color="#20262b",
        body_text_color_dark="#e5e2da",
    )


def build_server(assistant: Answering) -> FastAPI:
    """The whole page as an ASGI application; the models start to load with it."""
    readiness = Readiness(assistant)
    blocks = build_blocks(Page(assistant, readiness))
    blocks.queue(max_size=64, api_open=False)
    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    server.add_middleware(Guard)
    gr.mount_gradio_app(
        server,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        pwa=False,
        show_error=False,
        max_file_size="1mb",
        favicon_path=str(PAGE / "icon.svg"),
        theme=theme(),
        css=(PAGE / "style.css").read_text(encoding="utf-8"),
        js=(PAGE / "script.js").read_text(encoding="utf-8"),
    )
    readiness.start()
    return server


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python app.py", description="Open the browser page.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    parser.add_argument("--port", type=int, default=7860, help="port to listen at (%(default)s)")
    parser.add_argument("--no-browser", action="store_true", help="don't open a browser window")
    parser.add_argument(
        "--public-without-login",
        action="store_true",
        help="let anyone who can reach --host use the page",
    )
    return parser.parse_args(arguments)


def show_progress(what: str, done: int, total: int, unit: str) -> None:
    """A `Progress` that keeps one line of the terminal up to date."""
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        print(f"\r{what}: {done:,} of {total:,} {unit}", end=end, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    try:
        # The port comes first: better to hear of it before the models and the index load.
        listener = listen(options.host, options.port, options.public_without_login)
        from assistant.chat import Assistant

        assistant = Assistant.from_settings(Settings.load(), show_progress)
        serve(build_server(assistant), listener, not options.no_browser and has_display())
    except AssistantError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
