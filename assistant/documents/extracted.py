"""What is read out of a document, and the reason where nothing is."""

from __future__ import annotations

from dataclasses import dataclass

MOST_BYTES = 50_000_000
"""Of a document as it is given."""
MOST_UNPACKED = 200_000_000
"""Bytes of a document that is a ZIP archive, such as DOCX, once it is unpacked."""
MOST_CHARACTERS = 5_000_000
"""Of its text: some 2,000 pages."""


class Unreadable(ValueError):
    """A document that can't be read; the message says why, as in "it is encrypted"."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text of a document and what it says of itself; what it does not say is empty."""

    text: str
    kind: str
    """`text`, `Markdown`, `HTML`, `PDF`, `DOCX` or `e-mail`."""
    title: str = ""
    publisher: str = ""
    author: str = ""
    published: str = ""
    """ISO 8601, as far as it is known."""
    language: str = ""
    url: str = ""
    encoding: str = "utf-8"
    pages: tuple[int, ...] = ()
    """Where in the text each page begins; none where a format has no pages."""
