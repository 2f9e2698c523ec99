"""A GGUF model on llama.cpp, served to this process alone on a loopback port."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from assistant import answer_selection, states
from assistant.errors import WeightsError
from assistant.logprobs import said_probability, yes_probability
from assistant.model_faults import faults_named, line
from assistant.settings import Settings
from assistant.types import Message, Selection

CONTEXT_TOKENS = 8192
"""Room for a prompt and its reply in the local model."""
_LIFT = 80.0
"""Added to the tokens asked for, so that they come before all others in whatever reply."""
_LEAST = 1e-38
"""Below this a probability comes back as zero."""
_WRITING, _SELECTING = 0, 1
"""Slots of the server: each has read the sources in its own way, one without the adapter."""
_CHAT = "/v1/chat/completions"
_JUST_READ = {"n_predict": 1, "cache_prompt": True}
_ALTERNATIVES = 20


class LocalChat:
    """A GGUF model on llama.cpp, served to this process alone on a loopback port.

    The first message is taken for a prefix that many questions share. Once read, its state is
    saved to disk, and a later process takes it from there instead of reading it again. Where there
    is an adapter that selects sentences, it has a slot and a prefix of its own.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self._states = settings.cache_dir / "prompts"
        self._lock = threading.Lock()
        self._prefixes: dict[int, str] = {}
        key = secrets.token_urlsafe(24)
        self._adapter = answer_selection.adapter_for(path)
        self._server, url = _start_server(path, self._adapter, key, settings.threads, self._states)
        file, engine = path.stat(), f"xllamacpp {version('xllamacpp')}, {CONTEXT_TOKENS}"
        adapted = hashlib.sha256(self._adapter.read_bytes() if self._adapter else b"").hexdigest()
        self._identity = f"{path.name}:{file.st_size}:{file.st_mtime_ns}\n{engine}\n{adapted}"
        # `trust_env=False` keeps a proxy of the environment out of a loopback connection.
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=settings.timeout_s,
        )
        self.name = path.stem

    def stream(self, messages: Sequence[Message], max_tokens: int) -> Iterator[str]:
        with self._lock, self._faults_named():
            self._prime(_WRITING, messages)
            yield from self._written(messages, max_tokens)

    def probe(self, messages: Sequence[Message]) -> float | None:
        with self._lock, self._faults_named():
            self._prime(_WRITING, messages)
            asked = {"logprobs": True, "top_logprobs": _ALTERNATIVES}
            (choice,) = self._posted(_CHAT, _turns(messages, 1) | asked)["choices"]
            told = yes_probability(choice.get("logprobs"))
            return said_probability("".join(self._written(messages, 4))) if told is None else told

    def select(self, messages: Sequence[Message], count: int) -> Selection | None:
        if self._adapter is None:
            return None
        with self._lock, self._faults_named():
            if count > answer_selection.MOST:  # the whole of the sources, for every question
                self._prime(_SELECTING, messages)
            scores = self._scores(messages, answer_selection.TOKENS)
        return answer_selection.read(scores, count)

    def _written(self, messages: Sequence[Message], max_tokens: int) -> Iterator[str]:
        asked = _turns(messages, max_tokens) | {"stream": True}
        with self._http.stream("POST", _CHAT, json=asked) as reply:
            for event in _events(reply):
                for choice in event["choices"]:
                    if text := choice["delta"].get("content"):
                        yield text

    def _scores(self, messages: Sequence[Message], tokens: Sequence[int]) -> list[float]:
        """Log-probability of each of these tokens as the first of the reply, among themselves.

        The adapter is applied.
        """
        reply = self._complete(_SELECTING, messages, _scoring(tokens))
        found = reply["completion_probabilities"][0]["top_probs"]
        scores = {choice["id"]: math.log(max(choice["prob"], _LEAST)) for choice in found}
        return [scores.get(token, math.log(_LEAST)) for token in tokens]

    def _complete(self, slot: int, messages: Sequence[Message], options: dict[str, Any]) -> Any:
        prompt = self._posted("/apply-template", {"messages": list(messages)})["prompt"]
        return self._posted("/completion", {"prompt": prompt, **options, **_on(slot)})

    def _posted(self, path: str, body: dict[str, Any]) -> Any:
        return _accepted(self._http.post(path, json=body)).json()

    def _faults_named(self) -> AbstractContextManager[None]:
        return faults_named(self.name, "ots-assistant doctor")

    def prime(self, prefix: Message) -> None:
        """Read a prefix of requests to write ahead of the questions that will follow it."""
        with self._lock, self._faults_named():
            self._prime(_WRITING, [prefix])

    def prime_selection(self, prefix: Message) -> None:
        """The same for requests to select; nothing where there is no adapter for it."""
        if self._adapter:
            with self._lock, self._faults_named():
                self._prime(_SELECTING, [prefix])

    def _prime(self, slot: int, messages: Sequence[Message]) -> None:
        prefix = messages[0]["content"]
        if messages[0]["role"] != "system" or prefix == self._prefixes.get(slot):
            return
        digest = hashlib.sha256(f"{self._identity}\n{slot}\n{prefix}".encode()).hexdigest()
        state = self._states / f"{digest[:24]}.bin"
        if slot not in self._prefixes:
            # A slot forgets what it has read when the adapter is turned on or off.
            self._complete(slot, [{"role": "user", "content": "."}], _JUST_READ)
        if not (states.intact(state) and self._slot("restore", slot, state)):
            self._complete(slot, [messages[0], {"role": "user", "content": "."}], _JUST_READ)
            if self._slot("save", slot, state):
                states.keep(state)
        self._prefixes[slot] = prefix

    def _slot(self, action: str, slot: int, state: Path) -> bool:
        """Save or restore the model's state; false where the disk does not allow it."""
        try:
            reply = self._http.post(f"/slots/{slot}?action={action}", json={"filename": state.name})
        except httpx.HTTPError:
            return False  # where the server itself is gone, the question that follows says so
        return reply.is_success


