"""Dates as far as a source tells them, in words."""

from __future__ import annotations

import re

from assistant.text import MONTHS

DATE = re.compile(r"(?:(\d{4})|-)(?:-(0[1-9]|1[0-2]))?(?:-(\d{2}))?", re.ASCII)


def date_in_words(date: str) -> str:
    """`2021-09-15` -> `15 September 2021`; `--03-18` -> `18 March (year not given)`.

    Nothing is filled in by guess; what is no such date comes back as it is.
    """
    if not date:
        return "date not given"
    match = DATE.fullmatch(date)
    if not match or not any(match.groups()):
        return date
    year, month, day = match.groups()
    words = [str(int(day))] if day else []
    words += [MONTHS[int(month) - 1].capitalize()] if month else []
    return " ".join([*words, year or "(year not given)"])


def parts_of(date: str) -> tuple[int, int, int]:
    """Year, month and day, each 0 where it is not told; what is no such date tells nothing."""
    match = DATE.fullmatch(date)
    year, month, day = (int(part or 0) for part in (match.groups() if match else ("", "", "")))
    return year, month, day
