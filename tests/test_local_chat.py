"""The local chat model's client, against a server of this test that passes for llama.cpp's."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes_openai import KEY, REPLY, OpenAIServer, openai_server

from assistant import Settings, local_chat
from assistant.errors import ModelError
from assistant.local_chat import LocalChat
from assistant.models import load_chat_model

MESSAGES = [{"role": "system", "content": "Sources"}, {"role": "user", "content": "Where?"}]
UNLED = MESSAGES[1:]
"""Without a prefix that is read first: the reply is the first thing asked for."""
Chat = Callable[..., LocalChat]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with openai_server() as running:
        yield running


@pytest.fixture
def chat(server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chat:
    """Makes the client of a model that the server has, or that another address does."""
    path = tmp_path / "some.gguf"
    path.write_bytes(b"GGUF")

    def make(key: str = KEY, timeout_s: float = 20, url: str = server.root) -> LocalChat:
        monkeypatch.setattr(local_chat, "_start_server", lambda *_: (None, url))
        monkeypatch.setattr(local_chat.secrets, "token_urlsafe", lambda _: key)
        settings = Settings(chat_model=str(path), cache_dir=tmp_path, timeout_s=timeout_s)
        model = load_chat_model(settings)
        assert isinstance(model, LocalChat)
        return model

    return make


def faults(model: LocalChat) -> Iterator[ModelError]:
    """What is raised for a reply, and for a probe, asked with and without a prefix."""
    for asked in (MESSAGES, UNLED):
        for ask in (lambda given: list(model.stream(given, 50)), model.probe):
            with pytest.raises(ModelError) as caught:
                ask(asked)
            assert "\n" not in str(caught.value)
            assert caught.value.mend
            assert caught.value.message.startswith("some ")
            yield caught.value


def test_a_reply_is_streamed(chat: Chat, server: OpenAIServer) -> None:
    pieces = list(chat().stream(MESSAGES, 50))
    assert len(pieces) == len(REPLY.split())
    assert "".join(pieces) == REPLY
    (asked,) = server.asked
    assert (asked["temperature"], asked["max_tokens"], asked["id_slot"]) == (0, 50, 0)
    assert asked["lora"] == [{"id": 0, "scale": 0.0}]
    assert asked["messages"] == MESSAGES


def test_a_reply_is_whole_whatever_characters_are_in_it(chat: Chat, server: OpenAIServer) -> None:
    server.reply = "Бишкек, Қырғызстан\u2028\x85\n\n🚀 data: [DONE]"
    assert "".join(chat().stream(MESSAGES, 50)) == server.reply


def test_a_reply_of_no_words(chat: Chat, server: OpenAIServer) -> None:
    server.mode = "empty"
    assert list(chat().stream(MESSAGES, 50)) == []


def test_a_reader_who_leaves_is_no_fault(chat: Chat) -> None:
    model = chat()
    pieces = model.stream(MESSAGES, 50)
    assert next(pieces) == "The"
    pieces.close()  # type: ignore[attr-defined]
    assert "".join(model.stream(MESSAGES, 50)) == REPLY


def test_a_probe_weighs_yes_against_no(chat: Chat, server: OpenAIServer) -> None:
    yes, no = math.exp(-0.2), math.exp(-2.0)
    assert chat().probe(MESSAGES) == pytest.approx(yes / (yes + no))
    (asked,) = server.asked
    assert (asked["max_tokens"], asked["logprobs"], asked["top_logprobs"]) == (1, True, 20)


@pytest.mark.parametrize("logprobs", [{"Maybe": -0.1}, {}, None])
def test_where_neither_is_likely_a_probe_takes_the_model_at_its_word(
    chat: Chat, server: OpenAIServer, logprobs: dict[str, float] | None
) -> None:
    if logprobs is None:
        server.mode = "no_logprobs"
    else:
        server.logprobs = logprobs
    for reply, told in (("Yes.", 0.9), ("No, it does not.", 0.1), (REPLY, None)):
        server.reply = reply
        assert chat().probe(MESSAGES) == told


def test_a_proxy_is_not_asked(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert "".join(chat(timeout_s=5).stream(MESSAGES, 50)) == REPLY


# --- A server that does not answer ---


def test_a_wrong_key(chat: Chat) -> None:
    for told in faults(chat("wrong")):
        assert "refused the key: Error code: 401 - Incorrect API key" in told.message


def test_a_server_that_says_nothing(chat: Chat, server: OpenAIServer) -> None:
    server.mode = "deaf"
    for told in faults(chat(timeout_s=0.2)):
        assert "did not answer in time" in told.message
        assert "OTS_ASSISTANT_TIMEOUT_S" in told.mend


def test_a_server_that_is_gone(chat: Chat) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    for told in faults(chat(url=url)):
        assert "can't be reached: [Errno" in told.message
        assert told.mend == "ots-assistant doctor"


@pytest.mark.parametrize(
    ("mode", "named"), [("busy", "Error code: 503 - The server is overloaded."), ("html", "failed")]
)
def test_other_faults_are_one_line(chat: Chat, server: OpenAIServer, mode: str, named: str) -> None:
    server.mode = mode
    for told in faults(chat()):
        assert named in told.message
        assert told.mend == "ots-assistant doctor"


@pytest.mark.parametrize(
    ("mode", "named", "words"),
    [("dies", "failed", 3), ("fails", "out of memory", 3), ("endless", "has no end", 99)],
)
def test_what_was_said_before_a_fault_is_kept(
    chat: Chat, server: OpenAIServer, mode: str, named: str, words: int
) -> None:
    server.mode = mode
    model, said = chat(), list[str]()
    with pytest.raises(ModelError, match=named) as caught:
        said.extend(model.stream(MESSAGES, 50))
    assert "".join(said) == " ".join(REPLY.split()[:words])
    assert "\n" not in str(caught.value)
    server.mode = "good"
    assert "".join(model.stream(MESSAGES, 50)) == REPLY
