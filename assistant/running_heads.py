"""Running heads, running feet and page numbers: lines that a page has and its text has not.

A line is taken for one only by where it stands, never by its words alone: it comes back on other
pages, its number going up, or looks like a page's number; and it breaks a sentence in two, stands
beside a form feed or says of how many pages it is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from assistant.text import line_spans
from assistant.types import Span

_LONGEST = 100
"""Characters of a running head, at most."""
_NUMBER = re.compile(r"[0-9]{1,4}")
_BARE = re.compile(r"\W*[0-9]{1,4}\W*|[ivxl]{1,6}", re.IGNORECASE)
_PAGE = re.compile(
    r"(?:^|[\s|–—-])(?:page|pages|p|pg|seite|sayfa|səhifə|sahifa|bet|стр|страница|с|бет|б)\.?\s*"
    r"[0-9]{1,4}(?:\s*(?:/|of|von|из|in|\|)\s*[0-9]{1,4})?\W*$",
    re.IGNORECASE,
)
_OF = re.compile(r"\b([0-9]{1,4})\s*(?:/|of|von|из)\s*([0-9]{1,4})\W*$", re.IGNORECASE)
ENDS = re.compile(r"[.!?…:;。]['\"”’»)\]]*(?:\[\d{1,3}\]|[¹²³⁰⁴-⁹])*$")
"""What ends a sentence, an item or an introduction, at the end of a line."""


def running_heads(text: str) -> tuple[Span, ...]:
    """Spans of the lines that belong to the page, in order."""
    lines = line_spans(text)
    groups: dict[str, list[int]] = defaultdict(list)
    for at, span in enumerate(lines):
        if span[1] - span[0] <= _LONGEST:
            groups[_masked(text[slice(*span)])].append(at)
    likely = {key: group for key, group in groups.items() if _may_be(text, lines, group)}
    candidates = {at for group in likely.values() for at in group}
    found = [
        at
        for group in likely.values()
        if _is_paged(text, lines, group)
        or any(_stands_apart(text, lines, at, candidates) for at in group)
        for at in group
    ]
    return tuple(lines[at] for at in sorted(found))


def _masked(line: str) -> str:
    """A line without its numbers and with single blanks, as it is the same on every page."""
    return " ".join(_NUMBER.sub("#", line).split())


def _may_be(text: str, lines: Sequence[Span], group: Sequence[int]) -> bool:
    """Whether these lines, alike but for their numbers, may be a page's."""
    first = text[slice(*lines[group[0]])]
    if ENDS.search(first) and not _PAGE.search(first):
        return False
    if _BARE.fullmatch(first) or _PAGE.search(first):
        return True
    said = [text[slice(*lines[at])] for at in group]
    numbers = [[int(n) for n in _NUMBER.findall(line)] for line in said]
    return len(group) > 1 and (len(set(said)) == 1 or all(a < b for a, b in pairwise(numbers)))


def _is_paged(text: str, lines: Sequence[Span], group: Sequence[int]) -> bool:
    """Whether each says of how many pages it is ("Page 4 of 12"), or all count pages up by one."""
    said = [text[slice(*lines[at])] for at in group]
    of = [_OF.search(line) for line in said]
    if all(m and _PAGE.search(m.string) and int(m[1]) <= int(m[2]) for m in of):
        return True
    if len(group) < 2 or not all(_BARE.fullmatch(line) or _PAGE.search(line) for line in said):
        return False
    alone = all(_alone(text, lines, at) for at in group)
    numbers = [int(n[-1]) for n in map(_NUMBER.findall, said) if n]
    return alone and len(numbers) == len(group) and all(b - a == 1 for a, b in pairwise(numbers))


def _alone(text: str, lines: Sequence[Span], at: int) -> bool:
    """Whether blank lines or the text's ends are around a line."""
    before = text[lines[at - 1][1] : lines[at][0]] if at else "\n\n"
    after = text[lines[at][1] : lines[at + 1][0]] if at + 1 < len(lines) else "\n\n"
    return all(len(re.findall(r"\r\n|[\n\r\f]", gap)) > 1 or "\f" in gap for gap in (before, after))


def _stands_apart(text: str, lines: Sequence[Span], at: int, candidates: set[int]) -> bool:
    """Whether a line is beside a form feed or breaks a sentence in two."""
    first, last = at, at
    while first - 1 in candidates:
        first -= 1
    while last + 1 in candidates:
        last += 1
    before = text[lines[first - 1][1] : lines[first][0]] if first else ""
    after = text[lines[last][1] : lines[last + 1][0]] if last + 1 < len(lines) else ""
    if "\f" in before + after + text[lines[first][0] : lines[last][1]]:
        return True
    if not first or last + 1 == len(lines):
        return False
    said = text[slice(*lines[first - 1])]
    going_on = text[slice(*lines[last + 1])]
    return not ENDS.search(said) and going_on[:1].islower()
