"""The search index: build, open and query, as one atomic whole.

    <cache>/index/current.json     which folder is in use, with the fingerprint it was built under
    <cache>/index/<build>/chroma   vectors (Chroma, cosine)
    <cache>/index/<build>/lexical  term statistics (bm25s)

A build writes a folder of its own and then swaps `current.json`, so readers never see half an
index, a failed or interrupted build leaves the old one in use, and Chroma, which keeps a client
per path for the life of a process, never meets a folder that changed under it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bm25s
import chromadb
import numpy as np
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError
from filelock import FileLock, Timeout
from langchain_chroma import Chroma
from langchain_core.embeddings import Embeddings

from assistant.errors import IndexFault, StorageError
from assistant.passages import passages
from assistant.settings import Settings
from assistant.text import is_content, tokens
from assistant.types import Document, Encoder, Passage, Progress, silent

FORMAT = 3
"""Raised whenever what is stored changes shape, so that older indexes are built anew."""
REBUILD = "ots-assistant index"
_BATCH = 128
_COLLECTION = "passages"


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


class SearchIndex:
    """Scores passages for a query, by meaning and by words. Higher is better in both."""

    def __init__(
        self,
        found: Sequence[Passage],
        vectors: Chroma,
        lexical: bm25s.BM25,
        encoder: Encoder,
        folder: Path,
    ) -> None:
        self.passages = {passage.passage_id: passage for passage in found}
        self._folder = folder
        self._ids = list(self.passages)
        self._vectors = vectors
        self._lexical = lexical
        self._encoder = encoder

    @classmethod
    def open(
        cls, settings: Settings, documents: Mapping[str, Document], encoder: Encoder
    ) -> SearchIndex:
        """The index in use. Raises `IndexFault` when it is missing, stale or damaged."""
        root = settings.cache_dir / "index"
        record = _read_current(root)
        built_from = Manifest(**record["manifest"])
        if stale := built_from.difference(Manifest.of(settings, documents)):
            raise IndexFault(f"The index in {root} was built with {stale}.", REBUILD)
        folder = root / record["folder"]
        found = [p for d in documents.values() for p in passages(d, settings.passage_chars)]
        writable(folder)  # Chroma writes to its database even to read it
        with _damage_named(folder):
            _require_sound(folder / "chroma" / "chroma.sqlite3")
            vectors = _chroma(folder / "chroma", encoder)
            stored = set(vectors.get(include=[])["ids"])
            lexical = bm25s.BM25.load(folder / "lexical", show_progress=False)
            counted = int(lexical.scores["num_docs"])
        if stored != {p.passage_id for p in found} or counted != len(found):
            raise IndexFault(
                f"The index in {folder} is damaged: {min(len(stored), counted)} of {len(found)} "
                "passages.",
                REBUILD,
            )
        return cls(found, vectors, lexical, encoder, folder)

    def dense(self, query: str, limit: int) -> dict[str, float]:
        """Cosine similarity to the query of the nearest passages, by passage id."""
        vector = self._encoder.encode_query(query)
        with _damage_named(self._folder):
            hits = self._vectors.similarity_search_by_vector_with_relevance_scores(
                vector, k=min(limit, len(self._ids))
            )
        # Chroma gives a cosine distance; this is the one place where it becomes a similarity.
        return {str(doc.id): 1.0 - distance for doc, distance in hits}

    def lexical(self, query: str) -> dict[str, float]:
        """BM25 score of every passage that shares a word with the query, by passage id."""
        words = [word for word in index_terms(query) if word in self._lexical.vocab_dict]
        if not words:
            return {}
        scores = self._lexical.get_scores(words)
        return {self._ids[i]: float(scores[i]) for i in np.flatnonzero(scores > 0)}


def build(
    settings: Settings,
    documents: Mapping[str, Document],
    encoder: Encoder,
    progress: Progress = silent,
    keep_last: bool = False,
) -> int:
    """Build the index anew and put it to use; returns the number of passages.

    `keep_last` leaves the one that was in use on disk, for whoever still reads it.
    """
    root = settings.cache_dir / "index"
    with _locked(root):
        last = _in_use(root) if keep_last else ""
        folder = root / uuid.uuid4().hex[:12]
        try:
            found = [p for d in documents.values() for p in passages(d, settings.passage_chars)]
            texts = [indexed_text(p, documents[p.doc_id]) for p in found]
            _write_vectors(folder / "chroma", found, texts, encoder, progress)
            lexical = bm25s.BM25()
            lexical.index([index_terms(text) for text in texts], show_progress=False)
            lexical.save(folder / "lexical", show_progress=False)
            _swap(root, folder.name, Manifest.of(settings, documents))
        except BaseException as fault:
            # Ctrl-C too: the old index stays in use, and nothing half-built remains.
            shutil.rmtree(folder, ignore_errors=True)
            root.joinpath(f"{folder.name}.json").unlink(missing_ok=True)
            # `progress` may meet a closed pipe, which is no fault of the folder.
            if not isinstance(fault, OSError | ChromaError) or isinstance(fault, ConnectionError):
                raise
            raise StorageError(
                f"The index can't be written to {root}: "
                f"{getattr(fault, 'strerror', None) or _line(fault)}.",
                "set OTS_ASSISTANT_CACHE_DIR to a folder with room that you may write to",
            ) from fault
        _sweep(root, {folder.name, last})
    return len(found)


def index_terms(text: str) -> list[str]:
    """Words of a text as the lexical index knows them."""
    return [token.word for token in tokens(text) if is_content(token)]


def indexed_text(passage: Passage, document: Document) -> str:
    """What is embedded and scored for a passage: its text under its article's title and heading."""
    head = (document.title, document.publisher, document.published.strip("-"), passage.heading)
    return "\n".join(part for part in (*head, passage.as_shown) if part)