class _Refused(Exception):
    """What the server says of a request instead of answering it: `said` is JSON, if all is well."""

    def __init__(self, status: int, said: bytes) -> None:
        try:
            told = json.loads(said)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            told = said.decode("utf-8", "replace")
        super().__init__(f"Error code: {status} - {told}")
        self.status_code = status


def _accepted(reply: httpx.Response) -> httpx.Response:
    if reply.is_error:
        raise _Refused(reply.status_code, reply.read())
    return reply


def _events(reply: httpx.Response) -> Iterator[Any]:
    """What a server sends bit by bit; raises where it tells of a fault, or stops before the end."""
    rest = b""
    for part in _accepted(reply).iter_bytes():
        *lines, rest = (rest + part).split(b"\n")  # `iter_lines` would part at U+2028 too
        for data in (one.removeprefix(b"data:") for one in lines if one.startswith(b"data:")):
            if data.strip() == b"[DONE]":
                return
            event = json.loads(data)
            if "error" in event:
                raise _Refused(reply.status_code, data)
            yield event
    raise httpx.RemoteProtocolError("the reply has no end")


def _turns(messages: Sequence[Message], max_tokens: int) -> dict[str, Any]:
    """A request for the model's own reply."""
    limits = {"max_tokens": max_tokens, "temperature": 0, "seed": 1}
    return {"messages": list(messages), **limits, **_on(_WRITING)}


def _scoring(tokens: Sequence[int]) -> dict[str, Any]:
    """What makes llama.cpp give the probabilities of just these tokens."""
    return {
        "n_predict": 1,
        "n_probs": len(tokens),
        "post_sampling_probs": True,
        "samplers": ["temperature"],
        "temperature": 1.0,
        "logit_bias": [[token, _LIFT] for token in tokens],
        "cache_prompt": True,
    }


def _on(slot: int) -> dict[str, Any]:
    """What makes a request go to one slot, and the adapter be applied in just one of them."""
    return {"id_slot": slot, "lora": [{"id": 0, "scale": float(slot == _SELECTING)}]}


def _start_server(
    path: Path, adapter: Path | None, key: str, threads: int, saved: Path
) -> tuple[Any, str]:
    """Load a GGUF file and serve it on a free loopback port; returns the server and its URL."""
    import os

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    if adapter:
        params.lora_adapters = [_lora(adapter)]
        params.lora_init_without_apply = True
    # Each slot keeps what it has read. They are never at work together, for with two requests at
    # once a trial gave a wrong answer.
    params.n_parallel = 2 if adapter else 1
    params.n_ctx = CONTEXT_TOKENS * params.n_parallel
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
            f"llama.cpp can't load {path}: {line(fault)}.",
            "check that it is a whole GGUF file; for the default model: ots-assistant fetch",
        ) from fault
    return server, server.listening_address


def _lora(adapter: Path) -> Any:
    import xllamacpp

    info = xllamacpp.CommonAdapterLoraInfo()
    info.path, info.scale = str(adapter), 1.0
    return info
