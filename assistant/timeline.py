"""Dated events in the sources: what the text itself says happened when.

A date is taken as far as the text tells it and never completed: "March 18" stays without a year,
whenever its article was published.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from assistant.passages import sentences
from assistant.text import MONTHS, STOPWORDS
from assistant.types import Document

Precision = Literal["day", "month", "year"]

_MONTH = r"(?P<month>{})".format("|".join(name.capitalize() for name in MONTHS))
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_TO = r"(?:\s?[-–—]\s?[0-9]{1,2}(?:st|nd|rd|th)?)?"
_YEAR = r"(?P<year>(?:19|20)[0-9][0-9])"
_END = r"(?![\w%]|[.,][0-9]|[-–—]\w)"
_BEFORE = (
    r"(?:in|since|until|till|by|during|before|after|from|to|of|between|and|early|late|mid)(?:\s|-)"
)
_PATTERNS = [
    re.compile(pattern)
    for pattern in (
        r"\b(?P<year>(?:19|20)[0-9][0-9])-(?P<number>[0-9][0-9])-(?P<day>[0-9][0-9])" + _END,
        rf"\b{_MONTH}\s{_DAY}{_TO}(?:,?\s{_YEAR})?{_END}",
        rf"\b{_DAY}{_TO}\s(?:of\s)?{_MONTH}(?:,?\s{_YEAR})?{_END}",
        rf"\b{_MONTH}(?:,?\s|\sof\s){_YEAR}{_END}",
        rf"\b(?i:in|since|until|by|during|early|late)\s{_MONTH}{_END}",
        rf"\b(?i:{_BEFORE}){_YEAR}{_END}",
    )
]
_FREE = frozenset("in since until till during".split())
"""After these a year is a year; "of 2000" may as well count something, so more is asked there."""


@dataclass(frozen=True, slots=True)
class Event:
    """A sentence and a date in it: `document.text[start:end]` and `[date_start:date_end]`."""

    doc_id: str
    date: str
    """ISO 8601 as far as the text tells it: `2021-09-14`, `2021-02`, `2020`, `--03-18`, `--03`."""
    start: int
    end: int
    date_start: int
    date_end: int

    @property
    def year_known(self) -> bool:
        return not self.date.startswith("--")

    @property
    def precision(self) -> Precision:
        parts = self.date.removeprefix("--").count("-") + (1 if self.year_known else 2)
        return "year" if parts == 1 else "month" if parts == 2 else "day"


def events(document: Document) -> list[Event]:
    """Every date in the sentences of a document, in the order of its text."""
    return [
        Event(document.doc_id, date, s.start, s.end, s.start + start, s.start + end)
        for s in sentences(document)
        for start, end, date in sorted(_dates(s.text))
    ]


def by_date(found: list[Event]) -> list[Event]:
    """Events with a year first, oldest first; then those without, by month and day."""
    return sorted(found, key=lambda event: (not event.year_known, event.date, event.doc_id))


def _dates(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and ISO form of every date; a longer form takes the place of what it contains."""
    taken: list[tuple[int, int]] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            first = min(match.start(name) for name, value in parts.items() if value)
            if any(a < match.end() and first < b for a, b in taken):
                continue
            taken.append((first, match.end()))
            date = _iso(parts)
            if date and (parts.get("month") or parts.get("day") or _is_year(text, match)):
                yield first, match.end(), date


def _is_year(text: str, match: re.Match[str]) -> bool:
    """Not a count: "of 2000 companies"."""
    if match.group().split()[0].lower() in _FREE:
        return True
    following = re.match(r"\s+([^\W\d_]+)", text[match.end() :])
    return not following or not following[1].islower() or following[1] in STOPWORDS


def _iso(parts: dict[str, str | None]) -> str:
    """The date in ISO 8601, or nothing for a day that no calendar has."""
    year, day = parts.get("year"), int(parts.get("day") or 0)
    month = int(parts.get("number") or 0)
    if name := parts.get("month"):
        month = MONTHS.index(name.lower()) + 1
    if month > 12 or (parts.get("number") and not month):
        return ""
    longest = calendar.monthrange(int(year or 2000), month)[1] if month else 0
    if parts.get("day") and not 1 <= day <= longest:
        return ""
    pieces = [year or "-", f"{month:02}" if month else "", f"{day:02}" if day else ""]
    return "-".join(piece for piece in pieces if piece)
