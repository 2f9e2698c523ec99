"""A collection as one file: a ZIP archive of its documents with what is known of them.

    collection.json   what `library.json` says of each
    files/<sha256>    the bytes of each

Texts are read from the bytes anew: an archive of a stranger's can't put words into a document.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from assistant.documents.adding import Outcome
from assistant.documents.extracted import MOST_BYTES, Unreadable
from assistant.documents.library import Entry, Library, digest, entry_of
from assistant.documents.reading import DocumentReader
from assistant.errors import SourceError, StorageError

_CONTENTS = "collection.json"
_MOST_CONTENTS = 100_000_000
_ID = re.compile(r"[\w.-]{1,200}")


def export(library: Library, collection: str, path: Path) -> int:
    """Write a collection's documents to a file; returns how many. All of them without a name."""
    entries = library.read().entries.values()
    chosen = [one for one in entries if collection in ("", one.collection)]
    if not chosen:
        raise SourceError(
            f"There is no added source in the collection '{collection}'.",
            "ots-assistant sources list",
        )
    draft = path.with_name(f"{path.name}.new")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_CONTENTS, json.dumps([asdict(one) for one in chosen], indent=1))
            for sha256 in dict.fromkeys(one.sha256 for one in chosen):
                archive.write(library.folder / "files" / sha256, f"files/{sha256}")
        os.replace(draft, path)
    except OSError as fault:
        with suppress(OSError):  # where it can't be written it may not be cleared either
            draft.unlink()
        raise StorageError(
            f"{path} can't be written: {fault.strerror or fault}.", "choose another place for it"
        ) from None
    return len(chosen)


def bring_in(
    library: Library, reader: DocumentReader, path: Path, dry_run: bool = False
) -> Iterator[Outcome]:
    """Add the documents of an exported file under the ids that they had."""
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in _contents(archive):
                yield _take(library, reader, archive, entry, dry_run)
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError, RuntimeError) as fault:
        reason = getattr(fault, "strerror", None) or " ".join(str(fault).split())
        raise SourceError(
            f"{path} is no exported collection: {reason}.", "ots-assistant sources export FILE"
        ) from None


def _contents(archive: zipfile.ZipFile) -> list[Entry]:
    said = json.loads(_part(archive, _CONTENTS, _MOST_CONTENTS))
    found = [entry_of(one) for one in said]
    for one in found:
        texts = [value for value in asdict(one).values() if not isinstance(value, tuple | dict)]
        if not all(isinstance(value, str) for value in texts) or not _ID.fullmatch(one.doc_id):
            raise ValueError(f"it has no source that is called {str(one.doc_id)[:80]!r}")
    return found


def _take(
    library: Library,
    reader: DocumentReader,
    archive: zipfile.ZipFile,
    entry: Entry,
    dry_run: bool,
) -> Outcome:
    known = library.read().entries
    if any(one.sha256 == entry.sha256 for one in known.values()):
        return Outcome("unchanged", entry.origin, entry.doc_id)
    try:
        raw = _part(archive, f"files/{entry.sha256}", MOST_BYTES)
        if digest(raw) != entry.sha256:
            raise Unreadable("its bytes are not those that were exported")
        found = reader.read(raw, re.split(r"[/\\]", entry.origin)[-1])
    except Unreadable as fault:
        return Outcome("refused", entry.origin, entry.doc_id, str(fault))
    more: dict[str, Any] = {
        "url": entry.url, "collection": entry.collection, "by_hand": dict(entry.by_hand)
    }  # fmt: skip
    new = replace(Entry.of(entry.doc_id, entry.origin, raw, found, **more), added=entry.added)
    if not dry_run:
        library.put([(new, raw, found.text)])
    return Outcome("changed" if entry.doc_id in known else "added", entry.origin, entry.doc_id)


def _part(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    about = archive.getinfo(name)
    if about.file_size > most:
        raise Unreadable(f"it unpacks to more than {most:,} bytes")
    return archive.read(about)
