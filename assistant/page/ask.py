"""The Ask tab: questions on the left, their evidence on the right."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from assistant.errors import AssistantError, QuestionError
from assistant.page import render
from assistant.page.conversation import Turn, messages
from assistant.page.widgets import QUICK, Answering, forward, panel

log = logging.getLogger("ots_assistant.page")

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


def ask_tab(assistant: Answering) -> None:
    """Lay out the tab and wire it to an assistant."""
    page = Page(assistant)
    wire(page, lay_out(page))


class Page:
    """The handlers behind the page; each returns what its outputs show next."""

    def __init__(self, assistant: Answering) -> None:
        self._assistant = assistant

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


def buttons(asking: bool) -> tuple[Any, Any]:
    """Either Ask or Stop."""
    return gr.update(visible=not asking), gr.update(visible=asking)


@dataclass(frozen=True)
class Parts:
    """The components that handlers read and write."""

    turns: gr.State
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
    return Parts(turns, talk, status, question, ask, stop, evidence)


def wire(page: Page, parts: Parts) -> None:
    """A question is shown at once, then waits its turn in the queue to be answered."""
    turns, shown = [parts.turns], parts.shown
    submitted = [parts.question.submit, parts.ask.click]
    begun = [
        gr.on(submitted, page.begin, [parts.question, parts.turns], shown, **QUICK),
        parts.talk.starter(page.begin_starter, turns, shown, **QUICK),
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
        answer.failure(page.broke_off, turns, shown, **QUICK)
    parts.stop.click(page.stop, turns, shown, cancels=answers, **QUICK)
    parts.talk.evidence(page.show_evidence, turns, [parts.evidence], **QUICK)
