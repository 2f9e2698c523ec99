"""What a document says of itself, made comparable; and what can be told where it says nothing."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from pathlib import PurePath

from assistant.languages import language_of

_DATE = re.compile(r"(\d{4})(?:-?(\d{2}))?(?:-?(\d{2}))?")
_PRINTED_TITLE = 150
"""Characters of a first line, at most, that is taken for a title."""
_SAMPLE = 200
"""Lines by which the language is told."""


def one_line(text: str) -> str:
    """Text of a document's description as one line that can be shown anywhere."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split())[:300]


def date_of(said: str) -> str:
    """`2021-09-15T10:00`, `20210915` -> `2021-09-15`; empty for what is no date."""
    match = _DATE.match(said.strip().removeprefix("D:"))
    if not match:
        return ""
    parts = [part for part in match.groups() if part]
    while parts:
        try:
            date.fromisoformat("-".join([*parts, "01", "01"][:3]))
            return "-".join(parts)
        except ValueError:
            parts.pop()
    return ""


def title_of(text: str, name: str) -> str:
    """The first line where it looks like a title, else what the file is called."""
    lines = [line.strip() for line in text[:5000].splitlines()]
    first = next((at for at, line in enumerate(lines) if line), None)
    if first is not None and len(lines[first]) <= _PRINTED_TITLE:
        title = lines[first].lstrip("#").strip("*_ ")
        alone = first + 1 < len(lines) and not lines[first + 1]
        if (alone or lines[first].startswith("#")) and title[-1:] not in ".,;:":
            return one_line(title)
    stem = one_line(re.sub(r"[_\s]+", " ", PurePath(name).stem))
    return stem or "Untitled"


def language_of_text(text: str) -> str:
    """The language of most of its lines: one name with a foreign letter tells nothing."""
    lines = [line for line in text[:50_000].splitlines() if len(line.split()) > 3]
    votes = Counter(language_of(line) for line in (lines or [text[:2000]])[:_SAMPLE])
    return votes.most_common(1)[0][0]
