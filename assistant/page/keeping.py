"""The handlers of whole conversations: open, rename, delete, judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from html import escape
from typing import Any

import gradio as gr

from assistant.errors import SourceError
from assistant.page.desk import Desk, new_id
from assistant.page.scope import read_scope
from assistant.page.share import file_name, read_file, to_file, to_markdown
from assistant.page.talk import Page, View

LONGEST_REASON = 300


class Keeping:
    """Each handler changes the desk and returns what the tab shows next."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._keeper = page.keeper

    def new(self, desk: Desk, event: gr.EventData, request: gr.Request) -> View:
        self._arrive(desk, event, request)
        self._page.leave(desk)
        desk.clear()
        return self._page.with_past(desk)

    def open(self, desk: Desk, event: gr.EventData, request: gr.Request) -> View:
        self._arrive(desk, event, request)
        self._page.leave(desk)
        found = self._page.open(desk, str(event.id))
        return self._page.with_past(desk, "" if found else desk.say("status.no_conversation"))

    def rename(self, desk: Desk, event: gr.EventData, request: gr.Request) -> View:
        self._arrive(desk, event, request)
        self._keeper.rename(desk, str(event.id), str(event.value))
        return self._page.redraw(desk)

    def delete(self, desk: Desk, event: gr.EventData, request: gr.Request) -> View:
        self._arrive(desk, event, request)
        here = event.id == desk.talk_id
        self._keeper.delete(desk, str(event.id))
        return self._page.with_past(desk) if here else self._page.redraw(desk)

    def judge(self, desk: Desk, event: gr.EventData, request: gr.Request) -> View:
        """A verdict; pressed once more without a reason, it is taken back."""
        self._arrive(desk, event, request)
        said: Mapping[str, Any] = event._data
        verdict = said.get("verdict")
        if verdict not in ("up", "down"):
            return self._page.redraw(desk)
        reason = said.get("value")

        def judged(turn: Any) -> Any:
            if turn.answer is None or turn.answer.outcome == "pending" or turn.shared:
                return turn
            if isinstance(reason, str):
                return replace(turn, verdict=verdict, reason=reason.strip()[:LONGEST_REASON])
            same = turn.verdict == verdict
            return replace(turn, verdict="" if same else verdict, reason="")

        if turn := desk.change(str(said.get("turn")), judged):
            self._keeper.keep(desk, turn)
        return self._page.redraw(desk)

    def narrow(self, desk: Desk, event: gr.EventData, request: gr.Request) -> View:
        """Which sources may answer from now on."""
        self._arrive(desk, event, request)
        desk.scope = read_scope(event.scope)
        return self._page.scoped(desk)

    def save(self, desk: Desk, event: gr.EventData, request: gr.Request) -> dict[str, str]:
        """The conversation as a file for the browser to save: name, type and text."""
        self._arrive(desk, event, request)
        title = desk.turns[0].question if desk.turns else desk.title
        if event.kind == "json":
            name, kind = file_name(title, "json"), "application/json"
            return {"name": name, "type": kind, "text": to_file(desk.title, desk.turns)}
        today = desk.say.date(date.today().isoformat())
        text = to_markdown(desk.say, desk.title, desk.turns, self._page.documents, today)
        return {"name": file_name(title, "md"), "type": "text/markdown", "text": text}

    def reopen(self, desk: Desk, event: gr.EventData, request: gr.Request) -> View:
        """Open a file that was saved here; it becomes a conversation of one's own."""
        self._arrive(desk, event, request)
        try:
            title, turns = read_file(desk.say, str(event.name), str(event.text))
        except SourceError as fault:
            return View(status=escape(str(fault)))
        self._page.leave(desk)
        desk.clear()
        desk.talk_id, desk.title, desk.turns = new_id(), title, turns
        self._page.settle(desk)
        self._keeper.keep(desk, *desk.turns)
        return self._page.with_past(desk, desk.say("status.opened"))

    def _arrive(self, desk: Desk, event: gr.EventData, request: gr.Request) -> None:
        self._page.arrive(desk, str(event.here), request)
