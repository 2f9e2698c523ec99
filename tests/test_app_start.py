"""The start of the page: addresses, ports, models, the guard."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from fakes_page import FakeAssistant

import app
from assistant.errors import ModelError, SettingsError
from assistant.page import talk
from assistant.page.desk import Desk
from assistant.page.guard import Guard
from assistant.page.server import place
from assistant.page.words import ENGLISH


def test_a_public_address_needs_a_clear_yes() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(SettingsError, match="no login") as caught:
            app.listen(host, 0, public=False)
        assert "--public-without-login" in caught.value.mend
    app.listen("0.0.0.0", 0, public=True).close()
    app.listen("localhost", 0, public=False).close()


def test_a_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert app.main(["--port", str(port)]) == SettingsError.exit_code
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert f"port {port}" in said
    assert "--port" in said


@pytest.mark.parametrize("port", ["70000", "¹", "-1", "80.5", "many", "9" * 5000])
def test_an_impossible_port_is_one_line(
    port: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.main([f"--port={port}"]) == SettingsError.exit_code
    monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    assert app.main([]) == SettingsError.exit_code
    option, variable = capsys.readouterr().err.splitlines()
    assert option.startswith(f"--port is '{port}', which is no port. To mend it: ")
    assert variable.startswith(f"GRADIO_SERVER_PORT is '{port}', which is no port. To mend it: ")


@pytest.mark.parametrize("host", ["no such host", "x" * 300, "127.0.0.1:80"])
def test_an_impossible_host_is_one_line(
    host: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_SERVER_NAME", host)
    assert app.main([]) == SettingsError.exit_code
    (said,) = capsys.readouterr().err.splitlines()
    assert host in said
    assert "GRADIO_SERVER_NAME" in said


def test_options_win_over_gradios_variables_and_those_over_the_default() -> None:
    variables = {"GRADIO_SERVER_NAME": "::1", "GRADIO_SERVER_PORT": "7900"}
    assert place(None, None, {}) == ("127.0.0.1", 7860)
    assert place(None, None, dict.fromkeys(variables, "")) == ("127.0.0.1", 7860)
    assert place(None, None, variables) == ("::1", 7900)
    assert place("localhost", None, variables) == ("localhost", 7900)
    assert place(None, "0", variables) == ("::1", 0)


def test_models_that_do_not_load_are_named() -> None:
    class Broken(FakeAssistant):
        def warm(self) -> None:
            raise ModelError("The embedding model is missing.", "run setup")

    readiness = app.Readiness(Broken())
    readiness.start()

    async def last_line() -> str:
        return [line async for line in readiness.lines(None)][-1]

    assert asyncio.run(last_line()) == "The embedding model is missing. To mend it: run setup"


def test_an_unexpected_fault_keeps_the_conversation(caplog: pytest.LogCaptureFixture) -> None:
    class Bad(FakeAssistant):
        def stream(self, *_: Any, **__: Any) -> Iterator[Any]:
            raise ZeroDivisionError("never shown")

    page, desk = talk.Page(Bad()), Desk()
    page.begin("Why?", "", desk, None)
    *_, last = page.answer(desk)
    assert ENGLISH(talk.SURPRISE) in last.talk
    assert "never shown" not in last.talk
    assert "Why?" in last.talk
    assert "never shown" in caplog.text


def test_the_guard_gives_pages_a_nonce_and_lets_streams_flow() -> None:
    async def inner(scope: Any, receive: Any, send: Any) -> None:
        kind = b"text/html" if scope["path"] == "/" else b"text/event-stream"
        assert not [h for h in scope["headers"] if h[0] == b"accept-encoding"]
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-type", kind), (b"content-length", b"16")]})  # fmt: skip
        await send({"type": "http.response.body", "body": b"<script>", "more_body": True})
        await send({"type": "http.response.body", "body": b"</script>"})

    def get(path: str) -> list[Any]:
        sent: list[Any] = []

        async def send(event: Any) -> None:
            sent.append(event)

        scope = {"type": "http", "path": path, "headers": [(b"accept-encoding", b"br")]}
        asyncio.run(Guard(inner)(scope, None, send))  # type: ignore[arg-type]
        return sent

    start, body = get("/")
    policy = dict(start["headers"])[b"content-security-policy"].decode()
    nonce = re.search(r"'nonce-([\w-]+)'", policy)
    assert nonce is not None
    assert body["body"] == f'<script nonce="{nonce[1]}"></script>'.encode()
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()
    assert [event["body"] for event in get("/stream")[1:]] == [b"<script>", b"</script>"]
