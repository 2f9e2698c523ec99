"""Answers and their evidence as HTML. Pure: values in, escaped text out.

Links only ever lead to another place of the page (`href="#…"`), and nothing that came from a
source, a model or a question is written unescaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from assistant.page.article import Mark, article_html, slug
from assistant.page.conversation import Turn
from assistant.page.words import count, date_in_words, language_in_words, sentence
from assistant.types import Answer, Citation, Document, ScoredPassage

_MARKER = re.compile(r"\s*\[(\d+)\]")
_BULLET = re.compile(r"\s*(?:[-•*]|\d{1,2}[.)])\s+")
LONGEST_QUESTION = 600
"""Characters of a question that are shown; a pasted page is cut there."""

OUTCOMES = {
    "partial": "Partly in the sources",
    "corrected_premise": "The sources say otherwise",
    "not_in_sources": "Not in the sources",
    "off_topic": "Outside the sources' subject",
}


def quote_id(turn: int, marker: int) -> str:
    return f"quote-{turn}-{marker}"


def reference_id(turn: int, marker: int) -> str:
    return f"ref-{turn}-{marker}"


def passage_anchor(turn: int, passage_id: str) -> str:
    return f"passage-{turn}-{slug(passage_id)}"


def by_marker(citations: Iterable[Citation]) -> dict[int, list[Citation]]:
    """Citations under their numbers, in the order of the numbers."""
    grouped: dict[int, list[Citation]] = {}
    for citation in sorted(citations, key=lambda c: c.marker):
        grouped.setdefault(citation.marker, []).append(citation)
    return grouped


def masthead_html(title: str) -> str:
    return (
        f'<div class="masthead"><h1>{escape(title)}</h1>'
        "<p>Answers from the source articles, every sentence beside its quote</p></div>"
    )


def welcome_html(starters: Sequence[str]) -> str:
    """What stands in an empty conversation: what this is, and questions to start with."""
    items = "".join(
        f'<li><button type="button" class="starter" data-index="{index}">{escape(question)}'
        "</button></li>"
        for index, question in enumerate(starters)
    )
    return (
        '<div class="welcome"><h2>What would you like to know?</h2>'
        "<p>Ask in your own words about the digital agreements of the Organization of Turkic "
        "States. What the articles do not say is left unsaid.</p>"
        f'<ul aria-label="Questions to start with">{items}</ul></div>'
    )


def conversation_html(turns: Sequence[Turn]) -> str:
    """All turns, oldest first, numbered from 1."""
    return "\n".join(turn_html(number, turn) for number, turn in enumerate(turns, start=1))


def turn_html(number: int, turn: Turn) -> str:
    question = turn.question
    if len(question) > LONGEST_QUESTION:
        question = question[:LONGEST_QUESTION].rstrip() + " …"
    growing = " growing" if turn.growing else ""
    return (
        f'<article class="turn{growing}" id="turn-{number}" aria-label="Question {number}">'
        f'<h2 class="question" dir="auto">{escape(question)}</h2>'
        f'<div class="answer">{_answer_html(number, turn)}</div></article>'
    )


def _answer_html(number: int, turn: Turn) -> str:
    parts = []
    answer = turn.answer
    if answer is not None:
        if label := OUTCOMES.get(answer.outcome):
            parts.append(f'<p class="outcome">{escape(label)}</p>')
        parts.append(text_html(answer.text, answer.citations, number))
        parts.append(_remarks_html(answer))
        parts.append(_tips_html(answer.citations, number))
    if turn.growing:
        waiting = " waiting" if answer is None or not answer.text else ""
        parts.append(f'<p class="writing{waiting}" aria-hidden="true"><i></i><i></i><i></i></p>')
    if turn.stopped:
        parts.append('<p class="remark">You stopped this answer.</p>')
    if turn.fault:
        parts.append(f'<p class="fault" role="alert">{escape(turn.fault)}</p>')
    return "".join(parts)


def text_html(text: str, citations: Sequence[Citation], turn: int) -> str:
    """Paragraphs and lists, each known marker a link to its quote; the rest is plain text."""
    numbered = by_marker(citations)
    seen: set[int] = set()
    blocks: list[str] = []
    items: list[str] = []

    def close_list() -> None:
        if items:
            blocks.append(f"<ul>{''.join(items)}</ul>")
            items.clear()

    for line in text.splitlines():
        if bullet := _BULLET.match(line):
            items.append(f"<li>{_line_html(line[bullet.end() :], numbered, turn, seen)}</li>")
        elif line.strip():
            close_list()
            blocks.append(f'<p dir="auto">{_line_html(line.strip(), numbered, turn, seen)}</p>')
    close_list()
    return "".join(blocks)


def _line_html(
    line: str, numbered: Mapping[int, Sequence[Citation]], turn: int, seen: set[int]
) -> str:
    out, at = [], 0
    for match in _MARKER.finditer(line):
        # Longer digit runs are never markers, and int() refuses absurd ones.
        marker = int(match[1]) if len(match[1]) <= 4 else 0
        if marker not in numbered:
            continue
        out.append(escape(line[at : match.start()]))
        out.append(_marker_html(marker, numbered[marker], turn, first=marker not in seen))
        seen.add(marker)
        at = match.end()
    out.append(escape(line[at:]))
    return "".join(out)


def _marker_html(marker: int, citations: Sequence[Citation], turn: int, first: bool) -> str:
    identity = f' id="{reference_id(turn, marker)}"' if first else ""
    source = citations[0]
    name = f"Quote {marker}: {source.publisher}, {date_in_words(source.published)}"
    return (
        f'<a class="cite"{identity} href="#{quote_id(turn, marker)}" '
        f'aria-label="{escape(name)}" aria-describedby="tip-{turn}-{marker}">{marker}</a>'
    )


def _tips_html(citations: Sequence[Citation], turn: int) -> str:
    tips = []
    for marker, group in by_marker(citations).items():
        quotes = "".join(f"<q>{escape(citation.quote)}</q>" for citation in group)
        source = group[0]
        about = f"{source.publisher} · {date_in_words(source.published)}"
        tips.append(
            f'<div id="tip-{turn}-{marker}">{quotes}<b>{escape(source.title)}</b>'
            f"<span>{escape(about)}</span></div>"
        )
    return f'<div class="tips" hidden>{"".join(tips)}</div>' if tips else ""


def _remarks_html(answer: Answer) -> str:
    """What is missing or was withheld, and how the answer came to be, in plain words."""
    parts = []
    if answer.missing and answer.missing not in answer.text:
        parts.append(
            '<p class="missing"><b>Missing from the sources</b> '
            f"{escape(sentence(answer.missing))}</p>"
        )
    if answer.outcome != "pending":
        parts.append(_withheld_html(answer))
    if answer.notice:
        parts.append(f'<p class="remark">{escape(answer.notice)}</p>')
    return "".join(parts)


def _withheld_html(answer: Answer) -> str:
    withheld = [claim for claim in answer.claims if claim.status == "withheld"]
    if not withheld:
        return ""
    were = "was" if len(withheld) == 1 else "were"
    line = f"{count(len(withheld), 'sentence')} {were} left out: the sources do not bear it out."
    reasons = list(dict.fromkeys(c.missing for c in withheld if c.missing))
    if not reasons:
        return f'<p class="remark">{line}</p>'
    items = "".join(f"<li>{escape(sentence(reason))}</li>" for reason in reasons)
    return f'<details class="remark"><summary>{line}</summary><ul>{items}</ul></details>'


def status_line(turns: Sequence[Turn]) -> str:
    """Where the last question stands, in one plain line for eyes and screen readers alike."""
    if not turns:
        return ""
    turn = turns[-1]
    answer = turn.answer
    if turn.fault:
        return "That did not work."
    if turn.stopped:
        return "Stopped."
    if answer is None:
        return "Looking through the articles…"
    if turn.growing:
        articles = len({found.passage.doc_id for found in answer.retrieved})
        found = f"{count(len(answer.retrieved), 'passage')} in {count(articles, 'article')}"
        return f"Found {found}. Writing the answer…"
    quotes = len(answer.citations)
    took = f" in {answer.timings['total']:.1f} s" if "total" in answer.timings else ""
    return f"Done{took}, with {count(quotes, 'quote')}." if quotes else f"Done{took}."


def evidence_html(number: int, turn: Turn | None, documents: Mapping[str, Document]) -> str:
    """Cited articles in full with their quotes marked, then what else was retrieved."""
    if turn is None or turn.answer is None:
        return _empty_evidence(turn)
    answer = turn.answer
    in_order = sorted(answer.citations, key=lambda citation: citation.marker)
    cited = list(dict.fromkeys(c.doc_id for c in in_order if c.doc_id in documents))
    quoted = {citation.passage_id for citation in answer.citations}
    others = [found for found in answer.retrieved if found.passage.passage_id not in quoted]
    more = list(dict.fromkeys(found.passage.doc_id for found in others))
    uncited = [doc_id for doc_id in more if doc_id in documents and doc_id not in cited]
    parts = [_evidence_heading(number, turn, len(cited))]
    parts += [_article(number, documents[doc_id], answer) for doc_id in cited]
    parts.append(_retrieved(number, others, documents, bool(cited), turn.growing))
    parts += [_folded_article(number, documents[doc_id], answer) for doc_id in uncited]
    return f'<div class="evidence" id="evidence-{number}">{"".join(parts)}</div>'


def _empty_evidence(turn: Turn | None) -> str:
    line = "Looking for passages…"
    if turn is None:
        line = "The passages behind each answer appear here, marked in the text of their article."
    elif not turn.growing:
        line = "No passages were found before it ended."
    return f'<div class="evidence empty"><h2>Evidence</h2><p>{line}</p></div>'


def _evidence_heading(number: int, turn: Turn, articles: int) -> str:
    answer = turn.answer
    assert answer is not None
    if answer.citations:
        line = f"{count(len(answer.citations), 'quote')} from {count(articles, 'article')}"
    elif turn.growing:
        line = f"{count(len(answer.retrieved), 'passage')} found; the answer is being written"
    elif answer.retrieved:
        line = "Nothing is quoted; these passages came nearest"
    else:
        line = "No passage was found"
    heading = f'<h2>Evidence <span class="of">for question {number}</span></h2>'
    return f'{heading}<p class="sum">{line}</p>'


def _source_html(document: Document) -> str:
    byline = [f'<b class="publisher">{escape(document.publisher or "Publisher not given")}</b>']
    if document.author:
        byline.append(f"<span>{escape(document.author)}</span>")
    byline.append(f"<span>{escape(date_in_words(document.published))}</span>")
    byline.append(f"<span>{escape(language_in_words(document.language))}</span>")
    return f'<p class="source">{"".join(byline)}</p>'


def _article(number: int, document: Document, answer: Answer) -> str:
    return (
        f'<section class="article" aria-label="{escape(document.title)}"><header>'
        f'{_source_html(document)}<h3 dir="auto">{escape(document.title)}</h3></header>'
        f"{_body(number, document, answer)}</section>"
    )


def _folded_article(number: int, document: Document, answer: Answer) -> str:
    return (
        f'<details class="article"><summary>{_source_html(document)}'
        f'<h3 dir="auto">{escape(document.title)}</h3></summary>'
        f"{_body(number, document, answer)}</details>"
    )


def _body(number: int, document: Document, answer: Answer) -> str:
    marks = [
        Mark(c.start, c.end, quote_id(number, c.marker), c.marker, reference_id(number, c.marker))
        for c in answer.citations
        if c.doc_id == document.doc_id
    ]
    marks += [
        Mark(p.start, p.end, passage_anchor(number, p.passage_id))
        for p in (found.passage for found in answer.retrieved)
        if p.doc_id == document.doc_id
    ]
    text = article_html(document.text, marks, document.furniture)
    return f'<div class="body" lang="{escape(document.language)}" dir="auto">{text}</div>'


def _retrieved(
    number: int,
    found: Sequence[ScoredPassage],
    documents: Mapping[str, Document],
    cited: bool,
    growing: bool,
) -> str:
    """Passages that are not quoted: folded away once quotes stand above them."""
    if not found:
        return ""
    items = "".join(_passage_item(number, one, documents) for one in found)
    name = "Also retrieved" if cited else ("Found so far" if growing else "Nearest passages")
    return (
        f'<details class="retrieved"{"" if cited else " open"}>'
        f"<summary>{name} ({len(found)})</summary><ol>{items}</ol></details>"
    )


def _passage_item(number: int, found: ScoredPassage, documents: Mapping[str, Document]) -> str:
    passage = found.passage
    document = documents.get(passage.doc_id)
    if document is None:
        return f'<li><p class="excerpt" dir="auto">{escape(passage.text)}</p></li>'
    return (
        f'<li>{_source_html(document)}<p class="excerpt" dir="auto">{escape(passage.text)}</p>'
        f'<a class="read" href="#{passage_anchor(number, passage.passage_id)}" '
        f'aria-label="Read passage {found.rank} in the article">Read in the article</a></li>'
    )
