"""Models by setting: a real client against a server of this test, and every way to have none."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import ScriptedChat
from fakes_openai import KEY, REPLY, OpenAIServer, openai_server
from hypothesis import given
from hypothesis import strategies as st

from assistant import Settings, states
from assistant.errors import AssistantError, ModelError, SettingsError, WeightsError
from assistant.logprobs import yes_probability
from assistant.models import Later, load_chat_model, load_encoder
from assistant.types import ChatModel, similarity

MESSAGES = [{"role": "system", "content": "Sources"}, {"role": "user", "content": "Where?"}]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with openai_server() as running:
        yield running


def chat(server: OpenAIServer, key: str = KEY, timeout_s: float = 20) -> ChatModel:
    settings = Settings(chat_model=f"{server.url}#some-model", api_key=key, timeout_s=timeout_s)
    model = load_chat_model(settings)
    assert model is not None
    return model


def fault(settings: Settings) -> AssistantError:
    with pytest.raises(AssistantError) as caught:
        load_chat_model(settings)
    assert "\n" not in str(caught.value)
    assert caught.value.mend
    return caught.value


def stream_fault(model: ChatModel) -> ModelError:
    with pytest.raises(ModelError) as caught:
        list(model.stream(MESSAGES, 50))
    assert "\n" not in str(caught.value)
    assert caught.value.mend
    return caught.value


# --- A server that answers ---


def test_a_reply_is_streamed(server: OpenAIServer) -> None:
    pieces = list(chat(server).stream(MESSAGES, 50))
    assert len(pieces) == len(REPLY.split())
    assert "".join(pieces) == REPLY
    (asked,) = server.asked
    assert asked["model"] == "some-model"
    assert asked["temperature"] == 0
    assert asked["stream"] is True
    assert 50 in (asked.get("max_tokens"), asked.get("max_completion_tokens"))
    assert [turn["content"] for turn in asked["messages"]] == ["Sources", "Where?"]


def test_a_probe_weighs_yes_against_no(server: OpenAIServer) -> None:
    yes, no = math.exp(-0.2), math.exp(-2.0)
    assert chat(server).probe(MESSAGES) == pytest.approx(yes / (yes + no))


@pytest.mark.parametrize("mode", ["no_logprobs", "refuses_logprobs"])
def test_without_logprobs_a_probe_takes_the_model_at_its_word(
    server: OpenAIServer, mode: str
) -> None:
    server.mode = mode
    assert chat(server).probe(MESSAGES) is None
    for reply, told in (("Yes.", 0.9), ("No, it does not.", 0.1), ("", None)):
        server.reply = reply
        assert chat(server).probe(MESSAGES) == told
    server.reply = REPLY
    assert "".join(chat(server).stream(MESSAGES, 50)) == REPLY


@given(
    st.dictionaries(
        st.sampled_from(["Yes", "yes", " no", "No", "Maybe", ""]), st.floats(-50, 0), max_size=6
    )
)
def test_a_probability_is_one_or_none(top: dict[str, float]) -> None:
    alternatives = [{"token": token, "logprob": p} for token, p in top.items()]
    found = yes_probability([{"token": "x", "top_logprobs": alternatives}])
    assert found == yes_probability({"content": [{"token": "x", "top_logprobs": alternatives}]})
    if {"Yes", "yes", " no", "No"} & set(top):
        assert found is not None
        assert 0 <= found <= 1
    else:
        assert found is None


@pytest.mark.parametrize("logprobs", [None, {}, [], {"content": None}, [{"top_logprobs": None}]])
def test_no_logprobs_are_no_probability(logprobs: object) -> None:
    assert yes_probability(logprobs) is None


def test_a_proxy_is_not_asked_for_what_runs_here(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        proxy = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert "".join(chat(server, timeout_s=5).stream(MESSAGES, 50)) == REPLY


# --- A server that does not ---


def test_a_wrong_key(server: OpenAIServer) -> None:
    for model in (chat(server, "wrong"), chat(server, "")):
        told = stream_fault(model)
        assert "refused the key" in told.message
        assert "OTS_ASSISTANT_API_KEY" in told.mend
        with pytest.raises(ModelError, match="refused the key"):
            model.probe(MESSAGES)


def test_a_server_that_says_nothing(server: OpenAIServer) -> None:
    server.mode = "deaf"
    model = chat(server, timeout_s=0.2)
    began = time.monotonic()
    told = stream_fault(model)
    assert "did not answer in time" in told.message
    assert "OTS_ASSISTANT_TIMEOUT_S" in told.mend
    with pytest.raises(ModelError, match="in time"):
        model.probe(MESSAGES)
    assert time.monotonic() - began < 60


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1#m"
    model = load_chat_model(Settings(chat_model=url))
    assert model is not None
    assert "can't be reached: [Errno" in stream_fault(model).message


def test_a_server_that_dies_keeps_what_it_said(server: OpenAIServer) -> None:
    server.mode = "dies"
    said: list[str] = []
    with pytest.raises(ModelError) as caught:
        said.extend(chat(server).stream(MESSAGES, 50))
    assert "".join(said) == " ".join(REPLY.split()[:3])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("mode", "named"), [("busy", "503"), ("html", "failed")])
def test_other_faults_are_one_line(server: OpenAIServer, mode: str, named: str) -> None:
    server.mode = mode
    model = chat(server)
    assert named in stream_fault(model).message
    with pytest.raises(ModelError, match=named):
        model.probe(MESSAGES)


def test_a_reply_of_no_words(server: OpenAIServer) -> None:
    server.mode = "empty"
    assert list(chat(server).stream(MESSAGES, 50)) == []


def test_a_reader_who_leaves_is_no_fault(server: OpenAIServer) -> None:
    pieces = iter(chat(server).stream(MESSAGES, 50))
    assert next(pieces) == "The"
    pieces.close()  # type: ignore[attr-defined]
    assert "".join(chat(server).stream(MESSAGES, 50)) == REPLY


# --- Settings that name no model ---


def test_none_and_a_local_model_that_is_not_fetched(tmp_path: Path) -> None:
    assert load_chat_model(Settings(chat_model="none", cache_dir=tmp_path)) is None
    assert load_chat_model(Settings(chat_model="local", cache_dir=tmp_path)) is None


@pytest.mark.parametrize("name", ["gpt-4", "foo:bar", ":x", "openai:", "localhost:1/v1", ""])
def test_a_provider_that_is_unknown(name: str) -> None:
    told = fault(Settings(chat_model=name, api_key="key"))
    assert isinstance(told, SettingsError)
    assert f"'{name}'" in told.message
    assert "OTS_ASSISTANT_CHAT_MODEL" in told.mend


@pytest.mark.parametrize("name", ["http://127.0.0.1:port/v1", "http://[::1/v1"])
def test_an_address_that_is_none(name: str) -> None:
    told = fault(Settings(chat_model=name))
    assert isinstance(told, SettingsError)
    assert name in told.message


def test_a_provider_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_ollama", None)
    told = fault(Settings(chat_model="ollama:some-model"))
    assert isinstance(told, ModelError)
    assert told.mend == "pip install langchain-ollama"


def test_a_provider_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.delenv(name, raising=False)
    told = fault(Settings(chat_model="openai:some-model"))
    assert isinstance(told, ModelError)
    assert "OTS_ASSISTANT_API_KEY or OPENAI_API_KEY" in told.mend


def test_a_provider_takes_key_time_and_length(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    settings = Settings(chat_model="openai:some-model", api_key=KEY, max_answer_tokens=77)
    model = load_chat_model(settings)
    assert model is not None
    assert "".join(model.stream(MESSAGES, 50)) == REPLY
    assert model.probe(MESSAGES) is not None
    assert 77 in (server.asked[0].get("max_tokens"), server.asked[0].get("max_completion_tokens"))
    server.mode = "refuses_logprobs"
    assert model.probe(MESSAGES) is None


# --- Files of weights ---


@pytest.mark.parametrize("content", [None, b"", b"not a model at all"])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "some.gguf"
    if content is not None:
        path.write_bytes(content)
    told = fault(Settings(chat_model=str(path)))
    assert isinstance(told, WeightsError)
    assert str(path) in told.message
    assert "OTS_ASSISTANT_CHAT_MODEL" in told.mend


def test_a_truncated_default_model(tmp_path: Path) -> None:
    path = tmp_path / "models" / "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
    path.parent.mkdir()
    path.write_bytes(b"GGUF" + bytes(996))
    told = fault(Settings(cache_dir=tmp_path))
    assert isinstance(told, WeightsError)
    assert "1000 of 1117320768 bytes" in told.message
    assert told.mend == "ots-assistant fetch"


def test_what_llama_cpp_can_not_load(tmp_path: Path) -> None:
    """In a process of its own: native code has other ways to fail than an exception."""
    path = tmp_path / "some.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(range(256)) * 20)
    script = f"""
