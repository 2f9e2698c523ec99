"""How a text is set out: which lines make a paragraph, and which are rows of a table.

Files come in two kinds. In one a line is a paragraph; in the other, pasted from an e-mail or a PDF,
lines were broken to a width, with words parted at their ends. A file tells by its own look which
of the two it is (`wrap_width`); what parts lines for certain (blank lines, list items, headings,
rows, another depth of "> ") parts them in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.running_heads import ENDS
from assistant.shown import Shown, shown
from assistant.tables import Row, rows
from assistant.text import line_spans
from assistant.types import Span

BULLET = re.compile(
    r"\s*(?:[-–—•*·‣⁃∙▪▫■□●○◦◆►▶➢➤→✓✔»+\uf0a7\uf0b7\uf0d8]"
    r"|\(?\d{1,2}[.)]|\(?[a-zа-я][.)])\s+",
    re.IGNORECASE,
)
_HEADING = re.compile(r"#{1,6}\s|\d{1,2}(?:\.\d{1,2})+\.?\s+[^\W\d_]|[=\-–—_*~]{3,}$")
_QUOTING = re.compile(r"(?:>[ \t]?)+")
_BREAK = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\u0085\u2028\u2029]")
_PARTED = re.compile(r"[^\W\d_][-\u2010\u00ad]$")
_COMMA = re.compile(r"[,(–—&/]$")
_NARROW, _NARROWEST = 45, 20
"""Characters. Narrower lines, as of a poem or a list, must all be full to count as wrapped; and no
text is set in lines that are narrower still."""
_PROSE = 60
"""Characters from which a line at the end of a page that ends no sentence is part of one."""
_FULL = 0.85
"""The share of the width that a line and the next one's first word must come to, for the word not
to have fitted there: letters differ in width, and lines set in them in their number."""
_SHARE = 1 / 3
"""Wrapped lines break inside a sentence, before a small letter, at least this often."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without the white space around it and the "> " of a quoted e-mail."""

    start: int
    end: int
    text: str
    depth: int = 0
    """How many times it is quoted."""
    indent: int = 0
    parted: bool = False
    """Whether a blank line is before it."""
    over_page: bool = False
    """Whether a running head or a form feed is between it and the line before."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list item, heading or row, as it is shown."""

    shown: Shown
    row: Row | None = None


def blocks(text: str, furniture: Sequence[Span] = ()) -> Iterator[Block]:
    """What a text is made of, in order, but for its furniture."""
    found = _lines(text, furniture)
    table = _rows(found)
    width = wrap_width(found, table)
    pending: list[Line] = []
    for at, line in enumerate(found):
        if pending and (at in table or not _goes_on(pending[-1], line, width, len(pending) == 1)):
            yield Block(_shown(text, pending))
            pending = []
        if at in table:
            yield Block(_shown(text, [line]), table[at])
        else:
            pending.append(line)
    if pending:
        yield Block(_shown(text, pending))


def without(furniture: Sequence[Span], text: str, start: int, end: int) -> list[Span]:
    """The stretches of `text[start:end]` between furniture, without white space around them."""
    edges = [start]
    for a, b in sorted(furniture):
        if start < b and a < end:
            edges += [max(a, start), min(b, end)]
    edges.append(end)
    lines = [
        line_spans(text[a:b]) or [(0, 0)] for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]
    trimmed = [
        (a + found[0][0], a + found[-1][1]) for a, found in zip(edges[::2], lines, strict=True)
    ]
    return [(a, b) for a, b in trimmed if a < b]


