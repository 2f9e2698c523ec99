"""Small numbers as they are asked for, in digits or in words of seven languages."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path


def number_in(text: str) -> int:
    """The first number from 1 to 99 in a text, 0 where there is none."""
    for word in text.lower().split():
        plain = word.strip(".,;:!?()")
        if plain.isascii() and plain.isdecimal() and len(plain) < 3:
            return int(plain)
        if plain in _words():
            return _words()[plain]
    return 0


@cache
def _words() -> dict[str, int]:
    table = tomllib.loads(Path(__file__).with_name("numbers.toml").read_text(encoding="utf-8"))
    return {word: int(number) for number, words in table.items() for word in words.split()}