from assistant.errors import WeightsError
from assistant.models import load_chat_model
from assistant.settings import Settings
try:
    load_chat_model(Settings(chat_model={str(path)!r}, cache_dir={str(tmp_path)!r}, threads=1))
except WeightsError as fault:
    print(fault)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(path) in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert "OTS_ASSISTANT_CHAT_MODEL" in done.stdout or "ots-assistant fetch" in done.stdout


def test_an_embedding_model_that_is_not_there(tmp_path: Path) -> None:
    for name in ("nobody/nothing-of-this-name", str(tmp_path)):
        with pytest.raises(ModelError) as caught:
            load_encoder(Settings(embedding_model=name))
        assert name in caught.value.message
        assert "OTS_ASSISTANT_EMBEDDING_MODEL" in caught.value.mend
        assert "\n" not in str(caught.value)


def test_the_embedding_model_gives_unit_vectors() -> None:
    encoder = load_encoder(Settings())
    signed, asked = encoder.encode_documents(["The pact was signed in Rome.", "Cats sleep a lot."])
    query = encoder.encode_query("Where was the treaty signed?")
    assert math.hypot(*query) == pytest.approx(1, abs=1e-4)
    near = sum(a * b for a, b in zip(query, signed, strict=True))
    far = sum(a * b for a, b in zip(query, asked, strict=True))
    assert similarity(near, encoder) > similarity(far, encoder) + 0.2


