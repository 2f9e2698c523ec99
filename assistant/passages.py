"""`Document` -> sentences and passages, each with exact offsets.

Passages are runs of whole sentences, because a sentence is what gets cited: a splitter that cuts at
a character count would leave half of one on either side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from assistant.layout import BULLET, blocks
from assistant.text import sentence_spans
from assistant.types import Document, Passage, Span

_DATELINE = re.compile(r"[^\W\d_]{2,}[^.]{0,60}\d{1,2}(?:, \d{4})?\.$")
_DASH = re.compile(r"\s[–—-]\s|:\s")
_LABEL = re.compile(r"[^.!?]{3,90}?(?:\s[–—-]\s|:\s)\S")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A citable sentence: `document.text[start:end] == text`, and what of it is `shown` and read.

    `block` numbers the paragraph, the table, or the list with its introduction.
    """

    doc_id: str
    start: int
    end: int
    text: str
    block: int
    item: bool = False
    """True for an item of a list or a row of a table, false for prose and a list's introduction."""
    shown: str = ""
    """The text with its lines joined and without furniture; a row with the names of its columns."""

    def __post_init__(self) -> None:
        if not self.shown:
            object.__setattr__(self, "shown", self.text)

    @property
    def label(self) -> str:
        """What a list item is called: the text before its dash or colon, or all of it."""
        bullet = BULLET.match(self.shown)
        text = self.shown[bullet.end() :] if bullet else self.shown
        if ";" in text:  # a row: its cells are told apart by their columns only
            return text.rstrip(" ;.,")
        return _DASH.split(text, maxsplit=1)[0] if _LABEL.match(text) else text.rstrip(" ;.,")


def sentences(document: Document) -> list[Sentence]:
    """Every citable sentence in order; a list item is one, however long, and so is a row."""
    found: list[Sentence] = []
    block, in_list, table = -1, False, -1
    for piece in blocks(document.text, document.furniture):
        line = piece.shown.text
        row = piece.row
        if row and not row.said:
            continue  # what the head of a table says is said with every row
        if row:
            item = in_list or row.table == table
        else:
            item = in_list and bool(BULLET.match(line) or _LABEL.match(line))
        block += not item
        item = item or row is not None
        spans = [(0, len(line))] if item else sentence_spans(line, document.language)
        for s, e in _with_dateline(line, spans, not found):
            start, end = piece.shown.span(s, e)
            said = row.said if row else line[s:e]
            text = document.text[start:end]
            found.append(Sentence(document.doc_id, start, end, text, block, item, said))
        table = row.table if row else -1
        in_list = not row and (item or line.endswith(":"))
    return found


def _with_dateline(line: str, spans: list[Span], opens: bool) -> list[Span]:
    """An agency's dateline ("BAKU, Azerbaijan, March 18.") belongs to the sentence it dates."""
    if opens and len(spans) > 1 and _is_dateline(line[slice(*spans[0])]):
        return [(spans[0][0], spans[1][1]), *spans[2:]]
    return spans


def _is_dateline(sentence: str) -> bool:
    """A place and a date: no sentence with words that are neither."""
    small = [word for word in sentence.split() if word[0].islower()]
    return bool(_DATELINE.match(sentence)) and "," in sentence and len(small) <= 1


def passages(document: Document, max_chars: int) -> list[Passage]:
    """Whole sentences packed up to `max_chars`; a list starts its own passage and heads its rest.

    A single sentence that is longer stays whole.
    """
    packed: list[Passage] = []
    pending: list[Sentence] = []

    def flush(heading: str = "") -> None:
        if pending:
            packed.append(_passage(document, pending, heading))
            pending.clear()

    for group, is_list in _blocks(sentences(document)):
        if is_list:
            flush()
        introduction = [sentence.shown for sentence in group if not sentence.item][-1:]
        heading = ""
        for sentence in group:
            if pending and _parted(document, pending, sentence, max_chars):
                flush(heading)
                heading = "".join(introduction) if sentence.item else ""
            pending.append(sentence)
        if is_list:
            flush(heading)
    flush()
    return packed


def _blocks(found: Sequence[Sentence]) -> Iterator[tuple[list[Sentence], bool]]:
    """Paragraphs and lists in order, and whether it is a list."""
    for _, members in groupby(found, key=lambda sentence: sentence.block):
        group = list(members)
        yield group, any(sentence.item for sentence in group)


def _parted(
    document: Document, pending: Sequence[Sentence], sentence: Sentence, max_chars: int
) -> bool:
    """Whether a sentence must start a new passage: for its length, or for furniture before it."""
    return sentence.end - pending[0].start > max_chars or _is_furniture(
        document, pending[-1].end, sentence.start
    )


def _is_furniture(document: Document, start: int, end: int) -> bool:
    return any(start < stop and begin < end for begin, stop in document.furniture)


def _passage(document: Document, members: Sequence[Sentence], heading: str) -> Passage:
    start, end = members[0].start, members[-1].end
    text = document.text[start:end]
    shown = _shown(document, members)
    return Passage(
        passage_id=f"{document.doc_id}:{start}-{end}",
        doc_id=document.doc_id,
        text=text,
        start=start,
        end=end,
        heading=heading,
        shown="" if shown == text else shown,
    )


def _shown(document: Document, members: Sequence[Sentence]) -> str:
    """Sentences as they are shown, with the white space between them where nothing else is."""
    pieces = [members[0].shown]
    for before, after in pairwise(members):
        gap = document.text[before.end : after.start]
        running = before.block == after.block and not after.item
        pieces += [" " if gap and running else gap if gap.isspace() else "\n\n", after.shown]
    return "".join(pieces)
