"""The library: documents that people added, beside the articles that are shipped.

    <data>/library/library.json   every document and what is known of it; the one commit point
    <data>/library/files/<sha256> the bytes as they were given
    <data>/library/texts/<sha256> the text that was read from them
    <data>/library/library.lock   held by whoever writes, whom writer.json names

Files are written and synced before `library.json` takes their names in, in one swap: whenever a
process ends, the library is as it was before a change or as it is after it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from assistant.documents.extracted import Extracted
from assistant.errors import SourceError, StorageError
from assistant.running_heads import running_heads
from assistant.settings import Settings
from assistant.sources import load_documents
from assistant.types import Document

CHECK = "ots-assistant sources check"
OWN = "own"
"""The collection that a document is added to where none is named."""
WAIT_S = 60.0
_VERSION = 1
_MOST_PAST = 100
"""Removed documents and old editions that can be brought back."""
BY_HAND = ("title", "publisher", "author", "published", "language")
"""What people may set; an edition that is read later does not undo it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of the library, all but its text."""

    doc_id: str
    origin: str
    """Where it came from: a path, an address, or `upload:` with the person and the file's name."""
    sha256: str
    text_sha256: str
    added: str
    title: str
    kind: str
    publisher: str = ""
    author: str = ""
    published: str = ""
    language: str = "en"
    url: str = ""
    encoding: str = "utf-8"
    pages: tuple[int, ...] = ()
    collection: str = OWN
    by_hand: Mapping[str, str] = field(default_factory=dict)
    removed: str = ""
    """When it was removed or gave way to another edition; empty while it is in use."""

    @classmethod
    def of(cls, doc_id: str, origin: str, raw: bytes, found: Extracted, **more: Any) -> Entry:
        """A document as it was read, with what was set by hand in place of what it says."""
        said = {name: getattr(found, name) for name in (*BY_HAND, "kind", "url", "encoding")}
        said["publisher"] = found.publisher or urlsplit(more.get("url", "")).hostname or ""
        said |= more.get("by_hand", {})
        return cls(
            doc_id=doc_id,
            origin=origin,
            sha256=digest(raw),
            text_sha256=digest(found.text.encode()),
            added=now(),
            pages=found.pages,
            **(said | {k: v for k, v in more.items() if v}),
        )


