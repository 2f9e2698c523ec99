"""Builds the embedding model and the chat model that the settings name.

Heavy libraries are imported inside the functions that need them, so that `--help` and the commands
that need no model stay quick.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urlsplit

from assistant import states, weights
from assistant.errors import AssistantError, ModelError, SettingsError, WeightsError
from assistant.logprobs import said_probability, yes_probability
from assistant.settings import Settings
from assistant.types import ChatModel, Encoder, Message

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from sentence_transformers import SentenceTransformer

CONTEXT_TOKENS = 8192
"""Room for a prompt and its reply in the local model."""
_LIMIT = "max_tokens"
_ALTERNATIVES = 20
_REMEMBERED_QUERIES = 64


class SentenceEncoder:
    """A sentence-transformers model as an `Encoder`."""

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
    """The embedding model of the settings, from a package, a folder or the hub's local cache."""
    name = settings.embedding_model
    folder = weights.find_embedding(name)
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceEncoder(SentenceTransformer(str(folder or name), device="cpu"), name)
    except (OSError, ValueError, RuntimeError) as fault:
        raise ModelError(
            f"The embedding model '{name}' can't be loaded: {_line(fault)}.",
            "set OTS_ASSISTANT_EMBEDDING_MODEL to all-MiniLM-L6-v2 or to a model's folder",
        ) from fault


class LangChainChat:
    """Any LangChain chat model as a `ChatModel`."""

    def __init__(self, chat: BaseChatModel, name: str, mend: str, limit: str = _LIMIT) -> None:
        """`limit` is what a call's argument for the longest reply is called, "" if it has none."""
        self.name = name
        self._chat = chat
        self._mend = mend
        self._limit = limit

    def stream(self, messages: Sequence[Message], max_tokens: int) -> Iterator[str]:
        with self._faults_named():
            for chunk in self._chat.bind(**self._at_most(max_tokens)).stream(_turns(messages)):
                if chunk.text:
                    yield chunk.text

    def probe(self, messages: Sequence[Message]) -> float | None:
        asked = self._chat.bind(**self._at_most(1), logprobs=True, top_logprobs=_ALTERNATIVES)
        with self._faults_named():
            try:
                reply = asked.invoke(_turns(messages))
            except Exception as fault:
                if not _refuses_logprobs(fault):
                    raise
                told = None
            else:
                told = yes_probability(reply.response_metadata.get("logprobs"))
        # Where a provider gives no probabilities, the word itself has to do.
        if told is None:
            told = said_probability("".join(LangChainChat.stream(self, messages, 4)))
        return told

    def _at_most(self, tokens: int) -> dict[str, Any]:
        return {self._limit: tokens} if self._limit else {}

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        """Turn whatever a provider's client raises into one line and the way to mend it."""
        try:
            yield
        except AssistantError:
            raise
        except Exception as fault:
            raise self._named(fault) from fault

    def _named(self, fault: Exception) -> ModelError:
        status, kind = getattr(fault, "status_code", None), type(fault).__name__.lower()
        if status in (401, 403):
            return ModelError(f"{self.name} refused the key: {_line(fault)}.", self._mend)
        if "timeout" in kind:
            return ModelError(
                f"{self.name} did not answer in time.",
                "try again, or raise OTS_ASSISTANT_TIMEOUT_S",
            )
        if "connect" in kind:
            return ModelError(f"{self.name} can't be reached: {_line(_root(fault))}.", self._mend)
        return ModelError(f"{self.name} failed: {_line(fault)}.", self._mend)


class LocalChat(LangChainChat):
    """A GGUF model on llama.cpp, served to this process alone on a loopback port.

    The first message is taken for a prefix that many questions share. Once read, its state is
    saved to disk, and a later process takes it from there instead of reading it again.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self._states = settings.cache_dir / "prompts"
        self._lock = threading.Lock()
        self._prefix = ""
        key = secrets.token_urlsafe(24)
        self._server, url = _start_server(path, key, settings.threads, self._states)
        file, engine = path.stat(), f"xllamacpp {version('xllamacpp')}, {CONTEXT_TOKENS}"
        self._identity = f"{path.name}:{file.st_size}:{file.st_mtime_ns}\n{engine}"
        import httpx

        # `trust_env=False` keeps a proxy of the environment out of a loopback connection.
        self._http = httpx.Client(
            base_url=url.removesuffix("/v1"),
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=settings.timeout_s,
        )
        chat = _openai_chat(url, path.stem, key, settings, http_client=self._http)
        super().__init__(chat, path.stem, "ots-assistant doctor")

    def stream(self, messages: Sequence[Message], max_tokens: int) -> Iterator[str]:
        with self._lock:
            self._prime(messages)
            yield from super().stream(messages, max_tokens)

    def probe(self, messages: Sequence[Message]) -> float | None:
        with self._lock:
            self._prime(messages)
            return super().probe(messages)

    def prime(self, prefix: Message) -> None:
        """Read a prefix ahead of the questions that will follow it."""
        with self._lock:
            self._prime([prefix])

    def _prime(self, messages: Sequence[Message]) -> None:
        prefix = messages[0]["content"]
        if messages[0]["role"] != "system" or prefix == self._prefix:
            return
        digest = hashlib.sha256(f"{self._identity}\n{prefix}".encode()).hexdigest()
        state = self._states / f"{digest[:24]}.bin"
        if not (states.intact(state) and self._slot("restore", state)):
            list(super().stream([messages[0], {"role": "user", "content": "."}], 1))
            if self._slot("save", state):
                states.keep(state)
        self._prefix = prefix

    def _slot(self, action: str, state: Path) -> bool:
        """Save or restore the model's state; false where the disk does not allow it."""
        import httpx

        try:
            reply = self._http.post(f"/slots/0?action={action}", json={"filename": state.name})
        except httpx.HTTPError:
            return False  # where the server itself is gone, the question that follows says so
        return reply.is_success


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


