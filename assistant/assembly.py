"""Puts together what an assistant works with, from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from assistant import models
from assistant.answers.write import Writer
from assistant.documents.library import load_sources
from assistant.index import SearchIndex, up_to_date
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


def assemble(settings: Settings, progress: Progress = silent) -> Assembly:
    """What an assistant is put together from, in the order it takes them.

    The chat model loads in the background, while the embedding model does.
    """
    documents = load_sources(settings)
    chat_model = models.Later(lambda: models.load_chat_model(settings))
    chat_model.start()
    encoder = models.load_encoder(settings)
    index = up_to_date(settings, documents, encoder, progress)
    reader = cache(lambda: models.load_reader(settings))
    writer = Writer(cache(lambda: Kinds(models.load_e5(settings))), encoder)
    return documents, index, encoder, reader, chat_model.get, settings, writer
