"""What stands around a conversation, as HTML: its bar, and the drawer of past ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from assistant.page.conversation import LONGEST_TITLE
from assistant.page.desk import Desk
from assistant.page.store import Kept
from assistant.page.words import Words


def bar_html(desk: Desk) -> str:
    """The conversation's name and what can be done with it; why it is not kept, if so."""
    say = desk.say
    trouble = ""
    if desk.trouble:
        trouble = f'<p class="trouble" role="alert">{say.told(desk.trouble)}</p>'
    # script.js remembers the id for this window, so that a reload finds the way back.
    talk_id = escape(desk.talk_id)
    return (
        f'<div class="bar" data-conversation="{talk_id}">'
        '<button type="button" class="quiet" id="past-toggle" data-drawer="toggle" '
        f'aria-controls="past">{say.html("past.title")}</button>'
        f'<span class="name" dir="auto">{escape(desk.title)}</span>'
        f"{_acts(desk)}</div>{trouble}"
    )


def _acts(desk: Desk) -> str:
    if not desk.turns:
        return ""
    new, save = desk.say.html("past.new_short"), desk.say.html("share.save")
    return (
        f'<button type="button" class="quiet" id="new-talk" data-ots="new">{new}</button>'
        f'<details class="menu"><summary class="quiet">{save}</summary><div>'
        '<button type="button" id="save-markdown" data-ots="save" data-kind="markdown">'
        f"{desk.say.html('share.markdown')}</button>"
        '<button type="button" id="save-file" data-ots="save" data-kind="json">'
        f"{desk.say.html('share.file')}</button></div></details>"
    )


def past_html(say: Words, kept: Sequence[Kept], talk_id: str) -> str:
    """The drawer: conversations to open, rename and delete, the latest first."""
    items = "".join(_item(say, one, at, one.talk_id == talk_id) for at, one in enumerate(kept))
    listed = f"<ul>{items}</ul>" if kept else f'<p class="none">{say.html("past.none")}</p>'
    return (
        f'<nav aria-label="{say.html("past.label")}"><header><h2>{say.html("past.title")}</h2>'
        '<button type="button" class="quiet" data-drawer="close">'
        f"{say.html('past.close')}</button></header>"
        '<p><button type="button" class="quiet" id="past-new" data-ots="new">'
        f"{say.html('past.new')}</button></p>"
        f"{listed}"
        f'<p class="import"><label for="import">{say.html("past.open_file")}</label>'
        '<input type="file" id="import" accept=".json,application/json"></p></nav>'
    )


def _item(say: Words, kept: Kept, at: int, here: bool) -> str:
    talk_id, title = escape(kept.talk_id), escape(kept.title)
    day = say.date(datetime.fromtimestamp(kept.changed).date().isoformat())
    rename, delete = (say.html(f"past.{act}_it", title=kept.title) for act in ("rename", "delete"))
    current = ' aria-current="true"' if here else ""
    return (
        f'<li{current}><button type="button" class="open" data-ots="open" data-id="{talk_id}">'
        f'<span dir="auto">{title}</span><small>{escape(day)}</small></button>'
        f'<span class="acts"><button type="button" class="quiet" data-fold="rename-{at}" '
        f'aria-label="{rename}">{say.html("past.rename")}</button>'
        f'<button type="button" class="quiet" data-fold="delete-{at}" '
        f'aria-label="{delete}">{say.html("past.delete")}</button></span>'
        f'<span class="fold" id="rename-{at}" hidden>'
        f'<input id="title-{at}" value="{title}" maxlength="{LONGEST_TITLE}" '
        f'aria-label="{say.html("past.new_name")}" dir="auto">'
        f'<button type="button" class="quiet" data-ots="rename" data-id="{talk_id}" '
        f'data-from="title-{at}">{say.html("past.save")}</button></span>'
        f'<span class="fold" id="delete-{at}" hidden>'
        f"<span>{say.html('past.sure')}</span>"
        f'<button type="button" class="quiet grave" data-ots="delete" data-id="{talk_id}">'
        f"{say.html('past.for_good')}</button>"
        f'<button type="button" class="quiet" data-fold="delete-{at}">'
        f"{say.html('past.keep')}</button></span></li>"
    )