def test_prompt_states_are_checked_and_few(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.bin" for number in range(states.KEPT + 2)]
    for age, file in enumerate(files):
        file.write_bytes(file.name.encode())
        os.utime(file, (1000 + age, 1000 + age))
        assert not states.intact(file)
        states.keep(file)
    assert [file.exists() for file in files] == [False] * 2 + [True] * states.KEPT
    assert len(list(tmp_path.iterdir())) == 2 * states.KEPT
    assert states.intact(files[-1])
    files[-1].write_bytes(b"damaged")
    assert not states.intact(files[-1])
    files[-2].with_suffix(".sha256").write_bytes(b"\xff")
    assert not states.intact(files[-2])
    states.keep(tmp_path / "gone.bin")  # nothing to keep, and nothing to fail for


# --- Loading in the background ---


def test_a_model_is_loaded_once() -> None:
    loads: list[int] = []

    def load() -> ChatModel:
        loads.append(1)
        return ScriptedChat()

    later = Later(load)
    later.start()
    found = [later.get() for _ in range(3)]
    assert loads == [1]
    assert found[0] is found[1] is found[2]


@pytest.mark.parametrize("kind", [WeightsError, ZeroDivisionError])
def test_a_model_that_does_not_load_is_told_when_asked_for(
    kind: type[Exception], capfd: pytest.CaptureFixture[str]
) -> None:
    done = threading.Event()

    def load() -> ChatModel:
        done.set()
        raise kind("broken")

    later = Later(load)
    later.start()
    assert done.wait(5)
    for _ in range(2):
        with pytest.raises(kind, match="broken"):
            later.get()
    assert capfd.readouterr().err == ""


def test_the_real_encoder_gives_unit_vectors_even_for_nothing() -> None:
    encoder = load_encoder(Settings())
    for text in ("", "a question", "a question", ""):
        assert sum(x * x for x in encoder.encode_query(text)) == pytest.approx(1.0, abs=1e-3)
