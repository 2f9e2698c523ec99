"""The index on disk: which build is in use, who reads and who writes, and what can go.

    <cache>/index/current.json            which build is in use, with what it was built from
    <cache>/index/build.lock              held by whoever builds
    <cache>/index/<build>/readers.sqlite3 held by everyone who reads that build

Whatever way a process ends, the system takes its locks back: what a killed build left is told
from what another process still reads or writes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from assistant.errors import IndexFault, StorageError
from assistant.settings import Settings
from assistant.types import Document, Progress

FORMAT = 3
"""Raised whenever what is stored changes shape, so that older indexes are built anew."""
REBUILD = "ots-assistant index"
WAITING = "Waiting for another process that builds the index"
_CURRENT = "current.json"


class NoIndex(IndexFault):
    """There is no index yet; whoever asks first builds one."""


class Stale(IndexFault):
    """The index was built from something else than what is asked for now."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index was built from; equal manifests give equal indexes."""

    format: int
    embedding_model: str
    passage_chars: int
    corpus: str

    @classmethod
    def of(cls, settings: Settings, documents: Mapping[str, Document]) -> Manifest:
        described = [
            [
                d.doc_id,
                d.title,
                d.publisher,
                d.published,
                d.content_hash,
                d.encoding,
                list(d.furniture),
            ]
            for d in documents.values()
        ]
        corpus = hashlib.sha256(json.dumps(described).encode()).hexdigest()
        return cls(FORMAT, settings.embedding_model, settings.passage_chars, corpus[:16])

    def difference(self, other: Manifest) -> str:
        """The first thing in which an index built as `self` differs from `other`, in words."""
        for name, what in (
            ("format", "an earlier version of this program"),
            ("embedding_model", f"the embedding model '{self.embedding_model}'"),
            ("passage_chars", f"passages of {self.passage_chars} characters"),
            ("corpus", "other source articles"),
        ):
            if getattr(self, name) != getattr(other, name):
                return what
        return ""


def root_of(settings: Settings) -> Path:
    return settings.cache_dir / "index"


def in_use(root: Path) -> tuple[Path, Manifest]:
    """The folder of the build in use. Raises `NoIndex`, or `IndexFault` when that is not told."""
    try:
        record: dict[str, Any] = json.loads((root / _CURRENT).read_text(encoding="utf-8"))
        if set(dict(record["manifest"])) != set(Manifest.__slots__):
            raise KeyError("manifest")
        if not (root / record["folder"]).is_dir():
            raise KeyError(record["folder"])
        return root / record["folder"], Manifest(**record["manifest"])
    except (FileNotFoundError, NotADirectoryError):
        raise NoIndex(f"There is no index in {root}.", REBUILD) from None
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise IndexFault(f"The index in {root} is damaged ({fault!r}).", REBUILD) from None


def swap(root: Path, folder: str, manifest: Manifest) -> None:
    """Put a build to use, in one step."""
    draft = root / f"{folder}.json"
    draft.write_text(json.dumps({"folder": folder, "manifest": asdict(manifest)}), encoding="utf-8")
    os.replace(draft, root / _CURRENT)


def built_at(settings: Settings) -> float:
    """When the index in use was built, in seconds since 1970. Raises `NoIndex` without one."""
    root = root_of(settings)
    in_use(root)
    return (root / _CURRENT).stat().st_mtime


def reading(root: Path) -> tuple[Path, Manifest, sqlite3.Connection]:
    """The build in use; nobody clears it as long as the connection that comes with it is open."""
    while True:
        folder, manifest = in_use(root)
        writable(folder)  # Chroma writes to its database even to read it
        fault, reader = "", _readers(folder)
        try:
            # A transaction that has read something keeps writers out until it ends.
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM sqlite_master").fetchall()
        except sqlite3.Error as error:
            fault = str(error)
        if in_use(root)[0] != folder:  # another build took its place just now
            reader.close()
        elif fault:
            raise IndexFault(f"The index in {folder} is damaged ({fault}).", REBUILD)
        else:
            return folder, manifest, reader


def clear(root: Path) -> None:
    """Remove what no process uses. Only for whoever holds the lock for building."""
    try:
        used = in_use(root)[0]
    except NoIndex:
        used = None
    except IndexFault:
        return  # what is damaged may be mended by hand
    for path in root.iterdir():
        if path.is_dir() and path != used and not _is_read(path):
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix == ".json" and path.name != _CURRENT:
            path.unlink(missing_ok=True)


def clear_if_idle(root: Path) -> None:
    """Remove what killed builds left, unless somebody builds right now."""
    if sum(path.is_dir() for path in root.iterdir()) > 1:
        with suppress(Timeout, OSError), FileLock(root / "build.lock", timeout=0):
            clear(root)


@contextmanager
def building(root: Path, progress: Progress) -> Iterator[None]:
    """Nobody else builds meanwhile; whoever does is waited for."""
    writable(root)
    lock = FileLock(root / "build.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress(WAITING, 0, 1, "index")
        lock.acquire()
        progress(WAITING, 1, 1, "index")
    try:
        yield
    finally:
        lock.release()


def writable(folder: Path) -> None:
    """Make a folder, and raise `StorageError` unless files can be written in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as fault:
        raise StorageError(
            f"The folder {folder} can't be written: {fault.strerror or fault}.",
            "set OTS_ASSISTANT_CACHE_DIR to a folder that you may write to",
        ) from None


def _readers(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        folder / "readers.sqlite3", timeout=0, isolation_level=None, check_same_thread=False
    )


def _is_read(folder: Path) -> bool:
    try:
        asking = _readers(folder)
        try:
            asking.execute("BEGIN EXCLUSIVE")
        finally:
            asking.close()
    except sqlite3.OperationalError as fault:
        return "locked" in str(fault)
    except sqlite3.Error:
        pass
    return False
