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


def started(port: int, model: str, cache: Path, data: Path, errors: Path) -> subprocess.Popen[str]:
    """The page in a process of its own; what it complains of goes into a file."""
    env = {
        "OTS_ASSISTANT_CACHE_DIR": str(cache),
        "OTS_ASSISTANT_DATA_DIR": str(data),
        "OTS_ASSISTANT_CHAT_MODEL": model,
    }
    # Started in the background by a shell, tests ignore Ctrl-C, and so does what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port), "--no-browser"],
        cwd=ROOT,
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=errors.open("w", encoding="utf-8"),
        text=True,
    )


def test_ctrl_c_while_the_models_load_ends_it_in_order(tmp_path: Path) -> None:
    port, errors = free_port(), tmp_path / "errors"
    child = started(port, "none", tmp_path / "cache", tmp_path / "data", errors)
    assert child.stdout is not None
    assert str(port) in child.stdout.readline()
    child.send_signal(signal.SIGINT)
    said, _ = child.communicate(timeout=60)
    assert child.returncode in (0, 130), said
    assert not errors.read_text(encoding="utf-8")


@pytest.fixture(params=["none", pytest.param("local", marks=pytest.mark.local_model)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The page as a person starts it."""
    local = request.param == "local"
    cache = request.getfixturevalue("model_cache") if local else tmp_path / "cache"
    port = free_port()
    child = started(port, request.param, cache, tmp_path / "data", tmp_path / "errors")
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
