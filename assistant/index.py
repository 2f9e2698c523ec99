"""The search index: build, bring up to date, open and query, as one atomic whole.

    <cache>/index/<build>/chroma   vectors (Chroma, cosine)
    <cache>/index/<build>/lexical  term statistics (bm25s)

A build writes a folder of its own and then takes the place of the last, so readers never see half
an index, a failed or interrupted build leaves the old one in use, and Chroma, which keeps a client
per path for the life of a process, never meets a folder that changed under it.
"""

from __future__ import annotations

import shutil
import sqlite3
import uuid
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bm25s
import chromadb
import numpy as np
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError

from assistant.errors import IndexFault, StorageError
from assistant.index_files import (
    FORMAT,
    REBUILD,
    Manifest,
    NoIndex,
    Stale,
    building,
    clear,
    clear_if_idle,
    in_use,
    reading,
    root_of,
    swap,
)
from assistant.passages import passages
from assistant.settings import Settings
from assistant.text import is_content, tokens
from assistant.types import Document, Encoder, Passage, Progress, silent, similarity

AT_ONCE = 500
"""How many passages are embedded without being asked: half a minute on a laptop."""
_BATCH = 128
_COLLECTION = "passages"


class SearchIndex:
    """Scores passages for a query, by meaning and by words. Higher is better in both."""

    def __init__(
        self,
        found: Sequence[Passage],
        vectors: chromadb.Collection,
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
        root = root_of(settings)
        folder, built_from, reader = reading(root)
        try:
            if stale := built_from.difference(Manifest.of(settings, documents)):
                raise Stale(f"The index in {root} was built with {stale}.", REBUILD)
            found, _ = _texts(settings, documents)
            with _damage_named(folder):
                _require_sound(folder / "chroma" / "chroma.sqlite3")
                vectors = _collection(folder / "chroma")
                stored = set(vectors.get(include=[])["ids"])
                lexical = bm25s.BM25.load(folder / "lexical", show_progress=False)
                counted = int(lexical.scores["num_docs"])
            if stored != {p.passage_id for p in found} or counted != len(found):
                raise IndexFault(
                    f"The index in {folder} is damaged: {min(len(stored), counted)} of "
                    f"{len(found)} passages.",
                    REBUILD,
                )
        except BaseException:
            reader.close()
            raise
        index = cls(found, vectors, lexical, encoder, folder)
        weakref.finalize(index, reader.close)
        return index

    def faults(self, documents: Mapping[str, Document]) -> Iterator[str]:
        """What does not fit together, a line each: offsets, vectors and lexical entries."""
        for passage in self.passages.values():
            document = documents[passage.doc_id]
            if document.text[passage.start : passage.end] != passage.text:
                yield f"{passage.passage_id}: its offsets do not lead to its text"
        with _damage_named(self._folder):
            stored: Any = self._vectors.get(include=["documents"])
            texts = dict(zip(stored["ids"], stored["documents"], strict=True))
        for passage_id, passage in self.passages.items():
            if texts.pop(passage_id, None) != indexed_text(passage, documents[passage.doc_id]):
                yield f"{passage_id}: its vector is missing or stands for another text"
        yield from (f"{passage_id}: its vector has no passage" for passage_id in texts)
        if (counted := int(self._lexical.scores["num_docs"])) != len(self.passages):
            yield f"{counted} of {len(self.passages)} passages have a lexical entry"

    def dense(self, query: str, limit: int) -> dict[str, float]:
        """Similarity to the query of the nearest passages, by passage id."""
        vector = self._encoder.encode_query(query)
        with _damage_named(self._folder):
            hits: Any = self._vectors.query(
                query_embeddings=np.array([vector], np.float32),
                n_results=min(limit, len(self._ids)),
                include=["distances"],
            )
        # Chroma gives a cosine distance; this is the one place where it becomes a similarity.
        found = zip(hits["ids"][0], hits["distances"][0], strict=True)
        return {passage: similarity(1.0 - distance, self._encoder) for passage, distance in found}

    def lexical(self, query: str) -> dict[str, float]:
        """BM25 score of every passage that shares a word with the query, by passage id."""
        words = [word for word in index_terms(query) if word in self._lexical.vocab_dict]
        if not words:
            return {}
        scores = self._lexical.get_scores(words)
        return {self._ids[i]: float(scores[i]) for i in np.flatnonzero(scores > 0)}


def up_to_date(
    settings: Settings,
    documents: Mapping[str, Document],
    encoder: Encoder,
    progress: Progress = silent,
    however_many: bool = False,
) -> SearchIndex:
    """The index of these documents, built or brought up to date first where that is needed.

    Raises `Stale` where that would take minutes, unless it is to be done however many passages
    are new: whoever only asks a question may not want to wait for it.
    """
    root = root_of(settings)
    try:
        index = SearchIndex.open(settings, documents, encoder)
    except (NoIndex, Stale):
        with building(root, progress):
            try:
                index = SearchIndex.open(settings, documents, encoder)  # another process built it
            except NoIndex:
                _build(settings, documents, encoder, progress)
                index = SearchIndex.open(settings, documents, encoder)
            except Stale as stale:
                _update(settings, documents, encoder, progress, stale, however_many)
                index = SearchIndex.open(settings, documents, encoder)
    else:
        clear_if_idle(root)
    return index


def build(
    settings: Settings,
    documents: Mapping[str, Document],
    encoder: Encoder,
    progress: Progress = silent,
) -> int:
    """Build the index anew and put it to use; returns the number of passages."""
    with building(root_of(settings), progress):
        return _build(settings, documents, encoder, progress)


def _update(
    settings: Settings,
    documents: Mapping[str, Document],
    encoder: Encoder,
    progress: Progress,
    stale: Stale,
    however_many: bool,
) -> None:
    """Build with the vectors of the last build, as far as its texts are still the same."""
    known = _vectors(root_of(settings), settings)
    _, texts = _texts(settings, documents)
    new = len(set(texts) - known.keys())
    if new > AT_ONCE and not however_many:
        raise Stale(
            f"{stale.message} To embed {new:,} passages takes minutes.", stale.mend
        ) from None
    _build(settings, documents, encoder, progress, known)


def _build(
    settings: Settings,
    documents: Mapping[str, Document],
    encoder: Encoder,
    progress: Progress,
    known: Mapping[str, Sequence[float]] | None = None,
) -> int:
    """Write a build and put it to use; texts whose vectors are known are not embedded again."""
    root = root_of(settings)
    clear(root)
    folder = root / uuid.uuid4().hex[:12]
    try:
        found, texts = _texts(settings, documents)
        _write_vectors(folder / "chroma", found, texts, encoder, progress, known)
        lexical = bm25s.BM25()
        lexical.index([index_terms(text) for text in texts], show_progress=False)
        lexical.save(folder / "lexical", show_progress=False)
        swap(root, folder.name, Manifest.of(settings, documents))
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
    clear(root)
    return len(found)


def _texts(
    settings: Settings, documents: Mapping[str, Document]
) -> tuple[list[Passage], list[str]]:
    """The passages of documents, and what is embedded and scored for each."""
    found = [p for d in documents.values() for p in passages(d, settings.passage_chars)]
    return found, [indexed_text(p, documents[p.doc_id]) for p in found]


def index_terms(text: str) -> list[str]:
    """Words of a text as the lexical index knows them."""
    return [token.word for token in tokens(text) if is_content(token)]


def indexed_text(passage: Passage, document: Document) -> str:
    """What is embedded and scored for a passage: its text under its article's title and heading."""
    head = (document.title, document.publisher, document.published.strip("-"), passage.heading)
    return "\n".join(part for part in (*head, passage.as_shown) if part)


def _collection(folder: Path) -> chromadb.Collection:
    client = chromadb.PersistentClient(
        path=str(folder), settings=ChromaSettings(anonymized_telemetry=False)
    )
    return client.get_or_create_collection(
        _COLLECTION, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
    )


def _write_vectors(
    folder: Path,
    found: Sequence[Passage],
    texts: Sequence[str],
    encoder: Encoder,
    progress: Progress,
    known: Mapping[str, Sequence[float]] | None,
) -> None:
    folder.mkdir(parents=True)
    store = _collection(folder)
    what = "Embedding passages" if known is None else "Bringing the index up to date"
    progress(what, 0, len(found), "passages")
    known = known or {}
    for first in range(0, len(found), _BATCH):
        batch, of_batch = found[first : first + _BATCH], texts[first : first + _BATCH]
        vectors = {text: known[text] for text in of_batch if text in known}
        new = [text for text in of_batch if text not in known]
        vectors |= zip(new, encoder.encode_documents(new), strict=True)
        store.upsert(
            ids=[passage.passage_id for passage in batch],
            embeddings=np.array([vectors[text] for text in of_batch], np.float32),
            documents=list(of_batch),
        )
        progress(what, first + len(batch), len(found), "passages")


def _vectors(root: Path, settings: Settings) -> dict[str, list[float]]:
    """The vectors in use by the text that each stands for; none that another model made."""
    try:
        folder, built_from = in_use(root)
        if (built_from.format, built_from.embedding_model) != (FORMAT, settings.embedding_model):
            return {}
        with _damage_named(folder):
            _require_sound(folder / "chroma" / "chroma.sqlite3")
            store = _collection(folder / "chroma")
            stored: Any = store.get(include=["documents", "embeddings"])
            return dict(zip(stored["documents"], stored["embeddings"], strict=True))
    except IndexFault:
        return {}


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
