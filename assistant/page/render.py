"""Answers and their evidence as HTML. Pure: values in, escaped text out.

Links only ever lead to another place of the page (`href="#…"`), and nothing that came from a
source, a model or a question is written unescaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from assistant.page.article import Mark, article_html, slug
from assistant.page.choice import choice_line
from assistant.page.conversation import Turn
from assistant.page.quotes import (
    lost,
    quote_id,
    reference_id,
    text_html,
    tips_html,
    when_and_where,
)
from assistant.page.reader import byline, pages_of
from assistant.page.words import Words, sentence
from assistant.types import Answer, Citation, Document, ScoredPassage

LONGEST_QUESTION = 600
"""Characters of a question that are shown; a pasted page is cut there."""
OUTCOMES = ("partial", "corrected_premise", "not_in_sources", "off_topic")
"""Those that are said above an answer."""


def passage_anchor(turn: int, passage_id: str) -> str:
    return f"passage-{turn}-{slug(passage_id)}"


def welcome_html(say: Words, starters: Sequence[str]) -> str:
    """What stands in an empty conversation: what this is, and questions to start with."""
    asked = questions_html(starters)
    items = f'<ul aria-label="{say.html("welcome.starters")}">{asked}</ul>' if starters else ""
    return (
        f'<div class="welcome"><h2>{say.html("welcome.title")}</h2>'
        f"<p>{say.html('welcome.about')}</p>{items}</div>"
    )


def questions_html(questions: Sequence[str]) -> str:
    """List items with questions that a press asks."""
    return "".join(
        '<li><button type="button" class="starter" data-ots="starter" '
        f'data-question="{escape(question)}">{escape(question)}</button></li>'
        for question in questions
    )


def more_html(say: Words, questions: Sequence[str]) -> str:
    """What may be asked next; nothing when there is nothing."""
    if not questions:
        return ""
    heading = f"<h2>{say.html('welcome.next')}</h2>"
    return f'<div class="more">{heading}<ul>{questions_html(questions)}</ul></div>'


def conversation_html(
    say: Words, turns: Sequence[Turn], documents: Mapping[str, Document] | None = None
) -> str:
    """All turns, oldest first, numbered from 1."""
    last = len(turns)
    return "\n".join(
        turn_html(say, number, turn, documents, last=number == last)
        for number, turn in enumerate(turns, start=1)
    )


def turn_html(
    say: Words,
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
    label = say.html("turn.label", n=number)
    return (
        f'<article class="turn{growing}" id="turn-{number}" aria-label="{label}">'
        f'<h2 class="question" dir="auto">{escape(question)}</h2>'
        f'<div class="answer">{_answer_html(say, number, turn, documents, last)}</div></article>'
    )


def _answer_html(
    say: Words, number: int, turn: Turn, documents: Mapping[str, Document] | None, last: bool
) -> str:
    parts = []
    answer = turn.answer
    if answer is not None:
        gone = set() if documents is None else {c.marker for c in lost(answer, documents)}
        if answer.outcome in OUTCOMES:
            parts.append(f'<p class="outcome">{say.html(f"turn.{answer.outcome}")}</p>')
        parts.append(text_html(say, answer.text, answer.citations, number, gone))
        parts.append(_remarks_html(say, answer))
        parts.append(tips_html(say, answer.citations, number, gone))
    if turn.growing:
        waiting = " waiting" if answer is None or not answer.text else ""
        parts.append(f'<p class="writing{waiting}" aria-hidden="true"><i></i><i></i><i></i></p>')
    if turn.scope:
        parts.append(f'<p class="remark scoped">{escape(turn.scope)}.</p>')
    if chosen := choice_line(say, turn.choice):
        parts.append(f'<p class="remark chosen">{escape(chosen)}.</p>')
    if turn.shared:
        parts.append(f'<p class="remark">{say.html("turn.shared")}</p>')
    if turn.stopped:
        parts.append(f'<p class="remark">{say.html("turn.stopped")}</p>')
    if turn.fault:
        parts.append(f'<p class="fault" role="alert">{say.told(turn.fault)}</p>')
    if last and (turn.fault or turn.stopped):
        parts.append(
            '<p><button type="button" class="quiet" id="again" data-ots="again">'
            f"{say.html('turn.again')}</button></p>"
        )
    parts.append(_verdict_html(say, number, turn))
    return "".join(parts)


def _verdict_html(say: Words, number: int, turn: Turn) -> str:
    """Thumbs under a finished answer, and room for a reason once one is pressed."""
    if turn.answer is None or turn.answer.outcome == "pending" or turn.shared or not turn.turn_id:
        return ""
    which = f'data-ots="verdict" data-turn="{escape(turn.turn_id)}"'
    thumbs = "".join(
        f'<button type="button" class="thumb {verdict}" id="{verdict}-{number}" {which} '
        f'data-verdict="{verdict}" aria-pressed="{str(turn.verdict == verdict).lower()}" '
        f'title="{name}"><span>{name}</span></button>'
        for verdict, name in (("up", say.html("verdict.up")), ("down", say.html("verdict.down")))
    )
    why = ""
    if turn.verdict:
        asked = say.html(f"verdict.why_{turn.verdict}")
        noted = say.html("verdict.reason_saved" if turn.reason else "verdict.noted")
        why = (
            f'<input id="reason-{number}" value="{escape(turn.reason)}" maxlength="300" '
            f'aria-label="{asked}" placeholder="{asked}" dir="auto">'
            f'<button type="button" class="quiet" {which} data-verdict="{turn.verdict}" '
            f'data-from="reason-{number}">{say.html("verdict.save")}</button>'
            f'<span class="noted" role="status">{noted}</span>'
        )
    return (
        f'<div class="verdict" role="group" aria-label="{say.html("verdict.label")}">'
        f"{thumbs}{why}</div>"
    )


def _remarks_html(say: Words, answer: Answer) -> str:
    """What is missing or was withheld, and how the answer came to be, in plain words."""
    parts = []
    if answer.missing and answer.missing not in answer.text:
        parts.append(
            f'<p class="missing"><b>{say.html("turn.missing")}</b> '
            f"{escape(sentence(answer.missing))}</p>"
        )
    if answer.outcome != "pending":
        parts.append(_withheld_html(say, answer))
    if answer.notice:
        told = say.told(answer.notice) if answer.error_code else escape(answer.notice)
        parts.append(f'<p class="remark">{told}</p>')
    return "".join(parts)


def _withheld_html(say: Words, answer: Answer) -> str:
    withheld = [claim for claim in answer.claims if claim.status == "withheld"]
    if not withheld:
        return ""
    line = escape(say.count("count.withheld", len(withheld)))
    reasons = list(dict.fromkeys(c.missing for c in withheld if c.missing))
    if not reasons:
        return f'<p class="remark">{line}</p>'
    items = "".join(f"<li>{escape(sentence(reason))}</li>" for reason in reasons)
    return f'<details class="remark"><summary>{line}</summary><ul>{items}</ul></details>'


def status_line(say: Words, turns: Sequence[Turn]) -> str:
    """Where the last question stands, in one plain line for eyes and screen readers alike."""
    if not turns:
        return ""
    turn = turns[-1]
    answer = turn.answer
    if turn.fault:
        return say("status.failed")
    if turn.stopped:
        return say("status.stopped")
    if answer is None:
        return say("status.looking")
    if turn.growing:
        passages = say.count("count.passages", len(answer.retrieved))
        count = len({found.passage.doc_id for found in answer.retrieved})
        articles = say.count("count.articles", count)
        return say("status.writing", passages=passages, articles=articles)
    if "total" not in answer.timings:
        return say("status.done")
    seconds = f"{answer.timings['total']:.1f}"
    if not answer.citations:
        return say("status.done_in", seconds=seconds)
    quotes = say.count("count.quotes", len(answer.citations))
    return say("status.done_quoting", seconds=seconds, quotes=quotes)


def evidence_html(
    say: Words, number: int, turn: Turn | None, documents: Mapping[str, Document]
) -> str:
    """Cited articles in full with their quotes marked, then what else was retrieved."""
    if turn is None or turn.answer is None:
        return _empty_evidence(say, turn)
    answer = turn.answer
    in_order = sorted(answer.citations, key=lambda citation: citation.marker)
    gone = [citation for citation in lost(answer, documents) if citation.quote]
    cited = list(dict.fromkeys(c.doc_id for c in in_order if c.doc_id in documents))
    quoted = {citation.passage_id for citation in answer.citations}
    others = [found for found in answer.retrieved if found.passage.passage_id not in quoted]
    more = list(dict.fromkeys(found.passage.doc_id for found in others))
    uncited = [doc_id for doc_id in more if doc_id in documents and doc_id not in cited]
    parts = [
        _evidence_heading(say, number, turn, len(cited)),
        _gone_html(say, number, answer, gone),
    ]
    parts += [_article(say, number, documents[doc_id], answer) for doc_id in cited]
    parts.append(_retrieved(say, number, others, documents, bool(cited), turn.growing))
    parts += [_folded_article(say, number, documents[doc_id], answer) for doc_id in uncited]
    return f'<div class="evidence" id="evidence-{number}">{"".join(parts)}</div>'


def _gone_html(say: Words, number: int, answer: Answer, gone: Sequence[Citation]) -> str:
    """Quotes that can't be shown in their article any more; their markers lead here."""
    if not gone:
        return ""
    # A marker with several quotes leads to the first that stands.
    standing = {c.marker for c in answer.citations if c not in gone}
    ids = {c.marker: f' id="{quote_id(number, c.marker)}"' for c in gone}
    items = "".join(
        f'<li><a class="number"{"" if c.marker in standing else ids.pop(c.marker, "")} '
        f'href="#{reference_id(number, c.marker)}" '
        f'aria-label="{say.html("evidence.back", n=c.marker)}">{c.marker}</a>'
        f'<q dir="auto">{escape(c.as_shown)}</q> <span>{escape(c.title)} · {escape(c.publisher)} · '
        f"{escape(when_and_where(say, c))}</span></li>"
        for c in gone
    )
    return (
        f'<section class="gone" aria-label="{say.html("evidence.gones_label")}">'
        f"<h3>{say.html('evidence.gones')}</h3><ul>{items}</ul></section>"
    )


