"""The words of a reply that answer, where they stand in the evidence just as the reply has them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.passages import Sentence
from assistant.text import is_content, is_number, tokens

LONGEST = 120
"""Characters; what is longer is no answer in a few words."""
WHOLE = 0.75
"""A reply of this share of a sentence adds nothing to the quote of it."""
_SEVERAL = re.compile(r"\s*[;\n]\s*|,\s+(?:and\s+)?|\s+and\s+")


_SIGN_BEFORE = re.compile(r"[%$€£¥₼₺₸₽]\s?$")
_SIGN_AFTER = re.compile(r"\s?[%$€£¥₼₺₸₽](?!\d)")


@dataclass(frozen=True, slots=True)
class Phrase:
    """What answers in a few words, as the sources spell it, and the sentences it stands in."""

    text: str
    sentences: tuple[Sentence, ...]


def phrase_in(reply: str, evidence: Sequence[Sentence], question: str) -> Phrase | None:
    """The reply, if each of its parts stands in a sentence word for word; else None.

    Nor is it one that says nothing but what the question said.
    """
    plain = reply.strip()
    if not plain or len(plain) > LONGEST or "|" in plain:
        return None
    for parts in ([plain], [part for part in _SEVERAL.split(plain) if tokens(part)]):
        found = [_place(part, evidence) for part in parts]
        placed = [place for place in found if place is not None]
        if placed and len(placed) == len(found):
            told = ", ".join(dict.fromkeys(text for text, _ in placed))
            sentences = tuple(dict.fromkeys(sentence for _, sentence in placed))
            in_few = all(
                sum(len(text) for text, one in set(placed) if one == sentence)
                < WHOLE * len(sentence.shown)
                for sentence in sentences
            )
            return Phrase(told, sentences) if in_few and _is_new(told, question) else None
    return None


def _place(part: str, evidence: Sequence[Sentence]) -> tuple[str, Sentence] | None:
    """Where words stand side by side in the evidence, with the signs of amounts around them."""
    wanted = [token.folded for token in tokens(part)]
    for sentence in evidence if wanted else ():
        shown, found = sentence.shown, tokens(sentence.shown)
        said = [token.folded for token in found]
        for at in range(len(said) - len(wanted) + 1):
            if said[at : at + len(wanted)] != wanted:
                continue
            start, end = found[at].start, found[at + len(wanted) - 1].end
            if sign := _SIGN_BEFORE.search(shown[:start]):
                start = sign.start()
            elif sign := _SIGN_AFTER.match(shown, end):
                end = sign.end()
            if {c for c in part if _is_sign(c)} <= set(shown[start:end]):
                return shown[start:end], sentence
    return None


def _is_sign(character: str) -> bool:
    """Of a currency or percent."""
    return character == "%" or unicodedata.category(character) == "Sc"


def _is_new(told: str, question: str) -> bool:
    known = {token.word for token in tokens(question)}
    return any(
        token.word not in known and (is_content(token) or is_number(token))
        for token in tokens(told)
    )
