"""The manifest and its articles: bytes in, `Document` out."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

from assistant.errors import SourceError
from assistant.types import Document, Span

_PUBLISHED = re.compile(r"(\d{4}(-\d{2}(-\d{2})?)?|--\d{2}-\d{2})?")
_REQUIRED = ("id", "title", "publisher", "file")


def load_documents(manifest: Path) -> dict[str, Document]:
    """Every article of the manifest by its id, in the manifest's order."""
    try:
        entries = tomllib.loads(manifest.read_text(encoding="utf-8")).get("source", [])
    except FileNotFoundError:
        raise SourceError(
            f"There is no source manifest at {manifest}.", "set OTS_ASSISTANT_SOURCES to its path"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as fault:
        raise SourceError(f"The manifest {manifest} can't be read: {fault}.", "edit it") from None
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
    published = str(entry.get("published", ""))
    if not _PUBLISHED.fullmatch(published):
        raise SourceError(
            f"The source '{doc_id}' was published '{published}', which is no ISO 8601 date.",
            "write it as 2021-09-15, 2021-09, 2021 or --09-15",
        )
    path = manifest.parent / entry["file"]
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as fault:
        raise SourceError(
            f"The article {path} can't be read: {fault.strerror}.", f"correct 'file' of '{doc_id}'"
        ) from None
    except UnicodeDecodeError as fault:
        raise SourceError(
            f"The article {path} is not UTF-8 at byte {fault.start}.", "save it as UTF-8"
        ) from None
    return Document(
        doc_id=doc_id,
        title=entry["title"],
        publisher=entry["publisher"],
        published=published,
        url=entry.get("url", ""),
        language=entry.get("language", "en"),
        text=text,
        content_hash=hashlib.sha256(raw).hexdigest(),
        author=entry.get("author", ""),
        furniture=tuple(_find_line(line, text, path) for line in entry.get("furniture", [])),
    )


def _find_line(line: str, text: str, path: Path) -> Span:
    start = text.find(line)
    if not line or start < 0:
        raise SourceError(f"The furniture line '{line}' is not in {path}.", "copy it exactly")
    return start, start + len(line)
