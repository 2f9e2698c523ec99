"""Adds documents to the library and brings it up to date, one after another, and says of each
what became of it: one that is refused does not keep the others out.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Literal, get_args

from assistant.documents.extracted import Unreadable
from assistant.documents.gather import Given, Refused, is_address, paths, read_path
from assistant.documents.library import OWN, Entry, Library, digest
from assistant.documents.metadata import one_line
from assistant.documents.reading import DocumentReader
from assistant.errors import SourceError
from assistant.sources import is_date
from assistant.types import Document, Progress, silent

What = Literal["added", "unchanged", "changed", "removed", "refused"]
WHATS: tuple[What, ...] = get_args(What)
_AT_ONCE = 50
_BYTES_AT_ONCE = 100_000_000
"""Documents, and bytes of them, that are taken in by one commit."""
_MANY = 10
"""Fewer are read before anyone would look how far it is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document."""

    what: What
    name: str
    doc_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How documents are to be added."""

    collection: str = ""
    by_hand: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _Ready:
    outcome: Outcome
    item: tuple[Entry, bytes, str] | None = None


class Adding:
    """Reads documents and puts them into a library. `shipped` are never added once more."""

    def __init__(
        self,
        library: Library,
        reader: DocumentReader,
        shipped: Mapping[str, Document],
        fetch: Callable[[str], Given],
    ) -> None:
        self._library = library
        self._reader = reader
        self._shipped = {document.content_hash: doc_id for doc_id, document in shipped.items()}
        self._fetch = fetch

    def add(
        self, targets: Sequence[str], wishes: Wishes | None = None, progress: Progress = silent
    ) -> Iterator[Outcome]:
        """Add what paths, folders, globs and addresses stand for; told once it is safe on disk."""
        found: list[Path | str | Refused] = []
        for target in targets:
            found += [target] if is_address(target) else paths(target)
        # The same file twice in one command is one.
        yield from self.take(map(self._given, dict.fromkeys(found)), len(found), wishes, progress)

    def update(
        self, doc_ids: Collection[str] = (), dry_run: bool = False, progress: Progress = silent
    ) -> Iterator[Outcome]:
        """Read again where documents came from: take in what changed, take out what is gone."""
        entries = self._library.read().entries
        chosen = [one for one in entries.values() if not doc_ids or one.doc_id in doc_ids]
        gone = [one for one in chosen if not _is_there(one)]
        if gone and not dry_run:
            self._library.remove([one.doc_id for one in gone])
        for one in gone:
            yield Outcome("removed", one.origin, one.doc_id, "it is no longer there")
        kept = [one for one in chosen if one not in gone]
        again = (self._again(one) for one in kept)
        yield from self.take(again, len(kept), Wishes(dry_run=dry_run), progress)

    def take(
        self,
        given: Iterable[Given | Refused | Entry],
        total: int,
        wishes: Wishes | None = None,
        progress: Progress = silent,
    ) -> Iterator[Outcome]:
        """Read documents and put them into the library."""
        wishes = wishes or Wishes()
        pending: list[_Ready] = []
        known = dict(self._library.read().entries)
        for done, one in enumerate(given, 1):
            ready = self._ready(one, known, wishes)
            if ready.item:
                known[ready.item[0].doc_id] = ready.item[0]
            pending.append(ready)
            if total >= _MANY:
                progress("Reading documents", done, total, "documents")
            if len(pending) >= _AT_ONCE or _bytes(pending) > _BYTES_AT_ONCE:
                yield from self._commit(pending, wishes)
                pending = []
        yield from self._commit(pending, wishes)

    def _commit(self, pending: Sequence[_Ready], wishes: Wishes) -> Iterator[Outcome]:
        items = [ready.item for ready in pending if ready.item]
        if items and not wishes.dry_run:
            self._library.put(items)
        yield from (ready.outcome for ready in pending)

    def _ready(
        self, given: Given | Refused | Entry, known: Mapping[str, Entry], wishes: Wishes
    ) -> _Ready:
        if isinstance(given, Refused):
            return _Ready(Outcome("refused", given.name, reason=given.reason))
        if isinstance(given, Entry):  # an upload, which is nowhere to be read again
            return _Ready(Outcome("unchanged", given.origin, given.doc_id))
        sha = digest(given.raw)
        old = next((one for one in known.values() if one.origin == given.origin), None)
        same = next((one.doc_id for one in known.values() if one.sha256 == sha), "")
        same = self._shipped.get(sha, same)
        if same and (old is None or old.sha256 == sha):
            reason = "" if old else f"it is there already, as {same}"
            return _Ready(Outcome("unchanged", given.origin, same, reason))
        try:
            found = self._reader.read(given.raw, given.name)
        except Unreadable as fault:
            return _Ready(Outcome("refused", given.origin, reason=str(fault)))
        entry = Entry.of(
            old.doc_id if old else id_of(given.origin, given.name),
            given.origin,
            given.raw,
            found,
            url=given.url,
            by_hand={**(old.by_hand if old else {}), **wishes.by_hand},
            collection=wishes.collection or (old.collection if old else OWN),
        )
        what: What = "changed" if old else "added"
        return _Ready(Outcome(what, given.origin, entry.doc_id), (entry, given.raw, found.text))

    def _given(self, target: Path | str | Refused) -> Given | Refused:
        if isinstance(target, Refused):
            return target
        try:
            return read_path(target) if isinstance(target, Path) else self._fetch(target)
        except Unreadable as fault:
            return Refused(str(target), str(fault))

    def _again(self, entry: Entry) -> Given | Refused | Entry:
        if entry.origin.startswith("upload:"):
            return entry
        return self._given(entry.origin if is_address(entry.origin) else Path(entry.origin))


def checked(by_hand: Mapping[str, str], empty: bool = False) -> dict[str, str]:
    """What is set by hand; `empty` leaves in what is set to nothing. Raises `SourceError`."""
    found = {name: one_line(value) for name, value in by_hand.items() if value or empty}
    if not is_date(found.get("published", "")):
        raise SourceError(
            f"The date '{found['published']}' is no ISO 8601 date.",
            "write it as 2021-09-15, 2021-09, 2021 or --09-15",
        )
    if found.get("title", "x") == "":
        raise SourceError("The title is empty.", "give it one")
    language = found.get("language", "")
    if language and not re.fullmatch("[a-z]{2,3}", language):
        raise SourceError(f"The language '{language}' is no code.", "write it as en, tr or az")
    return found


def id_of(origin: str, name: str) -> str:
    """A name that a document keeps through all its editions: `ferry-report-3fa2c1`."""
    plain = unicodedata.normalize("NFKD", PurePath(name).stem).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:40].strip("-")
    return f"{slug or 'document'}-{digest(origin.encode('utf-8', 'surrogateescape'))[:6]}"


def printable(name: str) -> str:
    """A file's name on one line, whatever is in it."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
    return shown if len(shown) <= 300 else f"{shown[:150]}…{shown[-140:]}"


def _bytes(pending: Sequence[_Ready]) -> int:
    return sum(len(ready.item[1]) for ready in pending if ready.item)


def _is_there(entry: Entry) -> bool:
    if entry.origin.startswith("upload:") or is_address(entry.origin):
        return True
    path = Path(entry.origin)
    # A drive that is not plugged in has not lost its files.
    return os.path.lexists(path) or not path.parent.is_dir()