def _empty_evidence(say: Words, turn: Turn | None) -> str:
    key = "none_yet" if turn is None else ("looking" if turn.growing else "ended")
    heading, line = say.html("evidence.title"), say.html(f"evidence.{key}")
    return f'<div class="evidence empty"><h2>{heading}</h2><p>{line}</p></div>'


def _evidence_heading(say: Words, number: int, turn: Turn, articles: int) -> str:
    answer = turn.answer
    assert answer is not None
    if answer.citations:
        quotes = say.count("count.quotes", len(answer.citations))
        told = say.count("count.articles", articles)
        line = say.html("evidence.quotes", quotes=quotes, articles=told)
    elif turn.growing:
        passages = say.count("count.passages", len(answer.retrieved))
        line = say.html("evidence.growing", passages=passages)
    else:
        line = say.html("evidence.nearest" if answer.retrieved else "evidence.nothing")
    of = f'<span class="of">{say.html("evidence.question", n=number)}</span>'
    return f'<h2>{say.html("evidence.title")} {of}</h2><p class="sum">{line}</p>'


def _article(say: Words, number: int, document: Document, answer: Answer) -> str:
    return (
        f'<section class="article" aria-label="{escape(document.title)}"><header>'
        f'<p class="source">{byline(say, document)}{_card_html(say, number, document, answer)}</p>'
        f'<h3 dir="auto">{escape(document.title)}</h3></header>'
        f"{_body(say, number, document, answer)}</section>"
    )


