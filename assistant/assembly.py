"""Puts together what an assistant works with, from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from assistant import models
from assistant.answers.write import Writer
from assistant.documents.library import load_sources
from assistant.index import SearchIndex, up_to_date
from assistant.kept_vectors import KeptVectors
from assistant.reader import Reads
from assistant.requests.kinds import Kinds
from assistant.settings import Settings
from assistant.types import ChatModel, Document, Encoder, Progress, silent

Assembly = tuple[
    Mapping[str, Document],
    SearchIndex,
    Encoder,
    Callable[[], Reads],
    Callable[[], ChatModel | None],
    Settings,
    Writer,
]


def assemble(
    settings: Settings,
    progress: Progress = silent,
    documents: Mapping[str, Document] | None = None,
    folder: Path | None = None,
) -> Assembly:
    """What an assistant is put together from, in the order it takes them.

    It answers from `documents`, by default the sources of the settings; their index is kept in
    `folder`, by default with the cache. The chat model loads in the background, while the
    embedding model does.
    """
    asked_of = load_sources(settings) if documents is None else documents
    chat_model = models.Later(lambda: models.load_chat_model(settings))
    chat_model.start()
    encoder = models.load_encoder(settings)
    kept = replace(settings, cache_dir=folder) if folder else settings
    index = up_to_date(kept, asked_of, encoder, progress, however_many=folder is not None)
    reader = cache(lambda: models.load_reader(settings))
    writer = Writer(cache(lambda: Kinds(models.load_e5(settings))), encoder)
    kept_encoder = KeptVectors(encoder, kept.cache_dir / "vectors")
    return asked_of, index, kept_encoder, reader, chat_model.get, settings, writer