def _refuses_logprobs(fault: Exception) -> bool:
    """Whether a fault is that of a provider, or its client, that knows no logprobs."""
    return isinstance(fault, TypeError) or getattr(fault, "status_code", None) in (400, 422)


def _provider_chat(name: str, settings: Settings) -> ChatModel:
    from langchain.chat_models import init_chat_model

    provider = name.partition(":")[0]
    limit = {"ollama": "num_predict"}.get(provider, _LIMIT)
    options: dict[str, Any] = {limit: settings.max_answer_tokens, "temperature": 0}
    options |= {"api_key": settings.api_key} if settings.api_key else {}
    variable = f"{provider.upper()}_API_KEY"
    try:
        if not all(name.partition(":")):
            raise ValueError("no provider and model")
        chat = init_chat_model(name, timeout=settings.timeout_s, max_retries=1, **options)
    except ImportError as fault:
        raise ModelError(f"{name} can't be used: {_line(fault)}.", _install(fault)) from None
    except ValueError as fault:
        # Pydantic's, for a value that the provider's client refuses, is a ValueError as well.
        if "provider" not in str(fault):
            raise ModelError(f"{name} can't be used: {_line(fault)}.", f"set {variable}") from fault
        raise SettingsError(
            f"The chat model '{name}' names no provider that is known.",
            "set OTS_ASSISTANT_CHAT_MODEL to local, none, a .gguf path, a URL or provider:model",
        ) from None
    except Exception as fault:  # each client has its own way to say that a key is missing
        raise ModelError(
            f"{name} can't be used: {_line(fault)}.", f"set OTS_ASSISTANT_API_KEY or {variable}"
        ) from fault
    # Not every client takes a limit with a call, so it is part of the model.
    return LangChainChat(chat, name, f"check OTS_ASSISTANT_API_KEY or {variable}", limit="")


def _install(fault: ImportError) -> str:
    """The command that LangChain proposes for a provider's missing package."""
    command = re.search(r"pip install (?:-U )?[\w-]+", str(fault))
    return command[0] if command else "install the provider's LangChain package"


def _url_chat(name: str, settings: Settings) -> ChatModel:
    import httpx

    url, model = urldefrag(name)
    try:
        host, _ = urlsplit(url).hostname or "", urlsplit(url).port
    except ValueError as fault:
        raise SettingsError(
            f"The chat model's address '{url}' is none: {fault}.",
            "set OTS_ASSISTANT_CHAT_MODEL to http://host:port/v1#model",
        ) from None
    options: dict[str, Any] = {}
    if host in ("localhost", "::1") or host.startswith("127."):
        # A proxy of the environment is not for what runs on this machine.
        options["http_client"] = httpx.Client(trust_env=False, timeout=settings.timeout_s)
    chat = _openai_chat(url, model or "default", settings.api_key or "none", settings, **options)
    return LangChainChat(chat, url, "check the address and OTS_ASSISTANT_API_KEY")


def _openai_chat(
    url: str, model: str, key: str, settings: Settings, **options: Any
) -> BaseChatModel:
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    return ChatOpenAI(
        base_url=url,
        model=model,
        api_key=SecretStr(key),
        temperature=0,
        seed=1,
        timeout=settings.timeout_s,
        max_retries=0,
        **options,
    )


def _start_server(path: Path, key: str, threads: int, saved: Path) -> tuple[Any, str]:
    """Load a GGUF file and serve it on a free loopback port; returns the server and its URL."""
    import os

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.n_ctx = CONTEXT_TOKENS
    # One slot: with two at once a trial gave a wrong answer, and each would read the prefix anew.
    params.n_parallel = 1
    params.cache_ram_mib = 0
    params.n_gpu_layers = 0
    params.ui = False
    params.verbosity = -1
    params.sampling.temp = 0.0
    cores = threads or os.cpu_count() or 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = cores
    try:
        saved.mkdir(parents=True, exist_ok=True)
        params.slot_save_path = f"{saved}{os.sep}"
    except OSError:
        params.slot_save_path = ""  # a read-only cache: the prefix is read anew in each process
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as fault:
        raise WeightsError(
            f"llama.cpp can't load {path}: {_line(fault)}.",
            "check that it is a whole GGUF file; for the default model: ots-assistant fetch",
        ) from fault
    return server, f"{server.listening_address}/v1"


def _turns(messages: Sequence[Message]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in messages]


def _root(fault: BaseException) -> BaseException:
    """What a fault was first of all: clients wrap "connection refused" in "connection error"."""
    while fault.__cause__:
        fault = fault.__cause__
    return fault


def _line(fault: BaseException) -> str:
    return (" ".join(str(fault).split()) or type(fault).__name__)[:160].rstrip(".")
