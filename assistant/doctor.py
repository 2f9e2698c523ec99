"""What is present, what is missing, and the command that mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from assistant import weights
from assistant.documents.library import Library, load_sources
from assistant.errors import AssistantError, WeightsError
from assistant.index import SearchIndex
from assistant.index_files import writable
from assistant.models import gguf_file, load_chat_model, load_encoder
from assistant.settings import Settings
from assistant.sources import load_documents
from assistant.types import Check, Encoder

_PACKAGES = ("chromadb", "gradio", "langchain", "sentence-transformers", "xllamacpp")


def examine(settings: Settings) -> list[Check]:
    """Every check in the order in which things are needed; none reaches the network."""
    encoder = cache(lambda: load_encoder(settings))
    return [
        *_packages(),
        _check("sources", lambda: _sources(settings)),
        _check("cache folder", lambda: _cache(settings)),
        _check("embedding model", lambda: encoder().name),
        _check("index", lambda: _index(settings, encoder)),
        _check("chat model", lambda: _chat_model(settings)),
    ]


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except AssistantError as fault:
        return Check(name, False, fault.message, fault.mend)


def _packages() -> Iterator[Check]:
    for package in _PACKAGES:
        try:
            yield Check(package, True, version(package))
        except PackageNotFoundError:
            yield Check(package, False, "not installed", f"pip install {package}")


def _sources(settings: Settings) -> str:
    shipped, added = load_documents(settings.sources), Library.of(settings).read().entries
    return (
        f"{len(shipped)} articles in {settings.sources}, {len(added)} added in {settings.data_dir}"
    )


def _cache(settings: Settings) -> str:
    writable(settings.cache_dir)
    return str(settings.cache_dir)


def _index(settings: Settings, encoder: Callable[[], Encoder]) -> str:
    opened = SearchIndex.open(settings, load_sources(settings), encoder())
    return f"{len(opened.passages)} passages"


def _chat_model(settings: Settings) -> str:
    name = settings.chat_model
    if name == "none":
        return "none: answers are quoted, not written"
    if name.endswith(".gguf"):
        return str(gguf_file(name))
    if name != "local":
        load_chat_model(settings)
        return f"{name} (not asked: that may cost money)"
    found = weights.find(weights.CHAT_MODEL, settings.cache_dir)
    if found is None:
        raise WeightsError(
            f"{weights.CHAT_MODEL.name} is not fetched: answers are quoted, not written.",
            weights.FETCH_COMMAND,
        )
    return f"{weights.CHAT_MODEL.name} at {found}"
