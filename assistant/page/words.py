"""Dates, languages and counts, said the way a reader says them."""

from __future__ import annotations

import re

MONTHS = (
    "January February March April May June July August September October November December"
).split()

LANGUAGES = {
    "az": "Azerbaijani",
    "en": "English",
    "hu": "Hungarian",
    "kk": "Kazakh",
    "ky": "Kyrgyz",
    "ru": "Russian",
    "tk": "Turkmen",
    "tr": "Turkish",
    "uz": "Uzbek",
}

_DATE = re.compile(r"(?P<year>\d{4}|-)(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?\Z", re.ASCII)


def date_in_words(published: str) -> str:
    """`2021-09-15`, `2021-09`, `2021` or `--03-18` in words; nothing is filled in by guess."""
    if not published:
        return "date not given"
    match = _DATE.match(published)
    if match is None or (match["year"] == "-" and not match["month"]):
        return published
    year = "" if match["year"] == "-" else match["year"]
    if not match["month"]:
        return year
    if not 1 <= int(match["month"]) <= 12:
        return published
    month = MONTHS[int(match["month"]) - 1]
    day = f" {int(match['day'])}" if match["day"] else ""
    if not year:
        return f"{month}{day} (year not given)"
    return f"{month}{day}, {year}" if day else f"{month} {year}"


def language_in_words(code: str) -> str:
    """The English name of a language code, or the code itself."""
    return LANGUAGES.get(code.split("-")[0].lower(), code or "language not given")


def count(number: int, noun: str) -> str:
    """`1 passage`, `2 passages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def sentence(text: str) -> str:
    """`text` with a capital first letter and a full stop."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?', '…')) else '.'}"
