"""Builds the embedding model and the chat model that the settings name.

Heavy libraries are imported inside the functions that need them, so that `--help` and the commands
that need no model stay quick.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urlsplit

from assistant import e5_package, weights
from assistant.e5 import E5
from assistant.errors import ModelError, SettingsError, WeightsError
from assistant.langchain_chat import LIMIT, LangChainChat, openai_chat
from assistant.local_chat import LocalChat
from assistant.model_faults import line
from assistant.reader import Reader
from assistant.settings import Settings
from assistant.types import ChatModel, Encoder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_REMEMBERED_QUERIES = 64


class SentenceEncoder:
    """A sentence-transformers model as an `Encoder`."""

    unrelated = 0.0

    def __init__(self, model: SentenceTransformer, name: str) -> None:
        self.name = name
        self._model = model
        # A question is encoded for passages and again for sentences.
        self.encode_query = lru_cache(_REMEMBERED_QUERIES)(self._encode_query)

    def encode_documents(self, texts: Sequence[str]) -> list[list[float]]:
        vectors = self._model.encode_document(
            list(texts), normalize_embeddings=True, show_progress_bar=False
        )
        return [[float(x) for x in vector] for vector in vectors]

    def _encode_query(self, text: str) -> list[float]:
        vector = self._model.encode_query(text, normalize_embeddings=True, show_progress_bar=False)
        return [float(x) for x in vector]


def load_encoder(settings: Settings) -> Encoder:
    """The embedding model of the settings: the usual one, a folder's or the hub's local cache's."""
    name = settings.embedding_model
    if name == e5_package.NAME:
        return load_e5(settings)
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        # Not a `Path`: on Windows that would turn round the slash of a hub name.
        folder = os.path.expanduser(name)
        return SentenceEncoder(SentenceTransformer(folder, device="cpu"), name)
    except (OSError, ValueError, RuntimeError) as fault:
        raise ModelError(
            f"The embedding model '{name}' can't be loaded: {line(fault)}.",
            "unset OTS_ASSISTANT_EMBEDDING_MODEL, or set it to a model's folder",
        ) from fault


@lru_cache(1)
def _e5_of(folder: Path, threads: int) -> E5:
    return E5(folder, threads)


def load_e5(settings: Settings) -> E5:
    """multilingual-e5-small, one for the process. Raises `WeightsError` where it is not here."""
    return _e5_of(e5_package.find_folder(settings.cache_dir), settings.threads)


def load_reader(settings: Settings) -> Reader:
    """The reader, which stands on multilingual-e5-small whatever model embeds the passages."""
    return Reader(load_e5(settings), settings.threads)


class Later:
    """A chat model that is loaded when first needed, or in the background before; once."""

    def __init__(self, load: Callable[[], ChatModel | None]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._model: ChatModel | None = None
        self._fault: Exception | None = None
        self._loaded = False

    def start(self) -> None:
        threading.Thread(target=self._fill, name="chat-model", daemon=True).start()

    def get(self) -> ChatModel | None:
        """The model, waiting for it; raises the fault that kept it from loading."""
        self._fill()
        if self._fault:
            raise self._fault
        return self._model

    def _fill(self) -> None:
        with self._lock:
            if self._loaded:
                return
            try:
                self._model = self._load()
            except Exception as fault:  # in the background nobody would hear of it: `get` tells
                self._fault = fault
            self._loaded = True


def load_chat_model(settings: Settings) -> ChatModel | None:
    """The chat model of the settings; None when it is `none`, or `local` and not fetched yet."""
    name = settings.chat_model
    if name == "none":
        return None
    if name == "local":
        found = weights.find(weights.CHAT_MODEL, settings.cache_dir)
        return LocalChat(found, settings) if found else None
    if name.endswith(".gguf"):
        return LocalChat(gguf_file(name), settings)
    if name.startswith(("http://", "https://")):
        return _url_chat(name, settings)
    return _provider_chat(name, settings)


def gguf_file(name: str) -> Path:
    """The model file that a setting names; raises `WeightsError` unless it begins like one."""
    path = Path(name).expanduser()
    mend = "correct OTS_ASSISTANT_CHAT_MODEL or unset it"
    try:
        with path.open("rb") as stream:
            magic = stream.read(4)
    except OSError as fault:
        raise WeightsError(
            f"The model file {path} can't be read: {fault.strerror}.", mend
        ) from None
    if magic != b"GGUF":
        raise WeightsError(f"The model file {path} is no GGUF file.", mend)
    return path


def _provider_chat(name: str, settings: Settings) -> ChatModel:
    from langchain.chat_models import init_chat_model

    provider = name.partition(":")[0]
    limit = {"ollama": "num_predict"}.get(provider, LIMIT)
    options: dict[str, Any] = {limit: settings.max_answer_tokens, "temperature": 0}
    options |= {"api_key": settings.api_key} if settings.api_key else {}
    variable = f"{provider.upper()}_API_KEY"
    try:
        if not all(name.partition(":")):
            raise ValueError("no provider and model")
        chat = init_chat_model(name, timeout=settings.timeout_s, max_retries=1, **options)
    except ImportError as fault:
        raise ModelError(f"{name} can't be used: {line(fault)}.", _install(fault)) from None
    except ValueError as fault:
        # Pydantic's, for a value that the provider's client refuses, is a ValueError as well.
        if "provider" not in str(fault):
            raise ModelError(f"{name} can't be used: {line(fault)}.", f"set {variable}") from fault
        raise SettingsError(
            f"The chat model '{name}' names no provider that is known.",
            "set OTS_ASSISTANT_CHAT_MODEL to local, none, a .gguf path, a URL or provider:model",
        ) from None
    except Exception as fault:  # each client has its own way to say that a key is missing
        raise ModelError(
            f"{name} can't be used: {line(fault)}.", f"set OTS_ASSISTANT_API_KEY or {variable}"
        ) from fault
    # Not every client takes a limit with a call, so it is part of the model.
    return LangChainChat(chat, name, f"check OTS_ASSISTANT_API_KEY or {variable}", limit="")


def _install(fault: ImportError) -> str:
    """The command that LangChain proposes for a provider's missing package."""
    command = re.search(r"pip install (?:-U )?[\w-]+(?:\[\w+\])?", str(fault))
    return command[0] if command else "install the provider's LangChain package"


def _url_chat(name: str, settings: Settings) -> ChatModel:
    url, model = urldefrag(name)
    try:
        _ = urlsplit(url).port
    except ValueError as fault:
        raise SettingsError(
            f"The chat model's address '{url}' is none: {fault}.",
            "set OTS_ASSISTANT_CHAT_MODEL to http://host:port/v1#model",
        ) from None
    try:
        chat = openai_chat(url, model or "default", settings.api_key or "none", settings)
    except (ImportError, ValueError) as fault:  # the client can't be made with that proxy
        mend = _install(fault) if isinstance(fault, ImportError) else "correct or unset ALL_PROXY"
        raise ModelError(f"{url} can't be used: {line(fault)}.", mend) from None
    return LangChainChat(chat, url, "check the address and OTS_ASSISTANT_API_KEY")
