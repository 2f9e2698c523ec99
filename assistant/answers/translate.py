"""The last answer in another language: its frame, for quotes stay in the sources' own words."""

from __future__ import annotations

from functools import cache

from babel import Locale

from assistant.answers.request import Request
from assistant.compose import languages
from assistant.text import fold, tokens
from assistant.types import Outcome

_STEM = 5
"""Letters in which a language's name, however inflected, agrees with the one looked up."""


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
    """The language that a text names, in any of those there are words in; none where it doesn't."""
    words = {token.folded[:_STEM] for token in tokens(text)}
    return next((code for code, stems in _stems().items() if words & stems), "")


@cache
def _stems() -> dict[str, frozenset[str]]:
    """For each language, how its names begin in all of them."""
    found = {}
    for code in languages():
        names = [Locale(other).languages[code] for other in languages()]
        found[code] = frozenset(fold(name.split()[0])[:_STEM] for name in names)
    return found
