"""Proper names in seven languages, each with the kind of thing that it names.

`names.toml` holds them; whatever language or spelling one is written in, it is the same name.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from assistant.text import Token, fold, normal_form, tokens

Name = tuple[str, str]
"""A kind of thing (country, city, organisation, person, agreement) and its usual English name."""

_ENDING = 5
"""Letters of an ending that a name may carry, as in "Bakıdakı" or "Бакуда"."""
_CHANGED = 3
"""The same of an ending that takes the place of the last letter, as in "Венгрии"."""
_STEM = 4
"""A name needs so many letters to be known with an ending; a shorter one stands by itself."""


def mentions(text: str) -> frozenset[Name]:
    """The names in a text; of names within names the longest."""
    found, at = set(), 0
    words = tokens(text)
    while at < len(words):
        best = max(
            (
                (len(form), name)
                for form, name in _forms().get(words[at].folded[:2], ())
                if _matches(words[at : at + len(form)], form)
            ),
            default=None,
        )
        if best:
            found.add(best[1])
        at += best[0] if best else 1
    return frozenset(found)


def _matches(words: list[Token], form: tuple[str, ...]) -> bool:
    if len(words) < len(form):
        return False
    *firsts, last = form
    if [word.folded for word in words[:-1]] != firsts:
        return False
    token, said = words[-1], words[-1].folded
    if len(form) == 1 and len(last) < _STEM:
        return said == last and token.surface[0].isupper()  # "US", not "us"
    if said == last or token.word == normal_form(last):
        return True
    if len(last) < _STEM:
        return False
    added = said.startswith(last) and len(said) <= len(last) + _ENDING
    changed = said.startswith(last[:-1]) and len(said) < len(last) + _CHANGED
    return added or (len(last) > _STEM and changed)


@cache
def _forms() -> dict[str, list[tuple[tuple[str, ...], Name]]]:
    """The words of each form of each name, under how the first of them begins."""
    table = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
    found: dict[str, list[tuple[tuple[str, ...], Name]]] = {}
    for kind, entries in table.items():
        for entry in entries:
            for form in {form for forms in entry.values() for form in forms}:
                words = tuple(token.folded for token in tokens(form))
                if words:
                    begins = found.setdefault(fold(words[0])[:2], [])
                    begins.append((words, (kind, entry["en"][0])))
    return found