def _card_html(say: Words, number: int, document: Document, answer: Answer) -> str:
    """Where the markers lead that cite a source's card: what stands over its text."""
    return "".join(
        f'<a class="number" id="{quote_id(number, c.marker)}" '
        f'href="#{reference_id(number, c.marker)}" '
        f'aria-label="{say.html("evidence.back", n=c.marker)}">{c.marker}</a>'
        for c in answer.citations
        if c.of_card and c.doc_id == document.doc_id
    )


def _folded_article(say: Words, number: int, document: Document, answer: Answer) -> str:
    return (
        f'<details class="article"><summary><p class="source">{byline(say, document)}</p>'
        f'<h3 dir="auto">{escape(document.title)}</h3></summary>'
        f"{_body(say, number, document, answer)}</details>"
    )


def _body(say: Words, number: int, document: Document, answer: Answer) -> str:
    gone = lost(answer, {document.doc_id: document})
    marks = [
        Mark(
            c.start,
            c.end,
            quote_id(number, c.marker),
            c.marker,
            reference_id(number, c.marker),
            say("evidence.back", n=c.marker),
        )
        for c in answer.citations
        if c.doc_id == document.doc_id and c not in gone and not c.of_card
    ]
    marks += [
        Mark(p.start, p.end, passage_anchor(number, p.passage_id))
        for p in (found.passage for found in answer.retrieved)
        if p.doc_id == document.doc_id and document.text[p.start : p.end] == p.text
    ]
    text = article_html(document.text, marks, document.furniture, pages_of(say, document))
    return f'<div class="body" lang="{escape(document.language)}" dir="auto">{text}</div>'


def _retrieved(
    say: Words,
    number: int,
    found: Sequence[ScoredPassage],
    documents: Mapping[str, Document],
    cited: bool,
    growing: bool,
) -> str:
    """Passages that are not quoted: folded away once quotes stand above them."""
    if not found:
        return ""
    items = "".join(_passage_item(say, number, one, documents) for one in found)
    name = "also" if cited else ("so_far" if growing else "near")
    return (
        f'<details class="retrieved"{"" if cited else " open"}>'
        f"<summary>{say.html(f'evidence.{name}', n=len(found))}</summary><ol>{items}</ol></details>"
    )


def _passage_item(
    say: Words, number: int, found: ScoredPassage, documents: Mapping[str, Document]
) -> str:
    passage = found.passage
    document = documents.get(passage.doc_id)
    if document is None:
        return f'<li><p class="excerpt" dir="auto">{escape(passage.as_shown)}</p></li>'
    return (
        f'<li><p class="source">{byline(say, document)}</p>'
        f'<p class="excerpt" dir="auto">{escape(passage.as_shown)}</p>'
        f'<a class="read" href="#{passage_anchor(number, passage.passage_id)}" '
        f'aria-label="{say.html("evidence.read_passage", n=found.rank)}">'
        f"{say.html('evidence.read')}</a></li>"
    )
