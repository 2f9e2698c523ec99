"""An answer's text as HTML, its markers links to their quotes; and which quotes still stand."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape
from itertools import groupby

from assistant.page.words import Words
from assistant.types import Answer, Citation, Document

_MARKER = re.compile(r"\s*\[(\d+)\]")
_ROW = re.compile(r"\|(.*)\|\s*")
_RULE = re.compile(r"\|(?: --- \|)+\s*")
_BULLET = re.compile(r"\s*(?:[-•*]|\d{1,2}[.)])\s+")


def quote_id(turn: int, marker: int) -> str:
    return f"quote-{turn}-{marker}"


def reference_id(turn: int, marker: int) -> str:
    return f"ref-{turn}-{marker}"


def by_marker(citations: Iterable[Citation]) -> dict[int, list[Citation]]:
    """Citations under their numbers, in the order of the numbers."""
    grouped: dict[int, list[Citation]] = {}
    for citation in sorted(citations, key=lambda c: c.marker):
        grouped.setdefault(citation.marker, []).append(citation)
    return grouped


def lost(answer: Answer, documents: Mapping[str, Document]) -> list[Citation]:
    """The citations whose quote no longer stands in its article at that place."""
    return [citation for citation in answer.citations if not _stands(citation, documents)]


def _stands(citation: Citation, documents: Mapping[str, Document]) -> bool:
    document = documents.get(citation.doc_id)
    start, end = citation.start, citation.end
    # A negative offset would count from the end.
    return document is not None and start >= 0 and document.text[start:end] == citation.quote


def resettled(answer: Answer, documents: Mapping[str, Document]) -> Answer:
    """The answer with quotes that moved in their article, and stand there once, at their place."""
    moved = {c: _moved(c, documents) for c in lost(answer, documents)}
    if not moved:
        return answer
    claims = tuple(
        replace(claim, citations=tuple(moved.get(c, c) for c in claim.citations))
        for claim in answer.claims
    )
    citations = tuple(moved.get(c, c) for c in answer.citations)
    return replace(answer, claims=claims, citations=citations)


def _moved(citation: Citation, documents: Mapping[str, Document]) -> Citation:
    document = documents.get(citation.doc_id)
    if document is None or not citation.quote or document.text.count(citation.quote) != 1:
        return citation
    start = document.text.index(citation.quote)
    return replace(citation, start=start, end=start + len(citation.quote))


def text_html(
    say: Words, text: str, citations: Sequence[Citation], turn: int, gone: Collection[int] = ()
) -> str:
    """Paragraphs, lists and tables, each marker a link to its quote; all else is text."""
    numbered = by_marker(citations)
    names = {n: _name(say, n, group[0], n in gone) for n, group in numbered.items()}
    seen: set[int] = set()
    blocks: list[str] = []

    def line_html(line: str) -> str:
        return _line_html(line.strip(), names, turn, seen, gone)

    for kind, group in groupby(text.splitlines(), _kind_of):
        lines = list(group)
        if kind == "item":
            items = (f"<li>{line_html(_BULLET.sub('', line, count=1))}</li>" for line in lines)
            blocks.append(f"<ul>{''.join(items)}</ul>")
        elif kind == "row":
            blocks.append(_table_html([list(map(line_html, cells_of(line))) for line in lines]))
        elif kind:
            blocks += [f'<p dir="auto">{line_html(line)}</p>' for line in lines]
    return "".join(blocks)


def cells_of(row: str) -> list[str]:
    """What stands in the cells of a table's row; nothing for the rule under its head."""
    return [] if _RULE.fullmatch(row) else row.strip().strip("|").split("|")


def _kind_of(line: str) -> str:
    if _ROW.fullmatch(line):
        return "row"
    return "item" if _BULLET.match(line) else "text" if line.strip() else ""


def _table_html(rows: Sequence[Sequence[str]]) -> str:
    """The first row as the head, the first cell of the others as theirs."""
    head, *others = [row for row in rows if row] or [[]]
    top = "".join(f'<th scope="col" dir="auto">{cell}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row" dir="auto">{row[0]}</th>'
        + "".join(f'<td dir="auto">{cell}</td>' for cell in row[1:])
        + "</tr>"
        for row in others
    )
    scroll = '<div class="table" tabindex="0" role="group">'
    return f"{scroll}<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"


def _line_html(
    line: str,
    names: Mapping[int, str],
    turn: int,
    seen: set[int],
    gone: Collection[int],
) -> str:
    out, at = [], 0
    for match in _MARKER.finditer(line):
        # Longer digit runs are never markers, and int() refuses absurd ones.
        marker = int(match[1]) if len(match[1]) <= 4 else 0
        if marker not in names:
            continue
        out.append(escape(line[at : match.start()]))
        first = marker not in seen
        out.append(_marker_html(marker, names[marker], turn, first, marker in gone))
        seen.add(marker)
        at = match.end()
    out.append(escape(line[at:]))
    return "".join(out)


def _name(say: Words, marker: int, source: Citation, gone: bool) -> str:
    about = f"{source.publisher}, {when_and_where(say, source)}"
    return say("evidence.quote_gone" if gone else "evidence.quote", n=marker, source=about)


def when_and_where(say: Words, source: Citation) -> str:
    """The date of a quote's source, and the page where it has pages."""
    page = f", {say('sources.page', n=source.page)}" if source.page else ""
    return f"{say.date(source.published)}{page}"


def _marker_html(marker: int, name: str, turn: int, first: bool, gone: bool) -> str:
    identity = f' id="{reference_id(turn, marker)}"' if first else ""
    return (
        f'<a class="cite{" gone" if gone else ""}"{identity} href="#{quote_id(turn, marker)}" '
        f'aria-label="{escape(name)}" aria-describedby="tip-{turn}-{marker}">{marker}</a>'
    )


def tips_html(
    say: Words, citations: Sequence[Citation], turn: int, gone: Collection[int] = ()
) -> str:
    """What is shown beside a marker: its quote and where that is from."""
    tips = []
    for marker, group in by_marker(citations).items():
        quotes = "".join(f"<q>{escape(citation.as_shown)}</q>" for citation in group)
        source = group[0]
        about = f"{source.publisher} · {when_and_where(say, source)}"
        lost = f"<em>{say.html('evidence.gone')}</em>" if marker in gone else ""
        tips.append(
            f'<div id="tip-{turn}-{marker}">{quotes}<b>{escape(source.title)}</b>'
            f"<span>{escape(about)}</span>{lost}</div>"
        )
    return f'<div class="tips" hidden>{"".join(tips)}</div>' if tips else ""
