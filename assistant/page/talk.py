"""The handlers of questions and their answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from assistant.errors import AssistantError, QuestionError
from assistant.page import render
from assistant.page.choice import Choice, settled, writer
from assistant.page.conversation import Turn, messages
from assistant.page.desk import Desk, Keeper
from assistant.page.drawer import bar_html, past_html
from assistant.page.followups import Suggestions
from assistant.page.here import MOST_SENT, owner_of, read_here
from assistant.page.line import Line
from assistant.page.quotes import resettled
from assistant.page.scope import choose, scope_line
from assistant.page.scope_form import scope_form_html, scope_line_html
from assistant.page.widgets import Answering, place
from assistant.page.words import Words, words_of
from assistant.questions import MAX_QUESTION_CHARS, check_question
from assistant.types import Answer, Document

log = logging.getLogger("ots_assistant.page")

BUSY = "turn.busy"
SURPRISE = "turn.surprise"
_SAME: Any = gr.skip()


class View(NamedTuple):
    """What a handler changes on the tab; what it does not name stays as it is."""

    question: Any = _SAME
    bar: Any = _SAME
    talk: Any = _SAME
    status: Any = _SAME
    evidence: Any = _SAME
    ask: Any = _SAME
    stop: Any = _SAME
    past: Any = _SAME
    scope_line: Any = _SAME
    scope_form: Any = _SAME
    more: Any = _SAME


class Page:
    """The handlers of questions and answers; each returns what its outputs show next."""

    def __init__(
        self,
        assistant: Answering,
        keeper: Keeper | None = None,
        suggestions: Suggestions | None = None,
    ) -> None:
        self._assistant = assistant
        self.keeper = keeper or Keeper(None)
        self._suggestions = suggestions or Suggestions(assistant, [])
        self._line = Line()

    @property
    def documents(self) -> Mapping[str, Document]:
        return self._assistant.documents

    def view(self, desk: Desk, status: str | None = None) -> View:
        """The conversation as it stands, with the evidence of its last turn."""
        turns, documents = desk.turns, self.documents
        last = turns[-1] if turns else None
        return View(
            bar=bar_html(desk),
            talk=self._talk(desk),
            status=escape(render.status_line(desk.say, turns) if status is None else status),
            evidence=render.evidence_html(desk.say, len(turns), last, documents),
            ask=gr.update(visible=not desk.growing),
            stop=gr.update(visible=desk.growing),
        )

    def redraw(self, desk: Desk) -> View:
        """Only what stands on the left; the evidence may be being read."""
        return View(bar=bar_html(desk), talk=self._talk(desk), past=self._past(desk))

    def _talk(self, desk: Desk) -> str:
        if not desk.turns:
            return render.welcome_html(desk.say, self._suggestions.starters())
        return render.conversation_html(desk.say, desk.turns, self.documents)

    def with_past(self, desk: Desk, status: str | None = None) -> View:
        """The same with the list of conversations."""
        return self.view(desk, status)._replace(past=self._past(desk), more=self.more(desk))

    def _past(self, desk: Desk) -> str:
        return past_html(desk.say, self.keeper.past(desk), desk.talk_id)

    def more(self, desk: Desk) -> str:
        """What may be asked next."""
        chosen = choose(desk.say, desk.scope, self.documents)
        if not chosen.doc_ids or not desk.turns:
            return ""
        doc_ids = () if chosen.all else chosen.doc_ids
        return render.more_html(desk.say, self._suggestions.after(desk.turns, doc_ids))

    async def welcome(self, desk: Desk) -> AsyncIterator[Any]:
        """Questions to start with, as soon as the sources have been asked for them."""
        while not self._suggestions.ready:
            await asyncio.sleep(0.3)
        yield _SAME if desk.turns else self._talk(desk)

    def scoped(self, desk: Desk) -> View:
        """The choice of sources as it stands."""
        chosen = choose(desk.say, desk.scope, self.documents)
        return View(
            scope_line=scope_line_html(desk.say, chosen, self.documents), more=self.more(desk)
        )

    def arrive(self, desk: Desk, here: str, request: gr.Request | None) -> None:
        """Learn on first sight whose desk it is, and put back what lay on it before a reload.

        Every handler does so first: the server may have been started anew under an open page.
        """
        desk.say = words_of(request)
        if desk.owner:
            return
        said = read_here(here)
        desk.owner = owner_of(said.browser, request)
        desk.scope = said.scope
        if desk.turns:
            self.keeper.keep(desk)
        elif said.conversation:
            self.open(desk, said.conversation)

    def open(self, desk: Desk, talk_id: str) -> bool:
        """Put a kept conversation on the desk, its quotes where they stand by now."""
        if not self.keeper.open(desk, talk_id):
            return False
        self.settle(desk)
        return True

    def settle(self, desk: Desk) -> None:
        """Find the quotes of earlier answers where they stand by now."""
        desk.turns = [
            replace(turn, answer=resettled(turn.answer, self.documents)) if turn.answer else turn
            for turn in desk.turns
        ]

    def enter(self, here: str, desk: Desk, request: gr.Request) -> View:
        """The page was opened or reloaded."""
        self.arrive(desk, here, request)
        return self.with_past(desk, None if desk.growing else "")._replace(
            scope_line=self.scoped(desk).scope_line,
            scope_form=scope_form_html(desk.say, desk.scope, self.documents),
        )

    def begin(self, question: str, here: str, desk: Desk, request: gr.Request | None) -> View:
        """Show the question at once; while an answer is being written, it waits in the box."""
        self.arrive(desk, here, request)
        if desk.growing:
            return View()
        if fault := _fault(desk.say, question):
            # It never was one: it stays in the box, to be changed.
            return View(status=fault)
        chosen = choose(desk.say, desk.scope, self.documents)
        if not chosen.doc_ids:
            return View(status=escape(chosen.fault or desk.say("scope.empty")))
        doc_ids = () if chosen.all else chosen.doc_ids
        scope = scope_line(desk.say, doc_ids, self.documents) if doc_ids else ""
        choice = settled(read_here(here).choice, self._assistant.offer)
        self.keeper.keep(desk, desk.begin(question.strip(), doc_ids, scope, choice))
        return self.with_past(desk)._replace(question="")

    def begin_starter(self, desk: Desk, chosen: gr.EventData, request: gr.Request) -> View:
        view = self.begin(str(chosen.question), str(chosen.here), desk, request)
        return view._replace(question=_SAME)

    def again(self, desk: Desk, chosen: gr.EventData, request: gr.Request) -> View:
        """Ask the last question once more, whose answer did not come to an end."""
        self.arrive(desk, str(chosen.here), request)
        last = desk.turns[-1] if desk.turns else None
        if last is None or not (last.fault or last.stopped):
            return View()
        view = self.begin(last.question, str(chosen.here), desk, request)
        return view._replace(question=_SAME)

    def answer(self, desk: Desk) -> Iterator[View]:
        """Stream the answer to the last question."""
        last = desk.turns[-1] if desk.turns else None
        if last is None or last.started or not last.growing:
            yield View()
            return
        earlier, turn = desk.turns[:-1], replace(last, started=True)
        try:
            if self._put(desk, turn):
                yield self.view(desk)
            ahead = self._join(turn)
            assistant = self._assistant.choosing(turn.choice)
            growth = assistant.stream(turn.question, messages(earlier), turn.doc_ids or None)
            with contextlib.closing(growth) as snapshots:  # type: ignore[type-var]
                for snapshot in snapshots:
                    turn = replace(turn, answer=_as_chosen(snapshot, turn.choice))
                    if not self._put(desk, turn):
                        return
                    waits = ahead and not snapshot.text and turn.growing
                    yield self.view(desk, desk.say("ask.queue", n=ahead) if waits else None)
        except GeneratorExit:
            self._put(desk, replace(turn, fault="turn.broke_off"))
            raise
        except AssistantError as fault:
            turn = replace(turn, fault=str(fault))
        except Exception:
            log.exception("No answer to %r", turn.question[:200])
            turn = replace(turn, fault=SURPRISE)
        finally:
            self._line.leave(turn.turn_id)
        if turn.growing:
            turn = replace(turn, fault="turn.broke_off")
        if self._put(desk, turn):
            yield self.view(desk)._replace(past=self._past(desk))

    def _join(self, turn: Turn) -> int:
        """How many come before a turn, where its model writes one answer at a time."""
        offer = self._assistant.offer
        model = writer(turn.choice, offer)
        return self._line.join(model, turn.turn_id) if model in offer.in_turn else 0

    def _put(self, desk: Desk, turn: Turn) -> bool:
        """Put what was answered so far in its place; False when it was stopped or left."""
        if desk.change(turn.turn_id, lambda now: turn if now.growing else now) is not turn:
            return False
        self.keeper.keep(desk, turn)
        return True

    def refused(self, desk: Desk) -> View:
        """A question for which Gradio's queue had no room."""
        if desk.growing and not desk.turns[-1].started:
            self._end(desk, fault=BUSY)
        return self.view(desk)

    def stop(self, desk: Desk) -> View:
        self._end(desk, stopped=True)
        return self.view(desk)

    def _end(self, desk: Desk, **how: Any) -> None:
        """Let the last answer grow no further."""
        if desk.growing:
            last = desk.turns[-1].turn_id
            if turn := desk.change(last, lambda now: replace(now, **how)):
                self.keeper.keep(desk, turn)

    def leave(self, desk: Desk) -> None:
        """Before another conversation takes its place."""
        self._end(desk, stopped=True)

    def show_evidence(self, desk: Desk, chosen: gr.EventData) -> str:
        """The evidence of an earlier turn, whose marker was clicked."""
        number = place(chosen, "turn")
        turn = desk.turns[number - 1] if 0 < number <= len(desk.turns) else None
        return render.evidence_html(desk.say, number, turn, self.documents)


def _as_chosen(answer: Answer, choice: Choice) -> Answer:
    """Without the remark that no chat model is at hand, where none was wanted."""
    wanted = choice.mode == "quotes" and not answer.error_code
    return replace(answer, notice="") if wanted else answer


def _fault(say: Words, question: str) -> str:
    """Why a question can't be taken, as HTML; empty when it can."""
    if not question.strip():
        return say.html("ask.empty")
    if len(question) > MAX_QUESTION_CHARS:
        cut = "+" if len(question) >= MOST_SENT else ""
        most = f"{MAX_QUESTION_CHARS:,}"
        return say.html("ask.too_long", n=f"{len(question):,}{cut}", most=most)
    try:
        check_question(question)
    except QuestionError as fault:
        return say.told(str(fault))
    return ""
