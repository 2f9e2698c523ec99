"""Dates as far as a source tells them, in words."""

from __future__ import annotations

import re

from assistant.text import MONTHS


def spoken_date(published: str) -> str:
    """`2021-09-15` -> `15 September 2021`; `--03-18` -> `18 March (year not given)`."""
    match = re.fullmatch(
        r"(?:(\d{4})|-)(?:-(0[1-9]|1[0-2]))?(?:-(\d{2}))?", published, flags=re.ASCII
    )
    if not match:
        return "no date given"
    year, month, day = match.groups()
    words = [str(int(day))] if day else []
    words += [MONTHS[int(month) - 1].capitalize()] if month else []
    return " ".join([*words, year or "(year not given)"])
