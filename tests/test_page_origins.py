"""Only one's own host names are served, and nothing is taken from other sites."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest
from fakes_page import FakeAssistant
from pages import serving

import app


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    options = app.Options(names=("ots.example.org",))
    with serving(app.build_server(FakeAssistant(), options=options)) as where:
        yield where


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "192.0.2.7", "[::1]", "ots.example.org", "OTS.example.org.",
     socket.gethostname()],
)  # fmt: skip
def test_own_names_are_served(address: str, host: str) -> None:
    assert httpx.get(address, headers={"host": f"{host}:7860"}, timeout=60).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[", "a b"]
)
def test_foreign_names_are_not(address: str, host: str) -> None:
    said = httpx.get(address, headers={"host": host}, timeout=60)
    assert said.status_code in (400, 421)
    if said.status_code == 421:
        assert "--name" in said.text and len(said.text.splitlines()) == 1


CALL = "gradio_api/call/ask"
DATA = {"data": ["Who are the parties?", None, None]}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_nothing_is_taken_from_other_sites(address: str, headers: dict[str, str]) -> None:
    said = httpx.post(address + CALL, json=DATA, headers=headers, timeout=60)
    assert (said.status_code, said.text) == (403, "This page takes nothing from other sites.")


def test_programs_and_the_page_itself_are_answered(address: str) -> None:
    own = address.rstrip("/")
    for headers in ({}, {"origin": own}, {"sec-fetch-site": "same-origin"}):
        said = httpx.post(address + CALL, json=DATA, headers=headers, timeout=60)
        assert said.status_code == 200, said.text
