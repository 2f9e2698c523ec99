"""An article's full text as HTML, with quotes and passages marked at their exact offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from assistant.types import Span

_BLANK_LINES = re.compile(r"\n[ \t\r]*\n\s*|\s*\f\s*")


@dataclass(frozen=True, slots=True)
class Mark:
    """A span of the article that stands out.

    `anchor` is the id that links lead to. A quote also has a number and the id of its place in
    the answer, with what the way back is called; a passage has none of these.
    """

    start: int
    end: int
    anchor: str
    number: int = 0
    back: str = ""
    label: str = ""


def slug(text: str) -> str:
    """`text` as part of an HTML id."""
    return re.sub(r"[^\w.-]", "-", text, flags=re.ASCII)


def paragraphs(text: str) -> Iterator[Span]:
    """Spans of the paragraphs, which blank lines and pages part, without white space around."""
    start = 0
    ends = [(m.start(), m.end()) for m in _BLANK_LINES.finditer(text)]
    for end, following in [*ends, (len(text), len(text))]:
        piece = text[start:end]
        if stripped := piece.strip():
            first = start + piece.index(stripped)
            yield first, first + len(stripped)
        start = following


def article_html(
    text: str,
    marks: Sequence[Mark],
    furniture: Sequence[Span] = (),
    pages: Sequence[tuple[int, str]] = (),
) -> str:
    """Escaped paragraphs; every character of a mark lies in an element carrying its class.

    Marks may overlap and run over paragraphs. Each leaves its anchor once, at its first
    visible character. Above each page, at its offset, stands what it is called.
    """
    placed: set[str] = set()
    out = []
    coming = list(reversed(pages))
    for start, end in paragraphs(text):
        while coming and coming[-1][0] <= start:
            out.append(f'<p class="page">{escape(coming.pop()[1])}</p>')
        here = [m for m in marks if m.start < end and start < m.end]
        aside = [span for span in furniture if span[0] < end and start < span[1]]
        whole = any(a <= start and end <= b for a, b in aside)
        inner = "".join(_pieces(text, start, end, here, [] if whole else aside, placed))
        out.append(f'<p class="furniture">{inner}</p>' if whole else f"<p>{inner}</p>")
    return "\n".join(out)


def _pieces(
    text: str,
    start: int,
    end: int,
    marks: Sequence[Mark],
    furniture: Sequence[Span],
    placed: set[str],
) -> Iterator[str]:
    edges = [point for m in marks for point in (m.start, m.end)]
    edges += [point for span in furniture for point in span]
    cuts = sorted({start, end, *(point for point in edges if start < point < end)})
    for a, b in pairwise(cuts):
        covering = [m for m in marks if m.start <= a and b <= m.end]
        for mark in covering:
            if mark.anchor not in placed:
                placed.add(mark.anchor)
                yield _anchor(mark)
        piece = escape(text[a:b])
        if covering:
            tag = "mark" if any(m.number for m in covering) else "span"
            names = " ".join(sorted({f"at-{m.anchor}" for m in covering}))
            yield f'<{tag} class="{names}">{piece}</{tag}>'
        elif any(x <= a and b <= y for x, y in furniture):
            yield f'<span class="furniture">{piece}</span>'
        else:
            yield piece


def _anchor(mark: Mark) -> str:
    if not mark.number:
        return f'<span class="anchor" id="{mark.anchor}" tabindex="-1"></span>'
    return (
        f'<a class="number" id="{mark.anchor}" href="#{mark.back}" '
        f'aria-label="{escape(mark.label)}">{mark.number}</a>'
    )
