"""Tables in plain text: which lines are rows, and under which column each cell stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assistant.shown import shown_text

_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:[|+]\s*:?-+:?\s*)*\|?")
_PIPE = re.compile(r"(?<!\\)\|")
_TABS = re.compile(r"[ ]*\t\s*")
_WIDE = re.compile(r"[ \u00a0]{2,}|\t+")
_LONGEST_CELL = 80
"""Characters; what is longer is prose that happens to hold the sign that parts cells."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table. `said` names the columns; it is empty for the head and for ruled lines."""

    table: int
    said: str = ""


def rows(lines: Sequence[str]) -> dict[int, Row]:
    """The rows among adjacent lines, by the place of the line."""
    found: dict[int, Row] = {}
    at = 0
    while at < len(lines):
        table = next(filter(None, (_read(lines, at, kind) for kind in _KINDS)), None)
        if table is None:
            at += 1
            continue
        found |= {at + place: Row(at, said) for place, said in enumerate(table)}
        at += len(table)
    return found


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a way to write tables parts cells, and what a stretch of lines must have to be one."""

    cells: Callable[[str], list[str]]
    lines: int = 3
    columns: int = 2
    counts: bool = True
    """Whether a column must hold numbers under a name without any."""


def _piped(line: str) -> list[str]:
    if not _PIPE.search(line):
        return []
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.replace("\\|", "|") for cell in _PIPE.split(inner)]


_KINDS = (
    _Kind(_piped, lines=2, counts=False),
    _Kind(lambda line: _TABS.split(line), counts=False),
    _Kind(lambda line: line.split(";"), columns=3),
    _Kind(lambda line: _WIDE.split(line)),
)


def _read(lines: Sequence[str], at: int, kind: _Kind) -> list[str] | None:
    """The table that starts at a line: what is said of each of its lines; None without one."""
    head = kind.cells(lines[at])
    if len(head) < kind.columns or not _is_head(head):
        return None
    # A rule under the head tells a table for certain, and then a row may lack cells.
    ruled = at + 1 < len(lines) and _is_rule(lines[at + 1])
    body = list(_body(lines[at + 1 + ruled :], kind, None if ruled else len(head)))
    whole = [cells for cells in body if cells]
    if not whole or (not ruled and len(body) + 1 < kind.lines):
        return None
    if not ruled and kind.counts and not _has_counts(head, whole):
        return None
    return [""] * (1 + ruled) + [_said(head, cells) for cells in body]


def _body(lines: Sequence[str], kind: _Kind, width: int | None) -> Iterator[list[str]]:
    """The cells of each row; none for a ruled line."""
    for line in lines:
        cells = kind.cells(line)
        if _is_rule(line):
            yield []
        elif not cells or (width and len(cells) != width) or _is_prose(cells):
            return
        else:
            yield cells


def _is_rule(line: str) -> bool:
    return "-" in line and bool(_RULE.fullmatch(line.strip()))


def _is_head(cells: Sequence[str]) -> bool:
    """Names of columns: words, and only the corner may be empty."""
    named = [any(c.isalpha() for c in cell) for cell in cells]
    return all(named[1:]) and (named[0] or not cells[0].strip()) and not _is_prose(cells)


def _is_prose(cells: Sequence[str]) -> bool:
    return any(len(cell) > _LONGEST_CELL for cell in cells)


def _has_counts(head: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    def has_digit(cell: str) -> bool:
        return any(c.isdecimal() for c in cell)

    return any(
        not has_digit(name) and all(has_digit(cells[at]) for cells in body)
        for at, name in enumerate(head)
    )


def _said(head: Sequence[str], cells: Sequence[str]) -> str:
    """A row in words: `Document: Deed; Fee (EUR): 12`."""
    names = [shown_text(name).strip("*_ ") for name in head]
    names += [""] * (len(cells) - len(names))
    values = [shown_text(cell) for cell in cells]
    return "; ".join(
        f"{name}: {value}" if name else value
        for name, value in zip(names, values, strict=False)
        if value
    )