@dataclass(frozen=True, slots=True)
class Shelf:
    """What `library.json` says: the documents in use, and those that were."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    past: Sequence[Entry] = ()


class Library:
    """Documents on disk. Any number of processes read while one writes."""

    def __init__(self, folder: Path, wait_s: float = WAIT_S) -> None:
        self.folder = folder
        self._wait_s = wait_s
        self._manifest = folder / "library.json"

    @classmethod
    def of(cls, settings: Settings) -> Library:
        return cls(settings.data_dir / "library")

    def read(self) -> Shelf:
        """What is in the library now. Raises `SourceError` where that can't be told."""
        try:
            said = json.loads(self._manifest.read_text(encoding="utf-8"))
            if said["version"] > _VERSION:
                raise SourceError(
                    f"The library {self.folder} was written by a later release of this program.",
                    "use that release",
                )
            entries = [entry_of(one) for one in said["sources"]]
            past = [entry_of(one) for one in said["past"]]
        except (FileNotFoundError, NotADirectoryError):
            return Shelf()
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise SourceError(
                f"The library {self._manifest} can't be read: {fault!r}.", "restore a copy of it"
            ) from None
        return Shelf({one.doc_id: one for one in entries}, past)

    def entry(self, doc_id: str) -> Entry:
        entries = self.read().entries
        _require(entries, [doc_id])
        return entries[doc_id]

    def documents(self) -> dict[str, Document]:
        """Every document in use by its id, in the order in which they were added."""
        while True:
            shelf = self.read()
            try:
                return {one.doc_id: self._document(one) for one in shelf.entries.values()}
            except SourceError:
                if self.read() == shelf:
                    raise  # nobody removed it meanwhile: it is lost

    def text(self, entry: Entry) -> str:
        path = self.folder / "texts" / entry.text_sha256
        try:
            return path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            reason = getattr(fault, "strerror", None) or fault
            raise SourceError(
                f"The text of '{entry.doc_id}' can't be read from {path}: {reason}.",
                f"ots-assistant sources remove {entry.doc_id}, then add it again",
            ) from None

    def original(self, entry: Entry) -> bytes:
        """The bytes as they were given, so that a citation can be held against them."""
        path = self.folder / "files" / entry.sha256
        try:
            return path.read_bytes()
        except OSError as fault:
            raise SourceError(
                f"The file of '{entry.doc_id}' can't be read from {path}: {fault.strerror}.",
                f"ots-assistant sources remove {entry.doc_id}, then add it again",
            ) from None

    def put(self, items: Sequence[tuple[Entry, bytes, str]]) -> None:
        """Take documents in with their bytes and texts, all or none; an old edition gives way."""
        with self._writing() as shelf:
            entries, past = dict(shelf.entries), list(shelf.past)
            for entry, raw, text in items:
                self._store("files", entry.sha256, raw)
                self._store("texts", entry.text_sha256, text.encode())
                if (old := entries.get(entry.doc_id)) and old.sha256 != entry.sha256:
                    past.append(replace(old, removed=now()))
                entries[entry.doc_id] = entry
            self._commit(Shelf(entries, past))

    def remove(self, doc_ids: Collection[str], for_good: bool = False) -> None:
        """Take documents out; unless for good, they can be restored."""
        with self._writing() as shelf:
            _require(shelf.entries, doc_ids)
            gone = [replace(shelf.entries[one], removed=now()) for one in doc_ids]
            kept = {k: entry for k, entry in shelf.entries.items() if k not in doc_ids}
            past = [*shelf.past, *gone]
            if for_good:
                past = [one for one in past if one.doc_id not in doc_ids]
            self._commit(Shelf(kept, past))

    def restore(self, doc_id: str) -> Entry:
        """Bring back what was removed or replaced last under an id; returns it."""
        with self._writing() as shelf:
            found = [one for one in shelf.past if one.doc_id == doc_id]
            if not found:
                raise SourceError(
                    f"Nothing was removed under the id '{doc_id}'.", "ots-assistant sources list"
                )
            past = [one for one in shelf.past if one is not found[-1]]
            back, entries = replace(found[-1], removed=""), dict(shelf.entries)
            if doc_id in entries:
                past.append(replace(entries[doc_id], removed=now()))
            self._commit(Shelf(entries | {doc_id: back}, past))
            return back

    def edit(self, doc_id: str, changes: Mapping[str, str]) -> None:
        """Set the title, publisher, author, date or language of a document by hand."""
        with self._writing() as shelf:
            _require(shelf.entries, [doc_id])
            old = shelf.entries[doc_id]
            known: dict[str, Any] = {k: changes[k] for k in BY_HAND if k in changes}
            new = replace(old, by_hand={**old.by_hand, **known}, **known)
            self._commit(Shelf({**shelf.entries, doc_id: new}, shelf.past))

    def faults(self) -> Iterator[str]:
        """What is not as `library.json` says, a line each."""
        for entry in self.read().entries.values():
            try:
                if digest(self.original(entry)) != entry.sha256:
                    yield f"{entry.doc_id}: its file is not the one that was added"
                if digest(self.text(entry).encode()) != entry.text_sha256:
                    yield f"{entry.doc_id}: its text is not the one that was read"
            except SourceError as fault:
                yield f"{entry.doc_id}: {fault.message}"

    def changed_at(self) -> int:
        """A number that changes with every commit; 0 for no library."""
        with suppress(OSError):
            return self._manifest.stat().st_mtime_ns
        return 0

    def _document(self, entry: Entry) -> Document:
        text = self.text(entry)
        return Document(
            doc_id=entry.doc_id,
            title=entry.title,
            publisher=entry.publisher,
            published=entry.published,
            url=entry.url,
            language=entry.language,
            text=text,
            content_hash=entry.text_sha256,
            author=entry.author,
            furniture=running_heads(text),
            encoding=entry.encoding,
            pages=entry.pages,
            kind=entry.kind,
            origin=entry.origin,
            added=entry.added,
            collection=entry.collection,
        )

    @contextmanager
    def _writing(self) -> Iterator[Shelf]:
        """What is in the library, for whoever changes it; nobody else does meanwhile."""
        with _faults_told(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / "library.lock")
            try:
                lock.acquire(timeout=self._wait_s)
            except Timeout:
                raise StorageError(
                    f"Another process{self._writer()} is writing to the library {self.folder}.",
                    "wait for it to end, then try again",
                ) from None
            try:
                holder = {"pid": os.getpid(), "since": now()}
                (self.folder / "writer.json").write_text(json.dumps(holder), encoding="utf-8")
                yield self.read()
            finally:
                lock.release()

    def _writer(self) -> str:
        try:
            said = json.loads((self.folder / "writer.json").read_text(encoding="utf-8"))
            return f" ({said['pid']}, since {said['since']})"
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _store(self, kind: str, name: str, content: bytes) -> None:
        path = self.folder / kind / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            _write(path, content)

    def _commit(self, shelf: Shelf) -> None:
        shelf = replace(shelf, past=shelf.past[-_MOST_PAST:])
        said = {
            "version": _VERSION,
            "sources": [asdict(one) for one in shelf.entries.values()],
            "past": [asdict(one) for one in shelf.past],
        }
        # In ASCII: a file's name may have bytes that are no UTF-8.
        _write(self._manifest, json.dumps(said, indent=1).encode("ascii"))
        self._clear(shelf)

    def _clear(self, shelf: Shelf) -> None:
        """Remove what no document needs any more, and what killed writers left."""
        used = [*shelf.entries.values(), *shelf.past]
        names = {"files": {one.sha256 for one in used}, "texts": {one.text_sha256 for one in used}}
        for kind, needed in names.items():
            for path in self.folder.joinpath(kind).glob("*"):
                if path.name not in needed:
                    path.unlink(missing_ok=True)


def load_sources(settings: Settings) -> dict[str, Document]:
    """Every document that answers are drawn from: the shipped articles, then the library."""
    shipped = load_documents(settings.sources)
    added = Library.of(settings).documents()
    return shipped | {k: one for k, one in added.items() if k not in shipped}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def entry_of(said: dict[str, Any]) -> Entry:
    """An entry as it was written; what a later release adds to it is passed over."""
    known = {one.name for one in fields(Entry)}
    values = {name: value for name, value in said.items() if name in known}
    return Entry(**(values | {"pages": tuple(said.get("pages", ()))}))


def _require(entries: Mapping[str, Entry], doc_ids: Collection[str]) -> None:
    if unknown := [one for one in doc_ids if one not in entries]:
        raise SourceError(f"There is no added source '{unknown[0]}'.", "ots-assistant sources list")


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also when the power goes."""
    draft = path.with_name(f"{path.name}.new")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if os.name == "posix":
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _faults_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise StorageError(
            f"The library {folder} can't be written: {fault.strerror or fault}.",
            "set OTS_ASSISTANT_DATA_DIR to a folder with room that you may write to",
        ) from None
