"""How much more, how long between: worked out from two figures that the sources give."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Iterator, Sequence
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
from assistant.text import currency, fold, tokens
from assistant.timeline import events
from assistant.types import Outcome

BEARS, SHARE = 0.3, 0.3
"""What the reader must give a sentence, in itself and beside what the best one has."""
_SCALES = {"thousand": 3, "bn": 9} | {
    begins: power
    for power, words in {
        6: "m mn million milyon миллион млн",
        9: "billion milyar milyard milliard миллиард млрд",
        12: "trillion trilyon триллион трлн",
    }.items()
    for begins in words.split()
}
_RANGE = re.compile(r"\s?[-–—]\s?\d")
_BEHIND = re.compile(r"\s?([^\s\w])(?!\d)")
_LARGE = 1_000_000
_SHORT = 4
"""Letters below which a word for a time is only known without an ending."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount of a currency or percent, or a date, as days from year 1."""

    value: Decimal
    unit: str
    said: str
    sentence: Sentence


def make(request: Request) -> Outcome | None:
    """The difference of the two amounts, or dates, that bear on it; None unless just two do."""
    relevance = request.relevance()
    enough = max(BEARS, SHARE * max(relevance.values(), default=0.0))
    bearing = [sentence for sentence, share in relevance.items() if share >= enough]
    dated = _two(_dates(request, bearing))
    counted = _two([figure for sentence in bearing for figure in _amounts(sentence)])
    asks_time = _asks_time(request.text, request.composer.language)
    pair = dated if asks_time or not counted else counted
    if not pair:
        return None
    low, high = sorted(pair, key=lambda figure: figure.value)
    told = (_time if pair is dated else _amount)(low, high, request.composer.language)
    cited = list(dict.fromkeys((low.sentence, high.sentence)))
    request.composer.tell(f"{told}: {low.said} → {high.said}", cited, worked_out=True)
    return "answered"


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
    for doc_id in dict.fromkeys(sentence.doc_id for sentence in bearing):
        document = request.documents[doc_id]
        starts = {s.start: s for s in bearing if s.doc_id == doc_id}
        for event in events(document):
            if event.start in starts and event.year_known:
                year, month, day = (*map(int, event.date.split("-")), 1, 1)[:3]
                value = Decimal(date(year, month, day).toordinal())
                said = document.text[event.date_start : event.date_end]
                found.append(Figure(value, event.precision, said, starts[event.start]))
    return found


def _amounts(sentence: Sentence) -> Iterator[Figure]:
    """Amounts of a currency, as a sign or word, and of percent."""
    shown = sentence.shown
    words = tokens(shown)
    for place, token in enumerate(words):
        start, end = token.start, token.end
        if not token.folded[:1].isdecimal() or _RANGE.match(shown, end):
            continue
        try:
            number = Decimal(token.folded)
        except InvalidOperation:
            continue
        after = place + 1
        if after < len(words) and (power := _power(words[after].folded)):
            number, end = number.scaleb(power), words[after].end
            after += 1
        before, behind = shown[start - 1 : start], _BEHIND.match(shown, end)
        if before and unicodedata.category(before) == "Sc":
            yield Figure(number, before, shown[start - 1 : end], sentence)
        elif behind and (behind[1] == "%" or unicodedata.category(behind[1]) == "Sc"):
            yield Figure(number, behind[1], shown[start : behind.end()], sentence)
        elif after < len(words) and (unit := currency(words[after])):
            yield Figure(number, unit, shown[start : words[after].end], sentence)


def _power(word: str) -> int:
    """Of ten, for a word such as "million", in whatever case it stands."""
    found = (
        power
        for begins, power in _SCALES.items()
        if word == begins or (len(begins) >= _SHORT and word.startswith(begins))
    )
    return next(found, 0)


def _amount(low: Figure, high: Figure, language: str) -> str:
    """`$10.9 billion (× 3.7)`, in a language."""
    gap = high.value - low.value
    large = format_compact_decimal(gap, format_type="long", fraction_digits=2, locale=language)
    said = large if gap >= _LARGE else format_decimal(gap, locale=language)
    told = f"{said} %" if low.unit == "%" else f"{low.unit}{said}"
    if low.value <= 0:
        return told
    return f"{told} (× {format_decimal(round(high.value / low.value, 1), locale=language)})"


def _time(low: Figure, high: Figure, language: str) -> str:
    """`2 years, 3 months, 5 days`, as far as both dates are told, in words of a language."""
    first, last = (date.fromordinal(int(figure.value)) for figure in (low, high))
    months = 12 * (last.year - first.year) + last.month - first.month
    if low.unit == "year":
        return str(format_unit(last.year - first.year, "year", "long", locale=language))
    if low.unit == "month":
        return str(format_unit(months, "month", "long", locale=language))
    if _later(first, months) > last:
        months -= 1
    parts = [(months, "month"), ((last - _later(first, months)).days, "day")]
    return ", ".join(format_unit(n, unit, "long", locale=language) for n, unit in parts if n)


def _later(day: date, months: int) -> date:
    """So many months later, on the same day or the month's last."""
    year, month = divmod(12 * day.year + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _asks_time(text: str, language: str) -> bool:
    """Whether it names a unit of time; "seven months of 2021" counts none that is asked for."""
    words = [token.folded for token in tokens(text)]
    return any(
        not number_in(before)
        and any(
            word == time or (len(time) >= _SHORT and word.startswith(time))
            for time in _times(language)
        )
        for before, word in pairwise(["", *words])
    )


@cache
def _times(language: str) -> frozenset[str]:
    """The words for days, months and years in a language, in the forms they count in."""
    said = (
        format_unit(count, unit, locale=language)
        for unit in ("day", "month", "year")
        for count in (1, 2, 5)
    )
    words = (fold(word) for text in said for word in str(text).split())
    return frozenset(word for word in words if not word.isdecimal())
