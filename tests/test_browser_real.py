"""`python app.py` as a person starts it, with the real assistant, in a real browser."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_app import Visit, browser  # noqa: F401  `browser` is a fixture

ROOT = Path(__file__).resolve().parent.parent
WHERE = "Where was the Digital Economy Partnership Agreement signed?"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture(params=["none", pytest.param("local", marks=pytest.mark.local_model)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The page, served by a process of its own."""
    local = request.param == "local"
    cache = request.getfixturevalue("model_cache") if local else tmp_path / "cache"
    port = free_port()
    env = {
        "OTS_ASSISTANT_CACHE_DIR": str(cache),
        "OTS_ASSISTANT_DATA_DIR": str(tmp_path / "data"),
        "OTS_ASSISTANT_CHAT_MODEL": request.param,
    }
    errors = (tmp_path / "errors").open("w", encoding="utf-8")
    child = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port), "--no-browser"],
        cwd=ROOT,
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    assert child.stdout is not None
    try:
        line = child.stdout.readline()
        assert f"http://127.0.0.1:{port}/" in line, line
        yield f"http://127.0.0.1:{port}/"
        child.send_signal(signal.SIGINT)
        assert child.wait(20) in (0, 130)
        # Ctrl-C ends it without a word, although a browser has the page open.
        assert (tmp_path / "errors").read_text(encoding="utf-8") == ""
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        errors.close()


@pytest.mark.browser
def test_where_it_was_signed(browser: Any, address: str) -> None:  # noqa: F811
    visit = Visit(browser, address)
    page = visit.page
    visit.ask(WHERE, 1, wait=False)
    page.wait_for_selector("#turn-1:not(.growing)", timeout=240_000)
    assert "Bishkek" in page.inner_text("#turn-1")
    assert "Bishkek" in " ".join(page.locator("#evidence .article mark").all_inner_texts())
    page.click("#turn-1 a.cite >> nth=0")
    visit.mark_in_panel("quote-1-1")
    visit.check()
