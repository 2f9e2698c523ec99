"""Source text as a reader is shown it, with the way back: every character knows its offset.

Lines of a paragraph are joined, a word parted at a line's end is made whole, white space of any
kind is one blank, and characters that nobody sees are left out. The source itself is not touched:
what is cited is always the span of the source that the shown text came from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.text import INVISIBLE, RAISED, line_spans
from assistant.types import Span

# A footnote's number ("signed[12]") would be taken for one of the answer's own citation markers.
_NOTE = rf"(?<=[^\s(\[])\[\d{{1,3}}\]|(?<=[.,;:!?”»)])[{RAISED}]+"
_RUN = re.compile(
    rf"(?P<left_out>[{INVISIBLE}]+|{_NOTE})|(?P<blank>\s+)|[^\s{INVISIBLE}\[{RAISED}]+|."
)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LAST_WORD = re.compile(r"([^\W\d_]+)[-\u2010]$")
_HYPHENED = re.compile(r"\w[-\u2010\u2011]$")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_PARTED = re.compile(r"[^\W\d_]+[-\u2010]\s*[\n\r]\s*[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as it is shown; its character `i` stands at `offsets[i]` of the source."""

    text: str
    offsets: Sequence[int]

    def span(self, start: int, end: int) -> Span:
        """Where in the source `text[start:end]`, which has no blank at either end, stands."""
        return self.offsets[start], self.offsets[end - 1] + 1


def shown(source: str, spans: Sequence[Span]) -> Shown:
    """These spans of a source (the lines of a paragraph) as one running text."""
    said: list[str] = []
    offsets: list[int] = []
    for place, (start, end) in enumerate(spans):
        if place:
            _join(source, said, offsets, spans[place - 1][1], (start, end))
        for run in _RUN.finditer(source, start, end):
            if run["left_out"]:
                continue
            if not run["blank"]:
                said += run.group()
                offsets += range(*run.span())
            elif said and said[-1] != " ":
                said.append(" ")
                offsets.append(run.start())
    if said and said[-1] == " ":
        said.pop()
        offsets.pop()
    return Shown("".join(said), offsets)


def shown_text(text: str) -> str:
    """A quote of a source, be it over several lines, as one running text."""
    return shown(text, line_spans(text)).text


def _join(source: str, said: list[str], offsets: list[int], gap: int, after: Span) -> None:
    """What comes between two lines: a blank, or nothing where the break is inside a word."""
    if source[gap - 1] == "\u00ad" or not said:
        return
    end = "".join(said[-50:])
    left, right = _LAST_WORD.search(end), _FIRST_WORD.match(source, *after)
    if left and right and right.group()[0].islower():
        if not _is_compound(left[1].lower(), right.group().lower(), _words(source)):
            said.pop()
            offsets.pop()
    elif said[-1] != " " and not (_HYPHENED.search(end) and source[after[0]].isalnum()):
        said.append(" ")
        offsets.append(gap)


def _is_compound(left: str, right: str, words: frozenset[str]) -> bool:
    """Whether a hyphen at a line's end belongs to the word, as its other words tell.

    Written out elsewhere, the word itself tells; else two halves that are words of their own do.
    """
    if left + right in words:
        return False
    return f"{left}-{right}" in words or len(left) == 1 or {left, right} <= words


@lru_cache(4)
def _words(source: str) -> frozenset[str]:
    """The words of a text, without those parted at a line's end."""
    return frozenset(_WORD.findall(_PARTED.sub(" ", source).lower()))
