"""The manifest and its articles: bytes in, `Document` out."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from assistant.encodings import NotText, decode
from assistant.errors import SourceError
from assistant.running_heads import running_heads
from assistant.text import line_spans
from assistant.types import Document, Span

_PUBLISHED = re.compile(r"(\d{4}(-\d{2}(-\d{2})?)?|--\d{2}-\d{2})?")
_REQUIRED = ("id", "title", "publisher", "file")
_TEXTS = (*_REQUIRED, "url", "language", "author")
_ID = re.compile(r"[\w.-]+")


def load_documents(manifest: Path) -> dict[str, Document]:
    """Every article of the manifest by its id, in the manifest's order."""
    try:
        entries = tomllib.loads(manifest.read_text(encoding="utf-8-sig")).get("source", [])
    except FileNotFoundError:
        raise SourceError(
            f"There is no source manifest at {manifest}.", "set OTS_ASSISTANT_SOURCES to its path"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as fault:
        raise SourceError(f"The manifest {manifest} can't be read: {fault}.", "edit it") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SourceError(
            f"The manifest {manifest} has something other than [[source]] tables under 'source'.",
            "write each source as a [[source]] table",
        )
    documents: dict[str, Document] = {}
    for entry in entries:
        document = _load(entry, manifest)
        if document.doc_id in documents:
            raise SourceError(
                f"The id '{document.doc_id}' stands twice in {manifest}.", "give each its own id"
            )
        documents[document.doc_id] = document
    if not documents:
        raise SourceError(f"The manifest {manifest} names no source.", "add a [[source]] to it")
    return documents


def _load(entry: dict[str, Any], manifest: Path) -> Document:
    doc_id = str(entry.get("id", "?"))
    if missing := [key for key in _REQUIRED if not entry.get(key)]:
        raise SourceError(
            f"The source '{doc_id}' in {manifest} has no {missing[0]}.", f"add {missing[0]} = …"
        )
    for key in _TEXTS:
        if not isinstance(entry.get(key, ""), str):
            raise SourceError(
                f"The {key} of the source '{doc_id}' in {manifest} is {entry[key]!r}, not a text.",
                f"put {key} in quotation marks",
            )
    if not _ID.fullmatch(doc_id):
        raise SourceError(
            f"The id {doc_id!r} in {manifest} has characters that an id can't have.",
            "use letters, digits, '.', '_' and '-'",
        )
    published = str(entry.get("published", ""))
    if not is_date(published):
        raise SourceError(
            f"The source '{doc_id}' was published '{published}', which is no ISO 8601 date.",
            "write it as 2021-09-15, 2021-09, 2021 or --09-15",
        )
    furniture = entry.get("furniture", [])
    if not isinstance(furniture, list) or not all(isinstance(line, str) for line in furniture):
        raise SourceError(
            f"The furniture of the source '{doc_id}' in {manifest} is not a list of texts.",
            'write it as furniture = ["first line", "second line"]',
        )
    path = manifest.parent / entry["file"]
    language = entry.get("language", "en")
    raw, text, encoding = _read(path, doc_id, language)
    named = _find_lines(furniture, text, path)
    return Document(
        doc_id=doc_id,
        title=entry["title"],
        publisher=entry["publisher"],
        published=published,
        url=entry.get("url", ""),
        language=language,
        text=text,
        content_hash=hashlib.sha256(raw).hexdigest(),
        author=entry.get("author", ""),
        furniture=tuple(sorted({*named, *running_heads(text)})),
        encoding=encoding,
    )


def is_date(published: str) -> bool:
    """Whether a date is ISO 8601, as far as it is known; an empty one is."""
    if not _PUBLISHED.fullmatch(published):
        return False
    # What is left out is filled in: a leap year, a first of January.
    whole = published.replace("--", "2000-", 1) if published.startswith("--") else published
    try:
        date.fromisoformat(whole + "2000-01-01"[len(whole) :])
    except ValueError:
        return False
    return True


def _read(path: Path, doc_id: str, language: str) -> tuple[bytes, str, str]:
    """The bytes of an article, its text, and the encoding it is in."""
    try:
        raw = path.read_bytes()
        text, encoding = decode(raw, language)
    except NotText as fault:
        told = f"The article {path} can't be read: {fault}."
        raise SourceError(told, "save it as UTF-8 text") from None
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise SourceError(
            f"The article {path} can't be read: {reason}.", f"correct 'file' of '{doc_id}'"
        ) from None
    if not text.strip():
        raise SourceError(f"The article {path} is empty.", f"correct 'file' of '{doc_id}'")
    return raw, text, encoding


def _find_lines(lines: Sequence[str], text: str, path: Path) -> tuple[Span, ...]:
    """Spans of the lines that are furniture, wherever they stand; never a part of a line.

    A line that only contains one is the article's own: a menu's "Turkey" is no reason to lose it.
    """
    spans = line_spans(text)
    for line in lines:
        if line.strip() not in {text[start:end] for start, end in spans}:
            raise SourceError(f"There is no line '{line}' in {path}.", "copy the furniture exactly")
    wanted = {line.strip() for line in lines}
    return tuple((start, end) for start, end in spans if text[start:end] in wanted)
