"""Examples made from others by rule: questions and claims with one thing changed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from training.examples import ANSWERED, CONTRADICTED, UNKNOWN, Example, split

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_NAME = re.compile(r"(?<=[\w,] )[A-ZА-ЯЁÇĞİÖŞÜӘҒҚҢӨҰҮҺ]\w{3,}(?: [A-ZА-ЯЁÇĞİÖŞÜӘҒҚҢӨҰҮҺ]\w+)*")
_REFUTED = (0, UNKNOWN, UNKNOWN)


def twisted_questions(examples: Sequence[Example], rng: random.Random) -> Iterator[Example]:
    """Answered questions with another number or name in place of one that the passage has."""
    names: dict[tuple[str, str], list[str]] = {}
    for example in examples:
        some = names.setdefault((example.source, example.language), [])
        some += _NAME.findall(example.question)
    for example in examples:
        if example.verdict != ANSWERED:
            continue
        known = names[example.source, example.language]
        changed = _renamed(example.question, example.sentences, known, rng)
        if changed:
            unsure = tuple(UNKNOWN if gold else 0 for gold in example.gold)
            yield replace(example, question=changed, gold=unsure, verdict=_REFUTED, answer="")


def _renamed(
    text: str, sentences: Sequence[str], names: Sequence[str], rng: random.Random
) -> str | None:
    """The text with a number, or else a name, that the sentences have replaced by another."""
    whole = " ".join(sentences)
    numbers = [m for m in _NUMBER.finditer(text) if m[0] in whole]
    if numbers:
        return _renumbered(text, rng.choice(numbers), whole, rng)
    there = [m for m in _NAME.finditer(text) if m[0] in whole]
    others = [name for name in names if name not in whole]
    if not there or not others:
        return None
    found = rng.choice(there)
    return text[: found.start()] + rng.choice(others) + text[found.end() :]


def _renumbered(text: str, found: re.Match[str], whole: str, rng: random.Random) -> str | None:
    for _ in range(8):
        digits = list(found[0])
        place = rng.choice([i for i, digit in enumerate(digits) if digit.isdecimal()])
        digits[place] = rng.choice("123456789")
        number = "".join(digits)
        if number not in whole:
            return text[: found.start()] + number + text[found.end() :]
    return None


def parallel_claims(
    rows: Sequence[dict[str, Any]], languages: Sequence[str], rng: random.Random, draws: int
) -> Iterator[Example]:
    """Sentences of a translated paragraph as claims about it, true and twisted, and about others.

    Only paragraphs that have as many sentences in both languages are taken.
    """
    for own, row in enumerate(rows):
        for _ in range(draws):
            asked, told = rng.choice(languages), rng.choice(("en", rng.choice(languages)))
            if asked == told:
                continue
            claims, _ = split(row["contexts"][asked], asked)
            found, _ = split(row["contexts"][told], told)
            if len(claims) != len(found) or len(found) < 2:
                continue
            at = rng.randrange(len(found))
            gold = tuple(int(i == at) for i in range(len(found)))
            title = row["title"].replace("_", " ")
            true = Example(
                claims[at], title, tuple(found), gold, ANSWERED, "parallel", asked, claim=True,
                paragraph=f"xquad {own}", text_language=told,
            )  # fmt: skip
            yield true
            numbers = [m for m in _NUMBER.finditer(claims[at]) if m[0] in found[at]]
            if numbers:
                text = " ".join(found)
                changed = _renumbered(claims[at], rng.choice(numbers), text, rng)
                if changed:
                    yield replace(true, question=changed, verdict=CONTRADICTED)
            where = (own or len(rows)) - 1
            other = rows[where]
            strange, _ = split(other["contexts"][told], told)
            yield replace(
                true,
                header=other["title"].replace("_", " "),
                sentences=tuple(strange),
                gold=(0,) * len(strange),
                verdict=(0, 0, 0),
                paragraph=f"xquad {where}",
            )
