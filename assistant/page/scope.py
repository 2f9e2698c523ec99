"""Which sources may answer: ticked by hand, by publisher and by date."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from assistant.dates import parts_of
from assistant.page.words import Words
from assistant.types import Document

_BOUND = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?", re.ASCII)
_MOST = 10_000
"""How many left-out sources a browser may remember."""

Placed = Literal["inside", "outside", "unsure"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a person has chosen. New sources are in until they are left out."""

    left_out: frozenset[str] = frozenset()
    publisher: str = ""
    """Only this publisher; empty means any."""
    since: str = ""
    until: str = ""
    """`2021`, `2021-09` or `2021-09-15`; empty means open."""
    unsure: bool = False
    """Whether sources may answer whose date does not tell if they lie within the dates."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What comes of a scope with the sources there are."""

    doc_ids: tuple[str, ...]
    all: bool
    left: tuple[str, ...] = ()
    """For each source left out that was not unticked by hand: its title and why."""
    fault: str = ""
    """What is wrong with the dates, in one line."""


def read_scope(data: Any) -> Scope:
    """The scope that a browser remembered or sent; what makes no sense in it is passed over."""
    if not isinstance(data, Mapping):
        return Scope()
    left_out = data.get("left_out")
    if not isinstance(left_out, list) or len(left_out) > _MOST:
        left_out = []
    texts = {name: data.get(name) for name in ("publisher", "since", "until")}
    read = {k: v.strip()[:200] if isinstance(v, str) else "" for k, v in texts.items()}
    names = frozenset(name for name in left_out if isinstance(name, str))
    return Scope(names, **read, unsure=data.get("unsure") is True)


def choose(say: Words, scope: Scope, documents: Mapping[str, Document]) -> Chosen:
    """The sources that may answer, and why others may not."""
    if fault := _fault(say, scope):
        return Chosen((), False, fault=fault)
    taken, left = [], []
    for doc_id, document in documents.items():
        if doc_id in scope.left_out:
            continue
        if scope.publisher and document.publisher != scope.publisher:
            publisher, title = document.publisher, document.title
            left.append(say("scope.by_publisher", title=title, publisher=publisher))
            continue
        place = placed(document.published, scope.since, scope.until)
        if place == "inside" or (place == "unsure" and scope.unsure):
            taken.append(doc_id)
        else:
            told = say(f"scope.{place}", title=document.title, date=say.date(document.published))
            left.append(told)
    return Chosen(tuple(taken), len(taken) == len(documents), tuple(left))


def scope_line(say: Words, doc_ids: tuple[str, ...], documents: Mapping[str, Document]) -> str:
    """`Answered from 1 of 2 articles only: Trend`."""
    names = [documents[one].publisher for one in doc_ids if one in documents]
    told = ", ".join(list(dict.fromkeys(names))[:4])
    articles = say.count("count.articles", len(documents))
    key = "scope.only_more" if len(set(names)) > 4 else "scope.only"
    return say(key, n=len(doc_ids), articles=articles, names=told)


def placed(published: str, since: str, until: str) -> Placed:
    """Whether a date, as far as it is known, lies from `since` to `until`, both included.

    A date without a year may be of any year, one without a day any day of its month: such a date
    is inside or outside only when every day that it can stand for is.
    """
    low = _days(since)[0] if since else date.min
    high = _days(until)[1] if until else date.max
    if not since and not until:
        return "inside"
    try:
        if published.startswith("--"):
            return "unsure" if _falls_between(published, low, high) else "outside"
        first, last = _days(published)
    except ValueError:  # it is no date
        return "unsure"
    if low <= first and last <= high:
        return "inside"
    return "outside" if last < low or high < first else "unsure"


def _falls_between(published: str, low: date, high: date) -> bool:
    """Whether a month and day come round between two dates in any year."""
    _, month, day = parts_of(published)
    # Twelve years hold every date of the calendar, leap days around a 1900 too.
    years = range(low.year, min(high.year, low.year + 12) + 1)
    return any(
        low <= date(year, month, day) <= high
        for year in years
        if day <= calendar.monthrange(year, month)[1]
    )


def _days(text: str) -> tuple[date, date]:
    """The first and the last day of a year, a month or a day."""
    year, month, day = parts_of(text)
    if day:
        return date(year, month, day), date(year, month, day)
    last = month or 12
    return date(year, month or 1, 1), date(year, last, calendar.monthrange(year, last)[1])


def _fault(say: Words, scope: Scope) -> str:
    for name, bound in (("from", scope.since), ("to", scope.until)):
        try:
            if bound and not _BOUND.fullmatch(bound):
                raise ValueError
            if bound:
                _days(bound)
        except ValueError:
            return say("scope.no_date", name=say(f"scope.{name}"), value=bound)
    if scope.since and scope.until and _days(scope.since)[0] > _days(scope.until)[1]:
        return say("scope.backwards", since=scope.since, until=scope.until)
    return ""
