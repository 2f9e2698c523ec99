"""Proxies of the environment: they stay out of this machine, and nothing is said of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import WHERE, environment
from fakes_openai import KEY, openai_server

from assistant.settings import stay_offline

TESTS = Path(__file__).parent
NOWHERE = "127.0.0.1:9"
FAKES = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from fakes import BagOfWords
from assistant import doctor, models
models.load_encoder = doctor.load_encoder = lambda settings: BagOfWords()
"""
COMMANDS = f"""{FAKES}
from assistant.cli import app
for line in (["ask", {WHERE!r}], ["ask", {WHERE!r}, "--json"], ["sources", "list"], ["doctor"]):
    assert app(line, standalone_mode=False) in (0, None), line
app(["chat"], standalone_mode=False)
"""
PAGE = f"""{FAKES}
import app
app.leave(app.main(["--no-browser"]))
"""
PROXIES = pytest.mark.parametrize(
    "proxies",
    [
        dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), f"http://{NOWHERE}"),
        dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), f"socks5://{NOWHERE}"),
    ],
    ids=["http", "socks5"],
)
"""A server that is not there, where Python can speak with such a proxy and where it can't."""


def start(script: str, **env: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {name: value for name, value in env.items() if value},
        cwd=TESTS.parent,
    )


@PROXIES
def test_nothing_is_said_and_a_model_on_this_machine_is_reached(
    cache: Path, proxies: dict[str, str]
) -> None:
    with openai_server() as server:
        model = {"OTS_ASSISTANT_CHAT_MODEL": f"{server.url}#m", "OTS_ASSISTANT_API_KEY": KEY}
        with start(COMMANDS, **environment(cache) | model | proxies) as running:
            said, complaints = running.communicate(f"{WHERE}\n\n")
        assert running.returncode == 0, complaints
        assert complaints == ""
        assert said.startswith("In ") or "[1]" in said
        assert len(server.asked) == 3 * 2


@PROXIES
def test_the_page_says_where_it_is_and_no_more(
    cache: Path, tmp_path: Path, proxies: dict[str, str]
) -> None:
    given = environment(cache) | proxies | {"OTS_ASSISTANT_DATA_DIR": str(tmp_path / "data")}
    given |= {"GRADIO_SERVER_PORT": "0", "GRADIO_SERVER_NAME": "localhost"}
    with start(PAGE, **given) as page:
        assert page.stdout is not None
        assert page.stdout.readline().startswith("The page is at http://")
        page.send_signal(signal.SIGINT)
        said, complaints = page.communicate()
    assert (said, complaints) == ("", "")


def test_a_port_that_is_none_is_one_line_although_gradio_fails_on_it(cache: Path) -> None:
    with start(PAGE, **environment(cache) | {"GRADIO_SERVER_PORT": "many"}) as page:
        said, complaints = page.communicate()
    assert page.returncode == 2
    assert said == ""
    assert complaints.startswith("GRADIO_SERVER_PORT is 'many'")
    assert len(complaints.splitlines()) == 1


def test_this_machine_is_added_to_what_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"http_proxy": "http://x", "NO_PROXY": "a.b, localhost"})
    stay_offline()
    for name in ("no_proxy", "NO_PROXY"):
        assert os.environ[name] == "a.b,localhost,127.0.0.1,::1"
    monkeypatch.setattr(os, "environ", {"http_proxy": ""})
    stay_offline()
    assert "no_proxy" not in os.environ
