"""A whole article to read, with the passage one came for marked in it."""

from __future__ import annotations

from datetime import date
from html import escape

from assistant.dates import parts_of
from assistant.page.article import Mark, article_html
from assistant.page.words import Words
from assistant.types import Document, Span

FIND_MARK = (
    "watch('value', () => {"
    "const at = element.querySelector('.anchor') || element.querySelector('h2');"
    "if (!at) return;"
    "at.focus({preventScroll: true});"
    "at.scrollIntoView({block: at.matches('h2') ? 'nearest' : 'center'});"
    "});"
)
"""What a panel with an article does when it changes: brings the mark, or the title, into sight."""


def article_page(say: Words, document: Document, marked: Span | None = None) -> str:
    """The article under its title, with one stretch of it marked."""
    marks = [Mark(*marked, "marked")] if marked else []
    body = article_html(document.text, marks, document.furniture, pages_of(say, document))
    language = escape(document.language)
    return (
        f'<article class="reading" tabindex="0"><p class="source">{byline(say, document)}</p>'
        f'<h2 tabindex="-1" dir="auto">{escape(document.title)}</h2>'
        f'<div class="body" lang="{language}" dir="auto">{body}</div></article>'
    )


def pages_of(say: Words, document: Document) -> list[tuple[int, str]]:
    """Where each page of a document begins, and what it is called."""
    return [(at, say("sources.page", n=n)) for n, at in enumerate(document.pages, 1)]


def byline(say: Words, document: Document) -> str:
    """Publisher, author, date with its age, and language, each in an element of its own."""
    publisher = document.publisher or say("evidence.no_publisher")
    parts = [f'<b class="publisher">{escape(publisher)}</b>']
    when = say.date(document.published)
    if old := age(say, document.published, date.today()):
        when += f" ({old})"
    told = (document.author, when, say.tongue(document.language))
    return "".join([*parts, *(f"<span>{escape(one)}</span>" for one in told if one)])


def age(say: Words, published: str, today: date) -> str:
    """How long ago, as far as the date tells: `5 years ago`; nothing without a year."""
    year, month, day = parts_of(published)
    if not year:
        return ""
    months = (today.year - year) * 12
    if month:
        months += today.month - month - (today.day < day)
    if not month or months >= 24:
        years = months // 12
        return say.count("count.years_ago", years) if years > 0 else ""
    return say.count("count.months_ago", months) if months > 0 else say("date.this_month")
