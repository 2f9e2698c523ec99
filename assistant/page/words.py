"""Dates, languages and counts, said the way a reader says them."""

from __future__ import annotations

from assistant.dates import date_in_words as date_in_words

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
