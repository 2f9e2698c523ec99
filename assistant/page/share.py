"""A conversation as Markdown with footnotes, and as a file that can be opened again."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from assistant.errors import SourceError
from assistant.page.choice import choice_line
from assistant.page.conversation import Turn, as_title, turn_from_dict
from assistant.page.desk import new_id
from assistant.page.quotes import by_marker, cells_of, lost, when_and_where
from assistant.page.words import Words, sentence
from assistant.questions import MAX_QUESTION_CHARS
from assistant.types import Answer, Citation, Document

FORMAT = "ots-assistant conversation"
VERSION = 1
LARGEST = 2_000_000
"""Characters of a file that is opened."""
MOST_TURNS = 200
_FAR = 100_000_000
"""No offset, rank or marker of an article is as large."""
_MARKER = re.compile(r"\[(\d{1,4})\]")
_BULLET = re.compile(r"\s*[-•*]\s+")
# What Markdown reads as markup; a line that starts like a heading or a list comes on top.
_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~^$!])")
_LINE_START = re.compile(r"^(\s*)(?:([-+=])|(\d{1,9})([.)]))", re.MULTILINE)
_WEB = re.compile(r"https?://[^\s<>\"'()\\]+")


def file_name(title: str, suffix: str) -> str:
    """A name that every file system takes, made from a question."""
    plain = unicodedata.normalize("NFKC", title).lower()
    words = "-".join(re.findall(r"[^\W_]+", plain))
    # The letters before it keep it from being a device's name, such as "con".
    return f"ots-{words[:60].strip('-') or 'conversation'}.{suffix}"


def to_markdown(
    say: Words, title: str, turns: Sequence[Turn], documents: Mapping[str, Document], today: str
) -> str:
    """The conversation with each marker a footnote: quote, title, publisher, date, address."""
    parts = [f"# {escape(as_title(title))}", say("share.saved_on", date=today)]
    notes: list[str] = []
    for number, turn in enumerate(turns, start=1):
        parts.append(f"## {number}. {escape(' '.join(turn.question.split()))}")
        parts += _said(say, number, turn)
        if turn.answer:
            notes += _notes(say, number, turn.answer, documents)
    return "\n\n".join(parts + notes) + "\n"


def escape(text: str) -> str:
    """`text` so that Markdown shows it as it is: no link, no image, no HTML."""
    text = _SPECIAL.sub(r"\\\1", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINE_START.sub(lambda m: f"{m[1]}\\{m[2]}" if m[2] else f"{m[1]}{m[3]}\\{m[4]}", text)


def _said(say: Words, number: int, turn: Turn) -> list[str]:
    parts = []
    if answer := turn.answer:
        parts.append(_text(number, answer))
        if answer.missing and answer.missing not in answer.text:
            parts.append(f"*{escape(say('turn.missing'))}:* {escape(sentence(answer.missing))}")
        if answer.notice:
            parts.append(f"*{escape(answer.notice)}*")
    if turn.scope:
        parts.append(f"*{escape(turn.scope)}*")
    if chosen := choice_line(say, turn.choice):
        parts.append(f"*{escape(chosen)}*")
    if turn.stopped:
        parts.append(f"*{escape(say('share.stopped'))}*")
    if turn.fault:
        parts.append(f"*{escape(say.line(turn.fault))}*")
    return [part for part in parts if part.strip()]


def _text(number: int, answer: Answer) -> str:
    known = {str(citation.marker) for citation in answer.citations}
    lines = []
    for line in answer.text.splitlines():
        if bullet := _BULLET.match(line):
            lines.append("- " + _footnoted(line[bullet.end() :], number, known))
        elif line.startswith("|"):
            cells = [_footnoted(cell, number, known) for cell in cells_of(line)]
            lines.append(f"| {' | '.join(cells)} |" if cells else line)
        else:
            lines.append(_footnoted(line, number, known))
    # Lines of a list or table stay together; any other line is a paragraph.
    text = "\n\n".join(line for line in lines if line)
    return re.sub(r"(?m)(^- .*)\n\n(?=- )|(^\|.*)\n\n(?=\|)", r"\1\2\n", text)


def _footnoted(line: str, number: int, known: Collection[str]) -> str:
    """A line as Markdown, its known markers as footnotes."""
    out, at = [], 0
    for match in _MARKER.finditer(line):
        if match[1] in known:
            out += [escape(line[at : match.start()]).rstrip(), f"[^{number}-{match[1]}]"]
            at = match.end()
    return "".join([*out, escape(line[at:])]).strip()


def _notes(say: Words, number: int, answer: Answer, documents: Mapping[str, Document]) -> list[str]:
    gone = lost(answer, documents)
    notes = []
    for marker, citations in by_marker(answer.citations).items():
        quotes = " / ".join(_quote(say, c, c in gone) for c in citations)
        first = citations[0]
        about = [first.title, first.publisher, when_and_where(say, first)]
        told = ", ".join(escape(one) for one in about if one)
        address = documents[first.doc_id].url if first.doc_id in documents else ""
        link = f", <{address}>" if _WEB.fullmatch(address) else ""
        notes.append(f"[^{number}-{marker}]: {quotes} — {told}{link}.")
    return notes


def _quote(say: Words, citation: Citation, gone: bool) -> str:
    quote = f"“{escape(' '.join(citation.as_shown.split()))}”"
    return f"{quote} ({say('evidence.gone')})" if gone else quote


def to_file(title: str, turns: Sequence[Turn]) -> str:
    """The conversation as JSON, without who had it and what they thought of the answers."""
    said = {
        "format": FORMAT,
        "version": VERSION,
        "title": as_title(title),
        "turns": [turn.to_dict() for turn in turns],
    }
    return json.dumps(said, ensure_ascii=True, indent=1)


def read_file(say: Words, name: str, text: str) -> tuple[str, list[Turn]]:
    """Title and turns of a file that somebody saved; raises `SourceError` when it is none."""
    if len(text) > LARGEST:
        raise _refusal(say, name, "too_large", most=f"{LARGEST:,}")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise _refusal(say, name, "no_json") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise _refusal(say, name, "no_conversation")
    if said.get("version") != VERSION:
        raise _refusal(say, name, "version", found=str(said.get("version"))[:20], known=VERSION)
    turns = said.get("turns")
    if not isinstance(turns, list) or not 0 < len(turns) <= MOST_TURNS:
        raise _refusal(say, name, "turns", most=MOST_TURNS)
    try:
        read = [_shared(turn) for turn in turns]
    except ValueError as fault:
        raise _refusal(say, name, "damaged", what=fault) from None
    title = said.get("title")
    return as_title(title if isinstance(title, str) else "") or as_title(read[0].question), read


def _shared(data: Any) -> Turn:
    turn = turn_from_dict(data)
    if len(turn.question) > MAX_QUESTION_CHARS:
        raise ValueError(f"a question has {len(turn.question):,} characters")
    if turn.answer:
        numbers = [n for c in turn.answer.citations for n in (c.marker, c.start, c.end)]
        numbers += [
            n for s in turn.answer.retrieved for n in (s.rank, s.passage.start, s.passage.end)
        ]
        if any(not 0 <= n < _FAR for n in numbers):
            raise ValueError("an offset is out of bounds")
    answer = turn.answer and _as_quoted(turn.answer)
    return replace(turn, answer=answer, turn_id=new_id(), asked=time.time(), shared=True)


def _as_quoted(answer: Answer) -> Answer:
    """The answer with its quotes as they stand in their sources: that can be held against those,
    while how they were shown is a file's word only."""

    def plain(citations: Sequence[Citation]) -> tuple[Citation, ...]:
        return tuple(replace(citation, shown="") for citation in citations)

    claims = tuple(replace(claim, citations=plain(claim.citations)) for claim in answer.claims)
    return replace(answer, claims=claims, citations=plain(answer.citations))


def _refusal(say: Words, name: str, why: str, **values: object) -> SourceError:
    shown = as_title(name) or say("share.that_file")
    return SourceError(say("share.refused", name=shown, why=say(f"share.{why}", **values)))
