"""How much more, how long between: worked out from two figures that the sources give."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from itertools import pairwise

from babel.numbers import format_compact_decimal, format_decimal
from babel.units import format_unit

from assistant.answers.numbers import number_in
from assistant.answers.request import Request
from assistant.passages import Sentence
from assistant.text import fold, number_value, tokens
from assistant.timeline import events
from assistant.types import Outcome

BEARS, SHARE = 0.15, 0.3
"""What the reader must give a sentence, in itself and beside what the best one has."""
_SHORT = 4
_LARGE = 1_000_000
_SCALES = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_AMOUNT = re.compile(
    r"(?P<sign>[$€£¥₼₺₸])?\s?(?P<number>\d[\d.,\u00a0\u202f]*\d|\d)"
    r"(?:\s?(?P<scale>thousand|million|billion|trillion|bn|m)\b)?"
    r"(?:(?P<percent>\s?%)|\s?(?P<unit>[^\W\d_]{3,}))?"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with what it counts, or a date (days from year 1) with how exactly it is told."""

    value: Decimal
    unit: str
    said: str
    sentence: Sentence


def make(request: Request) -> Outcome | None:
    """The difference of the two figures, or dates, that bear on it; None unless just two do."""
    relevance = request.relevance()
    enough = max(BEARS, SHARE * max(relevance.values(), default=0.0))
    bearing = [sentence for sentence, share in relevance.items() if share >= enough]
    dated, counted = _two(_dates(request, bearing)), _two(_amounts(bearing))
    if dated and counted:
        times = _times(request.composer.language)
        words = [token.folded for token in tokens(request.text)]
        # "Seven months of 2021" counts no time that is asked for.
        asks_time = any(
            word.startswith(times) and not number_in(before)
            for before, word in pairwise(["", *words])
        )
        dated, counted = (dated, None) if asks_time else (None, counted)
    pairs = [pair for pair in (dated, counted) if pair]
    if not pairs:
        return None
    low, high = sorted(pairs[0], key=lambda figure: figure.value)
    told = _told(low, high, request.composer.language)
    if not told:
        return None
    cited = list(dict.fromkeys((low.sentence, high.sentence)))
    request.composer.tell(f"{told}: {low.said} → {high.said}", cited, worked_out=True)
    return "answered"


def _amount(value: Decimal, unit: str, language: str) -> str:
    """`$10.9 billion`, in a language; a unit that is a word stays as the source has it."""
    large = format_compact_decimal(value, format_type="long", fraction_digits=2, locale=language)
    said = large if value >= _LARGE else format_decimal(value, locale=language)
    if unit == "%" or any(c.isalnum() for c in unit):
        return f"{said} {unit}"
    return f"{unit}{said}"


@cache
def _times(language: str) -> tuple[str, ...]:
    """How the words for days, months and years begin in a language."""
    said = (format_unit(1, unit, locale=language) for unit in ("day", "month", "year"))
    words = {fold(word) for text in said for word in text.split() if not word.isdecimal()}
    return tuple(word[:-1] if len(word) > _SHORT else word for word in words)


def _two(figures: Sequence[Figure]) -> tuple[Figure, Figure] | None:
    """The two different values of the one unit that has more than one."""
    units: dict[str, dict[Decimal, Figure]] = {}
    for figure in figures:
        units.setdefault(figure.unit, {}).setdefault(figure.value, figure)
    several = [tuple(values.values()) for values in units.values() if len(values) > 1]
    if len(several) != 1 or len(several[0]) != 2:
        return None
    return several[0][0], several[0][1]


def _dates(request: Request, bearing: Sequence[Sentence]) -> list[Figure]:
    """Dates with a year; those told to the day, the month and the year are different units."""
    found = []
    for doc_id in {sentence.doc_id for sentence in bearing}:
        document = request.documents[doc_id]
        starts = {s.start: s for s in bearing if s.doc_id == doc_id}
        for event in events(document):
            if event.start in starts and event.year_known:
                year, month, day = (*map(int, event.date.split("-")), 1, 1)[:3]
                value = Decimal(date(year, month, day).toordinal())
                said = document.text[event.date_start : event.date_end]
                found.append(Figure(value, event.precision, said, starts[event.start]))
    return found


def _amounts(bearing: Sequence[Sentence]) -> list[Figure]:
    found = []
    for sentence in bearing:
        for match in _AMOUNT.finditer(sentence.shown):
            scale = {"bn": "billion", "m": "million"}.get(match["scale"] or "", match["scale"])
            unit = match["sign"] or match["percent"] or match["unit"] or ""
            end = match.end("unit") if unit == match["unit"] else match.end("scale")
            end = match.end("percent") if match["percent"] else max(end, match.end("number"))
            try:
                number = Decimal(number_value(match["number"].rstrip(".,")))
            except InvalidOperation:
                continue
            if not unit:
                continue
            value = number.scaleb(_SCALES.get(scale or "", 0))
            said = sentence.shown[match.start() : end].strip()
            words = tokens(unit)
            named = words[0].word if words else unit.strip()
            found.append(Figure(value, named, said, sentence))
    return found


def _told(low: Figure, high: Figure, language: str) -> str:
    """The difference in words of a language; nothing for one of less than a month of months."""
    if low.unit not in ("day", "month", "year"):
        gap = _amount(high.value - low.value, low.unit, language)
        times = high.value / low.value if low.value > 0 else Decimal(0)
        return f"{gap} (× {format_decimal(round(times, 1), locale=language)})" if times else gap
    first, last = (date.fromordinal(int(figure.value)) for figure in (low, high))
    months = 12 * (last.year - first.year) + last.month - first.month
    if low.unit == "year":
        return str(format_unit(last.year - first.year, "year", "long", locale=language))
    if low.unit == "month":
        return str(format_unit(months, "month", "long", locale=language))
    days = last.day - first.day
    if days < 0:
        months -= 1
        before = (last.year, last.month - 1) if last.month > 1 else (last.year - 1, 12)
        days += calendar.monthrange(*before)[1]
    parts = [(months, "month"), (days, "day")]
    said = [format_unit(n, unit, "long", locale=language) for n, unit in parts if n]
    return ", ".join(said)