def wrap_width(lines: Sequence[Line], table: dict[int, Row]) -> int:
    """How wide a text was when its lines were broken; 0 where a line is a paragraph.

    Only lines that follow one another directly tell. Most of those end inside a sentence in
    wrapped text, and then hardly any is longer than these.
    """
    pairs = [
        (a, b)
        for at, (a, b) in enumerate(pairwise(lines))
        if not {at, at + 1} & table.keys() and not b.over_page and not _is_parted(a, b)
    ]
    broken = [len(a.text) for a, b in pairs if _is_broken(a, b)]
    if not broken or len(broken) < _SHARE * len(pairs):
        return 0
    width = max(broken)
    lengths = sorted(len(line.text) for pair in pairs for line in pair)
    if width < 0.8 * lengths[int(0.9 * (len(lengths) - 1))]:
        return 0
    if width < _NARROWEST:
        return 0
    hyphenated = any(_PARTED.search(a.text) and b.text[0].islower() for a, b in pairs)
    full = sum(_is_full(a, b, width) for a, b in pairs)
    return width if hyphenated or width >= _NARROW or full >= 0.8 * len(pairs) else 0


def _lines(text: str, furniture: Sequence[Span]) -> list[Line]:
    spans = line_spans(text)
    mail = sum(text[start] == ">" for start, _ in spans) > 1
    found: list[Line] = []
    for start, end in spans:
        if any(start < b and a < end for a, b in furniture):
            continue
        quoting = _QUOTING.match(text, start, end) if mail else None
        first = quoting.end() if quoting else start
        if first >= end:
            continue
        before = found[-1].end if found else 0
        gap = text[before:start]
        paged = "\f" in gap or any(before <= a and b <= start for a, b in furniture)
        found.append(
            Line(
                first,
                end,
                text[first:end],
                depth=quoting.group().count(">") if quoting else 0,
                indent=len(gap) - max(m.end() for m in _BREAK.finditer(gap)) if found else 0,
                parted=len(_BREAK.findall(gap)) > 1,
                over_page=paged,
            )
        )
    return found


def _rows(lines: Sequence[Line]) -> dict[int, Row]:
    """The rows of tables, each of lines that follow one another directly."""
    found: dict[int, Row] = {}
    start = 0
    for at in range(1, len(lines) + 1):
        if at == len(lines) or lines[at].parted or lines[at].over_page:
            here = rows([line.text for line in lines[start:at]])
            for place, row in here.items():
                found[start + place] = Row(start + row.table, row.said)
            start = at
    return found


def _shown(text: str, lines: Sequence[Line]) -> Shown:
    return shown(text, [(line.start, line.end) for line in lines])


def _is_parted(a: Line, b: Line) -> bool:
    """Whether two lines are of different paragraphs for certain."""
    return b.parted or a.depth != b.depth or _begins(b.text) or bool(_HEADING.match(a.text))


def _begins(line: str) -> bool:
    """Whether a line begins an item or is a heading."""
    return bool(BULLET.match(line) or _HEADING.match(line))


def _is_broken(a: Line, b: Line) -> bool:
    """Whether a sentence runs on from one line to the next, by their end and beginning."""
    return not ENDS.search(a.text) and b.text[0].islower()


def _is_full(a: Line, b: Line, width: int) -> bool:
    """Whether the next line's first word would not have fitted at the end of a line."""
    return len(a.text) + 1 + len(b.text.split(maxsplit=1)[0]) > _FULL * width


def _goes_on(a: Line, b: Line, width: int, opens: bool) -> bool:
    """Whether a line is of one paragraph with the line before it. `opens`: that is its first."""
    if b.over_page:
        # A page may end anywhere, so how full its last line is does not tell.
        stands = a.depth != b.depth or _begins(b.text) or ENDS.search(a.text)
        # A line of its own may be a heading; the second line of a paragraph is none.
        prose = not opens or len(a.text) >= _PROSE
        return not stands and (prose or b.text[0].islower() or bool(_COMMA.search(a.text)))
    if not width or _is_parted(a, b):
        return False
    if _is_broken(a, b):
        return True
    if ENDS.search(a.text) and b.indent > a.indent and not (opens and BULLET.match(a.text)):
        return False  # the first line of a paragraph, set in
    if b.text[0].isdecimal() and not ENDS.search(a.text):
        return len(a.text) >= 0.6 * width
    return _is_full(a, b, width) or bool(_COMMA.search(a.text) and len(a.text) >= 0.5 * width)
