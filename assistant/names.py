"""Proper names in seven languages, each with the kind of thing that it names.

`names.toml` holds them; whatever language or spelling one is written in, it is the same name.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from assistant.text import Token, normal_form, tokens

Name = tuple[str, str]
"""A kind of thing (country, city, organisation, person, agreement) and its usual English name."""

_ENDING = 5
"""Letters of an ending that a name may carry, as in "Bakıdakı" or "Бакуда"."""
_CHANGED = 3
"""The same of an ending that takes the place of the last letter, as in "Венгрии"."""
_EXACT = 100
_STEM = 4
"""A name needs so many letters to be known with an ending; a shorter one stands by itself."""


def mentions(text: str) -> frozenset[Name]:
    """The names in a text; of names within names the longest."""
    found, at = set(), 0
    words = tokens(text)
    while at < len(words):
        matches = [
            (len(form), worth, name)
            for form, caps, name in _forms().get(words[at].folded[:2], ())
            if (worth := _match(words[at : at + len(form)], form, caps))
        ]
        # Of names of as many words the one that is written so, or has more of the letters.
        best = max(matches, default=None)
        if best:
            found.add(best[2])
        at += best[0] if best else 1
    return frozenset(found)


def _match(words: list[Token], form: tuple[str, ...], caps: bool) -> int:
    """How well words fit the form of a name: 0 for not at all; a `caps` one keeps its capitals."""
    *firsts, last = form
    if len(words) < len(form) or [word.folded for word in words[:-1]] != firsts:
        return 0
    token, said = words[-1], words[-1].folded
    if caps or (len(form) == 1 and len(last) < _STEM):
        fits = said == last and (token.surface.isupper() if caps else token.surface[0].isupper())
        return _EXACT if fits else 0
    if said == last:
        return _EXACT
    if len(last) < _STEM:
        return 0
    if token.word == normal_form(last):
        return len(last)
    # An ending is only told from another word where the name has its capital.
    if not (token.surface[0].isupper() or len(form) > 1):
        return 0
    added = said.startswith(last) and len(said) <= len(last) + _ENDING
    cyrillic = "\u0400" <= last[0] <= "\u04ff"
    changed = said.startswith(last[:-1]) and len(said) < len(last) + _CHANGED
    if added or (cyrillic and len(last) > _STEM and changed):
        return len(last)
    return 0


@cache
def _forms() -> dict[str, list[tuple[tuple[str, ...], bool, Name]]]:
    """The words of each form of each name, under how the first of them begins.

    And whether it is an abbreviation, such as "WHO", that is a common word but for its capitals.
    """
    table = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
    found: dict[str, list[tuple[tuple[str, ...], bool, Name]]] = {}
    for kind, entries in table.items():
        for entry in entries:
            for form in sorted({form for forms in entry.values() for form in forms}):
                words = tuple(token.folded for token in tokens(form))
                if words:
                    caps = len(words) == 1 and form.isupper()
                    named = (words, caps, (kind, entry["en"][0]))
                    found.setdefault(words[0][:2], []).append(named)
    return found
