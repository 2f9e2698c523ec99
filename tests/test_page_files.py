"""No file comes in or goes out by Gradio's routes, and no address is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes_page import FakeAssistant
from pages import serving

import app
from assistant.page.files import REFUSED

TAKEN = {"files": ("page.html", b"<script>window.hacked=1</script>", "text/html")}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(app.build_server(FakeAssistant())) as where:
        yield f"{where}gradio_api/"


@pytest.mark.parametrize("route", ["upload", "upload/", "upload?upload_id=x", "process_recording"])
def test_an_upload_of_any_size_and_type_is_refused(address: str, route: str) -> None:
    for content in (b"", b"x", b"x" * 3_000_000):
        files = {"files": ("saved.json", content, "application/json")}
        said = httpx.post(address + route, files=files, timeout=60)
        assert (said.status_code, said.text) == (403, REFUSED)
    said = httpx.post(address + route, files=TAKEN, timeout=60)
    assert (said.status_code, said.text) == (403, REFUSED)


@pytest.mark.parametrize(
    "route",
    [
        "file=https://evil.example/x.png",
        "file%3Dhttps://evil.example/x.png",
        f"file={Path(app.__file__)}",
        "proxy=https://evil.example/",
        "upload_progress?upload_id=x",
    ],
)
def test_no_file_is_served_and_no_address_is_fetched(address: str, route: str) -> None:
    said = httpx.get(address + route, timeout=60)
    assert (said.status_code, said.text) == (403, REFUSED)
    assert "content-security-policy" in said.headers


def test_a_value_that_claims_to_be_a_file_is_refused(address: str) -> None:
    for path in ("https://evil.example/x.png", str(Path(app.__file__))):
        fake: Any = {"path": path, "meta": {"_type": "gradio.FileData"}}
        asked = httpx.post(f"{address}call/ask", json={"data": ["Why?", [fake], None]}, timeout=60)
        event = asked.json()["event_id"]
        told = httpx.get(f"{address}call/ask/{event}", timeout=60).text
        assert told.startswith("event: error")
        assert "Bishkek" not in told
