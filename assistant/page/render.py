"""Answers and their evidence as HTML. Pure: values in, escaped text out.

Links only ever lead to another place of the page (`href="#…"`), and nothing that came from a
source, a model or a question is written unescaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from assistant.page.article import Mark, article_html, slug
from assistant.page.conversation import Turn
from assistant.page.quotes import lost, quote_id, reference_id, text_html, tips_html
from assistant.page.words import count, date_in_words, language_in_words, sentence
from assistant.types import Answer, Citation, Document, ScoredPassage

LONGEST_QUESTION = 600
"""Characters of a question that are shown; a pasted page is cut there."""

GONES = "The articles have changed since: these quotes no longer stand in them"
SHARED = "Opened from a file: its quotes are held against the articles here, its sentences are not."
OUTCOMES = {
    "partial": "Partly in the sources",
    "corrected_premise": "The sources say otherwise",
    "not_in_sources": "Not in the sources",
    "off_topic": "Outside the sources' subject",
}


def passage_anchor(turn: int, passage_id: str) -> str:
    return f"passage-{turn}-{slug(passage_id)}"


def masthead_html(title: str) -> str:
    return (
        f'<div class="masthead"><h1>{escape(title)}</h1>'
        "<p>Answers from the source articles, every sentence beside its quote</p></div>"
    )


def welcome_html(starters: Sequence[str]) -> str:
    """What stands in an empty conversation: what this is, and questions to start with."""
    asked = questions_html(starters)
    items = f'<ul aria-label="Questions to start with">{asked}</ul>' if starters else ""
    return (
        '<div class="welcome"><h2>What would you like to know?</h2>'
        "<p>Ask in your own words about the digital agreements of the Organization of Turkic "
        "States. What the articles do not say is left unsaid.</p>"
        f"{items}</div>"
    )


def questions_html(questions: Sequence[str]) -> str:
    """List items with questions that a press asks."""
    return "".join(
        '<li><button type="button" class="starter" data-ots="starter" '
        f'data-question="{escape(question)}">{escape(question)}</button></li>'
        for question in questions
    )


def more_html(questions: Sequence[str]) -> str:
    """What may be asked next; nothing when there is nothing."""
    if not questions:
        return ""
    return f'<div class="more"><h2>Ask next</h2><ul>{questions_html(questions)}</ul></div>'


def conversation_html(
    turns: Sequence[Turn], documents: Mapping[str, Document] | None = None
) -> str:
    """All turns, oldest first, numbered from 1."""
    last = len(turns)
    return "\n".join(
        turn_html(number, turn, documents, last=number == last)
        for number, turn in enumerate(turns, start=1)
    )


def turn_html(
    number: int,
    turn: Turn,
    documents: Mapping[str, Document] | None = None,
    last: bool = False,
) -> str:
    """A question and its answer; without `documents`, no quote is held against its article."""
    question = turn.question
    if len(question) > LONGEST_QUESTION:
        question = question[:LONGEST_QUESTION].rstrip() + " …"
    growing = " growing" if turn.growing else ""
    return (
        f'<article class="turn{growing}" id="turn-{number}" aria-label="Question {number}">'
        f'<h2 class="question" dir="auto">{escape(question)}</h2>'
        f'<div class="answer">{_answer_html(number, turn, documents, last)}</div></article>'
    )


def _answer_html(
    number: int, turn: Turn, documents: Mapping[str, Document] | None, last: bool
) -> str:
    parts = []
    answer = turn.answer
    if answer is not None:
        gone = set() if documents is None else {c.marker for c in lost(answer, documents)}
        if label := OUTCOMES.get(answer.outcome):
            parts.append(f'<p class="outcome">{escape(label)}</p>')
        parts.append(text_html(answer.text, answer.citations, number, gone))
        parts.append(_remarks_html(answer))
        parts.append(tips_html(answer.citations, number, gone))
    if turn.growing:
        waiting = " waiting" if answer is None or not answer.text else ""
        parts.append(f'<p class="writing{waiting}" aria-hidden="true"><i></i><i></i><i></i></p>')
    if turn.scope:
        parts.append(f'<p class="remark scoped">{escape(turn.scope)}.</p>')
    if turn.shared:
        parts.append(f'<p class="remark">{SHARED}</p>')
    if turn.stopped:
        parts.append('<p class="remark">You stopped this answer.</p>')
    if turn.fault:
        parts.append(f'<p class="fault" role="alert">{escape(turn.fault)}</p>')
    if last and (turn.fault or turn.stopped):
        parts.append(
            '<p><button type="button" class="quiet" id="again" data-ots="again">Ask again</button>'
            "</p>"
        )
    parts.append(_verdict_html(number, turn))
    return "".join(parts)


def _verdict_html(number: int, turn: Turn) -> str:
    """Thumbs under a finished answer, and room for a reason once one is pressed."""
    if turn.answer is None or turn.answer.outcome == "pending" or turn.shared or not turn.turn_id:
        return ""
    which = f'data-ots="verdict" data-turn="{escape(turn.turn_id)}"'
    thumbs = "".join(
        f'<button type="button" class="thumb {verdict}" id="{verdict}-{number}" {which} '
        f'data-verdict="{verdict}" aria-pressed="{str(turn.verdict == verdict).lower()}" '
        f'title="{name}"><span>{name}</span></button>'
        for verdict, name in (("up", "Good answer"), ("down", "Bad answer"))
    )
    why = ""
    if turn.verdict:
        asked = "What was good?" if turn.verdict == "up" else "What was wrong?"
        why = (
            f'<input id="reason-{number}" value="{escape(turn.reason)}" maxlength="300" '
            f'aria-label="{asked} (optional)" placeholder="{asked} (optional)" dir="auto">'
            f'<button type="button" class="quiet" {which} data-verdict="{turn.verdict}" '
            f'data-from="reason-{number}">Save</button>'
            f'<span class="noted" role="status">{"Reason saved." if turn.reason else "Noted."}'
            "</span>"
        )
    return (
        f'<div class="verdict" role="group" aria-label="Was this answer good?">{thumbs}{why}</div>'
    )


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
    gone = [citation for citation in lost(answer, documents) if citation.quote]
    cited = list(dict.fromkeys(c.doc_id for c in in_order if c.doc_id in documents))
    quoted = {citation.passage_id for citation in answer.citations}
    others = [found for found in answer.retrieved if found.passage.passage_id not in quoted]
    more = list(dict.fromkeys(found.passage.doc_id for found in others))
    uncited = [doc_id for doc_id in more if doc_id in documents and doc_id not in cited]
    parts = [_evidence_heading(number, turn, len(cited)), _gone_html(number, answer, gone)]
    parts += [_article(number, documents[doc_id], answer) for doc_id in cited]
    parts.append(_retrieved(number, others, documents, bool(cited), turn.growing))
    parts += [_folded_article(number, documents[doc_id], answer) for doc_id in uncited]
    return f'<div class="evidence" id="evidence-{number}">{"".join(parts)}</div>'


def _gone_html(number: int, answer: Answer, gone: Sequence[Citation]) -> str:
    """Quotes that can't be shown in their article any more; their markers lead here."""
    if not gone:
        return ""
    # A marker with several quotes leads to the first that stands.
    standing = {c.marker for c in answer.citations if c not in gone}
    ids = {c.marker: f' id="{quote_id(number, c.marker)}"' for c in gone}
    items = "".join(
        f'<li><a class="number"{"" if c.marker in standing else ids.pop(c.marker, "")} '
        f'href="#{reference_id(number, c.marker)}" '
        f'aria-label="Quote {c.marker}. Back to the answer">{c.marker}</a>'
        f'<q dir="auto">{escape(c.quote)}</q> <span>{escape(c.title)} · {escape(c.publisher)} · '
        f"{escape(date_in_words(c.published))}</span></li>"
        for c in gone
    )
    return (
        f'<section class="gone" aria-label="Quotes that no longer stand"><h3>{GONES}</h3>'
        f"<ul>{items}</ul></section>"
    )


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
    gone = lost(answer, {document.doc_id: document})
    marks = [
        Mark(c.start, c.end, quote_id(number, c.marker), c.marker, reference_id(number, c.marker))
        for c in answer.citations
        if c.doc_id == document.doc_id and c not in gone
    ]
    marks += [
        Mark(p.start, p.end, passage_anchor(number, p.passage_id))
        for p in (found.passage for found in answer.retrieved)
        if p.doc_id == document.doc_id and document.text[p.start : p.end] == p.text
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