class _Embeddings(Embeddings):
    """LangChain's view of an `Encoder`."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self._encoder.encode_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        return self._encoder.encode_query(text)


def _chroma(folder: Path, encoder: Encoder) -> Chroma:
    client = chromadb.PersistentClient(
        path=str(folder), settings=ChromaSettings(anonymized_telemetry=False)
    )
    return Chroma(
        collection_name=_COLLECTION,
        embedding_function=_Embeddings(encoder),
        client=client,
        collection_configuration={"hnsw": {"space": "cosine"}},
    )


def _write_vectors(
    folder: Path,
    found: Sequence[Passage],
    texts: Sequence[str],
    encoder: Encoder,
    progress: Progress,
) -> None:
    folder.mkdir(parents=True)
    store = _chroma(folder, encoder)
    progress("Embedding passages", 0, len(found), "passages")
    for first in range(0, len(found), _BATCH):
        batch = found[first : first + _BATCH]
        store.add_texts(
            list(texts[first : first + _BATCH]), ids=[passage.passage_id for passage in batch]
        )
        progress("Embedding passages", first + len(batch), len(found), "passages")


def _swap(root: Path, folder: str, manifest: Manifest) -> None:
    draft = root / f"{folder}.json"
    draft.write_text(json.dumps({"folder": folder, "manifest": asdict(manifest)}), encoding="utf-8")
    os.replace(draft, root / "current.json")


def _in_use(root: Path) -> str:
    try:
        return str(_read_current(root)["folder"])
    except IndexFault:
        return ""


def _sweep(root: Path, keep: Collection[str]) -> None:
    """Remove earlier builds. A reader that still has one open keeps its files until it ends."""
    for path in root.iterdir():
        if path.is_dir() and path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    writable(root)
    lock = FileLock(root / "build.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise IndexFault(
            f"Another process is building the index in {root}.",
            "wait for it to end, then try again",
        ) from None
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


def built_at(settings: Settings) -> float:
    """When the index in use was built, in seconds since 1970. Raises `NoIndex` without one."""
    root = settings.cache_dir / "index"
    _read_current(root)
    return (root / "current.json").stat().st_mtime


class NoIndex(IndexFault):
    """There is no index yet; `ots-assistant ask` builds one on first use."""


def _read_current(root: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads((root / "current.json").read_text(encoding="utf-8"))
        if set(dict(record["manifest"])) != set(Manifest.__slots__):
            raise KeyError("manifest")
        if not (root / record["folder"]).is_dir():
            raise KeyError(record["folder"])
        return record
    except (FileNotFoundError, NotADirectoryError):
        raise NoIndex(f"There is no index in {root}.", REBUILD) from None
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise IndexFault(f"The index in {root} is damaged ({fault!r}).", REBUILD) from None


@contextmanager
def _damage_named(folder: Path) -> Iterator[None]:
    """Tell whatever a damaged file makes the libraries raise as an `IndexFault`.

    Chroma's core panics with an exception that is no `Exception`.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as fault:
        raise IndexFault(
            f"The index in {folder} is damaged ({type(fault).__name__}: {_line(fault)}).", REBUILD
        ) from fault


def _require_sound(database: Path) -> None:
    """Raise unless the database is whole: Chroma would panic, or miss what it can't read."""
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    finally:
        connection.close()
    if verdict != "ok":
        raise ValueError(verdict)


def _line(fault: BaseException) -> str:
    return " ".join(str(fault).split())[:120]
