"""The last answer in another language: its frame, for quotes stay in the sources' own words."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale

from assistant.answers.request import Request
from assistant.compose import languages
from assistant.text import fold
from assistant.types import Outcome

_STEM, _LONG = 4, 5
"""Letters that a language's name has in common with its inflected forms, at least and at most."""


def make(request: Request) -> Outcome | None:
    """The statements of the last answer under a frame in the language that the request names."""
    language, last = _named(request.text), request.again()
    shown = [claim for claim in last.claims if claim.status != "withheld"] if last else []
    if not language or last is None or not shown:
        return None
    request.composer.language = language
    request.composer.frame("says" if last.outcome in ("answered", "partial") else "nearest")
    for claim in shown:
        request.composer.repeat(claim, "- {}" if len(shown) > 1 else "{}")
    request.composer.frame("own_words")
    return last.outcome


def _named(text: str) -> str:
    """The language that a text names last, whatever its own; none where it names none."""
    named = [
        code
        for word in reversed(_words(text))
        for code, names in _names().items()
        if any(word == name or (len(name) >= _STEM and word.startswith(name)) for name in names)
    ]
    return named[0] if named else ""


@cache
def _names() -> dict[str, frozenset[str]]:
    """For each language, how its names begin in all of them."""
    return {
        code: frozenset(_words(Locale(other).languages[code])[0][:_LONG] for other in languages())
        for code in languages()
    }


def _words(text: str) -> list[str]:
    """Words without case, diacritics and the apostrophes within them."""
    return re.findall(r"\w+", re.sub(r"['’‘ʻʼ`]", "", fold(text)))
