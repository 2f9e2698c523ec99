"""Any LangChain chat model as the `ChatModel` that answers are drafted with."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from assistant.logprobs import said_probability, yes_probability
from assistant.model_faults import faults_named
from assistant.settings import Settings
from assistant.types import Message, Selection

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

LIMIT = "max_tokens"
_ALTERNATIVES = 20


class LangChainChat:
    """Any LangChain chat model as a `ChatModel`."""

    def __init__(self, chat: BaseChatModel, name: str, mend: str, limit: str = LIMIT) -> None:
        """`limit` is what a call's argument for the longest reply is called, "" if it has none."""
        self.name = name
        self._chat = chat
        self._mend = mend
        self._limit = limit

    def stream(self, messages: Sequence[Message], max_tokens: int) -> Iterator[str]:
        with faults_named(self.name, self._mend):
            for chunk in self._chat.bind(**self._at_most(max_tokens)).stream(_turns(messages)):
                if chunk.text:
                    yield chunk.text

    def probe(self, messages: Sequence[Message]) -> float | None:
        asked = self._chat.bind(**self._at_most(1), logprobs=True, top_logprobs=_ALTERNATIVES)
        with faults_named(self.name, self._mend):
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
            told = said_probability("".join(self.stream(messages, 4)))
        return told

    def select(self, messages: Sequence[Message], count: int) -> Selection | None:
        return None  # letters without training say little (docs/grounding.md has the figures)

    def _at_most(self, tokens: int) -> dict[str, Any]:
        return {self._limit: tokens} if self._limit else {}


def _refuses_logprobs(fault: Exception) -> bool:
    """Whether a fault is that of a provider, or its client, that knows no logprobs."""
    return isinstance(fault, TypeError) or getattr(fault, "status_code", None) in (400, 422)


def openai_chat(url: str, model: str, key: str, settings: Settings) -> BaseChatModel:
    """A model behind an address; one on this machine is asked without a proxy."""
    import httpx
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    options: dict[str, Any] = {}
    if is_loopback(urlsplit(url).hostname or ""):
        direct: dict[str, Any] = {"trust_env": False, "timeout": settings.timeout_s}
        options["http_client"] = httpx.Client(**direct)
        # Never used, but made at once, and not every proxy is one that it can be made with.
        options["http_async_client"] = httpx.AsyncClient(**direct)
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


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _turns(messages: Sequence[Message]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in messages]
