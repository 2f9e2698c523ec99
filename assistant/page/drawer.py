"""What stands around a conversation, as HTML: its bar, and the drawer of past ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from assistant.page.conversation import LONGEST_TITLE
from assistant.page.desk import Desk
from assistant.page.store import Kept
from assistant.page.words import date_in_words


def bar_html(desk: Desk) -> str:
    """The conversation's name and what can be done with it; why it is not kept, if so."""
    trouble = f'<p class="trouble" role="alert">{escape(desk.trouble)}</p>' if desk.trouble else ""
    # script.js remembers the id for this window, so that a reload finds the way back.
    talk_id = escape(desk.talk_id)
    return (
        f'<div class="bar" data-conversation="{talk_id}">'
        '<button type="button" class="quiet" id="past-toggle" data-drawer="toggle" '
        'aria-controls="past">Conversations</button>'
        f'<span class="name" dir="auto">{escape(desk.title)}</span>'
        f"{_acts(desk)}</div>{trouble}"
    )


def _acts(desk: Desk) -> str:
    if not desk.turns:
        return ""
    return (
        '<button type="button" class="quiet" id="new-talk" data-ots="new">New</button>'
        '<details class="menu"><summary class="quiet">Save</summary><div>'
        '<button type="button" id="save-markdown" data-ots="save" data-kind="markdown">'
        "As Markdown, quotes as footnotes</button>"
        '<button type="button" id="save-file" data-ots="save" data-kind="json">'
        "As a file that can be opened here</button></div></details>"
    )


def past_html(kept: Sequence[Kept], talk_id: str) -> str:
    """The drawer: conversations to open, rename and delete, the latest first."""
    items = "".join(_item(one, at, one.talk_id == talk_id) for at, one in enumerate(kept))
    listed = f"<ul>{items}</ul>" if kept else '<p class="none">None is kept yet.</p>'
    return (
        '<nav aria-label="Past conversations"><header><h2>Conversations</h2>'
        '<button type="button" class="quiet" data-drawer="close">Close</button></header>'
        '<p><button type="button" class="quiet" id="past-new" data-ots="new">'
        "New conversation</button></p>"
        f"{listed}"
        '<p class="import"><label for="import">Open a saved file</label>'
        '<input type="file" id="import" accept=".json,application/json"></p></nav>'
    )


def _item(kept: Kept, at: int, here: bool) -> str:
    talk_id, title = escape(kept.talk_id), escape(kept.title)
    day = date_in_words(datetime.fromtimestamp(kept.changed).date().isoformat())
    current = ' aria-current="true"' if here else ""
    return (
        f'<li{current}><button type="button" class="open" data-ots="open" data-id="{talk_id}">'
        f'<span dir="auto">{title}</span><small>{escape(day)}</small></button>'
        f'<span class="acts"><button type="button" class="quiet" data-fold="rename-{at}" '
        f'aria-label="Rename: {title}">Rename</button>'
        f'<button type="button" class="quiet" data-fold="delete-{at}" '
        f'aria-label="Delete: {title}">Delete</button></span>'
        f'<span class="fold" id="rename-{at}" hidden>'
        f'<input id="title-{at}" value="{title}" maxlength="{LONGEST_TITLE}" '
        'aria-label="New name" dir="auto">'
        f'<button type="button" class="quiet" data-ots="rename" data-id="{talk_id}" '
        f'data-from="title-{at}">Save</button></span>'
        f'<span class="fold" id="delete-{at}" hidden>'
        "<span>Delete it with its answers and your verdicts on them?</span>"
        f'<button type="button" class="quiet grave" data-ots="delete" data-id="{talk_id}">'
        "Delete for good</button>"
        f'<button type="button" class="quiet" data-fold="delete-{at}">Keep it</button></span></li>'
    )
